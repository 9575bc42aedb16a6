-- Conversations: threads, their items, the turns that run in them, and what readers thought of answers.
--
-- This also runs on a database that already holds `chat_threads` and `chat_thread_items` of an earlier back end, with
-- rows. It adds, and widens what is too narrow; no row and no column is dropped.

create sequence if not exists chat_position_seq;

create table if not exists chat_threads (
    id varchar(255) primary key,
    user_id text,
    title text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table if not exists chat_thread_items (
    id varchar(255) not null,
    thread_id varchar(255) not null references chat_threads (id) on delete cascade,
    type text not null,
    role text,
    content jsonb,
    created_at timestamptz not null default now(),
    n_tokens integer,
    primary key (thread_id, id)
);

-- An earlier table may refuse what has to go in now: a list of types that is too short, a limit on the size of
-- `content`, a user who must stand in another system's table, a key under which two threads cannot both have an item of
-- the same name. The order matters: constraints go before the types of their columns change.
do $$
declare
    found record;
begin
    for found in
        select con.conrelid::regclass as held_by, con.conname as name
          from pg_constraint con
         where con.conrelid in ('chat_threads'::regclass, 'chat_thread_items'::regclass)
           and (
               (con.contype = 'f' and con.confrelid <> 'chat_threads'::regclass)
               or (con.contype = 'c' and exists (
                   select from pg_attribute att
                    where att.attrelid = con.conrelid
                      and att.attnum = any (con.conkey)
                      and att.attname in ('type', 'role', 'content', 'title', 'user_id', 'metadata')
               ))
               or (con.contype = 'p' and con.conrelid = 'chat_thread_items'::regclass and cardinality(con.conkey) = 1
                   and not exists (select from pg_constraint other where other.confrelid = con.conrelid))
           )
    loop
        execute format('alter table %s drop constraint %I', found.held_by, found.name);
    end loop;

    for found in
        select att.attrelid::regclass as held_by, att.attname as name, att.atttypid::regtype::text as old_type
          from pg_attribute att
         where (att.attrelid, att.attname) in (
                   ('chat_threads'::regclass, 'user_id'),
                   ('chat_threads'::regclass, 'title'),
                   ('chat_threads'::regclass, 'metadata'),
                   ('chat_threads'::regclass, 'created_at'),
                   ('chat_threads'::regclass, 'updated_at'),
                   ('chat_thread_items'::regclass, 'type'),
                   ('chat_thread_items'::regclass, 'role'),
                   ('chat_thread_items'::regclass, 'content'),
                   ('chat_thread_items'::regclass, 'created_at')
               )
           and not att.attisdropped
    loop
        if found.name in ('user_id', 'title', 'type', 'role') and found.old_type <> 'text' then
            execute format('alter table %s alter column %I drop default', found.held_by, found.name);
            execute format('alter table %s alter column %I type text using %I::text', found.held_by, found.name, found.name);
        elsif found.name in ('metadata', 'content') and found.old_type <> 'jsonb' then
            execute format('alter table %s alter column %I drop default', found.held_by, found.name);
            execute format('alter table %s alter column %I type jsonb using %I::jsonb', found.held_by, found.name, found.name);
        elsif found.name in ('created_at', 'updated_at') and found.old_type = 'timestamp without time zone' then
            execute format(
                'alter table %s alter column %I type timestamptz using %I at time zone ''UTC''',
                found.held_by, found.name, found.name
            );
        end if;
        if found.name in ('user_id', 'title', 'role', 'content') then
            execute format('alter table %s alter column %I drop not null', found.held_by, found.name);
        end if;
    end loop;

    if not exists (select from pg_constraint where conrelid = 'chat_thread_items'::regclass and contype = 'p') then
        alter table chat_thread_items add primary key (thread_id, id);
    elsif not exists (
        select from pg_constraint
         where conrelid = 'chat_thread_items'::regclass and contype = 'p' and cardinality(conkey) = 2
    ) then
        -- Another table leans on the old key, so it stays; writing an item needs this one.
        create unique index chat_thread_items_of_thread on chat_thread_items (thread_id, id);
    end if;
end
$$;

alter table chat_threads
    add column if not exists owner text,
    add column if not exists status text not null default '{"type":"active"}',
    -- A JSON list of host names, or null.
    add column if not exists allowed_image_domains text,
    -- The metadata to the letter: `jsonb` keeps neither the order of members nor U+0000. Null in old rows.
    add column if not exists metadata_document text,
    -- Threads list in this order: that of their creation, whatever the clock said.
    add column if not exists position bigint,
    -- Counts the changes of the thread and its items. A statement that waited for the thread's lock compares it with
    -- the number it saw before, and so knows whether what it saw of the items is still true.
    add column if not exists revision bigint not null default 0;

alter table chat_thread_items
    -- The item as JSON, to the letter: what is read back. `content` is for reports and holds the parts of a message, or
    -- the short members of any other item; while an item is in progress it is null. So widgets, tool results and text
    -- that still changes every second are not stored twice.
    add column if not exists document text,
    -- Items list in this order.
    add column if not exists position bigint,
    add column if not exists hidden boolean not null default false,
    add column if not exists in_progress boolean not null default false;

alter table chat_threads alter column metadata set default '{}';

update chat_threads set owner = coalesce('user:' || user_id, 'stranger') where owner is null;
update chat_threads set created_at = coalesce(created_at, updated_at, now()), updated_at = coalesce(updated_at, created_at, now())
 where created_at is null or updated_at is null;
update chat_thread_items set created_at = now() where created_at is null;

with placed as (
    select id, nextval('chat_position_seq') as place
      from (select id from chat_threads where position is null order by created_at, id) as by_time
)
update chat_threads set position = placed.place from placed where chat_threads.id = placed.id;

with placed as (
    select thread_id, id, nextval('chat_position_seq') as place
      from (
          select thread_id, id from chat_thread_items where position is null order by created_at, id
      ) as by_time
)
update chat_thread_items item set position = placed.place
  from placed
 where item.thread_id = placed.thread_id and item.id = placed.id;

-- Old items become documents. Content was kept in several shapes: a whole item, the parts of a message, an object with
-- the text, or the text. What is of no type that is known now is kept as hidden context: the model still reads it.
with told as (
    select thread_id, id, coalesce(content, 'null') as content, created_at,
           case
               when type in ('user_message', 'assistant_message', 'hidden_context_item', 'sdk_hidden_context') then type
               when type in (
                   'client_tool_call', 'widget', 'generated_image', 'structured_input', 'workflow', 'task', 'end_of_turn'
               ) and (jsonb_typeof(content) = 'object' or type = 'end_of_turn') then type
               when type in ('user', 'human') or role in ('user', 'human') then 'user_message'
               when type in ('assistant', 'ai') or role in ('assistant', 'ai', 'model') then 'assistant_message'
               else 'hidden_context_item'
           end as kind
      from chat_thread_items
     where document is null
), unwrapped as (
    -- The parts of a message, wherever they are; null when there are none.
    select told.*,
           case
               when jsonb_typeof(content) = 'array' then content
               when jsonb_typeof(content -> 'content') = 'array' then content -> 'content'
           end as parts
      from told
), read as (
    select unwrapped.*,
           case
               when parts is not null then (
                   select coalesce(string_agg(coalesce(part ->> 'text', part #>> '{}'), '' order by n), '')
                     from jsonb_array_elements(parts) with ordinality as listed (part, n)
                    where jsonb_typeof(part) = 'string' or part ->> 'text' is not null
               )
               when jsonb_typeof(content) = 'null' then ''
               when jsonb_typeof(content) = 'object' then coalesce(content ->> 'text', content ->> 'content', content::text)
               else content #>> '{}'
           end as words,
           jsonb_build_object(
               'id', id,
               'thread_id', thread_id,
               'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'type', kind
           ) as head
      from unwrapped
)
update chat_thread_items item
   set type = read.kind,
       hidden = read.kind in ('hidden_context_item', 'sdk_hidden_context'),
       document = (case
           when read.kind = 'user_message' then
               '{"attachments": [], "inference_options": {}}'::jsonb
               || case
                   when jsonb_typeof(read.content) = 'object' and read.parts is not null
                       then jsonb_strip_nulls(read.content)
                   else '{}'
               end
               || jsonb_build_object('content', case
                   when read.parts @? '$[*] ? (@.type == "input_text" || @.type == "input_tag")' then (
                       select jsonb_agg(part order by n)
                         from jsonb_array_elements(read.parts) with ordinality as listed (part, n)
                        where part ->> 'type' in ('input_text', 'input_tag')
                   )
                   else jsonb_build_array(jsonb_build_object('type', 'input_text', 'text', read.words))
               end)
               || read.head
           when read.kind = 'assistant_message' then
               jsonb_build_object('content', case
                   when read.parts @? '$[*] ? (@.type == "output_text")' then (
                       select jsonb_agg('{"annotations": []}'::jsonb || part order by n)
                         from jsonb_array_elements(read.parts) with ordinality as listed (part, n)
                        where part ->> 'type' = 'output_text'
                   )
                   else jsonb_build_array(
                       jsonb_build_object('type', 'output_text', 'text', read.words, 'annotations', '[]'::jsonb)
                   )
               end) || read.head
           when read.kind = 'hidden_context_item' then
               jsonb_build_object('content', coalesce(
                   case when jsonb_typeof(read.content) = 'object' then read.content -> 'content' end, read.content
               )) || read.head
           when read.kind = 'sdk_hidden_context' then
               jsonb_build_object('content', read.words) || read.head
           when jsonb_typeof(read.content) = 'object' then read.content || read.head
           else read.head
       end)::text
  from read
 where item.thread_id = read.thread_id and item.id = read.id and item.document is null;

alter table chat_threads
    alter column owner set not null,
    alter column position set default nextval('chat_position_seq'),
    alter column position set not null;

alter table chat_thread_items
    alter column document set not null,
    alter column position set default nextval('chat_position_seq'),
    alter column position set not null;

create index if not exists chat_threads_owner_position on chat_threads (owner, position);
create index if not exists chat_threads_user on chat_threads (user_id);
create index if not exists chat_threads_created on chat_threads (created_at desc);
create index if not exists chat_thread_items_position on chat_thread_items (thread_id, position);
create index if not exists chat_thread_items_created on chat_thread_items (thread_id, created_at);
create index if not exists chat_thread_items_in_progress on chat_thread_items (thread_id) where in_progress;

-- A row for each turn that runs; whoever holds it may write to the thread.
create table if not exists chat_turns (
    thread_id varchar(255) primary key references chat_threads (id) on delete cascade,
    turn_id text not null,
    lease_until timestamptz not null,
    stop_requested boolean not null default false
);

create index if not exists chat_turns_lease on chat_turns (lease_until);

create table if not exists chat_feedback (
    thread_id varchar(255) not null,
    item_id varchar(255) not null,
    owner text not null,
    kind text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (thread_id, item_id, owner),
    foreign key (thread_id, item_id) references chat_thread_items (thread_id, id) on delete cascade
);
