//! Profiles on a database that holds those of an earlier back end, or a table of another program.

use chatkit_gateway::identity::OwnerId;
use chatkit_gateway::store::ProfileStore;
use chatkit_gateway::store::profiles::{ProfileChange, ProfileTexts};
use sqlx::{Executor, Row};

use super::originals;
use crate::store_contract::scene::at;
use crate::support::postgres::TestDatabase;

/// As an earlier back end may have made it: short texts with lists of values, numbers, times without a zone, a trigger.
const OLD_TABLES: &str = r#"
create table "user" (id text primary key);
create type speed as enum ('thorough', 'balanced', 'accelerated');
create table user_profile (
    user_id varchar(32) primary key references "user" (id) on delete cascade,
    age_range varchar(10) not null check (age_range in ('under_18', '18_24', '25_34')),
    education_level varchar(20), tech_background varchar(20) not null default 'none', focus_area varchar(8) not null,
    learning_speed speed not null, time_per_week int, preferred_language varchar(5) default 'en',
    onboarding_step int not null,
    created_at timestamp not null default now(), updated_at timestamp not null default now()
);
create function dated() returns trigger language plpgsql as $$
begin new.updated_at = now(); return new; end $$;
create trigger dated before update on user_profile for each row execute function dated();
insert into "user" values ('ada'), ('grace');
insert into user_profile values
    ('ada', '25_34', 'phd', 'advanced', 'hardware', 'thorough', 12, 'ur', 3, '2024-01-01', '2024-02-01'),
    ('grace', 'under_18', 'kindergarten', 'none', 'software', 'balanced', null, 'en', 1, '2024-01-01', '2024-02-01');
"#;

fn said(members: &[(&'static str, &str)]) -> ProfileChange {
    members.iter().map(|(member, text)| (*member, Some((*text).to_owned()))).collect()
}

#[tokio::test]
async fn profiles_of_an_earlier_back_end_are_found_changed_and_new_ones_made_beside_them() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection.execute(OLD_TABLES).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();

    let text = |text: &str| Some(text.to_owned());
    let ada = OwnerId::user("ada");
    let found = store.profile(&ada).await.unwrap().unwrap();
    let expected = ProfileTexts {
        age_range: text("25_34"),
        education_level: text("phd"),
        tech_background: text("advanced"),
        focus_area: text("hardware"),
        learning_speed: text("thorough"),
        time_per_week: text("12"),
        preferred_language: text("ur"),
        ..ProfileTexts::default()
    };
    assert_eq!(found.texts, expected);
    assert_eq!(found.created_at.to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(found.updated_at.to_string(), "2024-02-01T00:00:00Z", "no trigger has dated it anew");
    assert!(store.create_profile(&ada, &said(&[]), at(1)).await.unwrap().is_none());
    assert!(store.profile(&OwnerId::account("ada")).await.unwrap().is_none());

    let change = said(&[("age_range", "45_plus"), ("preferred_language", "zh-Hant-TW"), ("time_per_week", "8_15")]);
    let changed = store.change_profile(&ada, &change, at(1)).await.unwrap().unwrap();
    assert_eq!(changed.texts.age_range, text("45_plus"), "its list of values did not know this one");
    assert_eq!(changed.texts.preferred_language, text("zh-Hant-TW"));
    assert_eq!(changed.texts.tech_background, text("advanced"));
    let account = OwnerId::account("usr_0123456789abcdef0123456789abcdef");
    let made = store.create_profile(&account, &said(&[("focus_area", "software")]), at(1)).await.unwrap().unwrap();
    assert_eq!(made.texts, ProfileTexts { focus_area: text("software"), ..ProfileTexts::default() });

    // What the earlier back end writes beside us is found, too.
    let beside = "insert into user_profile (user_id, age_range, focus_area, learning_speed, onboarding_step)
                  values ('linus', '18_24', 'software', 'balanced', 1)";
    connection.execute(beside).await.unwrap();
    assert_eq!(store.profile(&OwnerId::user("linus")).await.unwrap().unwrap().texts.age_range, text("18_24"));
    assert!(connection.execute(beside).await.is_err(), "one reader, one profile");
    let steps =
        sqlx::query("select onboarding_step::text from user_profile where user_id in ('ada', 'grace') order by 1");
    let steps: Vec<String> = steps.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(steps, ["1", "3"]);
    assert!(store.migrate().await.unwrap().applied.is_empty());
}

#[tokio::test]
async fn a_profile_of_a_version_with_other_columns_says_what_it_says() {
    let database = originals::database().await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let ada = OwnerId::user("Wq3cVn8pLr2TzKd7XyFh5MbJ9sGa4EuR");
    let found = store.profile(&ada).await.unwrap().unwrap();
    let expected = ProfileTexts { tech_background: Some("advanced".to_owned()), ..ProfileTexts::default() };
    assert_eq!(found.texts, expected);
    let other = OwnerId::user("somebody whom that back end never knew");
    store.create_profile(&other, &said(&[("tech_background", "none")]), at(1)).await.unwrap().unwrap();
    let changed = store.change_profile(&ada, &said(&[("tech_background", "none")]), at(1)).await.unwrap().unwrap();
    assert_eq!(changed.texts.tech_background.as_deref(), Some("none"));
}

#[tokio::test]
async fn tables_that_hold_a_reader_twice_or_name_their_rows_otherwise_will_do() {
    for tables in [
        "create table user_profile (id uuid primary key, user_id text, focus_area text, updated_at timestamptz);
         insert into user_profile values (gen_random_uuid(), 'ada', 'hardware', '2024-01-01Z'),
                (gen_random_uuid(), 'ada', 'software', '2024-02-01Z'), (gen_random_uuid(), null, 'hardware', null)",
        "create table user_profile (id bigserial primary key, user_id uuid unique not null, focus_area varchar(8));
         insert into user_profile (user_id, focus_area) values ('00000000-0000-0000-0000-00000000000a', 'software')",
    ] {
        let database = TestDatabase::empty().await;
        let mut connection = database.connect().await;
        connection.execute(tables).await.unwrap();
        let store = database.store().await;
        store.migrate().await.unwrap_or_else(|error| panic!("{error} on {tables}"));
        let is_twice = tables.contains("'ada'");
        let ada = OwnerId::user(if is_twice { "ada" } else { "00000000-0000-0000-0000-00000000000a" });
        let found = store.profile(&ada).await.unwrap().unwrap();
        assert_eq!(found.texts.focus_area.as_deref(), Some("software"), "the newest: {tables}");
        let (grace, change) = (OwnerId::user("grace"), said(&[("focus_area", "hardware")]));
        assert!(store.create_profile(&ada, &change, at(1)).await.unwrap().is_none());
        assert!(store.create_profile(&grace, &change, at(1)).await.unwrap().is_some(), "{tables}");
        let changed = store.change_profile(&ada, &change, at(1)).await.unwrap().unwrap();
        assert_eq!(changed.texts.focus_area.as_deref(), Some("hardware"));
        assert_eq!(store.profile(&ada).await.unwrap().unwrap().texts.focus_area.as_deref(), Some("hardware"));
    }
}

#[tokio::test]
async fn profiles_of_another_kind_of_program_are_left_alone() {
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    let tables =
        "create table user_profile (id bigserial primary key, user_id bigint); insert into user_profile values (1, 7)";
    connection.execute(tables).await.unwrap();
    let refused = database.store().await.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("`user_profile` is of another program") && refused.contains("bigint"), "{refused}");
}
