//! What no door has to say for itself: who is let in, what any door of its kind may refuse, and how a stream is read.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{examples, wire};
use crate::routes::doors::{Door, Entry};
use crate::routes::health::PROBES;
use crate::routes::identity::{SESSION_COOKIE, VISITOR_COOKIE, VISITOR_HEADER};

/// A refusal: the status, the name, what it means, and the header that goes with it, with what that says.
type Common = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

/// Refusals that many doors have in common.
const REFUSALS: &[Common] = &[
    ("400", "Malformed", "The request cannot be read; the message names the member that is wrong.", None),
    (
        "401",
        "NotLetIn",
        "What was shown is not accepted, or nothing was shown at a door for users.",
        Some(("WWW-Authenticate", "How to show who one is (RFC 6750).")),
    ),
    (
        "403",
        "CrossSite",
        "The page of a site that is not in `CORS_ORIGINS` asked, in the name of whoever its browser knows.",
        None,
    ),
    ("408", "TooSlow", "The body did not arrive in time.", None),
    ("413", "TooLarge", "The body, or something in it, is larger than the limit.", None),
    (
        "429",
        "TooMuch",
        "The caller, or their address, has asked as much as they may for now.",
        Some(("Retry-After", "Seconds after which to try again.")),
    ),
    ("500", "Failed", "Something went wrong on our side.", None),
    (
        "503",
        "Unavailable",
        "Something that is needed cannot be reached at the moment.",
        Some(("Retry-After", "Seconds after which to try again.")),
    ),
];

/// Completes the description of these doors.
pub(super) fn complete(document: &mut Value, doors: &[Door]) {
    let components = &mut document["components"];
    let schemas = components["schemas"].as_object_mut().expect("refusals have a shape");
    schemas.extend(wire::schemas());
    schemas
        .insert("Bytes".to_owned(), json!({"description": "Bytes as they are.", "type": "string", "format": "binary"}));
    components["responses"] = REFUSALS.iter().map(|refusal| (refusal.1.to_owned(), response(refusal))).collect();
    components["securitySchemes"] = schemes();
    let mut ids = BTreeSet::new();
    let mut completed = Map::new();
    for door in doors {
        let method = door.method.as_str().to_ascii_lowercase();
        let Some(mut operation) = document["paths"][&door.path].get(&method).cloned() else { continue };
        name(&mut operation, door, &mut ids);
        operation["security"] = security(door.entry);
        refuse(&mut operation, door);
        streams(&mut operation);
        examples::show(&mut operation);
        completed.entry(template(&door.path)).or_insert_with(|| json!({}))[method] = operation;
    }
    completed.sort_keys();
    document["paths"] = Value::Object(completed);
}

/// A path as the document has it: there is no sign in it for a parameter that may hold slashes.
pub(super) fn template(path: &str) -> String {
    path.replace("{*", "{")
}

/// An operation's name is its alone; where a handler has several doors, the first one has its name.
fn name(operation: &mut Value, door: &Door, taken: &mut BTreeSet<String>) {
    let given = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let words = door.path.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let place = if door.path.ends_with('/') { "_slash" } else { "" };
    let other = || format!("{given}_at_{}{place}", words.collect::<Vec<_>>().join("_"));
    let id = if taken.contains(&given) { other() } else { given.clone() };
    taken.insert(id.clone());
    operation["operationId"] = id.into();
}

/// Who is let in. Each of these is one way; nothing at all is one, too, where strangers are.
fn security(entry: Entry) -> Value {
    match entry {
        Entry::Everybody | Entry::Link => json!([]),
        Entry::Caller => json!([{}, {"visitor": []}, {"visitor_cookie": []}, {"session": []}, {"bearer": []}]),
        Entry::User => json!([{"session": []}, {"bearer": []}]),
    }
}

fn schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token of a session of this server, or of an issuer that it believes.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": "The same token, as a browser keeps it after `POST /auth/signin`.",
        },
        "visitor": {
            "type": "apiKey",
            "in": "header",
            "name": VISITOR_HEADER.as_str(),
            "description": "The token that `POST /visitor` gave to a reader without an account.",
        },
        "visitor_cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": VISITOR_COOKIE,
            "description": "The same token, as a browser keeps it.",
        },
    })
}

fn response((_, _, meaning, header): &Common) -> Value {
    let mut response = json!({
        "description": meaning,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    });
    if let Some((name, meaning)) = header {
        response["headers"][name] = json!({"description": meaning, "schema": {"type": "string"}});
    }
    response
}

/// Adds the refusals that a door does not speak of and may give, as any other of its kind.
fn refuse(operation: &mut Value, door: &Door) {
    let takes_a_body = operation.get("requestBody").is_some();
    let knows_callers = matches!(door.entry, Entry::Caller | Entry::User);
    let may_give = |status: &str| match status {
        "400" | "408" | "413" => takes_a_body,
        "401" | "503" => knows_callers,
        "403" => knows_callers && door.method != Method::GET,
        "429" => !PROBES.contains(&door.path.as_str()),
        _ => true,
    };
    let responses = operation["responses"].as_object_mut().expect("a door says what it answers");
    for (status, name, ..) in REFUSALS.iter().filter(|(status, ..)| may_give(status)) {
        let refusal = || json!({"$ref": format!("#/components/responses/{name}")});
        responses.entry(*status).or_insert_with(refusal);
    }
    responses.sort_keys();
}

/// Where a door says what the events of a stream are, the document says how each of them comes. A door that does not say
/// it speaks the simple dialect.
fn streams(operation: &mut Value) {
    for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(stream) = response.pointer_mut("/content/text~1event-stream") else { continue };
        let event = match stream["schema"].take() {
            event if event.get("$ref").is_some() => event,
            _ => json!({"$ref": "#/components/schemas/SimpleEvent"}),
        };
        stream["schema"] = json!({
            "description": "One event of the stream. Comments come in between, to keep the connection open.",
            "type": "object",
            "properties": {
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": event},
            },
            "required": ["data"],
        });
    }
}
