//! The page at `/`: what is served there, and what browsers are told of it. What it does is tried in a browser.

use std::sync::Arc;

use chatkit_gateway::chat::{EventStream, Responder, Turn};

use crate::support::house::{Ground, House};

struct Silent;

impl Responder for Silent {
    fn respond(&self, _: Turn) -> EventStream {
        Box::pin(futures_util::stream::empty())
    }
}

async fn page(house: &House, path: &str, language: &str) -> (reqwest::header::HeaderMap, String) {
    let request = house.stranger().request("GET", path).header("accept-language", language);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    (answer.headers().clone(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_page_runs_only_files_of_this_server_and_all_of_them_are_there() {
    let house = House::offline().await;
    let (headers, html) = page(&house, "/", "en").await;
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains(" onclick="), "{html}");
    assert_eq!(html.matches("<script").count(), 1, "one script, and that a file: {html}");
    let (_, script) = page(&house, "/playground/page.js", "en").await;
    assert!(!script.contains("innerHTML ="));
    for (file, kind) in [
        ("page.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("markdown.js", "text/javascript; charset=utf-8"),
    ] {
        assert!(
            html.contains(&format!("\"playground/{file}\"")) || script.contains(&format!("\"./{file}\"")),
            "{file}"
        );
        let (headers, _) = page(&house, &format!("/playground/{file}"), "en").await;
        assert_eq!(headers["content-type"], kind);
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    house.stranger().get("/playground/index.html").await.refuses(404, "file");
}

#[tokio::test]
async fn the_page_speaks_the_language_of_the_browser_and_caches_are_told_so() {
    let house = House::offline().await;
    for (asked, beginning) in
        [("ur-PK,ur;q=0.9", "<html lang=\"ur\" dir=\"rtl\">"), ("fr", "<html lang=\"en\" dir=\"ltr\">")]
    {
        let (headers, html) = page(&house, "/", asked).await;
        assert!(html.contains(beginning), "{html}");
        let varies = headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("accept-language"));
        assert!(varies, "{headers:?}");
    }
}

#[tokio::test]
async fn the_page_asks_where_the_protocol_is_served_whoever_answers_there() {
    let house = Ground::sqlite(&[("CHATKIT_PATHS", "/here,/there")]).build_for(Some(Arc::new(Silent))).await;
    let (_, html) = page(&house, "/", "en").await;
    assert!(html.contains("data-chatkit=\"here\""), "{html}");
}
