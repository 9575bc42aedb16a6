//! The book bot: accounts with a cookie, questions to the whole book or to a selection, and a list of conversations.

use serde_json::{Value, json};

use super::Page;
use crate::support::fake_model::{FakeModel, Reply};
use crate::support::house::House;

const SITE: &str = "https://book.example.org";
const SELECTED: &str = "A PID controller has three terms, and each of them answers to the error in its own way.";

/// The widget's `api.ts`: cookies are included, JSON comes back, and what is wrong is in `detail`.
struct Api(Page);

impl Api {
    fn on(house: &House) -> Self {
        Self(Page::of(SITE, house))
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, (u16, String)> {
        let answer = self.0.fetch(method, path, body).await.map_err(|error| (0, error))?;
        if answer.status == 204 {
            return Ok(Value::Null);
        }
        let read = answer.json();
        match answer.ok() {
            true => Ok(read),
            false => Err((answer.status, read["detail"].as_str().expect("`detail` is a sentence").to_owned())),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, (u16, String)> {
        self.call("POST", path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Result<Value, (u16, String)> {
        self.call("GET", path, None).await
    }
}

async fn house(model: &FakeModel) -> House {
    let variables = [
        ("CORS_ORIGINS", SITE),
        // The bot's server is reached over https, as cookies of another site must be.
        ("PUBLIC_URL", "https://api.example.org"),
        ("SESSION_SECRET", "a secret of at least thirty-two characters"),
        ("AUTH_ATTEMPTS_PER_MINUTE", "0"),
    ];
    House::with_model_and(model, &variables).await
}

fn ada() -> Value {
    json!({
        "email": "ada@example.org", "password": "correct horse", "full_name": "Ada Lovelace",
        "experience_level": "Intermediate", "programming_languages": ["Python"], "frameworks": ["ROS 2"],
        "available_hardware": ["Jetson Orin"], "robotics_hardware": []
    })
}

#[tokio::test]
async fn somebody_signs_up_is_remembered_and_signs_out() {
    let house = house(&FakeModel::start().await).await;
    let api = Api::on(&house);
    assert_eq!(api.get("/auth/me").await.unwrap_err().0, 401);
    let made = api.post("/auth/signup", &ada()).await.unwrap();
    assert_eq!(made["user"]["email"], "ada@example.org");
    assert!(made["session"]["token"].is_string());
    assert_eq!(api.0.cookies(), ["session"]);
    // The page is loaded again, and asks who it is.
    let me = api.get("/auth/me").await.unwrap();
    assert_eq!((&me["full_name"], &me["experience_level"]), (&json!("Ada Lovelace"), &json!("Intermediate")));
    assert_eq!(api.post("/auth/signup", &ada()).await.unwrap_err().0, 409);
    api.call("POST", "/auth/refresh", None).await.unwrap();
    assert!(api.get("/auth/me").await.is_ok());
    assert_eq!(api.call("POST", "/auth/signout", None).await.unwrap(), Value::Null);
    assert_eq!(api.0.cookies(), [""; 0]);
    assert_eq!(api.get("/auth/me").await.unwrap_err().0, 401);
    let wrong = json!({"email": "ada@example.org", "password": "wrong horse"});
    let (status, shown) = api.post("/auth/signin", &wrong).await.unwrap_err();
    assert_eq!(status, 401);
    assert!(shown.contains("password"), "{shown}");
    let right = json!({"email": "ada@example.org", "password": "correct horse", "remember_me": true});
    let session = api.post("/auth/signin", &right).await.unwrap()["session"].clone();
    // `new Date(session.expires_at)`
    assert!(chrono::DateTime::parse_from_rfc3339(session["expires_at"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn the_whole_book_is_asked_and_the_conversation_is_found_again() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["The proportional term answers to the present error [1]."]));
    let house = house(&model).await;
    let api = Api::on(&house);
    api.post("/auth/signup", &ada()).await.unwrap();
    let begun = api.post("/chat/new", &json!({})).await.unwrap();
    let conversation = begun["conversation_id"].as_str().unwrap();
    assert!(begun["created_at"].is_string());

    let asked =
        json!({"query": "What does the proportional term of a PID controller do?", "conversation_id": conversation});
    let answer = api.post("/chat/global", &asked).await.unwrap();
    assert_eq!((&answer["conversation_id"], &answer["query_mode"]), (&json!(conversation), &json!("global")));
    assert!(answer["answer"].as_str().unwrap().contains("proportional"));
    let sources = answer["sources"].as_array().unwrap();
    assert!(!sources.is_empty() && sources.len() <= 5, "{sources:?}");
    for source in sources {
        assert!(source["file_path"].is_string() && source["content"].is_string() && source["score"].is_number());
        assert!(source.get("chunk_id").is_some());
    }
    let asked = json!({"query": "How many terms are there?", "selected_text": SELECTED, "file_path": "pid.md",
        "chunk_indices": [3], "conversation_id": conversation});
    let local = api.post("/chat/local", &asked).await.unwrap();
    assert_eq!((&local["conversation_id"], &local["query_mode"]), (&json!(conversation), &json!("local")));

    let history = api.get("/chat/history?limit=10&offset=0").await.unwrap();
    assert_eq!(history["total"], 1, "{history}");
    let listed = &history["conversations"][0];
    assert_eq!(listed["conversation_id"], conversation);
    assert!(listed["message_count"].as_u64().unwrap() >= 2);
    let found = api.get(&format!("/chat/history/{conversation}")).await.unwrap();
    let interactions = found["interactions"].as_array().unwrap();
    let modes: Vec<&Value> = interactions.iter().map(|interaction| &interaction["query_mode"]).collect();
    assert_eq!(modes, ["global", "local"]);
    assert_eq!(interactions[0]["answer"], answer["answer"]);
    assert_eq!(interactions[0]["sources"], answer["sources"]);
    assert_eq!(interactions[0]["interaction_id"], answer["interaction_id"]);
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_status_and_detail() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["I do not know."]));
    let house = house(&model).await;
    let api = Api::on(&house);
    api.post("/auth/signup", &ada()).await.unwrap();
    let (status, shown) =
        api.post("/chat/global", &json!({"query": "Who won the chess olympiad of 1924?"})).await.unwrap_err();
    assert_eq!(status, 404);
    assert!(shown.contains("book"), "{shown}");
    let refusals = [
        ("/chat/global", json!({"query": ""}), "query"),
        ("/chat/global", json!({"query": "x".repeat(1001)}), "query"),
        ("/chat/local", json!({"query": "Why?", "selected_text": "too short"}), "selected_text"),
    ];
    for (path, body, member) in refusals {
        let (status, shown) = api.post(path, &body).await.unwrap_err();
        assert_eq!(status, 400);
        assert!(shown.contains(member), "{shown}");
    }
    assert_eq!(api.get("/chat/history/0b1f8a4e-7a3d-4a53-9a0e-0d6b0d9f3c11").await.unwrap_err().0, 404);
    // Somebody else sees nothing of it.
    let other = Api::on(&house);
    let grace = json!({"email": "grace@example.org", "password": "battery staple", "full_name": "Grace Hopper"});
    other.post("/auth/signup", &grace).await.unwrap();
    let mine = api.post("/chat/new", &json!({})).await.unwrap()["conversation_id"].clone();
    let path = format!("/chat/history/{}", mine.as_str().unwrap());
    assert_eq!(other.get(&path).await.unwrap_err().0, 404);
    assert_eq!(other.get("/chat/history").await.unwrap()["total"], 0);
}

#[tokio::test]
async fn too_many_questions_are_told_with_the_time_to_wait() {
    let model = FakeModel::start().await;
    model.always(Reply::text(["Yes."]));
    let limit = ("MESSAGES_PER_MINUTE", "2");
    let house = House::with_model_and(&model, &[("CORS_ORIGINS", SITE), limit]).await;
    let page = Page::of(SITE, &house);
    let body = json!({"query": "How many terms are there?", "selected_text": SELECTED});
    for _ in 0..2 {
        assert!(page.fetch("POST", "/chat/local", Some(&body)).await.unwrap().ok());
    }
    let refused = page.fetch("POST", "/chat/local", Some(&body)).await.unwrap();
    assert_eq!(refused.status, 429);
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    // `retry-after` can be read by the page.
    let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
    assert!(exposed.contains("retry-after"), "{exposed}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("minute"));
}
