//! Schemas of what the types alone do not tell: texts of a certain form, trees without nulls, members read leniently.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::tidy::add_tag;
use crate::{Attachment, Icon, Page, Response, Thread, ThreadItem, Timestamp, Widget, icon, widget};

/// A free-form object; where it is read, null counts as an empty one.
pub(crate) fn object_or_null(generator: &mut SchemaGenerator) -> Schema {
    if generator.contract().is_deserialize() {
        json_schema!({ "type": ["object", "null"] })
    } else {
        json_schema!({ "type": "object" })
    }
}

/// An object without members.
pub(crate) fn nothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 0 })
}

/// A number of rows, as leniently as it is read.
pub(crate) fn limit(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": r"^\s*(\+?[0-9]+|-0+)\s*$" },
            { "type": ["boolean", "null"] },
        ]
    })
}

/// A number of bytes, as leniently as it is read.
pub(crate) fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "integer" },
            { "type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$" },
            { "type": "boolean" },
        ]
    })
}

/// A component of a widget: any type, but one.
pub(crate) fn component(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": { "type": { "type": "string" } },
        "required": ["type"],
        "additionalProperties": generator.subschema_for::<WithoutNulls>(),
    })
}

/// The tag of [`AssistantContent`](crate::AssistantContent).
pub(crate) fn tagged_output_text(schema: &mut Schema) {
    tagged(schema, "output_text");
}

/// The tag of [`Annotation`](crate::Annotation).
pub(crate) fn tagged_annotation(schema: &mut Schema) {
    tagged(schema, "annotation");
}

/// Adds the tag of a struct, which schemas that are derived lack.
fn tagged(schema: &mut Schema, tag: &str) {
    let mut json = std::mem::take(schema).to_value();
    add_tag(&mut json, &tag.into());
    *schema = json.try_into().expect("it was a schema before");
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A point in time in UTC, with six digits of a second or none.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$",
        })
    }
}

impl JsonSchema for Icon {
    fn schema_name() -> Cow<'static, str> {
        "Icon".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = icon::NAMES.split_whitespace().collect();
        json_schema!({
            "description": "An icon, by name.",
            "anyOf": [{ "type": "string", "enum": names }, { "type": "string", "pattern": "^(lucide|vendor):" }],
        })
    }
}

impl JsonSchema for Widget {
    fn schema_name() -> Cow<'static, str> {
        "Widget".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A widget: a tree of components, with nulls at no depth.",
            "type": "object",
            "properties": { "type": { "type": "string", "enum": widget::ROOTS } },
            "required": ["type"],
            "additionalProperties": generator.subschema_for::<WithoutNulls>(),
        })
    }
}

/// What lies inside of a widget.
struct WithoutNulls;

impl JsonSchema for WithoutNulls {
    fn schema_name() -> Cow<'static, str> {
        "WithoutNulls".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let below = generator.subschema_for::<Self>();
        json_schema!({
            "description": "Any JSON without nulls at any depth.",
            "anyOf": [
                { "type": "string" },
                { "type": "number" },
                { "type": "boolean" },
                { "type": "array", "items": below },
                { "type": "object", "additionalProperties": below },
            ],
        })
    }
}

impl JsonSchema for Response {
    fn schema_name() -> Cow<'static, str> {
        "Response".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of = |mut schema: Schema, requests: &str| {
            schema.insert("description".to_owned(), format!("Answers {requests}.").into());
            schema
        };
        let thread = of(generator.subschema_for::<Thread>(), "`threads.get_by_id` and `threads.update`");
        let threads = of(generator.subschema_for::<Page<Thread>>(), "`threads.list`");
        let items = of(generator.subschema_for::<Page<ThreadItem>>(), "`items.list`");
        let attachment = of(generator.subschema_for::<Attachment>(), "`attachments.create`");
        let item = generator.subschema_for::<ThreadItem>();
        let transcript = json_schema!({
            "title": "Transcript",
            "type": "object",
            "properties": { "text": { "type": "string" } },
            "required": ["text"],
        });
        let updated = json_schema!({
            "title": "UpdatedItem",
            "type": "object",
            "properties": { "updated_item": item },
            "required": ["updated_item"],
        });
        let empty = json_schema!({ "title": "Empty", "type": "object", "maxProperties": 0 });
        json_schema!({
            "description": "The answer to a request that does not stream.",
            "anyOf": [
                thread,
                threads,
                items,
                attachment,
                of(transcript, "`input.transcribe`"),
                of(updated, "`threads.sync_custom_action`, if it changed the item"),
                of(empty, "`threads.delete`, `items.feedback`, `attachments.delete`, and `threads.sync_custom_action` otherwise"),
            ],
        })
    }
}
