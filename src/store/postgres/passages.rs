//! Passages of the embedded knowledge base.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use super::PostgresStore;
use super::connection::{Lent, all, first};
use crate::store::failure::silent;
use crate::store::passages::{Document, DocumentState, Passage, PassageStore};
use crate::store::{StoreError, rows};

/// How long storing a document may take.
const PUT_WAIT_MAX: Duration = Duration::from_secs(60);

#[async_trait]
impl PassageStore for PostgresStore {
    async fn put_document(&self, collection: &str, document: &Document) -> Result<(), StoreError> {
        let mut lent = Lent::from(&self.pool).await?;
        let put = timeout(PUT_WAIT_MAX, put(lent.begin(), collection, document)).await;
        let put = put.map_err(|_| silent(PUT_WAIT_MAX))?;
        lent.done();
        put
    }

    async fn remove_document(&self, collection: &str, path: &str) -> Result<(), StoreError> {
        let query = sqlx::query_as(
            "with held as materialized (
                select name from knowledge_collections where name = $1 for no key update
             ), removed as (
                delete from knowledge_documents document
                 using held
                 where document.collection = held.name and document.path = $2
             returning document.collection
             )
             update knowledge_collections set revision = revision + 1
              where name in (select collection from removed)
          returning revision",
        );
        let _: Option<(i64,)> = first(&self.pool, query.bind(collection).bind(path)).await?;
        Ok(())
    }

    async fn documents(&self, collection: &str) -> Result<Vec<DocumentState>, StoreError> {
        let query = sqlx::query_as(
            "select path, fingerprint, passages from knowledge_documents where collection = $1 order by path",
        );
        let rows: Vec<(String, String, i32)> = all(&self.pool, query.bind(collection)).await?;
        let state = |(path, fingerprint, passages)| DocumentState {
            path,
            fingerprint,
            passages: u32::try_from(passages).unwrap_or(0),
        };
        Ok(rows.into_iter().map(state).collect())
    }

    async fn passages(&self, collection: &str) -> Result<Vec<Arc<Passage>>, StoreError> {
        let query =
            sqlx::query_as("select document from knowledge_passages where collection = $1 order by path, position");
        let rows: Vec<(String,)> = all(&self.pool, query.bind(collection)).await?;
        rows.iter().map(|(document,)| rows::read(document).map(Arc::new)).collect()
    }

    async fn revision(&self, collection: &str) -> Result<i64, StoreError> {
        let query = sqlx::query_as("select revision from knowledge_collections where name = $1");
        let revision: Option<(i64,)> = first(&self.pool, query.bind(collection)).await?;
        Ok(revision.map_or(0, |(revision,)| revision))
    }
}

/// Three statements, since one may not delete and insert a row of the same key.
async fn put(connection: &mut PgConnection, collection: &str, document: &Document) -> Result<(), StoreError> {
    let passages = document.passages.iter().map(rows::json).collect::<Result<Vec<_>, _>>()?;
    let mut transaction = connection.begin().await?;
    // First, so that two who store the same document at once come one after the other.
    sqlx::query(
        "insert into knowledge_collections (name, revision) values ($1, 1)
         on conflict (name) do update set revision = knowledge_collections.revision + 1",
    )
    .bind(collection)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("delete from knowledge_documents where collection = $1 and path = $2")
        .bind(collection)
        .bind(&document.path)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "with document as (
            insert into knowledge_documents (collection, path, fingerprint, passages)
            values ($1, $2, $3, cardinality($4))
         )
         insert into knowledge_passages (collection, path, position, document)
         select $1, $2, place - 1, document from unnest($4) with ordinality as listed (document, place)",
    )
    .bind(collection)
    .bind(&document.path)
    .bind(&document.fingerprint)
    .bind(passages)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
