-- What four earlier back ends left in one database, rows included.

-- Better Auth.
create table "user" (
    id text primary key, name text not null, email text not null unique, "emailVerified" boolean not null default false,
    image text, "createdAt" timestamptz not null default now(), "updatedAt" timestamptz not null default now()
);
create table session (
    id text primary key, "expiresAt" timestamptz not null, token text not null unique,
    "createdAt" timestamptz not null default now(), "updatedAt" timestamptz not null default now(),
    "ipAddress" text, "userAgent" text, "userId" text not null references "user" (id) on delete cascade
);
create index "session_userId_idx" on session ("userId");
create table account (
    id text primary key, "accountId" text not null, "providerId" text not null,
    "userId" text not null references "user" (id) on delete cascade, "accessToken" text, "refreshToken" text,
    "idToken" text, scope text, password text, "createdAt" timestamptz not null default now(),
    "updatedAt" timestamptz not null default now()
);
create table verification (
    id text primary key, identifier text not null, value text not null, "expiresAt" timestamptz not null,
    "createdAt" timestamptz not null default now(), "updatedAt" timestamptz not null default now()
);
create table jwks (
    id text primary key, "publicKey" text not null, "privateKey" text not null, "createdAt" timestamptz not null,
    "expiresAt" timestamptz
);
insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt") values
    ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 'Ada', 'ada@example.org', true, '2024-01-01Z', '2024-01-01Z'),
    ('Zk9mPb4sWd7RfLx2QaTy6VcN3hJe8UgH', 'Grace', 'grace@example.org', false, '2024-01-02Z', '2024-01-02Z');
insert into session (id, "expiresAt", token, "userId") values
    ('s1', '2024-02-01Z', 'a token', 'Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR');
insert into account (id, "accountId", "providerId", "userId", password) values
    ('a1', 'ada', 'credential', 'Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 'salt:hash');
insert into verification (id, identifier, value, "expiresAt") values ('v1', 'ada@example.org', '123456', '2024-01-01Z');
insert into jwks values ('key-1', '{"kty":"OKP","crv":"Ed25519","x":"AA"}', '"encrypted"', '2024-01-01Z', null);

-- A: threads of ChatKit beside Better Auth's users.
create function update_updated_at_column() returns trigger language plpgsql as $$
begin
    new.updated_at = current_timestamp;
    return new;
end
$$;
create table chat_threads (
    id varchar(255) primary key,
    user_id varchar(32) references "user" (id) on delete cascade,
    title varchar(255),
    metadata jsonb default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index idx_chat_threads_user_id on chat_threads (user_id);
create index idx_chat_threads_created_at on chat_threads (created_at desc);
create table chat_thread_items (
    id varchar(255) primary key,
    thread_id varchar(255) not null references chat_threads (id) on delete cascade,
    type varchar(50) not null,
    role varchar(20),
    content jsonb not null,
    created_at timestamptz not null default now(),
    n_tokens int,
    constraint valid_type check (type in ('user_message', 'assistant_message', 'tool_call', 'workflow')),
    constraint valid_role check (role in ('user', 'assistant', 'system')),
    constraint content_size check (octet_length(content::text) <= 32768)
);
create index idx_thread_items_thread_id on chat_thread_items (thread_id);
create index idx_thread_items_thread_created on chat_thread_items (thread_id, created_at);
create trigger update_chat_threads_updated_at before update on chat_threads
    for each row execute function update_updated_at_column();
create function touch_thread() returns trigger language plpgsql as $$
begin
    update chat_threads set updated_at = current_timestamp where id = new.thread_id;
    return new;
end
$$;
create trigger touch_thread_of_item after insert or update on chat_thread_items
    for each row execute function touch_thread();
insert into chat_threads (id, user_id, title, metadata, created_at, updated_at) values
    ('thr_ada', 'Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 'Inverse kinematics', '{"module": 3}', '2024-01-03Z', '2024-01-04Z'),
    ('thr_grace', 'Zk9mPb4sWd7RfLx2QaTy6VcN3hJe8UgH', null, null, '2024-01-05Z', '2024-01-06Z'),
    ('thr_nobody', null, 'Before signing in', '{}', '2024-01-07Z', '2024-01-08Z');
alter table chat_threads disable trigger update_chat_threads_updated_at;
insert into chat_thread_items (id, thread_id, type, role, content, created_at, n_tokens) values
    ('msg_1', 'thr_ada', 'user_message', 'user', '[{"type": "input_text", "text": "What is a joint?"}]', '2024-01-03 10:00Z', 5),
    ('msg_2', 'thr_ada', 'assistant_message', 'assistant',
     '[{"type": "output_text", "text": "A place that moves.", "annotations": []}]', '2024-01-03 10:01Z', 7),
    ('msg_3', 'thr_grace', 'user_message', 'user', '[{"type": "input_text", "text": "A secret of Grace"}]', '2024-01-05 10:00Z', null),
    ('msg_4', 'thr_nobody', 'user_message', 'user', '[{"type": "input_text", "text": "Hello?"}]', '2024-01-07 10:00Z', null);
update chat_threads set updated_at = created_at + interval '1 day';
alter table chat_threads enable trigger update_chat_threads_updated_at;

-- A: profiles and what they were used for.
create table user_profile (
    user_id varchar(32) primary key references "user" (id) on delete cascade, programming_experience varchar(50) not null,
    hardware varchar(50), interests text[] default '{}', created_at timestamptz default now(), updated_at timestamptz default now()
);
create trigger update_user_profile_updated_at before update on user_profile
    for each row execute function update_updated_at_column();
create table personalization_quota (
    user_id varchar(32) primary key references "user" (id) on delete cascade, used int not null default 0, reset_at timestamptz
);
create table personalization_history (
    id serial primary key, user_id varchar(32) references "user" (id) on delete cascade, chapter_path text not null,
    content text not null, created_at timestamptz default now()
);
create table translation_quota (like personalization_quota including all);
create table translation_history (like personalization_history including all);
insert into user_profile (user_id, programming_experience, hardware, interests) values
    ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 'advanced', 'jetson', '{control,vision}');
insert into personalization_quota values ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 3, '2024-02-01Z');
insert into personalization_history (user_id, chapter_path, content) values
    ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', '/docs/control', 'For Ada');
insert into translation_quota values ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', 1, '2024-02-01Z');
insert into translation_history (user_id, chapter_path, content) values
    ('Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR', '/docs/control', 'Für Ada');

-- B: accounts of its own, and conversations.
create table users (
    id uuid primary key default gen_random_uuid(), email varchar(255) not null unique, password_hash varchar(255) not null,
    full_name varchar(255), created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create trigger update_users_updated_at before update on users for each row execute function update_updated_at_column();
create table user_profiles (
    id uuid primary key default gen_random_uuid(), user_id uuid not null unique references users (id) on delete cascade,
    experience_level varchar(20) not null check (experience_level in ('Beginner', 'Intermediate', 'Advanced'))
);
create table user_software_background (
    id uuid primary key default gen_random_uuid(), user_id uuid not null unique references users (id) on delete cascade,
    programming_languages text[] not null default '{}', frameworks text[] not null default '{}'
);
create table user_hardware_background (
    id uuid primary key default gen_random_uuid(), user_id uuid not null unique references users (id) on delete cascade,
    available_hardware text[] not null default '{}', robotics_hardware text[] not null default '{}'
);
create table auth_sessions (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references users (id) on delete cascade,
    session_token varchar(255) not null unique, expires_at timestamptz not null, created_at timestamptz not null default now()
);
create table audit_logs (
    id uuid primary key default gen_random_uuid(), user_id uuid references users (id) on delete set null,
    event_type varchar(50) not null, details jsonb, created_at timestamptz not null default now()
);
create table conversations (
    id uuid primary key default gen_random_uuid(), user_id uuid references users (id) on delete cascade, title varchar(255),
    created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create table chat_interactions (
    id uuid primary key default gen_random_uuid(), conversation_id uuid not null references conversations (id) on delete cascade,
    query text not null, answer text not null, sources jsonb default '[]', query_mode varchar(10) not null,
    created_at timestamptz not null default now()
);
insert into users (id, email, password_hash, full_name, created_at, updated_at) values
    ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', 'linus@example.org', '$2b$12$abcdefghijklmnopqrstuv', 'Linus', '2024-01-01Z', '2024-01-02Z');
insert into user_profiles (user_id, experience_level) values ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', 'Advanced');
insert into user_software_background (user_id, programming_languages, frameworks) values
    ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', '{C,Rust}', '{ROS 2}');
insert into user_hardware_background (user_id, available_hardware) values ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', '{RTX 4090}');
insert into auth_sessions (user_id, session_token, expires_at) values
    ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', 'an old token', '2024-02-01Z');
insert into audit_logs (user_id, event_type, details) values
    ('7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', 'signin', '{"ok": true}');
insert into conversations (id, user_id, title) values
    ('0b7c2a52-7c7d-4f5b-9d07-0d0a5c0f7b01', '7f1f6f3e-54b1-4c39-9c44-1b1f0c6f3a11', 'Sensors');
insert into chat_interactions (conversation_id, query, answer, query_mode) values
    ('0b7c2a52-7c7d-4f5b-9d07-0d0a5c0f7b01', 'What is a LiDAR?', 'A sensor.', 'global');

-- D: sessions and messages.
create table chat_sessions (
    id uuid primary key default gen_random_uuid(), created_at timestamp not null default now(), last_activity timestamp
);
create table messages (
    id serial primary key, session_id uuid not null references chat_sessions (id) on delete cascade,
    role varchar(10) not null check (role in ('user', 'assistant')), content text not null, selected_text text,
    created_at timestamp not null default now()
);
insert into chat_sessions (id) values ('5d3b3d68-8a3d-4d38-9e0a-4f0c0e1f2a33');
insert into messages (session_id, role, content) values
    ('5d3b3d68-8a3d-4d38-9e0a-4f0c0e1f2a33', 'user', 'Hi'), ('5d3b3d68-8a3d-4d38-9e0a-4f0c0e1f2a33', 'assistant', 'Hello');
