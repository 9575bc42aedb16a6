//! JSON Schema of the wire, draft 2020-12, made from the types; what serde does by hand is described by hand.
//!
//! Requests are described as they are read, leniently; events and answers as they are sent: what is absent is left out,
//! never null.
//!
//! ```
//! let [request, event, response] = chatkit_protocol::schema::documents();
//! assert_eq!(request.name, "request.json");
//! assert_eq!(event.json["$schema"], "https://json-schema.org/draft/2020-12/schema");
//! assert!(response.to_string().ends_with("}\n"));
//! ```

mod by_hand;
mod tidy;

use std::fmt;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use crate::{Envelope, Response, ThreadEvent, Value};

pub(crate) use by_hand::{component, limit, nothing, object_or_null, size, tagged_annotation, tagged_output_text};
pub(crate) use tidy::{titled_event, titled_request, titled_update};

/// One schema, and what its file is called. Displayed, it is the text of that file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The name of the file.
    pub name: &'static str,
    /// The schema.
    pub json: Value,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#}", self.json)
    }
}

/// The schemas of requests, of events, and of answers that do not stream.
pub fn documents() -> [Document; 3] {
    let read = SchemaSettings::draft2020_12().for_deserialize().with_transform(tidy::Read);
    let sent = SchemaSettings::draft2020_12().for_serialize().with_transform(tidy::Sent);
    [
        document::<Envelope>("request.json", "Request", read),
        document::<ThreadEvent>("event.json", "ThreadEvent", sent.clone()),
        document::<Response>("response.json", "Response", sent),
    ]
}

fn document<T: JsonSchema>(name: &'static str, title: &str, settings: SchemaSettings) -> Document {
    let mut json = settings.into_generator().into_root_schema_for::<T>().to_value();
    json["title"] = title.into();
    tidy::tag_types_of_variants(&mut json);
    tidy::stand_alone(&mut json);
    Document { name, json }
}
