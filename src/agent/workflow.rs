//! The search as the reader sees it: a workflow item with what is looked for and the pages that were found.

use chatkit_protocol::{
    ItemKind, ItemUpdate, Source, SourceKind, StatusIndicator, Summary, Task, TaskKind, ThreadEvent, ThreadItem,
    Workflow, WorkflowItem, WorkflowKind,
};
use serde_json::Value;

use super::sources::Sources;
use crate::chat::Turn;
use crate::language::Language;
use crate::llm::ToolCall;
use crate::llm::passages::KNOWLEDGE_TOOL;

/// The searches of one round.
pub(super) struct SearchWorkflow {
    item: ThreadItem,
    workflow: Workflow,
    call_ids: Vec<String>,
    language: Language,
}

impl SearchWorkflow {
    /// One task for each search among the calls; `None` when there is no search.
    pub(super) fn new(turn: &Turn, calls: &[ToolCall]) -> Option<Self> {
        let searches: Vec<&ToolCall> = calls.iter().filter(|call| call.name == KNOWLEDGE_TOOL).collect();
        if searches.is_empty() {
            return None;
        }
        let language = turn.language();
        let searching = |call: &&ToolCall| task(query_of(call), Vec::new(), StatusIndicator::Loading, language);
        let workflow = Workflow {
            kind: WorkflowKind::Custom,
            tasks: searches.iter().map(searching).collect(),
            summary: None,
            expanded: false,
        };
        let item = turn.item("wf", ItemKind::Workflow(WorkflowItem { workflow: workflow.clone() }));
        Some(Self { item, workflow, call_ids: searches.iter().map(|call| call.id.clone()).collect(), language })
    }

    /// The reader is told that the search begins.
    pub(super) fn added(&self) -> ThreadEvent {
        ThreadEvent::ItemAdded { item: self.item.clone() }
    }

    /// The reader is told what one search found.
    pub(super) fn found(&mut self, call_id: &str, numbers: &[u32], sources: &Sources) -> Option<ThreadEvent> {
        let index = self.call_ids.iter().position(|id| id == call_id)?;
        let found = numbers.iter().filter_map(|number| sources.source(*number)).filter(|source| is_page(source));
        let found = found.cloned().collect();
        let TaskKind::WebSearch { queries, .. } = &self.workflow.tasks[index].kind else { return None };
        let query = queries.first().cloned().unwrap_or_default();
        let task = task(query, found, StatusIndicator::Complete, self.language);
        self.workflow.tasks[index] = task.clone();
        let task_index = u32::try_from(index).unwrap_or(u32::MAX);
        let update = ItemUpdate::WorkflowTaskUpdated { task_index, task };
        Some(ThreadEvent::ItemUpdated { item_id: self.item.id.clone(), update })
    }

    /// The search is over, and kept.
    pub(super) fn done(mut self) -> ThreadEvent {
        let pages: usize = self.workflow.tasks.iter().map(sources_of).sum();
        let title = match pages {
            0 => self.language.say("search-found-nothing"),
            pages => self.language.say_with("search-found", &[("count", pages.into())]),
        };
        self.workflow.summary = Some(Summary::Custom { title, icon: None });
        self.item.kind = ItemKind::Workflow(WorkflowItem { workflow: self.workflow });
        ThreadEvent::ItemDone { item: self.item }
    }
}

/// Whether a source is a page: a search of the book finds nothing else, and a widget takes nothing else here.
fn is_page(source: &Source) -> bool {
    matches!(source.kind, SourceKind::Url { .. })
}

/// What a call of the search looks for; nothing when its arguments are not what was asked for.
pub(super) fn query_of(call: &ToolCall) -> String {
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    arguments["query"].as_str().unwrap_or_default().to_owned()
}

fn task(query: String, sources: Vec<Source>, status_indicator: StatusIndicator, language: Language) -> Task {
    let kind = TaskKind::WebSearch {
        title: Some(language.say("search-title")),
        title_query: None,
        queries: vec![query],
        sources,
    };
    Task { status_indicator, kind }
}

fn sources_of(task: &Task) -> usize {
    match &task.kind {
        TaskKind::WebSearch { sources, .. } => sources.len(),
        TaskKind::Custom { .. } | TaskKind::Thought { .. } | TaskKind::File { .. } | TaskKind::Image { .. } => 0,
    }
}
