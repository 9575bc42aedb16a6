//! The contract of the store, held against both homes: every test runs once on SQLite and once on Postgres.

mod accounts;
mod adoption;
mod adoption_property;
mod amendments;
mod attachments;
mod counts;
mod items;
mod limited_turns;
mod notes;
mod passages;
mod profiles;
mod property;
mod rewrites;
pub(crate) mod scene;
mod threads;
mod turns;
mod writes;

pub(crate) use scene::{Home, Scene};

/// Makes three tests of each function: `sqlite::name`, `postgres::name`, and `pooled::name` for Postgres through a pooler.
macro_rules! on_both_homes {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store_contract::Scene::on(crate::store_contract::Home::sqlite().await)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store_contract::Scene::on(crate::store_contract::Home::postgres().await)).await;
            })+
        }
        mod pooled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::store_contract::Scene::on(crate::store_contract::Home::pooled().await)).await;
            })+
        }
    };
}
pub(crate) use on_both_homes;
