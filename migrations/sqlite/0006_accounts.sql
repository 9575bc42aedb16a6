-- Accounts of this server, their sessions, and who signed in when.

create table users (
    id text primary key,
    -- As it was written at sign-up.
    email text not null,
    -- What e-mail addresses are compared by.
    email_key text unique,
    password_hash text,
    full_name text,
    -- Set by an operator: nobody signs in, and sessions are good for nothing.
    disabled integer not null default 0,
    created_at text not null,
    updated_at text not null
) without rowid;

create table user_software_background (
    user_id text primary key references users (id) on delete cascade,
    experience_level text,
    -- JSON lists.
    programming_languages text not null default '[]',
    frameworks text not null default '[]'
) without rowid;

create table user_hardware_background (
    user_id text primary key references users (id) on delete cascade,
    available_hardware text not null default '[]',
    robotics_hardware text not null default '[]'
) without rowid;

create table auth_sessions (
    -- SHA-256 of the token, in hex: who reads the table cannot act as its readers.
    token_hash text primary key,
    user_id text not null references users (id) on delete cascade,
    -- Sessions that came of one sign-in, each refreshed into the next.
    family text not null,
    created_at text not null,
    expires_at text not null,
    revoked_at text,
    -- When it was refreshed into another.
    replaced_at text
) without rowid;

create index auth_sessions_user on auth_sessions (user_id, created_at);
create index auth_sessions_family on auth_sessions (family);
create index auth_sessions_expiry on auth_sessions (expires_at);

create table audit_logs (
    id integer primary key,
    user_id text references users (id) on delete set null,
    event_type text not null,
    created_at text not null,
    -- Keyed hashes.
    address_hash text,
    email_hash text,
    request_id text not null
);

create index audit_logs_created on audit_logs (created_at);
create index audit_logs_user on audit_logs (user_id);
