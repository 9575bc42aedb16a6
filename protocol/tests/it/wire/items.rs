//! The eleven kinds of items and what they are made of.

use chatkit_protocol::{AssistantContent, Attachment, Icon, ItemKind, StructuredInput, Task, ThreadItem, Workflow};

use super::{check, check_item, check_refused, check_same};

#[test]
fn every_kind_of_item() {
    let table = [
        (
            r#"{"type":"user_message","content":[]}"#,
            r#"{"type":"user_message","content":[],"attachments":[],"inference_options":{}}"#,
        ),
        (r#"{"type":"assistant_message","content":[]}"#, r#"{"type":"assistant_message","content":[]}"#),
        (
            r#"{"type":"client_tool_call","call_id":"","name":"","arguments":{}}"#,
            r#"{"type":"client_tool_call","status":"pending","call_id":"","name":"","arguments":{}}"#,
        ),
        (
            r#"{"type":"widget","widget":{"type":"Card","children":[]},"copy_text":null}"#,
            r#"{"type":"widget","widget":{"type":"Card","children":[]}}"#,
        ),
        (r#"{"type":"generated_image","image":null}"#, r#"{"type":"generated_image"}"#),
        (r#"{"type":"structured_input","inputs":[]}"#, r#"{"type":"structured_input","status":"pending","inputs":[]}"#),
        (
            r#"{"type":"workflow","workflow":{"type":"custom","tasks":[]}}"#,
            r#"{"type":"workflow","workflow":{"type":"custom","tasks":[],"expanded":false}}"#,
        ),
        (
            r#"{"type":"task","task":{"type":"custom"}}"#,
            r#"{"type":"task","task":{"status_indicator":"none","type":"custom"}}"#,
        ),
        (r#"{"type":"end_of_turn"}"#, r#"{"type":"end_of_turn"}"#),
        (r#"{"type":"hidden_context_item","content":[null]}"#, r#"{"type":"hidden_context_item","content":[null]}"#),
        (r#"{"type":"sdk_hidden_context","content":"x"}"#, r#"{"type":"sdk_hidden_context","content":"x"}"#),
    ];
    for (given, printed) in table {
        let kind = check_item(given, printed);
        assert!(given.contains(&format!(r#"{{"type":"{}""#, kind.name())), "{given}");
        assert_eq!(given.contains("hidden"), is_hidden(kind), "{given}");
    }
}

fn is_hidden(kind: ItemKind) -> bool {
    let mut item: ThreadItem =
        serde_json::from_str(r#"{"id":"i","thread_id":"t","created_at":"2026-01-02T12:00:00Z","type":"end_of_turn"}"#)
            .unwrap();
    item.kind = kind;
    item.is_hidden()
}

#[test]
fn messages_of_readers() {
    let full = r#"{"type":"user_message","content":[{"type":"input_text","text":"Hi"},{"type":"input_tag","id":"a","text":"A","data":{"z":null},"group":"g","interactive":true}],"attachments":[{"id":"atc_1","name":"n","mime_type":"m","thread_id":"t","type":"file"}],"quoted_text":"q","inference_options":{"tool_choice":{"id":"x"},"model":"m"}}"#;
    check_item(full, full);
    check_item(
        r#"{"type":"user_message","content":[{"type":"input_tag","id":"","text":"","group":null}],"quoted_text":null,"inference_options":{"tool_choice":null,"model":null}}"#,
        r#"{"type":"user_message","content":[{"type":"input_tag","id":"","text":"","data":{},"interactive":false}],"attachments":[],"inference_options":{}}"#,
    );
}

#[test]
fn messages_of_the_assistant_always_have_annotations() {
    check::<AssistantContent>(
        r#"{"type":"output_text","text":""}"#,
        r#"{"type":"output_text","annotations":[],"text":""}"#,
    );
    let sources = [
        (r#"{"title":"","type":"url","url":"a b"}"#, r#"{"title":"","type":"url","url":"a b"}"#),
        (
            r#"{"title":"t","description":"d","timestamp":"last week","group":"g","type":"url","url":"u","attribution":"a"}"#,
            r#"{"title":"t","description":"d","timestamp":"last week","group":"g","type":"url","url":"u","attribution":"a"}"#,
        ),
        (
            r#"{"title":"t","description":null,"timestamp":null,"group":null,"type":"file","filename":""}"#,
            r#"{"title":"t","type":"file","filename":""}"#,
        ),
        (
            r#"{"title":"t","type":"entity","id":"e","icon":null,"label":null,"inline_label":null,"data":null,"preview":null}"#,
            r#"{"title":"t","type":"entity","id":"e","interactive":false,"data":{}}"#,
        ),
        (
            r#"{"title":"t","type":"entity","id":"e","icon":"book-open","label":"l","inline_label":"i","interactive":true,"data":{"n":null},"preview":"lazy"}"#,
            r#"{"title":"t","type":"entity","id":"e","icon":"book-open","label":"l","inline_label":"i","interactive":true,"data":{"n":null},"preview":"lazy"}"#,
        ),
    ];
    for (given, printed) in sources {
        let content = |source: &str, index: &str| {
            format!(
                r#"{{"type":"output_text","annotations":[{{"type":"annotation","source":{source}{index}}}],"text":"x"}}"#
            )
        };
        check::<AssistantContent>(&content(given, r#","index":null"#), &content(printed, ""));
        check::<AssistantContent>(&content(given, r#","index":0"#), &content(printed, r#","index":0"#));
    }
}

#[test]
fn tool_calls_keep_nulls_inside_but_leave_out_a_null_output() {
    let call = |output: &str| {
        format!(
            r#"{{"type":"client_tool_call","status":"completed","call_id":"c","name":"n","arguments":{{"a":null}}{output}}}"#
        )
    };
    check_item(&call(r#","output":null"#), &call(""));
    for output in ["false", "0", r#""""#, "[]", "{}", r#"{"ok":[null]}"#, "[null]"] {
        let with = call(&format!(r#","output":{output}"#));
        check_item(&with, &with);
    }
}

#[test]
fn widgets_hold_no_nulls_and_keep_everything_else() {
    check_item(
        r#"{"type":"widget","widget":{"type":"Basic","zzz":{"a":null,"b":[null,1,[null]]},"children":[null,{"type":"Button","key":null,"onClickAction":{"type":"go","payload":{"id":0,"none":null}}}]},"copy_text":""}"#,
        r#"{"type":"widget","widget":{"type":"Basic","zzz":{"b":[1,[]]},"children":[{"type":"Button","onClickAction":{"type":"go","payload":{"id":0}}}]},"copy_text":""}"#,
    );
}

#[test]
fn pictures() {
    let made = r#"{"type":"generated_image","image":{"id":"","url":"data:,"}}"#;
    check_item(made, made);
}

#[test]
fn forms() {
    check::<StructuredInput>(
        r#"{"type":"multiple_choice","id":"q","question":"?","answer":null,"options":[]}"#,
        r#"{"id":"q","question":"?","type":"multiple_choice","options":[],"multiple":false}"#,
    );
    check_same::<StructuredInput>(
        r#"{"id":"q","question":"?","answer":{"values":["a"],"skipped":false},"type":"multiple_choice","options":[{"value":"a"}],"multiple":true}"#,
    );
    check::<StructuredInput>(
        r#"{"id":"q","question":"?","answer":{},"type":"freeform","description":null}"#,
        r#"{"id":"q","question":"?","answer":{"values":[],"skipped":false},"type":"freeform"}"#,
    );
    check_same::<StructuredInput>(r#"{"id":"","question":"","type":"freeform","description":""}"#);
}

#[test]
fn tasks() {
    let table = [
        (
            r#"{"type":"custom","title":null,"icon":null,"content":null}"#,
            r#"{"status_indicator":"none","type":"custom"}"#,
        ),
        (
            r#"{"status_indicator":"complete","type":"custom","title":"t","icon":"vendor:x","content":"c"}"#,
            r#"{"status_indicator":"complete","type":"custom","title":"t","icon":"vendor:x","content":"c"}"#,
        ),
        (
            r#"{"type":"web_search","title":null,"title_query":null}"#,
            r#"{"status_indicator":"none","type":"web_search","queries":[],"sources":[]}"#,
        ),
        (
            r#"{"status_indicator":"loading","type":"web_search","title":"t","title_query":"q","queries":["q"],"sources":[{"title":"s","type":"url","url":"u"}]}"#,
            r#"{"status_indicator":"loading","type":"web_search","title":"t","title_query":"q","queries":["q"],"sources":[{"title":"s","type":"url","url":"u"}]}"#,
        ),
        (
            r#"{"type":"thought","title":null,"content":""}"#,
            r#"{"status_indicator":"none","type":"thought","content":""}"#,
        ),
        (r#"{"type":"file","title":null}"#, r#"{"status_indicator":"none","type":"file","sources":[]}"#),
        (r#"{"type":"image","title":null}"#, r#"{"status_indicator":"none","type":"image"}"#),
    ];
    for (given, printed) in table {
        check::<Task>(given, printed);
    }
}

#[test]
fn workflows_have_one_of_two_summaries() {
    for summary in [r#"{"title":"t","icon":"search"}"#, r#"{"title":""}"#, r#"{"duration":0}"#] {
        check_same::<Workflow>(&format!(r#"{{"type":"reasoning","tasks":[],"summary":{summary},"expanded":true}}"#));
    }
    check::<Workflow>(
        r#"{"type":"custom","tasks":[],"summary":null}"#,
        r#"{"type":"custom","tasks":[],"expanded":false}"#,
    );
}

#[test]
fn attachments_show_neither_metadata_nor_a_descriptor_they_do_not_have() {
    check::<Attachment>(
        r#"{"id":"a","name":"","mime_type":"","upload_descriptor":null,"thread_id":null,"metadata":{"secret":1},"type":"file"}"#,
        r#"{"id":"a","name":"","mime_type":"","type":"file"}"#,
    );
    check::<Attachment>(
        r#"{"type":"image","preview_url":"u","id":"a","name":"n","mime_type":"m","upload_descriptor":{"url":"u","method":"PUT"}}"#,
        r#"{"id":"a","name":"n","mime_type":"m","upload_descriptor":{"url":"u","method":"PUT","headers":{}},"type":"image","preview_url":"u"}"#,
    );
    check_same::<Attachment>(
        r#"{"id":"a","name":"n","mime_type":"m","upload_descriptor":{"url":"u","method":"POST","headers":{"x":"y"}},"thread_id":"t","type":"file"}"#,
    );
    check_refused::<Attachment>(
        r#"{"id":"a","name":"n","mime_type":"m","type":"image"}"#,
        "missing field `preview_url`",
    );
}

#[test]
fn icons_are_the_sixty_four_of_the_widget_or_somebody_elses() {
    let names = "agent analytics atom batch bolt book-clock book-closed book-open bug calendar chart check check-circle \
        check-circle-filled chevron-left chevron-right circle-question clock compass confetti cube desktop document dot \
        dots-horizontal dots-vertical empty-circle external-link globe images info keys lab lifesaver lightbulb mail \
        map-pin maps mobile name notebook notebook-pencil page-blank phone play plus profile profile-card reload search \
        settings-slider sparkle sparkle-double square-code square-image square-text star star-filled suitcase user \
        wreath write write-alt write-alt2";
    assert_eq!(names.split_whitespace().count(), 64);
    for name in names.split_whitespace().chain(["lucide:x", "vendor:"]) {
        assert_eq!(Icon::new(name).unwrap().as_str(), name);
    }
    for name in ["", "Search", "search ", "book-open agent", "lucide", " lucide:x"] {
        assert!(Icon::new(name).is_err(), "{name}");
    }
}
