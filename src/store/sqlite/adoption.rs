//! Adoption: one transaction among those that write, one after the other.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, stamp};
use crate::identity::OwnerId;
use crate::store::adoption::{AdoptionStore, may_adopt};
use crate::store::{StoreError, rows};

#[async_trait]
impl AdoptionStore for SqliteStore {
    async fn adopt(&self, visitor: &OwnerId, user: &OwnerId, now: Timestamp) -> Result<Option<u64>, StoreError> {
        if !may_adopt(visitor, user) {
            return Ok(None);
        }
        let mut writing = self.write().await?;
        let remembered = sqlx::query(
            "insert into chat_adoptions (visitor, adopted_by, at) values ($1, $2, $3)
                 on conflict (visitor) do nothing",
        )
        .bind(visitor.as_str())
        .bind(user.as_str())
        .bind(stamp(now))
        .execute(&mut *writing)
        .await?;
        if remembered.rows_affected() == 0 {
            return Ok(None);
        }
        for moves in [
            "update chat_attachments set owner = $2
              where owner = $1 and (not used or thread_id in (select id from chat_threads where owner = $1))",
            "update chat_feedback set owner = $2
              where owner = $1 and thread_id in (select id from chat_threads where owner = $1)",
            "update chat_usage set owner = $2 where owner = $1",
            "insert into chat_rewritten_pages
                    (owner, kind, page_hash, page_url, content_hash, profile_hash, created_at)
             select $2, kind, page_hash, page_url, content_hash, profile_hash, created_at
               from chat_rewritten_pages
              where owner = $1
                 on conflict do nothing",
            "delete from chat_rewritten_pages where owner = $1 and $2 <> owner",
        ] {
            sqlx::query(moves).bind(visitor.as_str()).bind(user.as_str()).execute(&mut *writing).await?;
        }
        let threads = sqlx::query("update chat_threads set owner = $2, user_id = $3 where owner = $1")
            .bind(visitor.as_str())
            .bind(user.as_str())
            .bind(rows::user_of(user))
            .execute(&mut *writing)
            .await?;
        writing.commit().await?;
        Ok(Some(threads.rows_affected()))
    }

    async fn adopter(&self, visitor: &OwnerId) -> Result<Option<OwnerId>, StoreError> {
        adopter(&mut *self.readers.acquire().await?, visitor).await
    }
}

pub(super) async fn adopter(
    connection: &mut SqliteConnection,
    visitor: &OwnerId,
) -> Result<Option<OwnerId>, StoreError> {
    if !visitor.is_visitor() {
        return Ok(None);
    }
    let found: Option<String> = sqlx::query_scalar("select adopted_by from chat_adoptions where visitor = $1")
        .bind(visitor.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(found.map(|owner| OwnerId::stored(&owner)))
}
