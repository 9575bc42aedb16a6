//! Homes that cannot be opened say why, in a sentence for the operator and without the password.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use chatkit_gateway::store::OpenError;
use chatkit_gateway::store::postgres::{PostgresOptions, PostgresStore};
use chatkit_gateway::store::sqlite::SqliteStore;
use secrecy::{ExposeSecret, SecretString};

use crate::support::postgres::TestDatabase;

async fn told_by_sqlite(path: &Path) -> String {
    SqliteStore::open(path).await.expect_err("it cannot be opened").to_string()
}

async fn told_by_postgres(url: &str) -> String {
    let opened = PostgresStore::open(&SecretString::from(url), &PostgresOptions::default()).await;
    let told = opened.expect_err("it cannot be opened");
    assert!(!format!("{told} {told:?}").contains("hunter2"), "{told:?}");
    told.to_string()
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let told = told_by_sqlite(&file.join("inside/store.db")).await;
    assert!(told.starts_with(&format!("the folder `{}/inside` cannot be made: ", file.display())), "{told}");
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    let letter = "Dear reader, this is no database. ".repeat(100);
    fs::write(&file, &letter).unwrap();
    assert_eq!(told_by_sqlite(&file).await, format!("the file `{}` is not an SQLite database", file.display()));
    assert_eq!(fs::read_to_string(&file).unwrap(), letter);
}

#[tokio::test]
async fn a_folder_in_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let told = told_by_sqlite(folder.path()).await;
    assert!(told.starts_with(&format!("the file `{}` cannot be opened: ", folder.path().display())), "{told}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let told = told_by_postgres(&format!("postgres://ada:hunter2@127.0.0.1:{port}/book")).await;
    assert!(told.starts_with(&format!("the database at `127.0.0.1:{port}` cannot be reached: ")), "{told}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let database = TestDatabase::empty().await;
    let url = database.url().expose_secret().replace("chatkit_test_", "missing_");
    let told = told_by_postgres(&url).await;
    assert!(told.contains("does not let us in: database \"missing_"), "{told}");
}

#[tokio::test]
async fn an_address_of_another_kind_is_explained() {
    let told = told_by_postgres("mysql://ada:hunter2@localhost/book").await;
    assert_eq!(
        told,
        "this is not the address of a Postgres database: it should begin with `postgres://` or `postgresql://`"
    );
}

#[tokio::test]
async fn tables_that_are_in_the_way_stop_the_preparation_and_nothing_is_changed() {
    use sqlx::Executor;
    let database = TestDatabase::empty().await;
    let mut connection = database.connect().await;
    connection.execute("create view chat_threads as select 1 as id").await.unwrap();
    let refused = database.store().await.migrate().await;
    assert!(matches!(refused, Err(OpenError::Migration(_))), "{refused:?}");
    let tables: (i64,) = sqlx::query_as("select count(*) from pg_tables where schemaname = 'public'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(tables.0, 0);
}
