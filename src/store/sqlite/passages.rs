//! Passages of the embedded knowledge base.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use crate::store::passages::{Document, DocumentState, Passage, PassageStore};
use crate::store::{StoreError, rows};

#[async_trait]
impl PassageStore for SqliteStore {
    async fn put_document(&self, collection: &str, document: &Document) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        change_revision(&mut writing, collection).await?;
        remove(&mut writing, collection, &document.path).await?;
        insert(&mut writing, collection, document).await?;
        Ok(writing.commit().await?)
    }

    async fn remove_document(&self, collection: &str, path: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        if remove(&mut writing, collection, path).await? {
            change_revision(&mut writing, collection).await?;
        }
        Ok(writing.commit().await?)
    }

    async fn documents(&self, collection: &str) -> Result<Vec<DocumentState>, StoreError> {
        let rows: Vec<(String, String, u32)> = sqlx::query_as(
            "select path, fingerprint, passages from knowledge_documents where collection = $1 order by path",
        )
        .bind(collection)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(path, fingerprint, passages)| DocumentState { path, fingerprint, passages })
            .collect())
    }

    async fn passages(&self, collection: &str) -> Result<Vec<Arc<Passage>>, StoreError> {
        let documents: Vec<String> =
            sqlx::query_scalar("select document from knowledge_passages where collection = $1 order by path, position")
                .bind(collection)
                .fetch_all(&self.readers)
                .await?;
        documents.iter().map(|document| rows::read(document).map(Arc::new)).collect()
    }

    async fn revision(&self, collection: &str) -> Result<i64, StoreError> {
        let revision: Option<i64> = sqlx::query_scalar("select revision from knowledge_collections where name = $1")
            .bind(collection)
            .fetch_optional(&self.readers)
            .await?;
        Ok(revision.unwrap_or(0))
    }
}

async fn change_revision(connection: &mut SqliteConnection, collection: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into knowledge_collections (name, revision) values ($1, 1)
         on conflict (name) do update set revision = knowledge_collections.revision + 1",
    )
    .bind(collection)
    .execute(connection)
    .await?;
    Ok(())
}

async fn remove(connection: &mut SqliteConnection, collection: &str, path: &str) -> Result<bool, StoreError> {
    let removed = sqlx::query("delete from knowledge_documents where collection = $1 and path = $2")
        .bind(collection)
        .bind(path)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() > 0)
}

async fn insert(connection: &mut SqliteConnection, collection: &str, document: &Document) -> Result<(), StoreError> {
    sqlx::query("insert into knowledge_documents (collection, path, fingerprint, passages) values ($1, $2, $3, $4)")
        .bind(collection)
        .bind(&document.path)
        .bind(&document.fingerprint)
        .bind(i64::try_from(document.passages.len()).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    for (position, passage) in document.passages.iter().enumerate() {
        // Counted here: the place in the list is the reading order, and no two passages may claim the same place.
        sqlx::query("insert into knowledge_passages (collection, path, position, document) values ($1, $2, $3, $4)")
            .bind(collection)
            .bind(&document.path)
            .bind(i64::try_from(position).unwrap_or(i64::MAX))
            .bind(rows::json(passage)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
