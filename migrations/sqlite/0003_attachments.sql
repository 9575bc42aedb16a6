create table chat_attachments (id text primary key, owner text not null, thread_id text, used integer not null default 0, deleted integer not null default 0);
