//! Speech that becomes text, at a server behind a real socket that fails in every way that was seen outside.

use std::time::Duration;

use bytes::Bytes;
use chatkit_gateway::llm::transcription::{AUDIO_BYTES_MAX, Transcriber, TranscriptionEndpoint, TranscriptionError};
use chatkit_gateway::llm::{LlmError, http};

use crate::support::fake_model::{FakeModel, PATIENCE, Reply};

const SPEECH: &[u8] = b"\x1aE\xdf\xa3 opus \r\n--not-the-boundary\r\n";

fn transcriber(base_url: String, patience: Duration) -> Transcriber {
    let api_key = Some("sk-test\n".to_owned().into());
    let endpoint = TranscriptionEndpoint { base_url, api_key, model: "whisper-1".into() };
    Transcriber::new(http::client(None).unwrap(), endpoint, patience).unwrap()
}

async fn hear(reply: Reply) -> Result<String, TranscriptionError> {
    let fake = FakeModel::start().await;
    fake.reply(reply);
    transcriber(fake.base_url(), PATIENCE).transcribe(Bytes::from_static(SPEECH), "audio/webm").await
}

async fn failure(reply: Reply) -> LlmError {
    match hear(reply).await {
        Err(TranscriptionError::Model(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn speech_becomes_text() {
    let fake = FakeModel::start().await;
    fake.reply(Reply::status(200, r#"{"text":" What is a robot? روبوٹ\n","usage":{"type":"duration","seconds":2}}"#));
    let transcriber = transcriber(fake.base_url(), PATIENCE);
    let text = transcriber.transcribe(Bytes::from_static(SPEECH), "audio/webm;codecs=opus").await.unwrap();
    assert_eq!(text, "What is a robot? روبوٹ");

    let request = fake.request().await;
    assert_eq!(request.path, "/v1/audio/transcriptions");
    assert_eq!(request.headers["authorization"], "Bearer sk-test");
    assert_eq!(request.headers["content-length"], request.bytes.len().to_string());
    let form = request.form();
    let fields: Vec<(&str, &[u8])> =
        form.iter().map(|field| (field.headers[0].as_str(), field.bytes.as_slice())).collect();
    assert_eq!(
        fields,
        [
            ("content-disposition:form-data; name=\"model\"", "whisper-1".as_bytes()),
            ("content-disposition:form-data; name=\"response_format\"", b"json"),
            ("content-disposition:form-data; name=\"file\"; filename=\"speech.webm\"", SPEECH),
        ]
    );
    assert_eq!(form[2].headers[1], "content-type:audio/webm");
}

#[tokio::test]
async fn the_file_is_named_as_its_type_wants() {
    let fake = FakeModel::start().await;
    fake.always(Reply::status(200, r#"{"text":"ok"}"#));
    let transcriber = transcriber(fake.base_url(), PATIENCE);
    for (mime_type, ending, sent) in [
        ("audio/mp4", "mp4", "audio/mp4"),
        (" Audio/OGG ; codecs=opus", "ogg", "audio/ogg"),
        ("audio/x-wav", "wav", "audio/x-wav"),
        ("audio/mpeg", "mp3", "audio/mpeg"),
    ] {
        transcriber.transcribe(Bytes::from_static(SPEECH), mime_type).await.unwrap();
        let file = fake.request().await.form().pop().unwrap();
        assert!(file.headers[0].ends_with(&format!("filename=\"speech.{ending}\"")), "{file:?}");
        assert_eq!(file.headers[1], format!("content-type:{sent}"));
    }
}

#[tokio::test]
async fn what_is_no_recording_is_not_sent() {
    let fake = FakeModel::start().await;
    let transcriber = transcriber(fake.base_url(), PATIENCE);
    let refused =
        async |audio: Bytes, mime_type: &str| transcriber.transcribe(audio, mime_type).await.unwrap_err().to_string();
    let speech = Bytes::from_static(SPEECH);
    for mime_type in ["text/plain", "", ";", "audio/midi;x=y", "audio/webm\r\nx"] {
        let told = refused(speech.clone(), mime_type).await;
        assert!(told.contains(mime_type.split(';').next().unwrap()) && told.contains("audio/webm"), "{told}");
    }
    assert!(refused(speech, &"x".repeat(10_000)).await.len() < 300);
    assert!(refused(Bytes::new(), "audio/webm").await.contains("empty"));
    let long = refused(vec![0; AUDIO_BYTES_MAX + 1].into(), "audio/webm").await;
    assert!(long.contains("26214401") && long.contains("26214400"), "{long}");
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_refuses_is_understood_as_one_that_chats() {
    let unknown_key = failure(Reply::status(401, r#"{"error":{"message":"Incorrect API key: sk-test"}}"#)).await;
    assert!(matches!(unknown_key, LlmError::Unauthorized));
    let busy = failure(Reply::status(429, r#"{"error":{"message":"slow down"}}"#).header("retry-after", "7")).await;
    assert!(matches!(busy, LlmError::Busy { retry_after: Some(wait) } if wait.as_secs() == 7), "{busy:?}");
    let poor = failure(Reply::status(429, r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#)).await;
    assert!(matches!(poor, LlmError::NoQuota), "{poor:?}");
    let broken = failure(Reply::status(502, "<html>bad gateway</html>")).await;
    assert!(matches!(broken, LlmError::ProviderFailed(502)), "{broken:?}");
    let refused = failure(Reply::status(400, r#"{"error":{"message":"sk-test: Invalid file format."}}"#)).await;
    assert!(matches!(&refused, LlmError::Refused(words) if words == "…: Invalid file format."), "{refused:?}");
    let moved = failure(Reply::status(307, "").header("location", "http://127.0.0.1:1/")).await;
    assert!(matches!(moved, LlmError::Refused(_)), "{moved:?}");
    let inside = failure(Reply::status(200, r#"{"error":{"message":"overloaded","code":529}}"#)).await;
    assert!(matches!(inside, LlmError::Busy { .. }), "{inside:?}");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_told() {
    for garbage in
        ["", "<html>", "What is a robot?", "[]", "null", "{}", r#"{"text":null}"#, r#"{"text":["a"]}"#, "\u{0}"]
    {
        let error = failure(Reply::status(200, garbage)).await;
        assert!(matches!(error, LlmError::Garbled(_)), "{garbage}: {error:?}");
    }
    let endless = format!(r#"{{"text":"{}"}}"#, "a".repeat(2 << 20));
    assert!(matches!(failure(Reply::status(200, &endless)).await, LlmError::Garbled(_)));
    assert!(matches!(failure(Reply::status(200, r#"{"text":"Wh"#).cut()).await, LlmError::Cut));
    assert_eq!(hear(Reply::status(200, r#"{"text":""}"#)).await.unwrap(), "");
}

#[tokio::test]
async fn a_server_that_is_silent_or_away_is_told_in_time() {
    let fake = FakeModel::start().await;
    let impatient = transcriber(fake.base_url(), Duration::from_secs(1));
    let mut answers = Vec::new();
    for (status, begun) in [(200, ""), (200, r#"{"text":"#), (500, "{")] {
        fake.reply(Reply::status(status, begun).silence());
        let heard = tokio::time::timeout(PATIENCE, impatient.transcribe(Bytes::from_static(SPEECH), "audio/webm"));
        answers.push(heard.await.expect("the wait ends").unwrap_err().to_string());
    }
    let silent = "the model was silent for 1 s";
    assert_eq!(answers, [silent, silent, "the model's provider failed with status 500"]);
    let away = transcriber("http://127.0.0.1:1/v1".into(), PATIENCE);
    let error = away.transcribe(Bytes::from_static(SPEECH), "audio/webm").await.unwrap_err();
    assert!(matches!(error, TranscriptionError::Model(LlmError::Unreachable(_))), "{error:?}");
}

#[test]
fn a_transcriber_that_cannot_work_is_found_at_start() {
    let of = |base_url: &str, model: &str| {
        let endpoint = TranscriptionEndpoint { base_url: base_url.into(), api_key: None, model: model.into() };
        Transcriber::new(http::client(None).unwrap(), endpoint, PATIENCE)
    };
    assert!(of("http://h/v1", " ").is_err() && of("h/v1", "m").is_err() && of("http://h", "m").is_ok());
}
