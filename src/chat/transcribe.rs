//! Transcription: a recording becomes text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chatkit_protocol::{InputTranscribe, Malformed, Response};

use super::actions::refused;
use super::responder::Recording;
use super::{Chat, ChatError};
use crate::identity::Identity;
use crate::quota::Counted;
use crate::store::StoreError;

/// A transcription may take so long.
const TRANSCRIPTION_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(120);

/// What a caller is told where nothing hears.
const DEAF: &str = "does not turn speech into text; whoever runs it can set TRANSCRIPTION_MODEL";

pub(super) async fn transcribe(chat: &Chat, who: &Identity, asked: InputTranscribe) -> Result<Response, ChatError> {
    let bytes = decoded(&asked.audio_base64)?.into();
    chat.allowance.count(Counted::Recordings).await.map_err(|error| match error {
        StoreError::Exceeded(exceeded) => chat.allowance.reached(Counted::Recordings, &exceeded).into(),
        other => ChatError::from(other),
    })?;
    let recording = Recording { bytes, mime_type: asked.mime_type, language: chat.language };
    let transcribing = chat.responder.transcribe(who, recording);
    let text = tokio::time::timeout(TRANSCRIPTION_TIME_MAX, transcribing).await.map_err(|_| ChatError::TooSlow)?;
    Ok(Response::Transcript { text: text.map_err(|error| refused(error, DEAF))? })
}

/// Standard base64 with its padding. Other characters, as of lines, are skipped, but something must be left.
fn decoded(base64: &str) -> Result<Vec<u8>, ChatError> {
    let wrong = |problem: String| Malformed { member: "params.audio_base64".to_owned(), problem };
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let solid: Vec<u8> = base64.bytes().filter(is_base64).collect();
    if solid.is_empty() && !base64.is_empty() {
        return Err(wrong("is not base64".to_owned()).into());
    }
    let decoded = STANDARD.decode(solid);
    decoded.map_err(|error| wrong(format!("is not standard base64 with padding: {error}")).into())
}
