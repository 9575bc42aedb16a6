//! Attachments, and bytes that nobody names.

use async_trait::async_trait;
use chatkit_protocol::{AttachmentId, StoredAttachment, ThreadId, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, stamp};
use crate::identity::OwnerId;
use crate::store::attachments::{
    AttachmentRow, AttachmentStore, Kept, KeptAttachment, Room, StoredObject, document, in_order, signed,
};
use crate::store::{StoreError, rows};

/// Gives attachments of the owner to a thread; a message names them.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    thread_id: &ThreadId,
    ids: &[AttachmentId],
) -> Result<(), StoreError> {
    for id in ids {
        let claimed = sqlx::query(
            "update chat_attachments set thread_id = $3, used = 1
              where owner = $1 and id = $2
                and not deleted and (thread_id is not null or not used)",
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

#[async_trait]
impl AttachmentStore for SqliteStore {
    async fn announce(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        room: &Room,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut writing = self.write().await?;
        if unused(&mut writing, owner.as_str(), room).await?.count >= i64::from(room.count_max) {
            return Ok(false);
        }
        insert(&mut writing, owner, attachment, None, now).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn attachments(&self, owner: &OwnerId, ids: &[AttachmentId]) -> Result<Vec<KeptAttachment>, StoreError> {
        let names: Vec<&str> = ids.iter().map(AttachmentId::as_str).collect();
        let rows: Vec<AttachmentRow> = sqlx::query_as(
            "select id, owner, document, object_key, size_bytes
               from chat_attachments
              where owner = $1 and id in (select value from json_each($2))
                and not deleted and (thread_id is not null or not used)",
        )
        .bind(owner.as_str())
        .bind(rows::json(&names)?)
        .fetch_all(&self.readers)
        .await?;
        in_order(&rows, ids)
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<KeptAttachment, StoreError> {
        let row: Option<AttachmentRow> = sqlx::query_as(
            "select id, owner, document, object_key, size_bytes
               from chat_attachments
              where id = $1 and not deleted and (thread_id is not null or not used)",
        )
        .bind(id.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.ok_or_else(|| StoreError::NoAttachment(id.clone()))?.kept()
    }

    async fn expect_bytes(&self, key: &str, due: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        leave_over(&mut writing, key, due).await?;
        Ok(writing.commit().await?)
    }

    async fn keep_bytes(&self, id: &AttachmentId, object: &StoredObject, room: &Room) -> Result<Kept, StoreError> {
        let mut writing = self.write().await?;
        let held: Option<(String, bool, bool)> = sqlx::query_as(
            "select owner, used, object_key is not null
               from chat_attachments
              where id = $1 and not deleted and (thread_id is not null or not used)",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *writing)
        .await?;
        let (owner, used, arrived) = held.ok_or_else(|| StoreError::NoAttachment(id.clone()))?;
        if arrived {
            return Ok(Kept::Before);
        }
        if !used && !has_room_for(&mut writing, &owner, object, room).await? {
            return Ok(Kept::NoRoom);
        }
        if !settle(&mut writing, &object.key).await? {
            return Ok(Kept::TooLate);
        }
        sqlx::query("update chat_attachments set object_key = $2, size_bytes = $3 where id = $1")
            .bind(id.as_str())
            .bind(&object.key)
            .bind(signed(object.size_bytes))
            .execute(&mut *writing)
            .await?;
        writing.commit().await?;
        Ok(Kept::Now)
    }

    async fn keep_whole(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        object: &StoredObject,
        room: &Room,
        now: Timestamp,
    ) -> Result<Kept, StoreError> {
        let mut writing = self.write().await?;
        let full = unused(&mut writing, owner.as_str(), room).await?.count >= i64::from(room.count_max);
        if full || !has_room_for(&mut writing, owner.as_str(), object, room).await? {
            return Ok(Kept::NoRoom);
        }
        if !settle(&mut writing, &object.key).await? {
            return Ok(Kept::TooLate);
        }
        insert(&mut writing, owner, attachment, Some(object), now).await?;
        writing.commit().await?;
        Ok(Kept::Now)
    }

    async fn delete_attachment(&self, owner: &OwnerId, id: &AttachmentId) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        sqlx::query("update chat_attachments set deleted = true where owner = $1 and id = $2")
            .bind(owner.as_str())
            .bind(id.as_str())
            .execute(&mut *writing)
            .await?;
        Ok(writing.commit().await?)
    }

    async fn hand_over(&self, from: &OwnerId, to: &OwnerId, ids: &[AttachmentId]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let names: Vec<&str> = ids.iter().map(AttachmentId::as_str).collect();
        sqlx::query(
            "update chat_attachments set owner = $2
              where owner = $1 and not used and not deleted and id in (select value from json_each($3))",
        )
        .bind(from.as_str())
        .bind(to.as_str())
        .bind(rows::json(&names)?)
        .execute(&mut *writing)
        .await?;
        Ok(writing.commit().await?)
    }

    async fn let_go(&self, now: Timestamp, unused_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut writing = self.write().await?;
        let gone: Vec<(String, Option<String>)> = sqlx::query_as(
            "delete from chat_attachments
              where id in (
                    select id from chat_attachments
                     where deleted or (used and thread_id is null) or (not used and created_at < $1)
                     limit $2
                )
          returning id, object_key",
        )
        .bind(stamp(unused_before))
        .bind(limit)
        .fetch_all(&mut *writing)
        .await?;
        for key in gone.iter().filter_map(|(_, key)| key.as_deref()) {
            leave_over(&mut writing, key, now).await?;
        }
        writing.commit().await?;
        Ok(gone.len() as u64)
    }

    async fn leftovers(&self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let keys = sqlx::query_scalar(
            "select object_key from chat_attachment_leftovers where due_at <= $1 order by due_at limit $2",
        )
        .bind(stamp(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(keys)
    }

    async fn forget_leftovers(&self, keys: &[String]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        sqlx::query("delete from chat_attachment_leftovers where object_key in (select value from json_each($1))")
            .bind(rows::json(&keys)?)
            .execute(&mut *writing)
            .await?;
        Ok(writing.commit().await?)
    }
}

/// What an owner has that no message names.
#[derive(sqlx::FromRow)]
struct Unused {
    count: i64,
    bytes: i64,
}

async fn unused(connection: &mut SqliteConnection, owner: &str, room: &Room) -> Result<Unused, StoreError> {
    let unused = sqlx::query_as(
        "select count(*) as count, coalesce(sum(size_bytes), 0) as bytes
           from chat_attachments
          where owner = $1 and not used and not deleted and (object_key is not null or created_at >= $2)",
    )
    .bind(owner)
    .bind(stamp(room.announced_after))
    .fetch_one(connection)
    .await?;
    Ok(unused)
}

async fn has_room_for(
    connection: &mut SqliteConnection,
    owner: &str,
    object: &StoredObject,
    room: &Room,
) -> Result<bool, StoreError> {
    let held = unused(connection, owner, room).await?.bytes;
    Ok(held.saturating_add(signed(object.size_bytes)) <= signed(room.bytes_max))
}

/// Takes a key off the leftovers. Whether it was among them.
async fn settle(connection: &mut SqliteConnection, key: &str) -> Result<bool, StoreError> {
    let settled = sqlx::query("delete from chat_attachment_leftovers where object_key = $1")
        .bind(key)
        .execute(connection)
        .await?;
    Ok(settled.rows_affected() > 0)
}

async fn leave_over(connection: &mut SqliteConnection, key: &str, due: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "insert into chat_attachment_leftovers (object_key, due_at) values ($1, $2)
             on conflict (object_key) do update set due_at = excluded.due_at",
    )
    .bind(key)
    .bind(stamp(due))
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    owner: &OwnerId,
    attachment: &StoredAttachment,
    object: Option<&StoredObject>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let shown = &attachment.attachment;
    sqlx::query(
        "insert into chat_attachments (id, owner, name, mime_type, size_bytes, object_key, created_at, document)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(shown.id.as_str())
    .bind(owner.as_str())
    .bind(&shown.name)
    .bind(&shown.mime_type)
    .bind(object.map(|object| signed(object.size_bytes)))
    .bind(object.map(|object| &object.key))
    .bind(stamp(now))
    .bind(document(attachment)?)
    .execute(connection)
    .await?;
    Ok(())
}
