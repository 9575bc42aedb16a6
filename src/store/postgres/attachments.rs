//! Attachments: rows, one statement a function.

use chatkit_protocol::{AttachmentId, ThreadId};
use sqlx::PgConnection;

use crate::identity::OwnerId;
use crate::store::{StoreError, rows};

/// Gives attachments of the owner to a thread; a message names them.
pub(super) async fn claim(
    transaction: &mut PgConnection,
    owner: &OwnerId,
    thread_id: &ThreadId,
    ids: &[AttachmentId],
) -> Result<(), StoreError> {
    for id in ids {
        let missing = || StoreError::NoAttachment(id.clone());
        if !rows::can_be_stored(id.as_str()) {
            return Err(missing());
        }
        let claimed = sqlx::query(
            "update chat_attachments set thread_id = $3, used = true where owner = $1 and id = $2 and not deleted",
        )
        .bind(owner.as_str())
        .bind(id.as_str())
        .bind(thread_id.as_str())
        .execute(&mut *transaction)
        .await?;
        if claimed.rows_affected() == 0 {
            return Err(missing());
        }
    }
    Ok(())
}
