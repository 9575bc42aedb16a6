//! Items: what is kept of them, and how they list.

use chatkit_gateway::store::{FeedbackKind, Lease, Opening, StoreError, Write};
use chatkit_protocol::{Order, ThreadId, ThreadItem};
use serde_json::json;

use super::on_both_homes;
use super::scene::{Scene, ada, answer, answer_at, asked, at, grace, hidden, ids, item, question, record};

on_both_homes!(
    items_list_in_the_order_they_were_stored_whatever_the_clock_said,
    hidden_items_are_never_listed_and_every_visible_one_is_on_exactly_one_page,
    a_page_may_begin_after_a_hidden_item,
    a_cursor_that_is_no_item_of_the_thread_is_unknown,
    a_thread_comes_with_a_page_of_its_items,
    free_form_json_comes_back_to_the_letter,
    large_items_and_odd_characters_come_back_whole,
    one_item_is_read_hidden_or_not,
    the_same_name_in_two_threads_is_two_items,
    the_last_feedback_counts,
    what_reports_read_is_short_and_without_nul,
);

fn t() -> ThreadId {
    ThreadId::new("t")
}

async fn listed(scene: &Scene, limit: u32, order: Order, after: Option<&str>) -> (Vec<String>, Option<String>) {
    let page = scene.store.items(&ada(), &t(), &asked(limit, order, after)).await.unwrap();
    assert_eq!(page.has_more, page.after.is_some());
    (ids(&page.data).into_iter().map(str::to_owned).collect(), page.after)
}

async fn items_list_in_the_order_they_were_stored_whatever_the_clock_said(scene: Scene) {
    let times = [("m", 50), ("z", 50), ("a", 50), ("k", 10), ("b", 99)];
    let items: Vec<ThreadItem> = times.iter().map(|(id, seconds)| answer_at("t", id, "x", *seconds)).collect();
    scene.thread("t", &items).await;
    assert_eq!(listed(&scene, 20, Order::Asc, None).await.0, ["m", "z", "a", "k", "b"]);
    assert_eq!(listed(&scene, 20, Order::Desc, None).await.0, ["b", "k", "a", "z", "m"]);
}

async fn hidden_items_are_never_listed_and_every_visible_one_is_on_exactly_one_page(scene: Scene) {
    let mut items = vec![hidden("t", "h0")];
    let mut visible = Vec::new();
    for number in 0..7 {
        visible.push(format!("a{number}"));
        items.push(answer("t", &visible[number], "x"));
        items.push(hidden("t", &format!("x{number}")));
        items.push(hidden("t", &format!("y{number}")));
    }
    scene.thread("t", &items).await;
    for order in [Order::Asc, Order::Desc] {
        for limit in [1, 2, 3, 6, 7, 8] {
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let (page, next) = listed(&scene, limit, order, after.as_deref()).await;
                assert!(!page.is_empty() && (next.is_none() || page.len() == limit as usize));
                found.extend(page);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            if order == Order::Desc {
                found.reverse();
            }
            assert_eq!(found, visible, "{order:?} by {limit}");
        }
    }
    let begun = scene.begin("t", "turn", Opening::Resume).await.unwrap();
    assert_eq!(ids(&begun.history), ids(&items), "the model is told all of it");
}

async fn a_page_may_begin_after_a_hidden_item(scene: Scene) {
    scene.thread("t", &[answer("t", "a", "x"), hidden("t", "h"), answer("t", "b", "x")]).await;
    assert_eq!(listed(&scene, 5, Order::Asc, Some("h")).await.0, ["b"]);
    assert_eq!(listed(&scene, 5, Order::Desc, Some("h")).await.0, ["a"]);
}

async fn a_cursor_that_is_no_item_of_the_thread_is_unknown(scene: Scene) {
    scene.thread("t", &[answer("t", "a", "x")]).await;
    scene.thread("u", &[answer("u", "other", "x")]).await;
    for cursor in ["other", "nothing", "a\u{0}b", "t"] {
        for order in [Order::Asc, Order::Desc] {
            let page = scene.store.items(&ada(), &t(), &asked(5, order, Some(cursor))).await;
            assert!(matches!(page, Err(StoreError::UnknownCursor)), "{cursor:?}");
        }
    }
    assert_eq!(listed(&scene, 5, Order::Asc, Some("")).await.0, ["a"], "an empty cursor is none");
}

async fn a_thread_comes_with_a_page_of_its_items(scene: Scene) {
    scene.thread("t", &[question("t", "q"), answer("t", "a", "x"), answer("t", "b", "x")]).await;
    let (thread, page) = scene.store.thread_with_items(&ada(), &t(), &asked(2, Order::Asc, None)).await.unwrap();
    assert_eq!(thread, record("t"));
    assert_eq!((ids(&page.data), page.has_more, page.after.as_deref()), (vec!["q", "a"], true, Some("a")));
    scene.new_thread(&grace(), &record("empty")).await;
    let empty = scene.store.items(&grace(), &ThreadId::new("empty"), &asked(2, Order::Asc, None)).await.unwrap();
    assert_eq!((empty.data.len(), empty.has_more, empty.after), (0, false, None));
}

async fn free_form_json_comes_back_to_the_letter(scene: Scene) {
    let arguments = r#"{"zebra":18446744073709551615,"ant":-9223372036854775808,"tiny":5e-324,"big":1.7976931348623157e+308,"nul":"a\u0000b","":null,"in":{"b":[1,null,{}],"a":0.1}}"#;
    let call = format!(
        r#"{{"id":"c","thread_id":"t","created_at":"2026-01-02T03:04:05.000006Z","type":"client_tool_call","status":"pending","call_id":"x","name":"f","arguments":{arguments}}}"#
    );
    let call: ThreadItem = serde_json::from_str(&call).unwrap();
    scene.thread("t", std::slice::from_ref(&call)).await;
    let kept = scene.item("t", "c").await;
    assert_eq!(kept, call);
    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.contains(arguments), "{text}");
}

async fn large_items_and_odd_characters_come_back_whole(scene: Scene) {
    let odd = "\u{0}\u{1}\u{7f}\u{2028}\u{feff}\u{10ffff}\u{fffd} 👩🏽‍🚀 שלום \\u0000 \\ \" \r\n\t";
    let large = answer("t", "large", &format!("{odd}{}", "ü".repeat(3_000_000)));
    let deep = (0..60).fold(json!({}), |inside, _| json!({ "in": inside }));
    let widget = item("t", "deep", 0, "hidden_context_item", json!({ "content": deep }));
    scene.thread("t", &[large.clone(), answer("t", "odd", odd), widget.clone()]).await;
    assert_eq!(scene.item("t", "large").await, large);
    assert_eq!(scene.item("t", "odd").await, answer("t", "odd", odd));
    assert_eq!(scene.item("t", "deep").await, widget);
}

async fn one_item_is_read_hidden_or_not(scene: Scene) {
    scene.thread("t", &[answer("t", "a", "x"), hidden("t", "h")]).await;
    scene.thread("u", &[answer("u", "other", "x")]).await;
    assert_eq!(scene.item("t", "h").await, hidden("t", "h"));
    for id in ["other", "nothing", "t"] {
        let found = scene.store.item(&ada(), &t(), &id.into()).await;
        assert!(matches!(found, Err(StoreError::NoItem)), "{found:?}");
    }
}

async fn the_same_name_in_two_threads_is_two_items(scene: Scene) {
    scene.thread("t", &[answer("t", "a", "in t")]).await;
    scene.thread("u", &[answer("u", "a", "in u")]).await;
    scene.begin("u", "turn", Opening::Resume).await.unwrap();
    scene.write("u", "turn", &[Write::Delete("a".into())], Lease::Release).await.unwrap();
    assert_eq!(scene.item("t", "a").await, answer("t", "a", "in t"));
    assert!(scene.shown("u").await.is_empty());
}

async fn the_last_feedback_counts(scene: Scene) {
    scene.thread("t", &[answer("t", "a", "x"), answer("t", "b", "x")]).await;
    let named = ["a".into(), "nothing".into(), "b".into(), "a".into()];
    scene.store.keep_feedback(&ada(), &t(), &named, FeedbackKind::Positive, at(1)).await.unwrap();
    scene.store.keep_feedback(&ada(), &t(), &["b".into()], FeedbackKind::Negative, at(2)).await.unwrap();
    scene.store.keep_feedback(&ada(), &t(), &[], FeedbackKind::Negative, at(3)).await.unwrap();
    let kept =
        scene.home.look("select item_id || ' ' || kind || ' ' || owner from chat_feedback order by item_id").await;
    assert_eq!(kept, ["a positive user:ada", "b negative user:ada"]);
    scene.begin("t", "turn", Opening::Resume).await.unwrap();
    scene.write("t", "turn", &[Write::Delete("a".into())], Lease::Release).await.unwrap();
    assert_eq!(scene.home.look("select item_id from chat_feedback").await, ["b"], "it goes with its item");
}

async fn what_reports_read_is_short_and_without_nul(scene: Scene) {
    let arguments = json!({"text": "long ".repeat(1000)});
    let call = json!({"status": "pending", "call_id": "x\u{0}y", "name": "f", "arguments": arguments});
    let call = item("t", "c", 0, "client_tool_call", call);
    scene.thread("t", &[question("t", "q"), call, hidden("t", "h")]).await;
    let kept =
        scene.home.look("select coalesce(role, '-') || ' ' || content from chat_thread_items order by position").await;
    let kept: Vec<String> = kept.iter().map(|row| row.replace(": ", ":").replace(", ", ",")).collect();
    assert_eq!(kept[0].split_once(' ').unwrap().0, "user");
    assert!(kept[0].contains(r#""text":"what is q?""#), "{}", kept[0]);
    assert!(kept[1].contains(r#""call_id":"xy""#) && !kept[1].contains("long"), "{}", kept[1]);
    assert_eq!(kept[2], "- {}");
}
