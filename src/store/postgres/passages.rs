//! Passages of the embedded knowledge base.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::PgConnection;

use super::PostgresStore;
use super::connection::{Lent, Pool, all, first};
use crate::store::passages::{
    Collection, Document, DocumentState, PassageStore, Shelf, StoredDocument, Written, numbers,
};
use crate::store::{StoreError, rows};

/// How long storing documents may take, or putting one collection in the place of another.
const PUT_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long reading all passages of a collection may take.
const READ_WAIT_MAX: Duration = Duration::from_secs(120);

#[async_trait]
impl PassageStore for PostgresStore {
    async fn collection(&self, name: &str) -> Result<Collection, StoreError> {
        let query = sqlx::query_as(
            "select named.name, collection.revision, collection.record,
                    not exists (select 1 from knowledge_documents document where document.collection = named.name)
               from (select coalesce((select collection from knowledge_aliases where name = $1), $1) as name) named
               left join knowledge_collections collection on collection.name = named.name",
        );
        let row: Option<(String, Option<i64>, Option<String>, bool)> = first(&self.pool, query.bind(name)).await?;
        let (name, revision, record, is_empty) = row.unwrap_or_else(|| (name.to_owned(), None, None, true));
        Ok(Collection { name, revision: revision.unwrap_or(0), record, is_empty })
    }

    async fn begin_collection(&self, collection: &str) -> Result<(), StoreError> {
        let query = sqlx::query_as(
            "insert into knowledge_collections (name, revision) values ($1, 1) on conflict (name) do nothing
          returning revision",
        );
        let _: Option<(i64,)> = first(&self.pool, query.bind(collection)).await?;
        Ok(())
    }

    async fn keep_record(&self, collection: &str, record: &str) -> Result<(), StoreError> {
        let query = sqlx::query_as("update knowledge_collections set record = $2 where name = $1 returning revision");
        let kept: Option<(i64,)> = first(&self.pool, query.bind(collection).bind(record)).await?;
        kept.map(|_| ()).ok_or(StoreError::NoCollection)
    }

    async fn remove_collection(&self, collection: &str) -> Result<(), StoreError> {
        within(PUT_WAIT_MAX, &self.pool, async |connection| {
            sqlx::query("delete from knowledge_collections where name = $1")
                .bind(collection)
                .execute(connection)
                .await?;
            Ok(())
        })
        .await
    }

    async fn switch_alias(&self, name: &str, to: &str) -> Result<(), StoreError> {
        within(PUT_WAIT_MAX, &self.pool, async |connection| switch_alias(connection, name, to).await).await
    }

    async fn put_documents(
        &self,
        collection: &str,
        documents: &[Document],
        vectors: &[Vec<f32>],
    ) -> Result<(), StoreError> {
        let rows = Rows::of(&Written::of(documents, vectors))?;
        within(PUT_WAIT_MAX, &self.pool, async |connection| put(connection, collection, rows).await).await
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

    async fn document(&self, collection: &str, path: &str) -> Result<Option<StoredDocument>, StoreError> {
        // One statement, so that document and passages are of one moment.
        let query = sqlx::query_as(
            "select document.fingerprint, passage.document, passage.vector
               from knowledge_documents document
               left join knowledge_passages passage
                 on passage.collection = document.collection and passage.path = document.path
              where document.collection = $1 and document.path = $2
              order by passage.position",
        );
        let rows: Vec<(String, Option<String>, Option<Vec<u8>>)> =
            all(&self.pool, query.bind(collection).bind(path)).await?;
        let Some(fingerprint) = rows.first().map(|(fingerprint, ..)| fingerprint.clone()) else { return Ok(None) };
        let (mut passages, mut vectors) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (_, passage, vector) in rows {
            if let Some(passage) = passage {
                passages.push(rows::read(&passage)?);
                vectors.push(numbers(vector.as_deref().unwrap_or_default()).collect());
            }
        }
        Ok(Some(StoredDocument { document: Document { path: path.to_owned(), fingerprint, passages }, vectors }))
    }

    async fn passages(&self, collection: &str) -> Result<Shelf, StoreError> {
        within(READ_WAIT_MAX, &self.pool, async |connection| {
            let mut shelf = Shelf::default();
            let mut rows = sqlx::query_as::<_, (String, Option<Vec<u8>>)>(
                "select document, vector from knowledge_passages where collection = $1 order by path, position",
            )
            .bind(collection)
            .fetch(connection);
            while let Some((passage, vector)) = rows.try_next().await? {
                shelf.push(rows::read(&passage)?, vector.as_deref());
            }
            Ok(shelf)
        })
        .await
    }
}

/// Carries out, as one transaction, what may take longer than a statement.
async fn within<T>(
    wait_max: Duration,
    pool: &Pool,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    Lent::from(pool).await?.carry_out(wait_max, work).await
}

async fn switch_alias(transaction: &mut PgConnection, name: &str, to: &str) -> Result<(), StoreError> {
    // Held, so that nobody removes it meanwhile.
    let there: Option<(String,)> =
        sqlx::query_as("select name from knowledge_collections where name = $1 for no key update")
            .bind(to)
            .fetch_optional(&mut *transaction)
            .await?;
    if there.is_none() {
        return Err(StoreError::NoCollection);
    }
    let (before,): (String,) =
        sqlx::query_as("select coalesce((select collection from knowledge_aliases where name = $1), $1)")
            .bind(name)
            .fetch_one(&mut *transaction)
            .await?;
    sqlx::query(
        "insert into knowledge_aliases (name, collection) values ($1, $2)
         on conflict (name) do update set collection = excluded.collection",
    )
    .bind(name)
    .bind(to)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("delete from knowledge_collections where name = $1 and name <> $2")
        .bind(before)
        .bind(to)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Rows column by column, as they travel.
#[derive(Default)]
struct Rows {
    paths: Vec<String>,
    fingerprints: Vec<String>,
    counts: Vec<i32>,
    /// Of each passage: the path of its document, its place there, itself, its vector.
    of: Vec<String>,
    places: Vec<i32>,
    passages: Vec<String>,
    vectors: Vec<Option<Vec<u8>>>,
}

impl Rows {
    fn of(written: &[Written<'_>]) -> Result<Self, StoreError> {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let mut rows = Self::default();
        for written in written {
            let Document { path, fingerprint, passages } = written.document;
            rows.paths.push(path.clone());
            rows.fingerprints.push(fingerprint.clone());
            rows.counts.push(number(passages.len()));
            for (place, passage) in passages.iter().enumerate() {
                rows.of.push(path.clone());
                rows.places.push(number(place));
                rows.passages.push(rows::json(passage)?);
                rows.vectors.push(written.vector(place));
            }
        }
        Ok(rows)
    }
}

/// Several statements, since one may not delete and insert a row of the same key.
async fn put(transaction: &mut PgConnection, collection: &str, rows: Rows) -> Result<(), StoreError> {
    // First, so that two who store the same document at once come one after the other.
    let changed = sqlx::query("update knowledge_collections set revision = revision + 1 where name = $1")
        .bind(collection)
        .execute(&mut *transaction)
        .await?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::NoCollection);
    }
    sqlx::query("delete from knowledge_documents where collection = $1 and path = any($2)")
        .bind(collection)
        .bind(&rows.paths)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "insert into knowledge_documents (collection, path, fingerprint, passages)
         select $1, path, fingerprint, passages
           from unnest($2::text[], $3::text[], $4::integer[]) as listed (path, fingerprint, passages)",
    )
    .bind(collection)
    .bind(rows.paths)
    .bind(rows.fingerprints)
    .bind(rows.counts)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "insert into knowledge_passages (collection, path, position, document, vector)
         select $1, path, position, document, vector
           from unnest($2::text[], $3::integer[], $4::text[], $5::bytea[]) as listed (path, position, document, vector)",
    )
    .bind(collection)
    .bind(rows.of)
    .bind(rows.places)
    .bind(rows.passages)
    .bind(rows.vectors)
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
