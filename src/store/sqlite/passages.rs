//! Passages of the embedded knowledge base.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use crate::store::passages::{
    Collection, Document, DocumentState, PassageStore, Shelf, StoredDocument, Written, numbers,
};
use crate::store::{StoreError, rows};

/// Rows that are written by one statement: the way to the database's thread and back takes longer than a row.
const ROWS_TOGETHER: usize = 64;

#[async_trait]
impl PassageStore for SqliteStore {
    async fn collection(&self, name: &str) -> Result<Collection, StoreError> {
        let row: (String, Option<i64>, Option<String>, bool) = sqlx::query_as(
            "select named.name, collection.revision, collection.record,
                    not exists (select 1 from knowledge_documents document where document.collection = named.name)
               from (select coalesce((select collection from knowledge_aliases where name = $1), $1) as name) named
               left join knowledge_collections collection on collection.name = named.name",
        )
        .bind(name)
        .fetch_one(&self.readers)
        .await?;
        let (name, revision, record, is_empty) = row;
        Ok(Collection { name, revision: revision.unwrap_or(0), record, is_empty })
    }

    async fn begin_collection(&self, collection: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        sqlx::query("insert into knowledge_collections (name, revision) values ($1, 1) on conflict (name) do nothing")
            .bind(collection)
            .execute(&mut *writing)
            .await?;
        Ok(writing.commit().await?)
    }

    async fn keep_record(&self, collection: &str, record: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let kept = sqlx::query("update knowledge_collections set record = $2 where name = $1")
            .bind(collection)
            .bind(record)
            .execute(&mut *writing)
            .await?;
        writing.commit().await?;
        there_was(kept.rows_affected())
    }

    async fn remove_collection(&self, collection: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        remove_collection(&mut writing, collection).await?;
        Ok(writing.commit().await?)
    }

    async fn switch_alias(&self, name: &str, to: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let there: i64 = sqlx::query_scalar("select count(*) from knowledge_collections where name = $1")
            .bind(to)
            .fetch_one(&mut *writing)
            .await?;
        there_was(there.unsigned_abs())?;
        let before: String =
            sqlx::query_scalar("select coalesce((select collection from knowledge_aliases where name = $1), $1)")
                .bind(name)
                .fetch_one(&mut *writing)
                .await?;
        sqlx::query(
            "insert into knowledge_aliases (name, collection) values ($1, $2)
             on conflict (name) do update set collection = excluded.collection",
        )
        .bind(name)
        .bind(to)
        .execute(&mut *writing)
        .await?;
        if before != to {
            remove_collection(&mut writing, &before).await?;
        }
        Ok(writing.commit().await?)
    }

    async fn put_documents(
        &self,
        collection: &str,
        documents: &[Document],
        vectors: &[Vec<f32>],
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        there_was(change_revision(&mut writing, collection).await?)?;
        let written = Written::of(documents, vectors);
        remove_all(&mut writing, collection, &written).await?;
        insert_documents(&mut writing, collection, &written).await?;
        insert_passages(&mut writing, collection, &written).await?;
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

    async fn document(&self, collection: &str, path: &str) -> Result<Option<StoredDocument>, StoreError> {
        let mut reading = self.read().await?;
        let fingerprint: Option<String> =
            sqlx::query_scalar("select fingerprint from knowledge_documents where collection = $1 and path = $2")
                .bind(collection)
                .bind(path)
                .fetch_optional(&mut *reading)
                .await?;
        let Some(fingerprint) = fingerprint else { return Ok(None) };
        let rows: Vec<(String, Option<Vec<u8>>)> = sqlx::query_as(
            "select document, vector from knowledge_passages where collection = $1 and path = $2 order by position",
        )
        .bind(collection)
        .bind(path)
        .fetch_all(&mut *reading)
        .await?;
        let vectors = rows.iter().map(|(_, vector)| numbers(vector.as_deref().unwrap_or_default()).collect()).collect();
        let passages = rows.iter().map(|(passage, _)| rows::read(passage)).collect::<Result<_, _>>()?;
        Ok(Some(StoredDocument { document: Document { path: path.to_owned(), fingerprint, passages }, vectors }))
    }

    async fn passages(&self, collection: &str) -> Result<Shelf, StoreError> {
        let mut shelf = Shelf::default();
        let mut rows = sqlx::query_as::<_, (String, Option<Vec<u8>>)>(
            "select document, vector from knowledge_passages where collection = $1 order by path, position",
        )
        .bind(collection)
        .fetch(&self.readers);
        while let Some((passage, vector)) = rows.try_next().await? {
            shelf.push(rows::read(&passage)?, vector.as_deref());
        }
        Ok(shelf)
    }
}

/// Whether a statement found the collection it is about.
fn there_was(rows: u64) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::NoCollection) } else { Ok(()) }
}

async fn change_revision(connection: &mut SqliteConnection, collection: &str) -> Result<u64, StoreError> {
    let changed = sqlx::query("update knowledge_collections set revision = revision + 1 where name = $1")
        .bind(collection)
        .execute(connection)
        .await?;
    Ok(changed.rows_affected())
}

async fn remove_collection(connection: &mut SqliteConnection, collection: &str) -> Result<(), StoreError> {
    sqlx::query("delete from knowledge_collections where name = $1").bind(collection).execute(connection).await?;
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

async fn remove_all(
    connection: &mut SqliteConnection,
    collection: &str,
    written: &[Written<'_>],
) -> Result<(), StoreError> {
    let paths: Vec<&str> = written.iter().map(|written| written.document.path.as_str()).collect();
    sqlx::query("delete from knowledge_documents where collection = $1 and path in (select value from json_each($2))")
        .bind(collection)
        .bind(rows::json(&paths)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_documents(
    connection: &mut SqliteConnection,
    collection: &str,
    written: &[Written<'_>],
) -> Result<(), StoreError> {
    for written in written.chunks(ROWS_TOGETHER) {
        let mut statement =
            QueryBuilder::new("insert into knowledge_documents (collection, path, fingerprint, passages) ");
        statement.push_values(written, |mut row, written| {
            let Document { path, fingerprint, passages } = written.document;
            row.push_bind(collection).push_bind(path).push_bind(fingerprint);
            row.push_bind(i64::try_from(passages.len()).unwrap_or(i64::MAX));
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_passages(
    connection: &mut SqliteConnection,
    collection: &str,
    written: &[Written<'_>],
) -> Result<(), StoreError> {
    let places = written.iter().flat_map(|written| (0..written.document.passages.len()).map(move |at| (written, at)));
    let places: Vec<(&Written<'_>, usize)> = places.collect();
    for places in places.chunks(ROWS_TOGETHER) {
        let texts = places.iter().map(|(written, place)| rows::json(&written.document.passages[*place]));
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        let mut statement =
            QueryBuilder::new("insert into knowledge_passages (collection, path, position, document, vector) ");
        statement.push_values(places.iter().zip(texts), |mut row, ((written, place), text)| {
            // Counted here: the place in the list is the reading order, and no two passages may claim the same place.
            let position = i64::try_from(*place).unwrap_or(i64::MAX);
            row.push_bind(collection).push_bind(&written.document.path).push_bind(position);
            row.push_bind(text).push_bind(written.vector(*place));
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}
