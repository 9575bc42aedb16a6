//! Which model makes vectors: the one that the settings name, the one that goes with the model that answers, or none.

use reqwest::Url;
use secrecy::SecretString;

use super::models::{GOOGLE_PREFIXES, KnownModel, Shorter, Told, known};
use super::{BatchLimits, EmbeddingEndpoint, Wire};
use crate::config::{Reader, Variable};
use crate::llm::choice::{ModelChoice, variables_of};
use crate::llm::presets::{self, COHERE, GEMINI, OPENAI, Preset};

/// Names the provider.
pub const EMBEDDING_PROVIDER: Variable = Variable {
    name: "EMBEDDING_PROVIDER",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "Whose model makes vectors: `gemini`, `openai`, `cohere`, `ollama`, or `none` to find by words alone; the provider that answers when not given, if it is known to have one.",
};

/// Names the model.
pub const EMBEDDING_MODEL: Variable = Variable {
    name: "EMBEDDING_MODEL",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "The model that makes vectors; `gemini-embedding-001`, `text-embedding-3-small` or `embed-v4.0` when not given. Needed for `ollama`, and for any server that is not OpenAI's own.",
};

/// Says how long vectors are.
pub const EMBEDDING_DIMENSIONS: Variable = Variable {
    name: "EMBEDDING_DIMENSIONS",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "How many numbers a vector has; what the model gives when not given, but 768 for Gemini's. Needed for a model that is not known here.",
};

/// Where texts go.
pub const EMBEDDING_BASE_URL: Variable = Variable {
    name: "EMBEDDING_BASE_URL",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "The address of its server, up to before `/embeddings`; the provider's when not given. Without `EMBEDDING_PROVIDER` it is a server that speaks OpenAI's wire.",
};

/// The key that goes with them.
pub const EMBEDDING_API_KEY: Variable = Variable {
    name: "EMBEDDING_API_KEY",
    aliases: &[],
    default: None,
    secret: true,
    meaning: "Its key; the provider's own when neither this nor an address elsewhere is given.",
};

/// All of them, for the documents.
pub const EMBEDDING_VARIABLES: [Variable; 5] =
    [EMBEDDING_PROVIDER, EMBEDDING_MODEL, EMBEDDING_DIMENSIONS, EMBEDDING_BASE_URL, EMBEDDING_API_KEY];

/// Where Cohere's own wire is spoken; its address for chats is another one.
const COHERE_BASE_URL: &str = "https://api.cohere.com";

/// More numbers in a vector than any model gives.
const DIMENSIONS_MAX: u32 = 16_384;

/// How much text a model takes of which nothing is known.
const TOKENS_UNKNOWN: usize = 8191;

/// What the settings say of vectors.
#[derive(Clone, Debug)]
pub struct EmbeddingSettings {
    /// The model that makes them, if any does.
    pub endpoint: Option<EmbeddingEndpoint>,
    /// Whether the operator asked for it; otherwise it came with the model that answers.
    pub chosen: bool,
}

impl EmbeddingSettings {
    /// Nothing makes vectors.
    pub const NONE: Self = Self { endpoint: None, chosen: false };

    /// Reads which model makes vectors, where `chat` is the one that answers; mistakes stay with the reader.
    pub fn read(reader: &mut Reader<'_>, chat: &ModelChoice) -> Self {
        let named = reader.text(&EMBEDDING_PROVIDER);
        if named.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("none")) {
            return Self { chosen: true, ..Self::NONE };
        }
        if EMBEDDING_VARIABLES.iter().all(|variable| !is_given(reader, variable)) {
            let preset = going_with(chat);
            return Self { endpoint: preset.and_then(|preset| endpoint(reader, preset)), chosen: false };
        }
        let preset = match named {
            Some(name) => named_preset(reader, &name),
            None => implied_preset(reader, chat),
        };
        Self { endpoint: preset.and_then(|preset| endpoint(reader, preset)), chosen: true }
    }
}

fn is_given(reader: &mut Reader<'_>, variable: &Variable) -> bool {
    // A secret may also come from a file.
    reader.text(variable).is_some()
}

/// The provider whose own server answers with its own key: only there is an embedding model known to be.
fn going_with(chat: &ModelChoice) -> Option<&'static Preset> {
    let ModelChoice::Endpoint(answering) = chat else { return None };
    let at_home = same_server(&answering.base_url, answering.preset.base_url);
    let has_model = usual_model(answering.preset).is_some();
    (at_home && has_model && answering.api_key.is_some()).then_some(answering.preset)
}

fn named_preset(reader: &mut Reader<'_>, name: &str) -> Option<&'static Preset> {
    let preset = presets::named(name);
    if preset.is_none() {
        let known: Vec<&str> = presets::PRESETS.iter().map(|preset| preset.name).collect();
        reader.mistake(EMBEDDING_PROVIDER.name, format!("must be `none` or one of `{}`", known.join("`, `")));
    }
    preset
}

/// Whose model is meant when only the model, its address or its dimensions are given.
fn implied_preset(reader: &mut Reader<'_>, chat: &ModelChoice) -> Option<&'static Preset> {
    if is_given(reader, &EMBEDDING_BASE_URL) {
        return Some(&OPENAI);
    }
    let answering = match chat {
        ModelChoice::Endpoint(answering) => Some(answering),
        ModelChoice::Offline => None,
    };
    // A server that is nobody's own may have anybody's models.
    if let Some(answering) = answering
        && (usual_model(answering.preset).is_none() || !same_server(&answering.base_url, answering.preset.base_url))
    {
        return Some(answering.preset);
    }
    let owner = reader.text(&EMBEDDING_MODEL).and_then(|model| known(&model)?.provider);
    let preset = owner.or_else(|| answering.map(|answering| answering.preset));
    if preset.is_none() {
        reader.mistake(EMBEDDING_PROVIDER.name, "is needed, since no provider answers whose model it could be");
    }
    preset
}

fn endpoint(reader: &mut Reader<'_>, preset: &'static Preset) -> Option<EmbeddingEndpoint> {
    let wire = wire_of(preset);
    let (base_url, api_key) = address(reader, preset, wire);
    let is_openai_itself = same_server(&base_url, OPENAI.base_url);
    let usual = usual_model(preset).filter(|_| wire != Wire::OpenAi || is_openai_itself);
    let Some(model) = reader.text(&EMBEDDING_MODEL).or_else(|| usual.map(str::to_owned)) else {
        let whose = if preset.name == OPENAI.name { "a server other than OpenAI's" } else { preset.name };
        reader.mistake(EMBEDDING_MODEL.name, format!("is needed, since it is not known which one {whose} has"));
        return None;
    };
    let known = known(&model);
    let (dimensions, asks_dimensions) = dimensions(reader, wire, &model, known)?;
    let batch = batch_limits(wire, is_openai_itself).answered_with(dimensions);
    let told = told(wire, &model, known);
    let tokens_max = known.map_or(TOKENS_UNKNOWN, |known| known.tokens_max);
    let provider = preset.name;
    Some(EmbeddingEndpoint {
        provider,
        wire,
        base_url,
        api_key,
        model,
        dimensions,
        asks_dimensions,
        told,
        tokens_max,
        batch,
    })
}

/// Where texts go, and the key that may go along: a provider's own goes nowhere but to that provider.
fn address(reader: &mut Reader<'_>, preset: &'static Preset, wire: Wire) -> (String, Option<SecretString>) {
    let [key, base_url, _] = variables_of(preset);
    let own = match reader.text(&base_url).unwrap_or_default() {
        own if wire == Wire::Cohere && same_server(&own, COHERE.base_url) => COHERE_BASE_URL.to_owned(),
        own => own,
    };
    let address = reader.text(&EMBEDDING_BASE_URL).unwrap_or_else(|| own.clone());
    let is_own = same_server(&address, &own);
    let api_key = match reader.secret(&EMBEDDING_API_KEY) {
        None if is_own => reader.secret(&key),
        given => given,
    };
    let needs_key = preset.needs_key || same_server(&address, OPENAI.base_url);
    if api_key.is_none() && is_own && needs_key {
        reader.mistake(EMBEDDING_API_KEY.name, format!("or {} is needed for vectors of {}", key.name, preset.name));
    }
    (address, api_key)
}

/// How long vectors are, and whether the model has to be asked for that.
fn dimensions(reader: &mut Reader<'_>, wire: Wire, model: &str, known: Option<&KnownModel>) -> Option<(u32, bool)> {
    let given = match reader.text(&EMBEDDING_DIMENSIONS).map(|text| text.parse::<u32>()) {
        Some(Ok(given)) if (1..=DIMENSIONS_MAX).contains(&given) => Some(given),
        Some(_) => {
            reader.mistake(EMBEDDING_DIMENSIONS.name, format!("must be a whole number from 1 to {DIMENSIONS_MAX}"));
            return None;
        }
        None => None,
    };
    let Some(known) = known else {
        if given.is_none() {
            let remedy = format!("is needed, since it is not known how long the vectors of `{model}` are");
            reader.mistake(EMBEDDING_DIMENSIONS.name, remedy);
        }
        return given.map(|given| (given, true));
    };
    let dimensions = given.unwrap_or(known.dimensions_usual);
    let possible = dimensions == known.dimensions
        || match known.shorter {
            Shorter::Never => false,
            Shorter::Freely => dimensions < known.dimensions,
            Shorter::To(lengths) => lengths.contains(&dimensions),
        };
    if !possible {
        let lengths = match known.shorter {
            Shorter::Never => format!("{}", known.dimensions),
            Shorter::Freely => format!("{} or less", known.dimensions),
            Shorter::To(lengths) => format!("one of {lengths:?}"),
        };
        reader.mistake(EMBEDDING_DIMENSIONS.name, format!("must be {lengths} for `{model}`"));
        return None;
    }
    // Google's own door understands it from every model that can; others refuse what they do not need.
    let asks = dimensions != known.dimensions || (wire == Wire::Gemini && known.shorter != Shorter::Never);
    Some((dimensions, asks))
}

/// OpenAI's wire has no member for it.
fn told(wire: Wire, model: &str, known: Option<&KnownModel>) -> Told {
    match (known.map(|known| known.told), wire) {
        (Some(Told::Parameter) | None, Wire::OpenAi) => Told::Nothing,
        (Some(told), _) => told,
        (None, Wire::Cohere) => Told::Parameter,
        (None, Wire::Gemini) if model.contains("embedding-2") => GOOGLE_PREFIXES,
        (None, Wire::Gemini) => Told::Parameter,
    }
}

/// What providers take in one request, with something left over for tokens that were counted wrongly.
fn batch_limits(wire: Wire, is_openai_itself: bool) -> BatchLimits {
    match wire {
        Wire::OpenAi if is_openai_itself => BatchLimits { texts: 2048, tokens: 250_000 },
        // Small servers take 32 texts unless they are told otherwise.
        Wire::OpenAi => BatchLimits { texts: 32, tokens: 50_000 },
        // Without a bill to pay, 30,000 tokens pass in a minute; a request of more would never pass.
        Wire::Gemini => BatchLimits { texts: 100, tokens: 20_000 },
        Wire::Cohere => BatchLimits { texts: 96, tokens: 100_000 },
    }
}

fn wire_of(preset: &Preset) -> Wire {
    match preset.name {
        name if name == GEMINI.name => Wire::Gemini,
        name if name == COHERE.name => Wire::Cohere,
        _ => Wire::OpenAi,
    }
}

/// A provider's model when none is named.
fn usual_model(preset: &Preset) -> Option<&'static str> {
    match preset.name {
        name if name == GEMINI.name => Some("gemini-embedding-001"),
        name if name == OPENAI.name => Some("text-embedding-3-small"),
        name if name == COHERE.name => Some("embed-v4.0"),
        _ => None,
    }
}

fn same_server(one: &str, other: &str) -> bool {
    match (Url::parse(one.trim()), Url::parse(other.trim())) {
        (Ok(one), Ok(other)) => one.origin() == other.origin(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::Variables;
    use crate::llm::choice::ModelSettings;

    /// What was chosen in a line, or the variable of the first mistake.
    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &str) {
        let variables = Variables::of(pairs.iter().copied());
        let mut reader = Reader::new(&variables);
        let chat = ModelSettings::read(&mut reader).choice;
        let settings = EmbeddingSettings::read(&mut reader, &chat);
        let how = if settings.chosen { "chosen" } else { "by itself" };
        let told = match &settings.endpoint {
            None => format!("none {how}"),
            Some(endpoint) => {
                let url = endpoint.wire.url(&endpoint.base_url, &endpoint.model).unwrap();
                let key = endpoint.api_key.as_ref().map_or("-", |key| key.expose_secret());
                let asks = if endpoint.asks_dimensions { "asked for" } else { "given" };
                let (provider, dimensions) = (endpoint.provider, endpoint.dimensions);
                let (model, style) = (&endpoint.model, endpoint.told.style());
                format!("{provider} {model} {dimensions} {asks} {style:?} {url} {key} {how}")
            }
        };
        let told = reader.finish(told).unwrap_or_else(|mistakes| mistakes.0[0].variable.clone());
        assert_eq!(told, expected, "{pairs:?}");
    }

    #[test]
    fn with_nothing_said_of_vectors_they_come_from_whoever_answers_with_a_key() {
        check(&[], "none by itself");
        check(
            &[("GEMINI_API_KEY", "k")],
            "gemini gemini-embedding-001 768 asked for Parameter \
             https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents k by itself",
        );
        check(
            &[("OPENAI_API_KEY", "k")],
            "openai text-embedding-3-small 1536 given None https://api.openai.com/v1/embeddings k by itself",
        );
        check(
            &[("COHERE_API_KEY", "k")],
            "cohere embed-v4.0 1536 given Parameter https://api.cohere.com/v2/embed k by itself",
        );
    }

    #[test]
    fn a_server_that_may_have_no_such_model_is_asked_for_none_by_itself() {
        for pairs in [
            [("OPENAI_BASE_URL", "http://h/v1"), ("OPENAI_API_KEY", "k")],
            [("OLLAMA_BASE_URL", "http://localhost:11434/v1"), ("OLLAMA_API_KEY", "k")],
            [("GEMINI_BASE_URL", "http://h/v1"), ("GEMINI_API_KEY", "k")],
            [("GEMINI_API_KEY", "k"), ("MODEL_PROVIDER", "offline")],
            [("OPENAI_BASE_URL", "https://api.openai.com/v1"), ("OPENAI_MODEL", "m")],
        ] {
            check(&pairs, "none by itself");
        }
    }

    #[test]
    fn a_named_model_is_asked_where_the_chats_go() {
        check(
            &[("OPENAI_BASE_URL", "http://h/v1"), ("OPENAI_API_KEY", "k"), ("EMBEDDING_MODEL", "BAAI/bge-m3")],
            "openai BAAI/bge-m3 1024 given None http://h/v1/embeddings k chosen",
        );
        check(
            &[("OLLAMA_BASE_URL", "http://h/v1"), ("EMBEDDING_MODEL", "nomic-embed-text:latest")],
            "ollama nomic-embed-text:latest 768 given Prefix http://h/v1/embeddings - chosen",
        );
        check(
            &[("GEMINI_API_KEY", "g"), ("OPENAI_API_KEY", "o"), ("EMBEDDING_MODEL", "text-embedding-3-large")],
            "openai text-embedding-3-large 3072 given None https://api.openai.com/v1/embeddings o chosen",
        );
        check(
            &[("GEMINI_API_KEY", "g"), ("EMBEDDING_MODEL", "gemini-embedding-2")],
            "gemini gemini-embedding-2 768 asked for Prefix \
             https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-2:batchEmbedContents g chosen",
        );
        check(
            &[
                ("EMBEDDING_PROVIDER", "openai"),
                ("OPENAI_BASE_URL", "http://h"),
                ("EMBEDDING_MODEL", "gemini-embedding-001"),
            ],
            "openai gemini-embedding-001 768 asked for None http://h/embeddings - chosen",
        );
    }

    #[test]
    fn a_key_goes_only_where_it_belongs() {
        let model = ("EMBEDDING_MODEL", "bge-m3");
        check(
            &[("OPENAI_API_KEY", "k"), ("EMBEDDING_BASE_URL", "http://h/v1"), model],
            "openai bge-m3 1024 given None http://h/v1/embeddings - chosen",
        );
        check(
            &[("GEMINI_API_KEY", "g"), ("EMBEDDING_BASE_URL", "http://h/v1"), ("EMBEDDING_API_KEY", "own"), model],
            "openai bge-m3 1024 given None http://h/v1/embeddings own chosen",
        );
        check(
            &[
                ("COHERE_API_KEY", "k"),
                ("EMBEDDING_PROVIDER", "cohere"),
                ("EMBEDDING_BASE_URL", "https://api.cohere.com/v2"),
            ],
            "cohere embed-v4.0 1536 given Parameter https://api.cohere.com/v2/embed k chosen",
        );
        check(
            &[("GEMINI_API_KEY", "k"), ("EMBEDDING_PROVIDER", "gemini"), ("EMBEDDING_BASE_URL", "https://h/v1beta")],
            "gemini gemini-embedding-001 768 asked for Parameter \
             https://h/v1beta/models/gemini-embedding-001:batchEmbedContents - chosen",
        );
        check(&[("EMBEDDING_PROVIDER", "gemini")], "EMBEDDING_API_KEY");
        check(&[("EMBEDDING_PROVIDER", "openai")], "EMBEDDING_API_KEY");
    }

    #[test]
    fn none_is_none_whatever_else_is_said() {
        check(&[("GEMINI_API_KEY", "k"), ("EMBEDDING_PROVIDER", "None"), ("EMBEDDING_MODEL", "x")], "none chosen");
    }

    #[test]
    fn how_long_vectors_are_is_known_or_must_be_said() {
        let openai = |dimensions: &'static str, expected: &str| {
            check(
                &[("OPENAI_API_KEY", "k"), ("EMBEDDING_MODEL", "mine"), ("EMBEDDING_DIMENSIONS", dimensions)],
                expected,
            );
        };
        openai("", "EMBEDDING_DIMENSIONS");
        openai("0", "EMBEDDING_DIMENSIONS");
        openai("many", "EMBEDDING_DIMENSIONS");
        openai("99999", "EMBEDDING_DIMENSIONS");
        openai("100", "openai mine 100 asked for None https://api.openai.com/v1/embeddings k chosen");
        let cohere = |dimensions: &'static str, expected: &str| {
            check(&[("COHERE_API_KEY", "k"), ("EMBEDDING_DIMENSIONS", dimensions)], expected);
        };
        cohere("512", "cohere embed-v4.0 512 asked for Parameter https://api.cohere.com/v2/embed k chosen");
        cohere("1536", "cohere embed-v4.0 1536 given Parameter https://api.cohere.com/v2/embed k chosen");
        cohere("768", "EMBEDDING_DIMENSIONS");
        let fixed =
            [("OPENAI_API_KEY", "k"), ("EMBEDDING_MODEL", "text-embedding-ada-002"), ("EMBEDDING_DIMENSIONS", "768")];
        check(&fixed, "EMBEDDING_DIMENSIONS");
    }

    #[test]
    fn a_model_that_nobody_is_known_to_have_is_a_mistake() {
        check(&[("EMBEDDING_PROVIDER", "oracle")], "EMBEDDING_PROVIDER");
        check(&[("EMBEDDING_MODEL", "bge-m3")], "EMBEDDING_PROVIDER");
        check(&[("EMBEDDING_PROVIDER", "ollama")], "EMBEDDING_MODEL");
        check(&[("EMBEDDING_BASE_URL", "http://h/v1")], "EMBEDDING_MODEL");
    }
}
