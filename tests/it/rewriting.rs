//! Texts that are personalized and translated, at the front door.

mod personalize;
mod quotas;
mod scene;
mod streams;
mod translate;

/// Makes two tests of each function: `sqlite::name` and `postgres::name`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::house::Ground::sqlite(&[])).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::house::Ground::postgres(&[]).await).await;
            })+
        }
    };
}
use on_both;
