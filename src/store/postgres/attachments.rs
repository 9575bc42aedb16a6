//! Attachments, and bytes that nobody names: one statement, one round trip, each.

use async_trait::async_trait;
use chatkit_protocol::{AttachmentId, StoredAttachment, ThreadId, Timestamp};
use sqlx::PgConnection;

use super::PostgresStore;
use super::connection::{all, first};
use crate::identity::OwnerId;
use crate::store::attachments::{
    AttachmentRow, AttachmentStore, Kept, KeptAttachment, Room, StoredObject, document, in_order, signed,
};
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
            "update chat_attachments set thread_id = $3, used = true
              where owner = $1 and id = $2
                and not deleted and (thread_id is not null or not used)",
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

#[async_trait]
impl AttachmentStore for PostgresStore {
    async fn announce(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        room: &Room,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let shown = &attachment.attachment;
        let query = sqlx::query_as(
            "insert into chat_attachments (id, owner, name, mime_type, created_at, document)
             select $1, $2, $3, $4, $5, $6
              where $7 > (
                    select count(*) from chat_attachments
                     where owner = $2 and not used and not deleted and (object_key is not null or created_at >= $8)
                )
          returning id",
        )
        .bind(shown.id.as_str())
        .bind(owner.as_str())
        .bind(&shown.name)
        .bind(&shown.mime_type)
        .bind(now.utc())
        .bind(document(attachment)?)
        .bind(i64::from(room.count_max))
        .bind(room.announced_after.utc());
        let announced: Option<(String,)> = first(&self.pool, query).await?;
        Ok(announced.is_some())
    }

    async fn attachments(&self, owner: &OwnerId, ids: &[AttachmentId]) -> Result<Vec<KeptAttachment>, StoreError> {
        let names: Vec<&str> = ids.iter().map(AttachmentId::as_str).filter(|id| rows::can_be_stored(id)).collect();
        let query = sqlx::query_as(
            "select id, owner, document, object_key, size_bytes
               from chat_attachments
              where owner = $1 and id = any ($2) and not deleted and (thread_id is not null or not used)",
        );
        let rows: Vec<AttachmentRow> = all(&self.pool, query.bind(owner.as_str()).bind(names)).await?;
        in_order(&rows, ids)
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<KeptAttachment, StoreError> {
        let query = sqlx::query_as(
            "select id, owner, document, object_key, size_bytes
               from chat_attachments
              where id = $1 and not deleted and (thread_id is not null or not used)",
        );
        let row: Option<AttachmentRow> = first(&self.pool, query.bind(name(id)?)).await?;
        row.ok_or_else(|| StoreError::NoAttachment(id.clone()))?.kept()
    }

    async fn expect_bytes(&self, key: &str, due: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query_as(
            "insert into chat_attachment_leftovers (object_key, due_at) values ($1, $2)
                 on conflict (object_key) do update set due_at = excluded.due_at
          returning object_key",
        );
        let _: Option<(String,)> = first(&self.pool, query.bind(key).bind(due.utc())).await?;
        Ok(())
    }

    async fn keep_bytes(&self, id: &AttachmentId, object: &StoredObject, room: &Room) -> Result<Kept, StoreError> {
        // Whoever comes second waits for the row, and sees what the first made of it.
        let query = sqlx::query_as(
            "with held as materialized (
                select id, owner, used, object_key is not null as arrived
                  from chat_attachments
                 where id = $1 and not deleted and (thread_id is not null or not used)
                   for no key update
             ), roomy as materialized (
                select held.id
                  from held
                 where held.used or $3 + (
                        select coalesce(sum(size_bytes), 0) from chat_attachments other
                         where other.owner = held.owner and not other.used and not other.deleted
                    ) <= $4
             ), settled as (
                delete from chat_attachment_leftovers leftover
                 using held, roomy
                 where leftover.object_key = $2 and not held.arrived
             returning leftover.object_key
             ), kept as (
                update chat_attachments attachment set object_key = settled.object_key, size_bytes = $3
                  from settled
                 where attachment.id = $1
             )
             select arrived, exists (select from roomy), exists (select from settled) from held",
        )
        .bind(name(id)?)
        .bind(&object.key)
        .bind(signed(object.size_bytes))
        .bind(signed(room.bytes_max));
        let told: Option<(bool, bool, bool)> = first(&self.pool, query).await?;
        match told.ok_or_else(|| StoreError::NoAttachment(id.clone()))? {
            (true, _, _) => Ok(Kept::Before),
            (false, false, _) => Ok(Kept::NoRoom),
            (false, true, settled) => Ok(if settled { Kept::Now } else { Kept::TooLate }),
        }
    }

    async fn keep_whole(
        &self,
        owner: &OwnerId,
        attachment: &StoredAttachment,
        object: &StoredObject,
        room: &Room,
        now: Timestamp,
    ) -> Result<Kept, StoreError> {
        let shown = &attachment.attachment;
        let query = sqlx::query_as(
            "with roomy as materialized (
                select from (
                    select count(*) as count, coalesce(sum(size_bytes), 0) as bytes from chat_attachments
                     where owner = $2 and not used and not deleted and (object_key is not null or created_at >= $11)
                ) unused
                 where unused.count < $9 and unused.bytes + $8 <= $10
             ), settled as (
                delete from chat_attachment_leftovers leftover
                 using roomy
                 where leftover.object_key = $7
             returning leftover.object_key
             ), kept as (
                insert into chat_attachments
                    (id, owner, name, mime_type, created_at, document, object_key, size_bytes)
                select $1, $2, $3, $4, $5, $6, object_key, $8 from settled
             )
             select exists (select from roomy), exists (select from settled)",
        )
        .bind(shown.id.as_str())
        .bind(owner.as_str())
        .bind(&shown.name)
        .bind(&shown.mime_type)
        .bind(now.utc())
        .bind(document(attachment)?)
        .bind(&object.key)
        .bind(signed(object.size_bytes))
        .bind(i64::from(room.count_max))
        .bind(signed(room.bytes_max))
        .bind(room.announced_after.utc());
        let told: Option<(bool, bool)> = first(&self.pool, query).await?;
        match told {
            Some((true, true)) => Ok(Kept::Now),
            Some((true, false)) => Ok(Kept::TooLate),
            Some((false, _)) | None => Ok(Kept::NoRoom),
        }
    }

    async fn delete_attachment(&self, owner: &OwnerId, id: &AttachmentId) -> Result<(), StoreError> {
        let Ok(id) = name(id) else { return Ok(()) };
        let query =
            sqlx::query_as("update chat_attachments set deleted = true where owner = $1 and id = $2 returning id");
        let _: Option<(String,)> = first(&self.pool, query.bind(owner.as_str()).bind(id)).await?;
        Ok(())
    }

    async fn hand_over(&self, from: &OwnerId, to: &OwnerId, ids: &[AttachmentId]) -> Result<(), StoreError> {
        let names: Vec<&str> = ids.iter().map(AttachmentId::as_str).filter(|id| rows::can_be_stored(id)).collect();
        let query = sqlx::query_as(
            "update chat_attachments set owner = $2
              where owner = $1 and not used and not deleted and id = any ($3)
          returning id",
        );
        let _: Vec<(String,)> = all(&self.pool, query.bind(from.as_str()).bind(to.as_str()).bind(names)).await?;
        Ok(())
    }

    async fn let_go(&self, now: Timestamp, unused_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // A row that a message is about to name is passed over.
        let query = sqlx::query_as(
            "with gone as materialized (
                select id, object_key
                  from chat_attachments
                 where deleted or (used and thread_id is null) or (not used and created_at < $1)
                 limit $2
                   for update skip locked
             ), removed as (
                delete from chat_attachments attachment using gone where attachment.id = gone.id
             ), left_over as (
                insert into chat_attachment_leftovers (object_key, due_at)
                select object_key, $3 from gone where object_key is not null
                    on conflict (object_key) do nothing
             )
             select count(*) from gone",
        )
        .bind(unused_before.utc())
        .bind(i64::from(limit))
        .bind(now.utc());
        let gone: Option<(i64,)> = first(&self.pool, query).await?;
        Ok(gone.and_then(|(count,)| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn leftovers(&self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_as(
            "select object_key from chat_attachment_leftovers where due_at <= $1 order by due_at limit $2",
        );
        let keys: Vec<(String,)> = all(&self.pool, query.bind(now.utc()).bind(i64::from(limit))).await?;
        Ok(keys.into_iter().map(|(key,)| key).collect())
    }

    async fn forget_leftovers(&self, keys: &[String]) -> Result<(), StoreError> {
        let query =
            sqlx::query_as("delete from chat_attachment_leftovers where object_key = any ($1) returning object_key");
        let _: Vec<(String,)> = all(&self.pool, query.bind(keys)).await?;
        Ok(())
    }
}

/// The id of an attachment for a statement. Postgres fails on U+0000, and nothing is stored under such an id.
fn name(id: &AttachmentId) -> Result<&str, StoreError> {
    Some(id.as_str()).filter(|id| rows::can_be_stored(id)).ok_or_else(|| StoreError::NoAttachment(id.clone()))
}
