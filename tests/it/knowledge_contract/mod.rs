//! The contract of the knowledge base, held against every home: embedded on SQLite and on Postgres, Qdrant's protocol,
//! and a real Qdrant where TEST_QDRANT_URL says where one is.

mod documents;
mod places;
pub(crate) mod scene;
mod searches;

/// Makes a test of each function for every home.
macro_rules! on_every_home {
    ($($name:ident),+ $(,)?) => {
        on_every_home!(@home sqlite, $($name),+);
        on_every_home!(@home postgres, $($name),+);
        on_every_home!(@home qdrant, $($name),+);
        on_every_home!(@home real_qdrant, $($name),+);
    };
    (@home $home:ident, $($name:ident),+) => {
        mod $home {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(home) = crate::knowledge_contract::scene::Home::$home().await {
                    super::$name(home).await;
                }
            })+
        }
    };
}
use on_every_home;
