//! Adoption: several statements, in the order in which everybody else takes the same locks.
//!
//! A thread, or an attachment, that is only just being inserted is seen by none of them: it comes after, and stays the
//! visitor's. Whoever writes to a thread that is there holds its row, and is waited for.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;

use super::PostgresStore;
use super::connection::{first, in_transaction};
use crate::identity::OwnerId;
use crate::store::adoption::{AdoptionStore, may_adopt};
use crate::store::{StoreError, rows};

#[async_trait]
impl AdoptionStore for PostgresStore {
    async fn adopt(&self, visitor: &OwnerId, user: &OwnerId, now: Timestamp) -> Result<Option<u64>, StoreError> {
        if !may_adopt(visitor, user) {
            return Ok(None);
        }
        in_transaction(&self.pool, async |transaction| {
            // Of two who adopt the same visitor the second waits here for the first.
            let remembered = sqlx::query(
                "insert into chat_adoptions (visitor, adopted_by, at) values ($1, $2, $3)
                     on conflict (visitor) do nothing",
            )
            .bind(visitor.as_str())
            .bind(user.as_str())
            .bind(now.utc())
            .execute(&mut *transaction)
            .await?;
            if remembered.rows_affected() == 0 {
                return Ok(None);
            }
            // Waits for whoever writes to one of them right now; the statements after this one see what they wrote.
            let threads: Vec<String> = sqlx::query_scalar(
                "update chat_threads set owner = $2, user_id = $3, revision = revision + 1 where owner = $1
              returning id",
            )
            .bind(visitor.as_str())
            .bind(user.as_str())
            .bind(rows::user_of(user))
            .fetch_all(&mut *transaction)
            .await?;
            for moves in [
                "update chat_attachments set owner = $2 where owner = $1 and (not used or thread_id = any ($3))",
                "update chat_feedback set owner = $2 where owner = $1 and thread_id = any ($3)",
                "update chat_usage set owner = $2 where owner = $1 and $3::text[] is not null",
                "insert into chat_rewritten_pages
                        (owner, kind, page_hash, page_url, content_hash, profile_hash, created_at)
                 select $2::text, kind, page_hash, page_url, content_hash, profile_hash, created_at
                   from chat_rewritten_pages
                  where owner = $1 and $3::text[] is not null
                     on conflict do nothing",
                "delete from chat_rewritten_pages where owner = $1 and $2::text <> owner and $3::text[] is not null",
            ] {
                sqlx::query(moves)
                    .bind(visitor.as_str())
                    .bind(user.as_str())
                    .bind(&threads)
                    .execute(&mut *transaction)
                    .await?;
            }
            Ok(Some(threads.len() as u64))
        })
        .await
    }

    async fn adopter(&self, visitor: &OwnerId) -> Result<Option<OwnerId>, StoreError> {
        if !visitor.is_visitor() {
            return Ok(None);
        }
        let query = sqlx::query_as("select adopted_by from chat_adoptions where visitor = $1").bind(visitor.as_str());
        let found: Option<(String,)> = first(&self.pool, query).await?;
        Ok(found.map(|(owner,)| OwnerId::stored(&owner)))
    }
}
