-- Texts that were written anew for readers, and which pages readers had written anew.

create table chat_rewrites (
    -- Whose it is; translations of pages are `everybody`'s.
    owner text not null,
    -- SHA-256 of the text as it was and of all that was asked of it.
    key text not null,
    text text not null,
    created_at text not null,
    primary key (owner, key)
) without rowid;

create index chat_rewrites_owner_created_at on chat_rewrites (owner, created_at);
create index chat_rewrites_created_at on chat_rewrites (created_at);

-- The newest time of each page, for each reader.
create table chat_rewritten_pages (
    owner text not null,
    -- `personalized` or `translated`.
    kind text not null,
    -- SHA-256 of the address, which may be longer than a key should be.
    page_hash text not null,
    page_url text not null,
    -- SHA-256 of the page as it was.
    content_hash text,
    -- SHA-256 of the profile that it was written for.
    profile_hash text,
    created_at text not null,
    primary key (owner, kind, page_hash)
) without rowid;

create index chat_rewritten_pages_created_at on chat_rewritten_pages (created_at);
