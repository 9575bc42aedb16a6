use chatkit_protocol::sse::Decoder;
use chatkit_protocol::{ItemId, ItemUpdate};
use futures_util::{FutureExt, StreamExt};

use super::*;

fn delta(text: &str) -> ThreadEvent {
    ThreadEvent::text_delta(&ItemId::from("msg_1"), 0, text.to_owned())
}

/// Everything that is there now, as deltas; other events count as `-`.
fn fetch(listening: &mut Listening) -> Vec<String> {
    let mut decoder = Decoder::new(usize::MAX);
    while let Some(Some(Ok(bytes))) = listening.next().now_or_never() {
        decoder.push(&bytes).unwrap();
    }
    std::iter::from_fn(|| decoder.next_payload())
        .map(|payload| match serde_json::from_str(&payload).unwrap() {
            ThreadEvent::ItemUpdated { update: ItemUpdate::TextDelta { delta, .. }, .. } => delta,
            _ => "-".to_owned(),
        })
        .collect()
}

#[test]
fn a_listener_that_keeps_up_gets_every_event_by_itself() {
    let (mut outbox, mut listening) = outbox();
    for text in ["a", "b", "c"] {
        outbox.put(&delta(text));
    }
    assert_eq!(fetch(&mut listening), Vec::<String>::new());
    outbox.flush();
    assert_eq!(fetch(&mut listening), ["a", "b", "c"]);
    outbox.finish();
    assert!(listening.next().now_or_never().unwrap().is_none());
}

#[test]
fn deltas_for_a_listener_that_falls_behind_are_merged_and_none_is_lost() {
    let (mut outbox, mut listening) = outbox();
    let mut sent = String::new();
    for count in 0..5_000 {
        let text = format!("{count} ");
        sent.push_str(&text);
        outbox.put(&delta(&text));
        outbox.flush();
    }
    let waiting = outbox.shared.lock().waiting.settled_bytes();
    assert!(waiting < 2 * MERGE_FROM_BYTES, "{waiting} bytes wait");
    let got = fetch(&mut listening);
    assert!(got.len() < 1_000, "{} events for 5000 deltas", got.len());
    assert_eq!(got.concat(), sent);
}

#[test]
fn events_keep_their_order_around_merged_deltas() {
    let (mut outbox, mut listening) = outbox();
    outbox.put(&delta(&"x".repeat(MERGE_FROM_BYTES)));
    outbox.flush();
    outbox.put(&delta("a"));
    outbox.put(&delta("b"));
    outbox.put(&ThreadEvent::stream_error(true));
    outbox.put(&delta("c"));
    outbox.put(&ThreadEvent::text_delta(&ItemId::from("msg_2"), 0, "d".to_owned()));
    assert_eq!(fetch(&mut listening)[1..], ["ab", "-", "c", "d"]);
    outbox.put(&delta("e"));
    outbox.finish();
    assert_eq!(fetch(&mut listening), ["e"]);
}

#[test]
fn a_listener_too_far_behind_is_let_go_and_the_turn_goes_on() {
    let (mut outbox, mut listening) = outbox();
    let gone = outbox.listener_gone();
    while !gone.is_cancelled() {
        outbox.put(&delta(&"x".repeat(64 * 1024)));
        outbox.flush();
    }
    assert!(matches!(listening.next().now_or_never(), Some(Some(Err(LetGo)))));
    assert!(listening.next().now_or_never().unwrap().is_none());
    outbox.put(&delta("nobody hears this"));
    outbox.finish();
}

#[tokio::test]
async fn a_listener_that_waits_is_woken_and_one_that_leaves_is_noticed() {
    let (mut outbox, mut listening) = outbox();
    let gone = outbox.listener_gone();
    let heard = async { listening.next().await.unwrap().unwrap() };
    let told = async {
        outbox.put(&delta("a"));
        outbox.flush();
    };
    let (heard, ()) = tokio::join!(heard, told);
    assert!(heard.starts_with(b"data: "));
    drop(listening);
    assert!(gone.is_cancelled());
}

/// Whether somebody was woken.
#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An outbox whose turn may be asked for again.
fn replayed() -> (Outbox, Listening, Replay) {
    let replay = Replay::default();
    let (outbox, listening) = outbox_with(Some(replay.clone()));
    (outbox, listening, replay)
}

#[test]
fn whoever_asks_the_same_again_is_told_everything_and_then_what_is_new() {
    let (mut outbox, listening, replay) = replayed();
    assert!(!replay.has_begun());
    for text in ["Rob", "ots", " sense"] {
        outbox.put(&delta(text));
        outbox.flush();
    }
    drop(listening);
    assert!(replay.has_begun());
    let mut again = replay.listen();
    assert_eq!(fetch(&mut again), ["Robots sense"]);
    outbox.put(&delta("."));
    outbox.flush();
    assert_eq!(fetch(&mut again), ["."]);
    outbox.finish();
    assert!(!replay.was_heard());
    assert!(again.next().now_or_never().unwrap().is_none());
    assert!(replay.was_heard());
    assert_eq!(fetch(&mut replay.listen()), ["Robots sense", "."]);
}

#[test]
fn an_answer_that_its_own_listener_got_to_the_end_was_heard() {
    let (mut outbox, mut listening, replay) = replayed();
    outbox.put(&delta("a"));
    outbox.finish();
    assert_eq!(fetch(&mut listening), ["a"]);
    assert!(replay.was_heard());
}

#[test]
fn a_waiting_listener_of_a_replay_is_woken_by_what_comes() {
    let (mut outbox, _listening, replay) = replayed();
    outbox.put(&delta("a"));
    outbox.flush();
    let mut again = replay.listen();
    fetch(&mut again);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    assert!(Pin::new(&mut again).poll_next(&mut Context::from_waker(&waker)).is_pending());
    assert!(!woken.0.load(Ordering::Relaxed));
    outbox.put(&delta("b"));
    outbox.flush();
    assert!(woken.0.load(Ordering::Relaxed));
}

#[test]
fn a_replay_that_grows_too_long_ends_and_frees_what_it_holds() {
    let (mut outbox, _listening, replay) = replayed();
    for _ in 0..3 {
        outbox.put(&delta(&"x".repeat(OUTBOX_BYTES_MAX)));
        outbox.flush();
    }
    let mut again = replay.listen();
    assert!(again.next().now_or_never().unwrap().is_none());
}
