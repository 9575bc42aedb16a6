//! The shapes of the protocol, as its own schemas have them, under names that no other door's shapes have.

use serde_json::{Map, Value, json};

const REQUEST: &str = include_str!("../../../protocol/schema/request.json");
const EVENT: &str = include_str!("../../../protocol/schema/event.json");
const RESPONSE: &str = include_str!("../../../protocol/schema/response.json");

/// What a name begins with.
const PREFIX: &str = "ChatKit";
/// What a name begins with where what is read is looser than what is sent.
const READ_PREFIX: &str = "ChatKitRead";

/// All of them, by name: `ChatKitBody` is what may be asked, `ChatKitEvent` one event of a stream, `ChatKitResponse` the
/// answer to what does not stream; the others are their parts.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for (name, text) in [("Event", EVENT), ("Response", RESPONSE)] {
        let (root, parts) = taken_apart(text);
        schemas.insert(format!("{PREFIX}{name}"), renamed(root, &|part| format!("{PREFIX}{part}")));
        for (part, schema) in parts {
            schemas.insert(format!("{PREFIX}{part}"), renamed(schema, &|part| format!("{PREFIX}{part}")));
        }
    }
    let (root, parts) = taken_apart(REQUEST);
    let name = |part: &str| {
        let usual = format!("{PREFIX}{part}");
        let same = |sent: &Value| {
            parts.get(part).is_some_and(|read| *sent == renamed(read.clone(), &|part| format!("{PREFIX}{part}")))
        };
        match schemas.get(&usual) {
            Some(sent) if !same(sent) => format!("{READ_PREFIX}{part}"),
            _ => usual,
        }
    };
    let mut read = Map::from_iter([(format!("{PREFIX}Request"), renamed(root, &name))]);
    read.extend(parts.iter().map(|(part, schema)| (name(part), renamed(schema.clone(), &name))));
    schemas.extend(read);
    let dialects = ["ChatKitRequest", "SimpleRequest"].map(reference);
    let events = ["ChatKitEvent", "SimpleEvent"].map(reference);
    let about = "An event of the protocol, or one of the simple dialect.";
    schemas.insert("ChatKitOrSimpleEvent".to_owned(), json!({"description": about, "anyOf": events}));
    let replies = ["ChatKitResponse", "Stopped"].map(reference);
    let about = "The answer to what does not stream; `Stopped` to the action `stop`.";
    schemas.insert("ChatKitReply".to_owned(), json!({"description": about, "anyOf": replies}));
    schemas.insert("ChatKitBody".to_owned(), json!({"description": "What may be asked: the protocol has `type`, the simple dialect `action`.", "oneOf": dialects}));
    schemas
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A document of the protocol, and its parts.
fn taken_apart(text: &str) -> (Value, Map<String, Value>) {
    let mut root: Value = serde_json::from_str(text).expect("the schemas of the protocol are JSON");
    let parts = match root.as_object_mut().and_then(|root| root.remove("$defs")) {
        Some(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    if let Some(root) = root.as_object_mut() {
        root.remove("$schema");
    }
    (root, parts)
}

/// The same with its parts by their names here.
fn renamed(schema: Value, name: &dyn Fn(&str) -> String) -> Value {
    match schema {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| match value.as_str().and_then(|value| value.strip_prefix("#/$defs/")) {
                Some(part) if key == "$ref" => (key, Value::String(format!("#/components/schemas/{}", name(part)))),
                _ => (key, renamed(value, name)),
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(|value| renamed(value, name)).collect(),
        other => other,
    }
}
