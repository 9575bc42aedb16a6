-- What readers say of themselves, each member as a short text.
--
-- This also runs on a database that already holds this table of an earlier back end, with rows. It adds, and widens what
-- is too narrow; no row and no column is dropped. No row is updated either, so that no trigger dates one anew.

create table if not exists user_profile (
    -- The subject of a user of the first issuer of tokens; for all others, who they are as an owner.
    user_id text primary key,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

do $$
declare
    said constant text[] := array[
        'age_range', 'education_level', 'tech_background', 'focus_area', 'primary_goal', 'learning_mode',
        'learning_speed', 'time_per_week', 'preferred_language'
    ];
    id_type text;
    found record;
begin
    select att.atttypid::regtype::text into id_type
      from pg_attribute att
     where att.attrelid = 'user_profile'::regclass and att.attname = 'user_id' and not att.attisdropped;
    if id_type is null or id_type not in ('text', 'uuid', 'character varying', 'character') then
        raise exception 'the table `user_profile` is of another program (its `user_id` is %): give this server a schema or a database of its own',
            coalesce('of type ' || id_type, 'missing');
    end if;

    -- Whoever has a token or an account may have a profile, whether or not some other table knows them; and lists of
    -- values may be shorter than those of today.
    for found in
        select con.conname as name
          from pg_constraint con
         where con.conrelid = 'user_profile'::regclass and con.contype in ('f', 'c')
           and exists (
               select from pg_attribute att
                where att.attrelid = con.conrelid and att.attnum = any (con.conkey)
                  and (att.attname = 'user_id' or con.contype = 'c' and att.attname = any (said))
           )
    loop
        execute format('alter table user_profile drop constraint %I', found.name);
    end loop;

    for found in
        select att.attname as name, att.atttypid::regtype::text as old_type, att.attnotnull as is_required,
               att.atthasdef as has_default, att.attidentity <> '' as counts_itself,
               exists (
                   select from pg_index key
                    where key.indrelid = att.attrelid and key.indisprimary and att.attnum = any (key.indkey)
               ) as is_key
          from pg_attribute att
         where att.attrelid = 'user_profile'::regclass and att.attnum > 0 and not att.attisdropped
    loop
        if found.name in ('created_at', 'updated_at') then
            if found.old_type = 'timestamp without time zone' then
                execute format('alter table user_profile alter column %I drop default', found.name);
                execute format(
                    'alter table user_profile alter column %I type timestamptz using %I at time zone ''UTC''',
                    found.name, found.name
                );
                execute format('alter table user_profile alter column %I set default now()', found.name);
            end if;
        elsif found.name = 'user_id' or found.name = any (said) then
            if found.old_type <> 'text' then
                execute format('alter table user_profile alter column %I drop default', found.name);
                execute format('alter table user_profile alter column %I type text using %I::text', found.name, found.name);
            end if;
            if found.name <> 'user_id' then
                execute format('alter table user_profile alter column %I drop not null', found.name);
            end if;
        elsif found.is_key then
            -- A program that named its rows itself left no default for who does not.
            if not found.has_default and not found.counts_itself
               and found.old_type in ('uuid', 'text', 'character varying', 'character') then
                execute format(
                    'alter table user_profile alter column %I set default %s', found.name,
                    case when found.old_type = 'uuid' then 'gen_random_uuid()' else 'gen_random_uuid()::text' end
                );
            end if;
        elsif found.is_required and not found.has_default and not found.counts_itself then
            execute format('alter table user_profile alter column %I drop not null', found.name);
        end if;
    end loop;
end
$$;

alter table user_profile
    add column if not exists age_range text,
    add column if not exists education_level text,
    add column if not exists tech_background text,
    add column if not exists focus_area text,
    add column if not exists primary_goal text,
    add column if not exists learning_mode text,
    add column if not exists learning_speed text,
    add column if not exists time_per_week text,
    add column if not exists preferred_language text,
    add column if not exists created_at timestamptz default now(),
    add column if not exists updated_at timestamptz default now();

do $$
begin
    -- The level by the name that it had in some versions.
    if exists (
        select from pg_attribute
         where attrelid = 'user_profile'::regclass and attname = 'programming_experience' and not attisdropped
    ) then
        alter table user_profile alter column tech_background type text using coalesce(
            tech_background,
            case
                when lower(programming_experience::text) in ('none', 'beginner', 'intermediate', 'advanced')
                    then lower(programming_experience::text)
            end
        );
    end if;

    if not exists (select from user_profile group by user_id having count(*) > 1) then
        create unique index if not exists user_profile_user on user_profile (user_id);
    end if;
end
$$;
