//! Who may do what: every door and every type of request, brought by everybody who might try.
//!
//! What each of them is answered with stands in `auth_matrix/expected.txt`, a status for each cell. A door or a type of
//! request that has no row there fails the test, and so does a row that no door has.

mod asked;
mod cast;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use chatkit_gateway::chat::Responder;
use chatkit_gateway::routes;
use serde_json::Value;

use self::asked::{Belongings, Heard, ask};
use self::cast::{Cast, Guise};
use self::table::{Row, Table};
use crate::conformance::scripted;
use crate::support::house::{Ground, House};

/// The owner's words: nobody else ever hears them.
const SECRET: &str = "the owner's own words";

fn pairs<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// One instance for the whole table: nobody in it is told apart by how much they ask.
async fn house(ground: Ground) -> House {
    let responder: Arc<dyn Responder> = Arc::new(scripted::Scripted { transcribes: true });
    ground.build_for(Some(responder)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says_on_sqlite() {
    let cast = Cast::gather().await;
    let ground = Ground::sqlite(&pairs(&cast.variables()));
    everybody_gets_what_the_table_says(cast, house(ground).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says_on_postgres() {
    let cast = Cast::gather().await;
    let ground = Ground::postgres(&pairs(&cast.variables())).await;
    everybody_gets_what_the_table_says(cast, house(ground).await).await;
}

async fn everybody_gets_what_the_table_says(mut cast: Cast, house: House) {
    cast.enter(&house).await;
    let (table, mut wrong) = (Table::read(), Vec::new());
    for row in &table.rows {
        for guise in row.guises() {
            try_row(&cast, &house, row, *guise, &mut wrong).await;
        }
    }
    assert!(wrong.is_empty(), "{} cells are not as the table says:\n{}", wrong.len(), wrong.join("\n"));
}

/// All cells of a row. Where a request changes something, it is the owner's turn last; until then, nothing may change.
async fn try_row(cast: &Cast, house: &House, row: &Row, guise: Guise, wrong: &mut Vec<String>) {
    let owner = cast.owner(guise);
    let belongings = Belongings::of(house, &owner).await;
    let before = belongings.seen_by(house, &owner).await;
    // What is wrong with a credential does not depend on whose thread it is tried on.
    let is_first = row.guises()[0] == guise;
    let columns = row.cells.iter().filter(|(column, _)| is_first || cast::IN_EVERY_GUISE.contains(&column.as_str()));
    for (column, expected) in columns.filter(|(column, _)| column.as_str() != "owner") {
        let fresh = if row.takes_once() { Belongings::of(house, &owner).await } else { belongings.clone() };
        let shown = cast.shown(column);
        let heard = ask(house, &row.name, &fresh, &shown).await;
        let cell = format!("{} · {column} · {guise:?}", row.name);
        if heard.status != *expected {
            wrong.push(format!("{cell}: {} instead of {expected}: {}", heard.status, heard.told));
        }
        if heard.told.contains(SECRET) {
            wrong.push(format!("{cell}: was told the owner's words: {}", heard.told));
        }
        if row.names_something() && heard.status >= 400 {
            let nowhere = ask(house, &row.name, &fresh.elsewhere(), &shown).await;
            if nowhere.masked(&fresh.elsewhere()) != heard.masked(&fresh) {
                let (there, not) = (heard.masked(&fresh), nowhere.masked(&fresh.elsewhere()));
                wrong.push(format!("{cell}: what is there can be told from what is not:\n  {there:?}\n  {not:?}"));
            }
        }
    }
    if belongings.seen_by(house, &owner).await != before {
        wrong.push(format!("{} · {guise:?}: somebody changed what is not theirs", row.name));
    }
    let owner = if row.ends_a_session() { cast::signed_in_anew(house, guise).await } else { owner };
    let heard = ask(house, &row.name, &belongings, &owner).await;
    let expected = row.cells["owner"];
    if heard.status != expected {
        wrong.push(format!("{} · owner · {guise:?}: {} instead of {expected}: {}", row.name, heard.status, heard.told));
    }
}

#[test]
fn every_door_and_every_type_of_request_has_a_row_and_every_row_a_door() {
    let doors: BTreeSet<String> =
        routes::list(&["/chatkit".to_owned()]).iter().map(|door| format!("{} {}", door.method, door.path)).collect();
    let rows: BTreeSet<String> = Table::read().rows.iter().map(|row| row.door()).collect();
    assert_eq!(doors.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "these doors have no row");
    assert_eq!(rows.difference(&doors).collect::<Vec<_>>(), Vec::<&String>::new(), "these rows have no door");
    let asked: BTreeSet<String> =
        Table::read().rows.iter().filter(|row| row.door() == "POST /chatkit").filter_map(|row| row.kind()).collect();
    let types = types_of_requests();
    assert_eq!(types.difference(&asked).collect::<Vec<_>>(), Vec::<&String>::new(), "these types have no row");
}

/// The types that the protocol knows, as its schema tells them.
fn types_of_requests() -> BTreeSet<String> {
    let schema = include_str!("../../protocol/schema/request.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut types = BTreeSet::new();
    collect_types(&schema["oneOf"], &mut types);
    assert!(types.len() >= 16, "{types:?}");
    types
}

fn collect_types(variants: &Value, types: &mut BTreeSet<String>) {
    for variant in variants.as_array().into_iter().flatten() {
        types.extend(variant["properties"]["type"]["const"].as_str().map(str::to_owned));
    }
}

#[tokio::test]
async fn a_cursor_among_somebody_elses_items_is_none() {
    let mut cast = Cast::gather().await;
    let house = house(Ground::sqlite(&pairs(&cast.variables()))).await;
    cast.enter(&house).await;
    let (owner, user) = (cast.owner(Guise::User), cast.shown("user"));
    let (theirs, own) = (Belongings::of(&house, &owner).await, Belongings::of(&house, &user).await);
    let asked = async |cursor: &str| -> Heard {
        let body = serde_json::json!({"type": "items.list", "params": {"thread_id": own.thread_id, "after": cursor}});
        asked::post(&house, "/chatkit", body.to_string(), &user).await
    };
    let (foreign, none) = (asked(&theirs.widget_id).await, asked("msg_that_nobody_has").await);
    assert_eq!((foreign.status, none.status), (400, 400), "{foreign:?} {none:?}");
    assert_eq!(foreign.without_request_id(), none.without_request_id());
}
