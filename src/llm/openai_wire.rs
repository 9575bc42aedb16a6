//! The JSON of Chat Completions: strict in what is sent, lenient in what is read.

use std::borrow::Cow;
use std::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::presets::AnswerLimit;
use super::{Image, Message, Prompt, ToolCall, ToolSpec, Usage};

/// A request, borrowed from the prompt it carries.
#[derive(Clone, Copy)]
pub(super) struct AskedFor<'a> {
    pub(super) model: &'a str,
    pub(super) prompt: &'a Prompt,
    pub(super) answer_limit: AnswerLimit,
    pub(super) with_usage: bool,
}

impl Serialize for AskedFor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct StreamOptions {
            include_usage: bool,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &Each(&self.prompt.messages, WireMessage))?;
        if !self.prompt.tools.is_empty() {
            map.serialize_entry("tools", &Each(&self.prompt.tools, WireTool))?;
        }
        if let Some(tokens) = self.prompt.answer_tokens_max {
            let member = match self.answer_limit {
                AnswerLimit::MaxTokens => "max_tokens",
                AnswerLimit::MaxCompletionTokens => "max_completion_tokens",
            };
            map.serialize_entry(member, &tokens)?;
        }
        map.serialize_entry("stream", &true)?;
        if self.with_usage {
            map.serialize_entry("stream_options", &StreamOptions { include_usage: true })?;
        }
        map.end()
    }
}

struct Each<'a, T, W>(&'a [T], fn(&'a T) -> W);

impl<T, W: Serialize> Serialize for Each<'_, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            list.serialize_element(&(self.1)(item))?;
        }
        list.end()
    }
}

struct WireMessage<'a>(&'a Message);

impl Serialize for WireMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Message::System(text) => {
                map.serialize_entry("role", "system")?;
                map.serialize_entry("content", text)?;
            }
            Message::User { text, material, images } => {
                map.serialize_entry("role", "user")?;
                let words = material.iter().chain([text]).map(String::as_str);
                let words: Vec<&str> = words.filter(|words| !words.is_empty()).collect();
                match images.as_slice() {
                    // Not every server understands parts, so none are sent where a string does.
                    [] => map.serialize_entry("content", &words.join("\n\n"))?,
                    images => map.serialize_entry("content", &Parts { words: &words, images })?,
                }
            }
            Message::Assistant { text, tool_calls } => {
                map.serialize_entry("role", "assistant")?;
                // Some refuse an empty content, some a missing one; missing is in order only beside calls.
                if !text.is_empty() || tool_calls.is_empty() {
                    map.serialize_entry("content", text)?;
                }
                if !tool_calls.is_empty() {
                    map.serialize_entry("tool_calls", &Each(tool_calls, WireCall))?;
                }
            }
            Message::Tool { call_id, name: _, output } => {
                map.serialize_entry("role", "tool")?;
                map.serialize_entry("tool_call_id", call_id)?;
                map.serialize_entry("content", output)?;
            }
        }
        map.end()
    }
}

/// The content of a message with pictures.
struct Parts<'a> {
    words: &'a [&'a str],
    images: &'a [Image],
}

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Part<'a> {
            Text { text: &'a str },
            ImageUrl { image_url: Address<'a> },
        }
        #[derive(Serialize)]
        struct Address<'a> {
            url: DataUrl<'a>,
        }
        let mut list = serializer.serialize_seq(Some(self.images.len() + self.words.len()))?;
        for text in self.words {
            list.serialize_element(&Part::Text { text })?;
        }
        for image in self.images {
            list.serialize_element(&Part::ImageUrl { image_url: Address { url: DataUrl(image) } })?;
        }
        list.end()
    }
}

/// Written straight into the request: a picture is large enough without a second copy.
struct DataUrl<'a>(&'a Image);

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Image { mime_type, bytes } = self.0;
        serializer.collect_str(&format_args!("data:{mime_type};base64,{}", Base64Display::new(bytes, &STANDARD)))
    }
}

struct WireCall<'a>(&'a ToolCall);

impl Serialize for WireCall<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'a> {
            name: &'a str,
            arguments: &'a str,
        }
        let call = self.0;
        // Providers parse the arguments again, and no JSON is empty.
        let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &call.id)?;
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &Function { name: &call.name, arguments })?;
        for (name, value) in &call.extra {
            if !matches!(name.as_str(), "id" | "type" | "function" | "index") {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

struct WireTool<'a>(&'a ToolSpec);

impl Serialize for WireTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Function<'a> {
            name: &'a str,
            description: &'a str,
            parameters: &'a Value,
        }
        let ToolSpec { name, description, parameters } = self.0;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &Function { name, description, parameters })?;
        map.end()
    }
}

/// One event of an answer, or a whole answer that was not streamed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Option<WireUsage>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Option<Count>,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    /// What an answer has that was not streamed.
    #[serde(borrow)]
    pub(super) message: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) content: Text<'a>,
    #[serde(borrow)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    pub(super) prompt_tokens: Count,
    pub(super) completion_tokens: Count,
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        // Two vocabularies for the same thing; some send both.
        Self {
            input_tokens: wire.prompt_tokens.0.max(wire.input_tokens.0),
            output_tokens: wire.completion_tokens.0.max(wire.output_tokens.0),
        }
    }
}

/// Text wherever text may stand: a string, parts of text, or anything else, which counts as none.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut whole = String::new();
        while let Some(Text(part)) = parts.next_element()? {
            whole.push_str(&part);
        }
        Ok(Cow::Owned(whole))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut part: A) -> Result<Self::Value, A::Error> {
        let mut text = Cow::Borrowed("");
        while let Some(name) = part.next_key::<Cow<'de, str>>()? {
            match &*name {
                "text" => text = part.next_value::<Text<'de>>()?.0,
                _ => drop(part.next_value::<IgnoredAny>()?),
            }
        }
        Ok(text)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }
}

/// A number wherever a number may stand, saturating; text that is none and null count as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor).map(Self)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = u32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u32, E> {
        Ok(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u32, E> {
        // `as` saturates, and takes what is no number for 0.
        Ok(number as u32)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u32, E> {
        Ok(text.trim().parse().unwrap_or_default())
    }

    fn visit_unit<E: de::Error>(self) -> Result<u32, E> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_from_the_bytes() {
        let event: Event<'_> = serde_json::from_str(r#"{"choices":[{"delta":{"content":"Robots"}}]}"#).unwrap();
        let choices = event.choices.unwrap();
        let delta = choices[0].delta.as_ref().unwrap();
        assert!(matches!(delta.content.0, Cow::Borrowed("Robots")));
    }

    #[test]
    fn members_of_unexpected_kinds_count_as_absent() {
        let odd = r#"{"id":5,"created":1.5e12,"model":null,"choices":[{"index":"0","finish_reason":7,
            "delta":{"role":"model","content":[{"type":"text","text":"a"},{"text":null},"b"],"refusal":false}}],
            "usage":{"prompt_tokens":"3","completion_tokens":2.0,"total_tokens":null}}"#;
        let event: Event<'_> = serde_json::from_str(odd).unwrap();
        let usage = Usage::from(event.usage.unwrap());
        assert_eq!(usage, Usage { input_tokens: 3, output_tokens: 2 });
        let choice = &event.choices.unwrap()[0];
        assert_eq!(choice.finish_reason.0, "");
        assert_eq!(choice.delta.as_ref().unwrap().content.0, "ab");
    }
}
