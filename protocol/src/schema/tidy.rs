//! What is done to a schema after it was made: descriptions for readers of JSON, and nothing that is never sent.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::json;

use crate::{JsonMap, Value};

/// For what is read.
#[derive(Clone)]
pub(super) struct Read;

/// For what is sent.
#[derive(Clone)]
pub(super) struct Sent;

impl Transform for Read {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(schema) = schema.as_object_mut() {
            drop_format(schema);
            describe_first(schema);
        }
    }
}

impl Transform for Sent {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(schema) = schema.as_object_mut() {
            drop_format(schema);
            describe_first(schema);
            // A default says what counts when something is left out; what is sent is not left out.
            schema.shift_remove("default");
            leave_out_nulls(schema);
        }
    }
}

/// Titles requests, so that generated code has names for them.
pub(crate) fn titled_request(schema: &mut Schema) {
    titled(schema, "request");
}

/// Titles events.
pub(crate) fn titled_event(schema: &mut Schema) {
    titled(schema, "event");
}

/// Titles updates.
pub(crate) fn titled_update(schema: &mut Schema) {
    titled(schema, "update");
}

/// Titles the variants of a tagged enum with their tags and a word that no other type is called.
fn titled(schema: &mut Schema, word: &str) {
    let Some(Value::Array(variants)) = schema.get_mut("oneOf") else { return };
    for variant in variants {
        let tag = variant.pointer("/properties/type/const").and_then(Value::as_str);
        if let Some(title) = tag.map(|tag| format!("{tag} {word}")) {
            variant["title"] = title.into();
        }
    }
}

/// Moves the tag of a variant that is a type of its own into that type: generators of code know each type by its tag then,
/// and most of them look at nothing beside a `$ref`.
pub(super) fn tag_types_of_variants(root: &mut Value) {
    let Some(Value::Object(definitions)) = root.get_mut("$defs") else { return };
    let mut tags = Vec::new();
    for definition in definitions.values_mut() {
        let Some(Value::Array(variants)) = definition.get_mut("oneOf") else { continue };
        for variant in variants {
            let name = variant.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix("#/$defs/"));
            if let (Some(name), Some(tag)) = (name, variant.pointer("/properties/type/const")) {
                tags.push((name.to_owned(), tag.clone()));
                *variant = json!({ "$ref": variant["$ref"] });
            }
        }
    }
    for (name, tag) in tags {
        add_tag(&mut definitions[&name], &tag);
    }
}

/// Leaves nothing beside a `$ref`: it may stand there, but most generators of code pass it over or make another type of
/// the two.
pub(super) fn stand_alone(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(stand_alone);
            if members.len() > 1
                && let Some(place) = members.shift_remove("$ref")
            {
                members.insert("allOf".to_owned(), json!([{ "$ref": place }]));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(stand_alone),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds a tag to the schema of a struct.
pub(super) fn add_tag(schema: &mut Value, tag: &Value) {
    // What has no members, or none that must be there, has no list of them either.
    for (word, none) in [("properties", json!({})), ("required", json!([]))] {
        if schema.get(word).is_none() {
            schema[word] = none;
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_insert(0, "type".to_owned(), json!({ "type": "string", "const": tag }));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.insert(0, "type".into());
    }
}

/// Begins with the title and the first paragraph of the description, without links into the code: the other paragraphs
/// are for those who write Rust.
fn describe_first(schema: &mut JsonMap) {
    if let Some(Value::String(text)) = schema.shift_remove("description") {
        let first = text.split("\n\n").next().unwrap_or_default();
        let first = first.replace('\n', " ").replace("[`", "`").replace("`]", "`");
        schema.shift_insert(0, "description".to_owned(), first.into());
    }
    for name in ["title", "$schema"] {
        if let Some(value) = schema.shift_remove(name) {
            schema.shift_insert(0, name.to_owned(), value);
        }
    }
}

/// Sizes of numbers in memory are no formats of JSON Schema, and strict readers refuse those they do not know.
fn drop_format(schema: &mut JsonMap) {
    let numeric = ["uint32", "int64", "double"];
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| numeric.contains(&format)) {
        schema.shift_remove("format");
    }
}

/// What may be absent is left out when it is, so its schema need not allow null.
fn leave_out_nulls(schema: &mut JsonMap) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|known| known == name));
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties {
        if !is_required(name) {
            never_null(property);
        }
    }
}

fn never_null(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_mut_slice() {
            let only = std::mem::take(only);
            schema.shift_remove("anyOf");
            schema.extend(only);
        }
    }
}
