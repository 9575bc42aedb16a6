//! Which model answers: the provider that the settings name, or the first one they have a key for, or none; and which
//! one hears.

use std::fmt;

use secrecy::SecretString;

use super::openai::Endpoint;
use super::presets::{self, OPENAI, PRESETS, Preset};
use super::transcription::TranscriptionEndpoint;
use crate::config::{Reader, Shown, Variable};

/// Names the provider when there are keys for several.
pub const MODEL_PROVIDER: Variable = Variable {
    name: "MODEL_PROVIDER",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "Which model answers: `gemini`, `openai`, `cohere`, `ollama` or `offline`; the first one with a key when not given.",
};

/// Who answers when that one cannot.
pub const MODEL_FALLBACKS: Variable = Variable {
    name: "MODEL_FALLBACKS",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "Which models answer when that one cannot, comma-separated and in their order: `provider:model` or just `provider`, with the provider's key and address as below; `offline` may come last.",
};

/// So many models may stand in for the first.
const FALLBACKS_MAX: usize = 8;

/// The proxy for requests to providers.
pub const PROXY: Variable = Variable {
    name: "HTTPS_PROXY",
    aliases: &["https_proxy", "ALL_PROXY"],
    default: None,
    secret: true,
    meaning: "A proxy through which models are reached; loopback addresses go without.",
};

/// Whether the model sees.
pub const MODEL_SEES: Variable = Variable {
    name: "MODEL_SEES",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "Whether the model is given the pictures that readers attach: `true` or `false`; what is known of the provider's default model when not given.",
};

/// Which model turns speech into text.
pub const TRANSCRIPTION_MODEL: Variable = Variable {
    name: "TRANSCRIPTION_MODEL",
    aliases: &[],
    // None is named here: naming one is what turns transcription on.
    default: None,
    secret: false,
    meaning: "The model that turns speech into text; `whisper-1` when not given. Setting any of these three turns transcription on.",
};

/// The model's name that most servers know.
const TRANSCRIPTION_MODEL_USUAL: &str = "whisper-1";

/// Where recordings go.
pub const TRANSCRIPTION_BASE_URL: Variable = Variable {
    name: "TRANSCRIPTION_BASE_URL",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "The address of its server, up to before `/audio/transcriptions`; `OPENAI_BASE_URL` when not given.",
};

/// The key that goes with them.
pub const TRANSCRIPTION_API_KEY: Variable = Variable {
    name: "TRANSCRIPTION_API_KEY",
    aliases: &[],
    default: None,
    secret: true,
    meaning: "Its key; `OPENAI_API_KEY` when neither this nor another address is given.",
};

/// What the settings say of models.
#[derive(Clone)]
pub struct ModelSettings {
    /// Which model.
    pub choice: ModelChoice,
    /// Which ones answer when it cannot, in their order.
    pub fallbacks: Vec<ModelChoice>,
    /// Which one hears, if any does.
    pub transcription: Option<TranscriptionEndpoint>,
    /// Through which proxy.
    pub proxy: Option<String>,
}

impl fmt::Debug for ModelSettings {
    /// Shows no password that stands in the proxy's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { choice, fallbacks, transcription, proxy } = self;
        let mut shown = f.debug_struct("ModelSettings");
        shown.field("choice", choice).field("fallbacks", fallbacks).field("transcription", transcription);
        shown.field("proxy", &proxy.as_deref().map(Shown)).finish()
    }
}

/// Which model answers.
#[derive(Clone, Debug)]
pub enum ModelChoice {
    /// One behind an endpoint.
    Endpoint(Endpoint),
    /// The best sentences of the book, without any model.
    Offline,
}

/// The three variables of a provider.
pub fn variables_of(preset: &Preset) -> [Variable; 3] {
    let variable = |name, default, secret, meaning| Variable { name, aliases: &[], default, secret, meaning };
    [
        variable(preset.key_variable, None, true, "The provider's key."),
        variable(
            preset.base_url_variable,
            Some(preset.base_url),
            false,
            "The provider's address, up to before `/chat/completions`.",
        ),
        variable(preset.model_variable, Some(preset.model), false, "The model, by the provider's name for it."),
    ]
}

impl ModelSettings {
    /// Reads which model is to answer; mistakes stay with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let choice = choice(reader);
        let fallbacks = fallbacks(reader, &choice);
        Self { choice, fallbacks, transcription: transcription(reader), proxy: reader.text(&PROXY) }
    }
}

fn choice(reader: &mut Reader<'_>) -> ModelChoice {
    let named = reader.text(&MODEL_PROVIDER);
    match named.as_deref() {
        Some("offline") => ModelChoice::Offline,
        Some(name) => match presets::named(name) {
            Some(preset) => first_endpoint(reader, preset),
            None => {
                reader.mistake(MODEL_PROVIDER.name, format!("must be `offline` or one of {}", known_providers()));
                ModelChoice::Offline
            }
        },
        None => match PRESETS.into_iter().find(|preset| is_set_up(reader, preset)) {
            Some(preset) => first_endpoint(reader, preset),
            None => ModelChoice::Offline,
        },
    }
}

fn known_providers() -> String {
    let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    format!("`{}`", known.join("`, `"))
}

/// Whether the operator has set up a provider: its key, or for one that needs none, its address.
fn is_set_up(reader: &mut Reader<'_>, preset: &Preset) -> bool {
    let [key, base_url, _] = variables_of(preset);
    reader.secret(&key).is_some() || (!preset.needs_key && reader.is_given(&base_url))
}

fn first_endpoint(reader: &mut Reader<'_>, preset: &'static Preset) -> ModelChoice {
    let mut endpoint = endpoint(reader, preset, &format!("MODEL_PROVIDER={}", preset.name));
    match reader.text(&MODEL_SEES).as_deref() {
        Some("true") => endpoint.sees = true,
        Some("false") => endpoint.sees = false,
        None => {}
        Some(_) => reader.mistake(MODEL_SEES.name, "must be `true` or `false`"),
    }
    ModelChoice::Endpoint(endpoint)
}

/// What a provider's variables say; `asked_for` names what needs its key.
fn endpoint(reader: &mut Reader<'_>, preset: &'static Preset, asked_for: &str) -> Endpoint {
    let [key, base_url, model] = variables_of(preset);
    let api_key: Option<SecretString> = reader.secret(&key);
    if preset.needs_key && api_key.is_none() {
        reader.mistake(key.name, format!("is needed for {asked_for}"));
    }
    let base_url = reader.text(&base_url).unwrap_or_default();
    let model = reader.text(&model).unwrap_or_default();
    Endpoint { preset, base_url, api_key, model, sees: preset.sees }
}

fn fallbacks(reader: &mut Reader<'_>, first: &ModelChoice) -> Vec<ModelChoice> {
    let entries = reader.list(&MODEL_FALLBACKS);
    if entries.is_empty() {
        return Vec::new();
    }
    if matches!(first, ModelChoice::Offline) {
        reader
            .mistake(MODEL_FALLBACKS.name, "needs a first model that can fail; set MODEL_PROVIDER or a provider's key");
        return Vec::new();
    }
    if entries.len() > FALLBACKS_MAX {
        reader.mistake(MODEL_FALLBACKS.name, format!("may name {FALLBACKS_MAX} models at most"));
    }
    let mut chosen: Vec<ModelChoice> = Vec::new();
    for entry in &entries {
        let Some(choice) = fallback(reader, entry) else { continue };
        if matches!(chosen.last(), Some(ModelChoice::Offline)) {
            reader.mistake(MODEL_FALLBACKS.name, "has models behind `offline`, which always answers; put it last");
        }
        if std::iter::once(first).chain(&chosen).any(|earlier| is_same(earlier, &choice)) {
            reader.mistake(MODEL_FALLBACKS.name, format!("names `{entry}`, which is asked before already"));
        }
        chosen.push(choice);
    }
    chosen
}

fn fallback(reader: &mut Reader<'_>, entry: &str) -> Option<ModelChoice> {
    // A model's own name may hold a colon, a provider's never.
    let (provider, model) = entry.split_once(':').unwrap_or((entry, ""));
    if entry == "offline" {
        return Some(ModelChoice::Offline);
    }
    let Some(preset) = presets::named(provider) else {
        let known = known_providers();
        reader.mistake(
            MODEL_FALLBACKS.name,
            format!("names the provider `{provider}`; write `provider:model`, the provider one of {known}"),
        );
        return None;
    };
    let mut endpoint = endpoint(reader, preset, &format!("`{entry}` in {}", MODEL_FALLBACKS.name));
    if !model.trim().is_empty() {
        endpoint.model = model.trim().to_owned();
    }
    Some(ModelChoice::Endpoint(endpoint))
}

fn is_same(one: &ModelChoice, other: &ModelChoice) -> bool {
    match (one, other) {
        (ModelChoice::Endpoint(one), ModelChoice::Endpoint(other)) => {
            one.preset.name == other.preset.name && one.model.trim() == other.model.trim()
        }
        (ModelChoice::Offline, ModelChoice::Offline) => true,
        (ModelChoice::Endpoint(_), ModelChoice::Offline) | (ModelChoice::Offline, ModelChoice::Endpoint(_)) => false,
    }
}

fn transcription(reader: &mut Reader<'_>) -> Option<TranscriptionEndpoint> {
    let own_key = reader.secret(&TRANSCRIPTION_API_KEY);
    if own_key.is_none() && !reader.is_given(&TRANSCRIPTION_MODEL) && !reader.is_given(&TRANSCRIPTION_BASE_URL) {
        return None;
    }
    let [openai_key, openai_base_url, _] = variables_of(&OPENAI);
    let openai_base_url = reader.text(&openai_base_url).unwrap_or_default();
    let base_url = reader.text(&TRANSCRIPTION_BASE_URL).unwrap_or_else(|| openai_base_url.clone());
    // A key goes nowhere but where it went before.
    let same_server = base_url.trim_end_matches('/') == openai_base_url.trim_end_matches('/');
    let api_key = own_key.or_else(|| if same_server { reader.secret(&openai_key) } else { None });
    if api_key.is_none() && base_url.trim_end_matches('/') == OPENAI.base_url {
        reader.mistake(TRANSCRIPTION_API_KEY.name, "or OPENAI_API_KEY is needed to turn speech into text at OpenAI");
    }
    let model = reader.text(&TRANSCRIPTION_MODEL).unwrap_or_else(|| TRANSCRIPTION_MODEL_USUAL.to_owned());
    Some(TranscriptionEndpoint { base_url, api_key, model })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::{Mistakes, Variables};

    fn read(pairs: &[(&str, &str)]) -> Result<String, Mistakes> {
        let variables = Variables::of(pairs.iter().copied());
        let mut reader = Reader::new(&variables);
        let chosen = match ModelSettings::read(&mut reader).choice {
            ModelChoice::Offline => "offline".to_owned(),
            ModelChoice::Endpoint(endpoint) => {
                let sees = if endpoint.sees { "sees" } else { "is blind" };
                format!("{} {} {sees} {}", endpoint.preset.name, endpoint.base_url, endpoint.model)
            }
        };
        reader.finish(chosen)
    }

    #[test]
    fn without_a_key_the_offline_model_answers() {
        assert_eq!(read(&[]).unwrap(), "offline");
        assert_eq!(read(&[("GEMINI_MODEL_NAME", "x")]).unwrap(), "offline");
    }

    #[test]
    fn a_key_is_enough_and_a_name_decides_between_two() {
        let keys = [("COHERE_API_KEY", "k"), ("GEMINI_API_KEY", "k"), ("GEMINI_MODEL_NAME", "g")];
        assert!(read(&keys).unwrap().starts_with("gemini ") && read(&keys).unwrap().ends_with(" g"));
        let named = [keys.as_slice(), &[("MODEL_PROVIDER", "cohere")]].concat();
        assert!(read(&named).unwrap().starts_with("cohere "));
    }

    #[test]
    fn any_compatible_server_is_an_address_without_a_key() {
        assert!(
            read(&[("OPENAI_BASE_URL", "http://localhost:1234/v1")])
                .unwrap()
                .starts_with("openai http://localhost:1234/v1")
        );
    }

    #[test]
    fn a_provider_that_is_not_known_or_has_no_key_is_a_mistake() {
        assert_eq!(read(&[("MODEL_PROVIDER", "oracle")]).unwrap_err().0[0].variable, "MODEL_PROVIDER");
        assert_eq!(read(&[("MODEL_PROVIDER", "gemini")]).unwrap_err().0[0].variable, "GEMINI_API_KEY");
    }

    #[test]
    fn whether_a_model_sees_is_known_of_the_default_one_and_may_be_said_of_any() {
        for (given, expected) in [("", "sees"), ("true", "sees"), ("false", "is blind")] {
            let told = read(&[("GEMINI_API_KEY", "k"), ("MODEL_SEES", given)]).unwrap();
            assert!(told.contains(expected), "{told}");
        }
        assert!(read(&[("COHERE_API_KEY", "k")]).unwrap().contains("is blind"));
        assert!(read(&[("COHERE_API_KEY", "k"), ("MODEL_SEES", "true")]).unwrap().contains("sees"));
        assert_eq!(read(&[("COHERE_API_KEY", "k"), ("MODEL_SEES", "1")]).unwrap_err().0[0].variable, "MODEL_SEES");
    }

    #[track_caller]
    fn check_fallbacks(list: &str, expected: &[&str]) {
        let variables = Variables::of([
            ("GEMINI_API_KEY", "k"),
            ("GEMINI_MODEL_NAME", "g"),
            ("COHERE_API_KEY", "c"),
            ("MODEL_FALLBACKS", list),
        ]);
        let mut reader = Reader::new(&variables);
        let chosen = ModelSettings::read(&mut reader).fallbacks.into_iter().map(|choice| match choice {
            ModelChoice::Offline => "offline".to_owned(),
            ModelChoice::Endpoint(Endpoint { preset, model, api_key, .. }) => {
                format!("{} {model} {}", preset.name, api_key.map_or("-".into(), |key| key.expose_secret().to_owned()))
            }
        });
        let chosen: Vec<String> = chosen.collect();
        let told = reader.finish(chosen).unwrap_or_else(|Mistakes(mistakes)| {
            mistakes.into_iter().map(|mistake| format!("{}: {}", mistake.variable, mistake.remedy)).collect()
        });
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told} / {expected}");
        }
    }

    #[test]
    fn other_models_may_stand_in_with_the_keys_of_their_providers() {
        check_fallbacks("", &[]);
        check_fallbacks("gemini:h, cohere", &["gemini h k", "cohere command-a-03-2025 c"]);
        check_fallbacks("Ollama:llama3.2:3b,offline", &["ollama llama3.2:3b -", "offline"]);
    }

    #[test]
    fn what_is_wrong_with_those_models_is_named() {
        check_fallbacks("oracle:x", &["MODEL_FALLBACKS: names the provider `oracle`"]);
        check_fallbacks("gemini", &["names `gemini`, which is asked before already"]);
        check_fallbacks("cohere:a,cohere:a", &["names `cohere:a`, which"]);
        check_fallbacks("offline,cohere", &["put it last"]);
        check_fallbacks(
            "cohere:1,cohere:2,cohere:3,cohere:4,cohere:5,cohere:6,cohere:7,cohere:8,cohere:9",
            &["8 models"],
        );
        let variables = [("OPENAI_API_KEY", "k"), ("MODEL_FALLBACKS", "cohere:x")];
        let mistakes = read(&variables).unwrap_err();
        assert_eq!(
            mistakes.to_string().lines().last().unwrap().trim(),
            "COHERE_API_KEY: is needed for `cohere:x` in MODEL_FALLBACKS"
        );
        assert_eq!(read(&[("MODEL_FALLBACKS", "ollama")]).unwrap_err().0[0].variable, "MODEL_FALLBACKS");
    }

    #[track_caller]
    fn check_hearing(pairs: &[(&str, &str)], expected: &str) {
        let variables = Variables::of(pairs.iter().copied());
        let mut reader = Reader::new(&variables);
        let chosen = match transcription(&mut reader) {
            None => "off".to_owned(),
            Some(endpoint) => {
                let key = endpoint.api_key.as_ref().map_or("-", |key| key.expose_secret());
                format!("{} {} {key}", endpoint.base_url, endpoint.model)
            }
        };
        let told = reader.finish(chosen).unwrap_or_else(|mistakes| mistakes.0[0].variable.clone());
        assert_eq!(told, expected, "{pairs:?}");
    }

    #[test]
    fn speech_is_off_until_one_of_its_settings_is_given() {
        check_hearing(&[("OPENAI_API_KEY", "k")], "off");
        let on = [("OPENAI_API_KEY", "k"), ("TRANSCRIPTION_MODEL", "m")];
        check_hearing(&on, "https://api.openai.com/v1 m k");
        check_hearing(&[("TRANSCRIPTION_API_KEY", "own")], "https://api.openai.com/v1 whisper-1 own");
        check_hearing(&[("TRANSCRIPTION_MODEL", "m")], "TRANSCRIPTION_API_KEY");
    }

    #[test]
    fn a_key_goes_only_where_it_belongs() {
        let elsewhere = [("OPENAI_API_KEY", "k"), ("TRANSCRIPTION_BASE_URL", "http://h/v1")];
        check_hearing(&elsewhere, "http://h/v1 whisper-1 -");
        let moved = [("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "http://h/v1"), ("TRANSCRIPTION_MODEL", "m")];
        check_hearing(&moved, "http://h/v1 m k");
        let back = [moved.as_slice(), &[("TRANSCRIPTION_BASE_URL", "https://api.openai.com/v1/")]].concat();
        check_hearing(&back, "TRANSCRIPTION_API_KEY");
    }
}
