//! What an answer may rest on: the mode, the selected text, what the house looks up before the model is asked, and
//! whether the answer kept to it in the end.

use chatkit_protocol::{JsonMap, ThreadItem};
use futures_util::future::OptionFuture;
use serde_json::{Value, json};

use super::selection::Selection;
use super::sources::Sources;
use super::tools::knowledge_base::{BookAway, QueryKnowledgeBase, earlier_questions};
use super::verdict::{Verdict, judge};
use crate::chat::{RestsOn, Turn};
use crate::config::{Grounding, TutorSettings};
use crate::knowledge::Found;
use crate::knowledge::lexical::telling::telling;
use crate::language::Language;
use crate::llm::is_small_talk;
use crate::llm::passages::{BOOK_AWAY, KNOWLEDGE_TOOL, NOTHING_FOUND};
use crate::llm::{Message, ModelName, ToolCall};

/// A selected text is looked for in the book by so many bytes of its beginning.
const LOCATED_BYTES: usize = 600;

/// Five questions with their answers.
const HISTORY_MESSAGES_ALONE: usize = 10;

/// What an answer may rest on.
#[derive(Debug)]
pub(super) struct Ground {
    mode: Grounding,
    pub(super) selection: Option<Selection>,
    /// Some search of this turn did not work.
    pub(super) book_is_away: bool,
    language: Language,
}

/// What the house has looked up by itself.
#[derive(Debug, Default)]
pub(super) struct LookedUp {
    /// Passages for the question; none when nobody looked.
    found: Option<Vec<Found>>,
    /// Where the selected text may stand.
    places: Vec<Found>,
    /// Some search did not work.
    pub(super) book_is_away: bool,
}

impl Ground {
    pub(super) fn of(turn: &Turn, settings: &TutorSettings) -> Self {
        let mode = if turn.rests_on() == RestsOn::Knowledge { Grounding::Strict } else { settings.grounding };
        let selection = Selection::of(turn, settings.selection_bytes_max);
        Self { mode, selection, book_is_away: false, language: turn.language() }
    }

    pub(super) fn mode(&self) -> Grounding {
        self.mode
    }

    /// Whether the answer rests on the selected text and the message alone.
    pub(super) fn is_selection_alone(&self) -> bool {
        self.selection.as_ref().is_some_and(|selection| selection.alone)
    }

    /// Whether nothing may be said that the book does not say.
    pub(super) fn is_strict(&self) -> bool {
        self.mode == Grounding::Strict && !self.is_selection_alone()
    }

    /// As much of the conversation as the model is told.
    pub(super) fn history<'a>(&self, turn: &'a Turn) -> &'a [ThreadItem] {
        match turn.question_item() {
            Some(question) if self.is_selection_alone() => std::slice::from_ref(question),
            _ => &turn.history,
        }
    }

    /// How much of it: five questions with their answers, where the door says that the book is all there is.
    pub(super) fn limits(&self, turn: &Turn, settings: &TutorSettings) -> TutorSettings {
        let history_messages_max = match turn.rests_on() {
            RestsOn::Knowledge => HISTORY_MESSAGES_ALONE,
            RestsOn::Anything | RestsOn::SelectionAlone => settings.history_messages_max,
        };
        TutorSettings { history_messages_max, ..settings.clone() }
    }

    /// What the house looks for before the model is asked, in the reader's words; nothing in most turns.
    pub(super) fn query(&self, turn: &Turn) -> Option<String> {
        let question = turn.question()?;
        let text = question.text();
        match &self.selection {
            Some(selection) if selection.alone => None,
            Some(selection) if asks_something(&selection.question) => Some(selection.question.clone()),
            Some(selection) => self.is_strict().then(|| beginning(&selection.text).to_owned()),
            None => {
                let is_courtesy = is_small_talk(&text) && question.attachments.is_empty();
                (self.is_strict() && !is_courtesy).then_some(text)
            }
        }
    }

    /// Looks it up, and where the selected text stands, at once.
    pub(super) async fn look_up(
        &self,
        book: Option<&QueryKnowledgeBase>,
        query: Option<&str>,
        turn: &Turn,
    ) -> LookedUp {
        let Some(book) = book else { return LookedUp { found: query.map(|_| Vec::new()), ..LookedUp::default() } };
        let book = book.for_turn(turn).strictly(self.is_strict());
        let leniently = book.clone().strictly(false);
        let earlier = earlier_questions(turn);
        let searched: OptionFuture<_> = query.map(|query| book.look_up(query, &earlier)).into();
        let located: OptionFuture<_> =
            self.selection.as_ref().map(|selection| leniently.look_up(beginning(&selection.text), &[])).into();
        let (searched, located) = futures_util::join!(searched, located);
        let book_is_away = [&searched, &located].into_iter().any(|looked| matches!(looked, Some(Err(BookAway))));
        let found = searched.map(Result::unwrap_or_default);
        LookedUp { found, places: located.and_then(Result::ok).unwrap_or_default(), book_is_away }
    }

    /// Whether, after all, there is nothing that the answer may rest on.
    pub(super) fn must_refuse(&self, looked_up: &LookedUp) -> bool {
        let found = looked_up.found.as_ref().is_none_or(|found| !found.is_empty());
        self.is_strict() && !found && self.place(looked_up).is_none()
    }

    /// Gives what was looked up its numbers, a selected text first.
    pub(super) fn admit(&self, looked_up: &LookedUp, sources: &mut Sources) -> Vec<u32> {
        let place = self.place(looked_up);
        let selected = self.selection.as_ref().map(|selection| sources.admit_selection(&selection.text, place));
        let found = sources.admit(looked_up.found.as_deref().unwrap_or_default());
        selected.into_iter().chain(found.into_iter().filter(|number| Some(*number) != selected)).collect()
    }

    /// The passage that the selected text was selected in.
    fn place<'a>(&self, looked_up: &'a LookedUp) -> Option<&'a Found> {
        let texts = looked_up.places.iter().map(|found| &*found.passage.text);
        looked_up.places.get(self.selection.as_ref()?.place_among(texts)?)
    }

    /// What the model is told of it, as if it had searched itself.
    pub(super) fn told(
        &self,
        call: ToolCall,
        looked_up: &LookedUp,
        numbers: &[u32],
        sources: &Sources,
    ) -> [Message; 2] {
        let note = match (looked_up.book_is_away, numbers.is_empty()) {
            (true, _) => Some(BOOK_AWAY.to_owned()),
            (false, true) => Some(NOTHING_FOUND.to_owned()),
            (false, false) => None,
        };
        let output = sources.tell(numbers, note);
        let answered = Message::Tool { call_id: call.id.clone(), name: call.name.clone(), output };
        [Message::Assistant { text: String::new(), tool_calls: vec![call] }, answered]
    }

    /// The call that the house makes in the model's place.
    pub(super) fn call(&self, turn: &Turn, query: Option<&str>, model: &ModelName) -> Option<ToolCall> {
        let query = query.or_else(|| self.selection.as_ref().map(|selection| beginning(&selection.text)))?;
        Some(ToolCall {
            id: turn.ids.mint("call"),
            name: KNOWLEDGE_TOOL.to_owned(),
            arguments: json!({ "query": query }).to_string(),
            extra: signature(model),
            made_by: Some(model.clone()),
        })
    }

    /// Judges an answer; `cited` as for [`judge`].
    pub(super) fn judge(&self, answer: &str, cited: &[(usize, u32)], sources: &Sources) -> Verdict {
        let verdict = judge(answer, cited, &sources.texts(!self.is_strict()));
        tracing::info!(
            grounding.sentences = verdict.sentences,
            grounding.supported = verdict.supported,
            "Checked an answer against what was retrieved"
        );
        verdict
    }

    /// What is stored of it: the verdict's members, and `mode`, `passages`, `sources`, `book_is_away`, `refused`.
    pub(super) fn record(&self, verdict: &Verdict, cited: &[(usize, u32)], sources: &Sources) -> Value {
        let mut record = verdict.to_json();
        record["mode"] = json!(match (self.is_selection_alone(), self.mode) {
            (true, _) => "selection",
            (false, Grounding::Prefer) => "prefer",
            (false, Grounding::Strict) => "strict",
        });
        record["passages"] = json!(sources.count());
        record["sources"] = json!(sources.rested_on(cited));
        record["book_is_away"] = json!(self.book_is_away);
        record
    }

    /// What an answer ends with so that it misleads nobody: that the book could not be looked into, or that some of it
    /// could not be found in the book. It has been read by then, so it cannot be taken back.
    pub(super) fn closing(&self, verdict: &Verdict, answer: &str, sources: &Sources) -> Option<String> {
        let language = self.language;
        let told_already = || answer.contains(BOOK_AWAY) || answer.contains(&language.say("search-away"));
        let note = match verdict.sentences - verdict.supported {
            _ if self.book_is_away && !told_already() => {
                language.say(if sources.count() == 0 { "ground-away-all" } else { "ground-away-some" })
            }
            _ if !self.is_strict() || verdict.is_grounded() => return None,
            _ if verdict.sentences == 1 => language.say("ground-unsupported-only"),
            unsupported if unsupported == verdict.sentences => language.say("ground-unsupported-all"),
            unsupported => {
                let places = [("count", unsupported.into()), ("all", verdict.sentences.into())];
                language.say_with("ground-unsupported-some", &places)
            }
        };
        Some(format!("\n\n> {note}"))
    }
}

/// Whether a reader's words beside a selected text ask for more than to explain it.
fn asks_something(question: &str) -> bool {
    telling(question).next().is_some()
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOCATED_BYTES)]
}

/// Gemini refuses a call that it did not sign, and takes this in the place of a signature.
fn signature(model: &ModelName) -> JsonMap {
    let mut extra = JsonMap::new();
    if model.provider == "gemini" {
        extra.insert(
            "extra_content".to_owned(),
            json!({"google": {"thought_signature": "skip_thought_signature_validator"}}),
        );
    }
    extra
}
