//! Which model answers: the provider that the settings name, or the first one they have a key for, or none; and which
//! one hears.

use secrecy::SecretString;

use super::openai::Endpoint;
use super::presets::{self, OPENAI, PRESETS, Preset};
use super::transcription::TranscriptionEndpoint;
use crate::config::{Reader, Variable};

/// Names the provider when there are keys for several.
pub const MODEL_PROVIDER: Variable = Variable {
    name: "MODEL_PROVIDER",
    aliases: &[],
    default: None,
    secret: false,
    meaning: "Which model answers: `gemini`, `openai`, `cohere`, `ollama` or `offline`; the first one with a key when not given.",
};

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
    default: None,
    secret: false,
    meaning: "The model that turns speech into text; `whisper-1` when only its server or its key is given. Setting any of these three turns transcription on.",
};

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
#[derive(Clone, Debug)]
pub struct ModelSettings {
    /// Which model.
    pub choice: ModelChoice,
    /// Which one hears, if any does.
    pub transcription: Option<TranscriptionEndpoint>,
    /// Through which proxy.
    pub proxy: Option<String>,
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
        Self { choice: choice(reader), transcription: transcription(reader), proxy: reader.text(&PROXY) }
    }
}

fn choice(reader: &mut Reader<'_>) -> ModelChoice {
    let named = reader.text(&MODEL_PROVIDER);
    match named.as_deref() {
        Some("offline") => ModelChoice::Offline,
        Some(name) => match presets::named(name) {
            Some(preset) => endpoint(reader, preset),
            None => {
                let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
                reader.mistake(MODEL_PROVIDER.name, format!("must be `offline` or one of `{}`", known.join("`, `")));
                ModelChoice::Offline
            }
        },
        None => match PRESETS.into_iter().find(|preset| is_set_up(reader, preset)) {
            Some(preset) => endpoint(reader, preset),
            None => ModelChoice::Offline,
        },
    }
}

/// Whether the operator has set up a provider: its key, or for one that needs none, its address.
fn is_set_up(reader: &mut Reader<'_>, preset: &Preset) -> bool {
    let [key, base_url, _] = variables_of(preset);
    reader.secret(&key).is_some() || (!preset.needs_key && reader.is_given(&base_url))
}

fn endpoint(reader: &mut Reader<'_>, preset: &'static Preset) -> ModelChoice {
    let [key, base_url, model] = variables_of(preset);
    let api_key: Option<SecretString> = reader.secret(&key);
    if preset.needs_key && api_key.is_none() {
        reader.mistake(key.name, format!("is needed for MODEL_PROVIDER={}", preset.name));
    }
    let base_url = reader.text(&base_url).unwrap_or_default();
    let model = reader.text(&model).unwrap_or_default();
    let sees = match reader.text(&MODEL_SEES).as_deref() {
        Some("true") => true,
        Some("false") => false,
        None => preset.sees,
        Some(_) => {
            reader.mistake(MODEL_SEES.name, "must be `true` or `false`");
            preset.sees
        }
    };
    ModelChoice::Endpoint(Endpoint { preset, base_url, api_key, model, sees })
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
    let model = reader.text(&TRANSCRIPTION_MODEL).unwrap_or_else(|| "whisper-1".to_owned());
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
