//! Texts that were written anew.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use sqlx::PgConnection;

use super::PostgresStore;
use super::connection::{all, first, in_transaction};
use crate::identity::OwnerId;
use crate::store::rewrites::{KeptText, NotedPage, PageRow, RewriteKind, RewriteStore, SweptRewrites, page_hash};
use crate::store::{StoreError, Tokens, rows};

#[async_trait]
impl RewriteStore for PostgresStore {
    async fn rewritten(&self, owner: &OwnerId, key: &str, since: Timestamp) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_as("select text from chat_rewrites where owner = $1 and key = $2 and created_at >= $3")
            .bind(owner.as_str())
            .bind(key)
            .bind(since.utc());
        let found: Option<(String,)> = first(&self.pool, query).await?;
        Ok(found.map(|(text,)| text))
    }

    async fn keep_rewritten(&self, kept: &KeptText) -> Result<(), StoreError> {
        if !rows::can_be_stored(&kept.text) {
            return Ok(()); // Postgres has no U+0000; such a text is forgotten at once.
        }
        in_transaction(&self.pool, async |writing| {
            sqlx::query(
                "insert into chat_rewrites (owner, key, text, created_at) values ($1, $2, $3, $4)
                 on conflict (owner, key) do update set text = excluded.text, created_at = excluded.created_at",
            )
            .bind(kept.owner.as_str())
            .bind(&kept.key)
            .bind(&kept.text)
            .bind(kept.now.utc())
            .execute(&mut *writing)
            .await?;
            // Rows that somebody else takes away right now are passed over, so that nobody waits for anybody.
            sqlx::query(
                "delete from chat_rewrites
                  where owner = $1 and key in (
                        select key from chat_rewrites
                         where owner = $1
                         order by created_at desc, key offset $2
                           for update skip locked
                  )",
            )
            .bind(kept.owner.as_str())
            .bind(i64::from(kept.together_max))
            .execute(&mut *writing)
            .await?;
            Ok(())
        })
        .await
    }

    async fn note_page(&self, owner: &OwnerId, page: &NotedPage, together_max: u32) -> Result<(), StoreError> {
        if !rows::can_be_stored(&page.url) {
            return Ok(()); // There is no page at such an address.
        }
        in_transaction(&self.pool, async |writing| {
            let owner = stands_for(writing, owner).await?;
            sqlx::query(
                "insert into chat_rewritten_pages
                        (owner, kind, page_hash, page_url, content_hash, profile_hash, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (owner, kind, page_hash) do update
                    set content_hash = excluded.content_hash, profile_hash = excluded.profile_hash,
                        created_at = excluded.created_at",
            )
            .bind(&owner)
            .bind(page.kind.name())
            .bind(page_hash(&page.url))
            .bind(&page.url)
            .bind(&page.content_hash)
            .bind(&page.profile_hash)
            .bind(page.at.utc())
            .execute(&mut *writing)
            .await?;
            sqlx::query(
                "delete from chat_rewritten_pages
                  where owner = $1 and kind = $2 and page_hash in (
                        select page_hash from chat_rewritten_pages
                         where owner = $1 and kind = $2
                         order by created_at desc, page_hash offset $3
                           for update skip locked
                  )",
            )
            .bind(&owner)
            .bind(page.kind.name())
            .bind(i64::from(together_max))
            .execute(&mut *writing)
            .await?;
            Ok(())
        })
        .await
    }

    async fn noted_pages(&self, owner: &OwnerId, kind: RewriteKind, limit: u32) -> Result<Vec<NotedPage>, StoreError> {
        let query = sqlx::query_as(
            "select page_url, content_hash, profile_hash, created_at
               from chat_rewritten_pages
              where owner = $1 and kind = $2
              order by created_at desc, page_hash limit $3",
        )
        .bind(owner.as_str())
        .bind(kind.name())
        .bind(i64::from(limit));
        let found: Vec<PageRow> = all(&self.pool, query).await?;
        Ok(found.into_iter().map(|row| row.page(kind)).collect())
    }

    async fn noted_page(&self, owner: &OwnerId, kind: RewriteKind, url: &str) -> Result<Option<NotedPage>, StoreError> {
        let query = sqlx::query_as(
            "select page_url, content_hash, profile_hash, created_at
               from chat_rewritten_pages
              where owner = $1 and kind = $2 and page_hash = $3",
        )
        .bind(owner.as_str())
        .bind(kind.name())
        .bind(page_hash(url));
        let found: Option<PageRow> = first(&self.pool, query).await?;
        Ok(found.map(|row| row.page(kind)))
    }

    async fn count_rewrite(
        &self,
        payer: &OwnerId,
        name: &str,
        tokens: Tokens,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction(&self.pool, async |writing| {
            let payer = stands_for(writing, payer).await?;
            sqlx::query(
                "insert into chat_usage (turn_id, owner, at, input_tokens, output_tokens)
                 values ($1, $2, $3, $4, $5)
                 on conflict (turn_id) do update
                    set input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens",
            )
            .bind(name)
            .bind(&payer)
            .bind(now.utc())
            .bind(rows::count(tokens.input))
            .bind(rows::count(tokens.output))
            .execute(&mut *writing)
            .await?;
            Ok(())
        })
        .await
    }

    async fn sweep_rewrites(
        &self,
        texts_before: Timestamp,
        pages_before: Timestamp,
        limit: u32,
    ) -> Result<SweptRewrites, StoreError> {
        in_transaction(&self.pool, async |writing| {
            let texts = sqlx::query(
                "delete from chat_rewrites
                  where (owner, key) in (
                        select owner, key from chat_rewrites
                         where created_at < $1
                         order by created_at limit $2
                           for update skip locked
                  )",
            )
            .bind(texts_before.utc())
            .bind(i64::from(limit))
            .execute(&mut *writing)
            .await?;
            let pages = sqlx::query(
                "delete from chat_rewritten_pages
                  where (owner, kind, page_hash) in (
                        select owner, kind, page_hash from chat_rewritten_pages
                         where created_at < $1
                         order by created_at limit $2
                           for update skip locked
                  )",
            )
            .bind(pages_before.utc())
            .bind(i64::from(limit))
            .execute(&mut *writing)
            .await?;
            Ok(SweptRewrites { texts: texts.rows_affected(), pages: pages.rows_affected() })
        })
        .await
    }
}

/// Who somebody is since they were adopted, if they were.
async fn stands_for(connection: &mut PgConnection, owner: &OwnerId) -> Result<String, StoreError> {
    let query = sqlx::query_scalar("select adopted_by from chat_adoptions where visitor = $1").bind(owner.as_str());
    let adopter: Option<String> = query.fetch_optional(connection).await?;
    Ok(adopter.unwrap_or_else(|| owner.as_str().to_owned()))
}
