//! Accounts on a database that holds those of an earlier back end, or tables of another program.

use chatkit_gateway::store::AccountStore;
use chatkit_gateway::store::accounts::{Account, AuditEntry, Background, EmailAddress, NewAccount, NewSession};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Executor, PgConnection, Row};

use crate::store_contract::scene::at;
use crate::support::postgres::TestDatabase;

/// As an earlier back end made them, by hand: UUIDs everywhere, times without a zone, a list of levels.
const OLD_TABLES: &str = r#"
create table users (
    id uuid primary key default gen_random_uuid(),
    email varchar(255) unique not null,
    hashed_password varchar(60) not null,
    full_name varchar(40) not null,
    is_active boolean not null,
    marketing_source text not null,
    created_at timestamp default current_timestamp,
    updated_at timestamp default current_timestamp
);
create index idx_users_email on users (email);
create table user_profiles (
    user_id uuid primary key references users (id) on delete cascade,
    experience_level varchar(20) check (experience_level in ('Beginner', 'Intermediate', 'Advanced'))
);
create table user_software_background (
    user_id uuid primary key references users (id) on delete cascade,
    programming_languages jsonb not null default '[]',
    frameworks json not null default '[]'
);
create table user_hardware_background (
    user_id uuid primary key references users (id) on delete cascade,
    available_hardware text[] not null default '{}',
    robotics_hardware text
);
create table auth_sessions (
    session_id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    token_hash varchar(255) not null,
    ip_address inet not null,
    expires_at timestamp not null,
    created_at timestamp default current_timestamp
);
create table audit_logs (
    id uuid primary key,
    user_id uuid references users (id) on delete set null,
    event_type varchar(10) not null check (event_type in ('login', 'logout')),
    details json,
    created_at timestamp default current_timestamp
);
create table reading_progress (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users (id) on delete cascade,
    chapter_id varchar(255) not null,
    unique (user_id, chapter_id)
);
create table "user" (id text primary key, "emailVerified" boolean);
create table session (id text primary key, "userId" text references "user" (id));

insert into users (id, email, hashed_password, full_name, is_active, marketing_source, created_at) values
    ('00000000-0000-0000-0000-00000000000a', 'Ada@example.org', '$2b$04$ada', 'Ada', true, 'ad', '2024-01-01'),
    ('00000000-0000-0000-0000-00000000000b', 'ada@example.org', '$2b$04$second', 'Ada again', true, 'ad', '2024-02-01'),
    ('00000000-0000-0000-0000-00000000000c', 'gone@example.org', '$2b$04$gone', 'Gone', false, 'ad', '2024-03-01');
insert into user_profiles values
    ('00000000-0000-0000-0000-00000000000a', 'Beginner'), ('00000000-0000-0000-0000-00000000000b', 'Advanced');
insert into user_software_background values
    ('00000000-0000-0000-0000-00000000000a', '["Python", 3]', '["ROS 2"]');
insert into user_hardware_background values
    ('00000000-0000-0000-0000-00000000000a', '{Jetson,"RTX 4090"}', 'Go2, G1');
insert into auth_sessions values
    (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'same', '192.0.2.1', '2024-01-02'),
    (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'same', '192.0.2.1', '2099-01-02');
insert into audit_logs values
    (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'login', '{"ip": "192.0.2.1"}', '2020-01-01');
insert into reading_progress (user_id, chapter_id) values ('00000000-0000-0000-0000-00000000000a', 'intro');
insert into "user" values ('u1', true);
insert into session values ('s1', 'u1');
"#;

fn address(written: &str) -> EmailAddress {
    EmailAddress { written: written.to_owned(), key: written.to_ascii_lowercase() }
}

fn session(token_hash: &str) -> NewSession {
    NewSession { token_hash: token_hash.to_owned(), created_at: at(0), expires_at: at(60), together_max: 5 }
}

fn entry() -> AuditEntry {
    AuditEntry { now: at(0), address_hash: None, email_hash: None, request_id: "req".to_owned() }
}

fn new_account(id: &str, email: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        email: address(email),
        password_hash: SecretString::from("$argon2id$".to_owned() + &"x".repeat(90)),
        full_name: "A name that is longer than the forty letters of old".to_owned(),
        background: Background { experience_level: Some("Expert".to_owned()), ..Background::default() },
        now: at(0),
    }
}

async fn rows(connection: &mut PgConnection, sql: &'static str) -> Vec<String> {
    sqlx::query(sql).fetch_all(connection).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn accounts_of_an_earlier_back_end_are_found_and_new_ones_are_made_beside_them() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection.execute(OLD_TABLES).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();

    let ada = "00000000-0000-0000-0000-00000000000a";
    let told = store.account(ada).await.unwrap().unwrap();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let expected = Account {
        id: ada.to_owned(),
        email: "Ada@example.org".to_owned(),
        full_name: Some("Ada".to_owned()),
        background: Background {
            experience_level: Some("Beginner".to_owned()),
            programming_languages: words(&["Python", "3"]),
            frameworks: words(&["ROS 2"]),
            available_hardware: words(&["Jetson", "RTX 4090"]),
            robotics_hardware: words(&["Go2", "G1"]),
        },
        created_at: told.created_at,
    };
    assert_eq!(told, expected);
    assert_eq!(told.created_at.to_string(), "2024-01-01T00:00:00Z");
    // Two whose addresses differ in nothing but capitals still have an account each.
    for (written, hash) in
        [("Ada@example.org", "$2b$04$ada"), ("ada@example.org", "$2b$04$second"), ("ADA@example.org", "$2b$04$ada")]
    {
        let lock = store.lock(&address(written)).await.unwrap().unwrap();
        assert_eq!(lock.password_hash.unwrap().expose_secret(), hash, "{written}");
    }
    assert!(store.lock(&address("gone@example.org")).await.unwrap().is_none(), "it was not active");

    assert!(store.sign_in(ada, Some(&SecretString::from("better")), &session("new"), &entry()).await.unwrap());
    assert!(!store.sign_up(&new_account("x", "aDa@example.org"), &session("x"), &entry()).await.unwrap());
    assert!(store.sign_up(&new_account("usr_1", "new@example.org"), &session("first"), &entry()).await.unwrap());
    assert_eq!(store.session("first", at(1)).await.unwrap().unwrap().account_id, "usr_1");
    assert!(store.session("same", at(1)).await.unwrap().is_none(), "sessions of the earlier back end are over");

    // Nothing of theirs is gone, and what leans on accounts still does.
    store.sweep_accounts(at(9_999), at(9_999), 100).await.unwrap();
    assert_eq!(
        rows(&mut connection, "select token_hash from auth_sessions order by expires_at").await,
        ["same", "same"]
    );
    assert_eq!(rows(&mut connection, "select event_type from audit_logs").await, ["login"]);
    assert_eq!(
        rows(&mut connection, "select hashed_password from users where hashed_password is not null").await.len(),
        3
    );
    assert_eq!(rows(&mut connection, "select id from \"user\"").await, ["u1"]);
    assert_eq!(rows(&mut connection, "select \"userId\" from session").await, ["u1"]);
    connection.execute("insert into reading_progress (user_id, chapter_id) values ('usr_1', 'intro')").await.unwrap();
    let nobody =
        connection.execute("insert into reading_progress (user_id, chapter_id) values ('nobody', 'intro')").await;
    assert!(nobody.is_err(), "what leans on accounts leans on them still");
    connection.execute("delete from users").await.unwrap();
    assert!(rows(&mut connection, "select user_id from reading_progress").await.is_empty());
    assert!(rows(&mut connection, "select user_id from user_profiles").await.is_empty());
}

#[tokio::test]
async fn tables_that_are_half_there_are_completed() {
    for tables in [
        "create table users (id uuid primary key, email text, password_hash text);
         create table pages (user_id uuid default gen_random_uuid() references users (id), also uuid references users);
         insert into users values ('00000000-0000-0000-0000-00000000000a', 'ada@example.org', 'kept')",
        "create table users (id varchar(36) primary key, email text, password_hash text not null);
         insert into users values ('a', 'ada@example.org', 'kept'), ('n', null, 'kept')",
        "create table users (id text primary key, email text not null, hashed_password text);
         create table auth_sessions (id serial primary key, user_id text not null references users (id), token text not null unique, expires_at timestamptz not null);
         create table audit_logs (id bigint generated always as identity primary key, user_id text, action text not null, created_at timestamptz not null, details text);
         insert into users values ('a', 'ada@example.org', 'kept')",
        "create type level as enum ('low', 'high');
         create table users (id text primary key, email text not null, password_hash text);
         create table user_software_background (id uuid primary key, user_id text unique not null references users (id), experience_level level not null default 'low', programming_languages json);
         insert into users values ('a', 'ada@example.org', 'kept')",
    ] {
        let database = TestDatabase::empty().await;
        let mut connection = database.connect().await;
        connection.execute(tables).await.unwrap();
        let store = database.store().await;
        store.migrate().await.unwrap_or_else(|error| panic!("{error} on {tables}"));
        let lock = store.lock(&address("ADA@example.org")).await.unwrap().unwrap();
        assert_eq!(lock.password_hash.unwrap().expose_secret(), "kept", "{tables}");
        let ada = lock.account_id.as_str();
        assert!(store.account(ada).await.unwrap().is_some(), "{tables}");
        assert!(store.sign_up(&new_account("usr_1", "new@example.org"), &session("first"), &entry()).await.unwrap());
        assert!(store.sign_in(ada, None, &session("second"), &entry()).await.unwrap());
        assert_eq!(store.session("second", at(1)).await.unwrap().unwrap().account_id, ada);
        let level = store.account("usr_1").await.unwrap().unwrap().background.experience_level;
        assert_eq!(level.as_deref(), Some("Expert"));
        assert!(store.migrate().await.unwrap().applied.is_empty());
    }
}

#[tokio::test]
async fn accounts_of_another_kind_of_program_are_left_alone() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection
        .execute("create table users (id bigserial primary key, login text); insert into users (login) values ('ada')")
        .await
        .unwrap();
    let refused = database.store().await.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("`users` is of another program") && refused.contains("bigint"), "{refused}");
    assert_eq!(rows(&mut connection, "select login from users").await, ["ada"]);
    assert!(
        rows(&mut connection, "select tablename::text from pg_tables where tablename = 'chat_threads'")
            .await
            .is_empty()
    );
}
