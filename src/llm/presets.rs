//! Providers that speak the OpenAI wire, as rows of a table: a new one is a new row.

/// What is known of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What settings and logs call it.
    pub name: &'static str,
    /// The variable that holds the key.
    pub key_variable: &'static str,
    /// Whether it answers nobody without a key.
    pub needs_key: bool,
    /// The variable that holds the address.
    pub base_url_variable: &'static str,
    /// The address when none is set; a trailing slash makes no difference.
    pub base_url: &'static str,
    /// The variable that holds the model's name.
    pub model_variable: &'static str,
    /// The model when none is set.
    pub model: &'static str,
    /// Whether that model can be shown pictures.
    pub sees: bool,
    /// Whether `stream_options.include_usage` may be sent.
    pub usage_on_request: bool,
    /// How it wants to be told where to cut the answer.
    pub answer_limit: AnswerLimit,
}

/// The member of a request that limits the answer's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerLimit {
    /// `max_tokens`, which nearly all understand.
    MaxTokens,
    /// `max_completion_tokens`, which OpenAI's reasoning models insist on.
    MaxCompletionTokens,
}

/// Google's Gemini through its OpenAI-compatible door.
pub const GEMINI: Preset = Preset {
    name: "gemini",
    key_variable: "GEMINI_API_KEY",
    needs_key: true,
    base_url_variable: "GEMINI_BASE_URL",
    base_url: "https://generativelanguage.googleapis.com/v1beta/openai/",
    model_variable: "GEMINI_MODEL_NAME",
    model: "gemini-3.5-flash-lite",
    sees: true,
    usage_on_request: true,
    answer_limit: AnswerLimit::MaxTokens,
};

/// OpenAI itself, and with another address any server that speaks its wire.
pub const OPENAI: Preset = Preset {
    name: "openai",
    key_variable: "OPENAI_API_KEY",
    needs_key: false,
    base_url_variable: "OPENAI_BASE_URL",
    base_url: "https://api.openai.com/v1",
    model_variable: "OPENAI_MODEL",
    model: "gpt-6-luna",
    sees: true,
    usage_on_request: true,
    answer_limit: AnswerLimit::MaxCompletionTokens,
};

/// Cohere through its compatibility door, which refuses `stream_options`.
pub const COHERE: Preset = Preset {
    name: "cohere",
    key_variable: "COHERE_API_KEY",
    needs_key: true,
    base_url_variable: "COHERE_BASE_URL",
    base_url: "https://api.cohere.ai/compatibility/v1",
    model_variable: "COHERE_MODEL",
    model: "command-a-03-2025",
    sees: false,
    usage_on_request: false,
    answer_limit: AnswerLimit::MaxTokens,
};

/// A model on the same machine.
pub const OLLAMA: Preset = Preset {
    name: "ollama",
    key_variable: "OLLAMA_API_KEY",
    needs_key: false,
    base_url_variable: "OLLAMA_BASE_URL",
    base_url: "http://localhost:11434/v1",
    model_variable: "OLLAMA_MODEL",
    model: "llama3.2",
    sees: false,
    usage_on_request: true,
    answer_limit: AnswerLimit::MaxTokens,
};

/// All of them; the first one whose key is set is a good guess at what the operator wants.
pub const PRESETS: [&Preset; 4] = [&GEMINI, &OPENAI, &COHERE, &OLLAMA];

/// The preset of that name, whatever its case.
pub fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.into_iter().find(|preset| preset.name.eq_ignore_ascii_case(name.trim()))
}
