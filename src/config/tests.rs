use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let variables = Variables::of(pairs.iter().copied());
    let mut reader = Reader::new(&variables);
    let settings = Settings::read(&mut reader);
    reader.finish(settings)
}

#[test]
fn nothing_set_is_a_complete_configuration() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.http.port, 8000);
    assert!(matches!(settings.database, DatabaseSettings::Sqlite { .. }));
    assert_eq!(settings.chat.on_disconnect, OnDisconnect::Finish);
}

#[test]
fn an_address_that_means_all_is_called_at_loopback() {
    let nearest = |host| read(&[("HOST", host)]).unwrap().http.nearest().to_string();
    assert_eq!(nearest("0.0.0.0"), "127.0.0.1:8000");
    assert_eq!(nearest("::"), "[::1]:8000");
    assert_eq!(nearest("192.0.2.7"), "192.0.2.7:8000");
}

#[test]
fn all_mistakes_are_reported_together_each_with_its_variable() {
    let mistakes = read(&[
        ("PORT", "eighty"),
        ("ON_DISCONNECT", "sometimes"),
        ("DATABASE_URL", "mysql://nowhere"),
        ("CORS_ORIGINS", "example.org"),
        ("PASSAGES_PER_SEARCH", "0"),
        ("VISITOR_SECRET", "short"),
        ("SITE_URL", "book"),
    ])
    .unwrap_err();
    let said = mistakes.to_string();
    for variable in
        ["PORT", "ON_DISCONNECT", "DATABASE_URL", "CORS_ORIGINS", "PASSAGES_PER_SEARCH", "VISITOR_SECRET", "SITE_URL"]
    {
        assert!(said.contains(variable), "{variable} is missing from: {said}");
    }
    assert_eq!(mistakes.0.len(), 7);
}

#[test]
fn a_name_of_the_originals_works_and_the_canonical_one_wins() {
    let settings = read(&[("NEON_CONNECTION_STRING", "postgres://a/b")]).unwrap();
    assert!(matches!(settings.database, DatabaseSettings::Postgres { .. }));
    let settings =
        read(&[("NEON_CONNECTION_STRING", "postgres://a/b"), ("DATABASE_URL", "sqlite:///tmp/x.sqlite")]).unwrap();
    assert!(
        matches!(settings.database, DatabaseSettings::Sqlite { path } if path == std::path::Path::new("/tmp/x.sqlite"))
    );
}

#[test]
fn a_secret_may_come_from_a_file_and_a_missing_file_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://user:word@host/db\n").unwrap();
    let settings = read(&[("DATABASE_URL_FILE", file.to_str().unwrap())]).unwrap();
    assert!(
        matches!(settings.database, DatabaseSettings::Postgres { url, .. } if url.expose_secret().ends_with("/db"))
    );
    let mistakes = read(&[("DATABASE_URL_FILE", "/does/not/exist")]).unwrap_err();
    assert_eq!(mistakes.0[0].variable, "DATABASE_URL_FILE");
}

#[test]
fn a_blank_variable_counts_as_absent() {
    assert_eq!(read(&[("PORT", "  ")]).unwrap().http.port, 8000);
}

#[test]
fn no_secret_is_shown_by_debug() {
    let settings =
        read(&[("DATABASE_URL", "postgres://u:hunter2@h/d"), ("SESSION_SECRET", &"hunter2".repeat(8))]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(!format!("{:?}", Variables::of([("A", "hunter2")])).contains("hunter2"));
}
