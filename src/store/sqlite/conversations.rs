//! Conversations, looked back on: one statement a function.

use async_trait::async_trait;
use chatkit_protocol::ThreadId;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use crate::identity::OwnerId;
use crate::store::conversations::{ConversationRow, counted};
use crate::store::{Conversation, ConversationStore, StoreError, Stretch};

#[async_trait]
impl ConversationStore for SqliteStore {
    async fn conversations(&self, owner: &OwnerId, asked: Stretch) -> Result<(Vec<Conversation>, u64), StoreError> {
        let mut reading = self.read().await?;
        let total = total(&mut reading, owner).await?;
        Ok((stretch(&mut reading, owner, asked).await?, total))
    }

    async fn conversation(&self, owner: &OwnerId, id: &ThreadId) -> Result<Conversation, StoreError> {
        let row: Option<ConversationRow> = sqlx::query_as(
            "select id, title, created_at, status, allowed_image_domains, metadata, updated_at,
                    (select count(*) from chat_thread_items
                      where thread_id = chat_threads.id and role is not null) as messages
               from chat_threads
              where owner = $1 and id = $2",
        )
        .bind(owner.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *self.readers.acquire().await?)
        .await?;
        row.ok_or(StoreError::NoThread)?.conversation()
    }
}

async fn total(connection: &mut SqliteConnection, owner: &OwnerId) -> Result<u64, StoreError> {
    let query = sqlx::query_scalar("select count(*) from chat_threads where owner = $1");
    Ok(counted(query.bind(owner.as_str()).fetch_one(connection).await?))
}

async fn stretch(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    asked: Stretch,
) -> Result<Vec<Conversation>, StoreError> {
    let rows: Vec<ConversationRow> = sqlx::query_as(
        "select id, title, created_at, status, allowed_image_domains, metadata, updated_at,
                (select count(*) from chat_thread_items
                  where thread_id = chat_threads.id and role is not null) as messages
           from chat_threads
          where owner = $1
          order by updated_at desc, position desc limit $2 offset $3",
    )
    .bind(owner.as_str())
    .bind(asked.rows())
    .bind(asked.offset)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(ConversationRow::conversation).collect()
}
