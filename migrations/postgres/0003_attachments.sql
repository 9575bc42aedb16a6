-- Files of readers: what is known of them. Their bytes lie elsewhere, under `object_key`.

create table if not exists chat_attachments (
    id text primary key,
    owner text not null,
    -- The thread of the message that names it.
    thread_id varchar(255) references chat_threads (id) on delete set null,
    -- Whether a message named it at some time: used, and without a thread, it went with its thread.
    used boolean not null default false,
    -- The reader deleted it; its bytes are still to go.
    deleted boolean not null default false,
    name text not null,
    mime_type text not null,
    -- Null until the bytes are there, as is `object_key`.
    size_bytes bigint,
    object_key text,
    created_at timestamptz not null,
    -- The attachment as JSON, to the letter, without the address for its bytes.
    document text not null
);

create index if not exists chat_attachments_thread on chat_attachments (thread_id);
create index if not exists chat_attachments_unused on chat_attachments (owner) where not used;
create index if not exists chat_attachments_to_go on chat_attachments (created_at)
 where deleted or not used or thread_id is null;

-- Bytes that no attachment names: not yet, no longer, or never because their upload was refused or broke off.
-- A row is written before the first byte, so that nothing lies about that nobody knows of.
create table if not exists chat_attachment_leftovers (
    object_key text primary key,
    -- They are deleted then, unless an attachment has taken them by that time.
    due_at timestamptz not null
);

create index if not exists chat_attachment_leftovers_due on chat_attachment_leftovers (due_at);
