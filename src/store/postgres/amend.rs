//! Changing items of a thread that the transaction has locked.

use chatkit_protocol::{ThreadId, ThreadItem};
use sqlx::PgConnection;

use super::thread_name;
use crate::store::batch::Batch;
use crate::store::rows::{self, ItemRow};
use crate::store::{StoreError, Write};

/// Whether items are still as somebody read them.
pub(super) async fn check_unchanged(
    transaction: &mut PgConnection,
    id: &ThreadId,
    read: &[ThreadItem],
) -> Result<(), StoreError> {
    for item in read {
        let document: Option<String> =
            sqlx::query_scalar("select document from chat_thread_items where thread_id = $1 and id = $2")
                .bind(thread_name(id)?)
                .bind(item.id.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        if rows::item(&document.ok_or(StoreError::Changed)?)? != *item {
            return Err(StoreError::Changed);
        }
    }
    Ok(())
}

/// Replaces and deletes items that are there.
pub(super) async fn apply(transaction: &mut PgConnection, id: &ThreadId, writes: &[Write]) -> Result<(), StoreError> {
    let batch = Batch::fold(writes);
    for item_id in &batch.deleted {
        sqlx::query("delete from chat_thread_items where thread_id = $1 and id = $2")
            .bind(thread_name(id)?)
            .bind(item_id.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    for kept in &batch.kept {
        let row = ItemRow::new(kept.item, true)?;
        sqlx::query(
            "update chat_thread_items
                set type = $3, role = $4, content = $5::jsonb, document = $6, created_at = $7, hidden = $8
              where thread_id = $1 and id = $2",
        )
        .bind(thread_name(id)?)
        .bind(row.id)
        .bind(row.kind)
        .bind(row.role)
        .bind(row.content)
        .bind(row.document)
        .bind(row.created_at)
        .bind(row.hidden)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}
