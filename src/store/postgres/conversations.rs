//! Conversations, looked back on: one round trip each, and two for a stretch beyond the end.

use async_trait::async_trait;
use chatkit_protocol::ThreadId;

use super::connection::{all, first};
use super::{PostgresStore, thread_name};
use crate::identity::OwnerId;
use crate::store::conversations::{ConversationRow, counted};
use crate::store::{Conversation, ConversationStore, StoreError, Stretch};

#[derive(sqlx::FromRow)]
struct Counted {
    #[sqlx(flatten)]
    row: ConversationRow,
    total: i64,
}

#[async_trait]
impl ConversationStore for PostgresStore {
    async fn conversations(&self, owner: &OwnerId, asked: Stretch) -> Result<(Vec<Conversation>, u64), StoreError> {
        let query = sqlx::query_as(
            "select id, title, created_at, status, allowed_image_domains,
                    coalesce(metadata_document, metadata::text, '{}') as metadata,
                    coalesce(updated_at, created_at) as updated_at,
                    (select count(*) from chat_thread_items
                      where thread_id = chat_threads.id and role is not null) as messages,
                    (select count(*) from chat_threads where owner = $1) as total
               from chat_threads
              where owner = $1
              order by coalesce(updated_at, created_at) desc, position desc limit $2 offset $3",
        )
        .bind(owner.as_str())
        .bind(i64::from(asked.rows()))
        .bind(i64::from(asked.offset));
        let found: Vec<Counted> = all(&self.pool, query).await?;
        let total = match found.first() {
            Some(first) => counted(first.total),
            None => self.conversations_in_all(owner).await?,
        };
        let conversations = found.into_iter().map(|found| found.row.conversation()).collect::<Result<_, _>>()?;
        Ok((conversations, total))
    }

    async fn conversation(&self, owner: &OwnerId, id: &ThreadId) -> Result<Conversation, StoreError> {
        let query = sqlx::query_as(
            "select id, title, created_at, status, allowed_image_domains,
                    coalesce(metadata_document, metadata::text, '{}') as metadata,
                    coalesce(updated_at, created_at) as updated_at,
                    (select count(*) from chat_thread_items
                      where thread_id = chat_threads.id and role is not null) as messages
               from chat_threads
              where owner = $1 and id = $2",
        )
        .bind(owner.as_str())
        .bind(thread_name(id)?);
        let row: Option<ConversationRow> = first(&self.pool, query).await?;
        row.ok_or(StoreError::NoThread)?.conversation()
    }
}

impl PostgresStore {
    async fn conversations_in_all(&self, owner: &OwnerId) -> Result<u64, StoreError> {
        let query = sqlx::query_as("select count(*) from chat_threads where owner = $1");
        let found: Option<(i64,)> = first(&self.pool, query.bind(owner.as_str())).await?;
        Ok(found.map_or(0, |(total,)| counted(total)))
    }
}
