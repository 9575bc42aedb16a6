create table chat_attachments (id text primary key, owner text not null, thread_id text, used boolean not null default false, deleted boolean not null default false);
