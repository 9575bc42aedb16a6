-- What readers say of themselves, each member as a short text.

create table user_profile (
    -- The subject of a user of the first issuer of tokens; for all others, who they are as an owner.
    user_id text primary key,
    age_range text,
    education_level text,
    tech_background text,
    focus_area text,
    primary_goal text,
    learning_mode text,
    learning_speed text,
    time_per_week text,
    preferred_language text,
    created_at text not null,
    updated_at text not null
) without rowid;
