-- Conversations: threads, their items, the turns that run in them, and what readers thought of answers.
--
-- Times are text of one fixed form, `2026-01-31T12:00:00.000000Z`, so that comparing them as text compares them as times.

create table chat_threads (
    id text primary key,
    owner text not null,
    -- The subject alone when the owner is a signed-in user, for reports.
    user_id text,
    title text,
    status text not null default '{"type":"active"}',
    -- A JSON list of host names, or null.
    allowed_image_domains text,
    metadata text not null default '{}',
    created_at text not null,
    updated_at text not null,
    -- Threads list in this order: that of their creation, whatever the clock said.
    position integer not null
) without rowid;

create unique index chat_threads_position on chat_threads (position);
create index chat_threads_owner_position on chat_threads (owner, position);
create index chat_threads_user on chat_threads (user_id);

create table chat_thread_items (
    thread_id text not null references chat_threads (id) on delete cascade,
    id text not null,
    type text not null,
    role text,
    -- For reports: the parts of a message, the short members of any other item. See `document`.
    content text,
    created_at text not null,
    n_tokens integer,
    -- The item as JSON, to the letter: what is read back.
    document text not null,
    -- Items list in this order, each thread for itself.
    position integer not null,
    hidden integer not null default 0,
    in_progress integer not null default 0,
    primary key (thread_id, id)
);

create index chat_thread_items_position on chat_thread_items (thread_id, position);
create index chat_thread_items_in_progress on chat_thread_items (thread_id) where in_progress;

-- A row for each turn that runs; whoever holds it may write to the thread.
create table chat_turns (
    thread_id text primary key references chat_threads (id) on delete cascade,
    turn_id text not null,
    lease_until text not null,
    stop_requested integer not null default 0
) without rowid;

create index chat_turns_lease on chat_turns (lease_until);

create table chat_feedback (
    thread_id text not null,
    item_id text not null,
    owner text not null,
    kind text not null,
    created_at text not null,
    updated_at text not null,
    primary key (thread_id, item_id, owner),
    foreign key (thread_id, item_id) references chat_thread_items (thread_id, id) on delete cascade
) without rowid;
