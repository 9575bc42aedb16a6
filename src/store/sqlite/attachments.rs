//! Attachments: rows, one statement a function.

use chatkit_protocol::{AttachmentId, ThreadId};
use sqlx::sqlite::SqliteConnection;

use crate::identity::OwnerId;
use crate::store::StoreError;

/// Gives attachments of the owner to a thread; a message names them.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    thread_id: &ThreadId,
    ids: &[AttachmentId],
) -> Result<(), StoreError> {
    for id in ids {
        let claimed = sqlx::query(
            "update chat_attachments set thread_id = $3, used = 1 where owner = $1 and id = $2 and not deleted",
        )
        .bind(owner.as_str())
        .bind(id.as_str())
        .bind(thread_id.as_str())
        .execute(&mut *connection)
        .await?;
        if claimed.rows_affected() == 0 {
            return Err(StoreError::NoAttachment(id.clone()));
        }
    }
    Ok(())
}
