-- Texts that were written anew for readers, and which pages readers had written anew.

create table if not exists chat_rewrites (
    -- Whose it is; translations of pages are `everybody`'s.
    owner text not null,
    -- SHA-256 of the text as it was and of all that was asked of it.
    key text not null,
    text text not null,
    created_at timestamptz not null,
    primary key (owner, key)
);

create index if not exists chat_rewrites_owner_created_at on chat_rewrites (owner, created_at);
create index if not exists chat_rewrites_created_at on chat_rewrites (created_at);

-- The newest time of each page, for each reader.
create table if not exists chat_rewritten_pages (
    owner text not null,
    -- `personalized` or `translated`.
    kind text not null,
    -- SHA-256 of the address, which may be longer than a key should be.
    page_hash text not null,
    page_url text not null,
    -- SHA-256 of the page as it was; an earlier back end may not have kept it.
    content_hash text,
    -- SHA-256 of the profile that it was written for; an earlier back end may not have kept it.
    profile_hash text,
    created_at timestamptz not null,
    primary key (owner, kind, page_hash)
);

create index if not exists chat_rewritten_pages_created_at on chat_rewritten_pages (created_at);

-- What an earlier back end knows of its readers' pages counts on, as far as it says whose, which and when. Its tables are
-- left as they are, and one that cannot be read does not stand in the way.
do $$
declare
    kind text;
    history text;
    page text;
    columns text[];
    hash_of_content text;
    hash_of_profile text;
begin
    foreach kind in array array['personalized', 'translated'] loop
        history := case kind when 'personalized' then 'personalization_history' else 'translation_history' end;
        select array_agg(attname::text)
          into columns
          from pg_attribute
         where attrelid = to_regclass(history) and attnum > 0 and not attisdropped;
        select known.name
          into page
          from unnest(array['page_url', 'chapter_path', 'page_path']) with ordinality as known (name, place)
         where known.name = any (columns)
         order by known.place
         limit 1;
        continue when page is null or not columns @> array['user_id', 'created_at'];
        hash_of_content := case
            when 'original_content_hash' = any (columns) then 'original_content_hash::text'
            when 'content_hash' = any (columns) then 'content_hash::text'
            else 'null'
        end;
        hash_of_profile := case when 'profile_hash' = any (columns) then 'profile_hash::text' else 'null' end;
        begin
            execute format(
                'insert into chat_rewritten_pages
                        (owner, kind, page_hash, page_url, content_hash, profile_hash, created_at)
                 select distinct on (user_id, %1$I) ''user:'' || user_id::text, %2$L,
                        encode(sha256(convert_to(%1$I::text, ''UTF8'')), ''hex''), %1$I::text, %3$s, %4$s,
                        created_at::timestamptz
                   from %5$I
                  where user_id is not null and %1$I is not null and created_at is not null
                  order by user_id, %1$I, created_at desc
                     on conflict do nothing',
                page, kind, hash_of_content, hash_of_profile, history
            );
        exception when others then
            raise warning 'the rows of % could not be read: %', history, sqlerrm;
        end;
    end loop;
end
$$;
