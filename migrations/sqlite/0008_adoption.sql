-- Visitors who signed in: what was theirs until then is a user's.

create table chat_adoptions (
    -- The owner under which the visitor wrote.
    visitor text primary key,
    -- The owner under which it stands since.
    adopted_by text not null,
    at text not null
) without rowid;
