-- How much of what is limited was used: messages of a reader, attempts from an address.

create table limit_counts (
    -- What is counted and for whom; an address only as a keyed hash.
    key text primary key,
    used integer not null,
    -- The window ends then, and the count begins anew.
    resets_at text not null
) without rowid;

create index limit_counts_resets_at on limit_counts (resets_at);
