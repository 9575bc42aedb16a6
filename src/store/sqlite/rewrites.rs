//! Texts that were written anew.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;

use super::{SqliteStore, stamp};
use crate::identity::OwnerId;
use crate::store::rewrites::{KeptText, NotedPage, PageRow, RewriteKind, RewriteStore, SweptRewrites, page_hash};
use crate::store::{StoreError, Tokens, rows};

#[async_trait]
impl RewriteStore for SqliteStore {
    async fn rewritten(&self, owner: &OwnerId, key: &str, since: Timestamp) -> Result<Option<String>, StoreError> {
        let query =
            sqlx::query_scalar("select text from chat_rewrites where owner = $1 and key = $2 and created_at >= $3");
        let query = query.bind(owner.as_str()).bind(key).bind(stamp(since));
        Ok(query.fetch_optional(&self.readers).await?)
    }

    async fn keep_rewritten(&self, kept: &KeptText) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        sqlx::query(
            "insert into chat_rewrites (owner, key, text, created_at) values ($1, $2, $3, $4)
             on conflict (owner, key) do update set text = excluded.text, created_at = excluded.created_at",
        )
        .bind(kept.owner.as_str())
        .bind(&kept.key)
        .bind(&kept.text)
        .bind(stamp(kept.now))
        .execute(&mut *writing)
        .await?;
        sqlx::query(
            "delete from chat_rewrites
              where owner = $1 and key in (
                    select key from chat_rewrites
                     where owner = $1
                     order by created_at desc, key limit -1 offset $2
              )",
        )
        .bind(kept.owner.as_str())
        .bind(kept.together_max)
        .execute(&mut *writing)
        .await?;
        Ok(writing.commit().await?)
    }

    async fn note_page(&self, owner: &OwnerId, page: &NotedPage, together_max: u32) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let owner = super::adoption::adopter(&mut writing, owner).await?.unwrap_or_else(|| owner.clone());
        sqlx::query(
            "insert into chat_rewritten_pages
                    (owner, kind, page_hash, page_url, content_hash, profile_hash, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (owner, kind, page_hash) do update
                set content_hash = excluded.content_hash, profile_hash = excluded.profile_hash,
                    created_at = excluded.created_at",
        )
        .bind(owner.as_str())
        .bind(page.kind.name())
        .bind(page_hash(&page.url))
        .bind(&page.url)
        .bind(&page.content_hash)
        .bind(&page.profile_hash)
        .bind(stamp(page.at))
        .execute(&mut *writing)
        .await?;
        sqlx::query(
            "delete from chat_rewritten_pages
              where owner = $1 and kind = $2 and page_hash in (
                    select page_hash from chat_rewritten_pages
                     where owner = $1 and kind = $2
                     order by created_at desc, page_hash limit -1 offset $3
              )",
        )
        .bind(owner.as_str())
        .bind(page.kind.name())
        .bind(together_max)
        .execute(&mut *writing)
        .await?;
        Ok(writing.commit().await?)
    }

    async fn noted_pages(&self, owner: &OwnerId, kind: RewriteKind, limit: u32) -> Result<Vec<NotedPage>, StoreError> {
        let found: Vec<PageRow> = sqlx::query_as(
            "select page_url, content_hash, profile_hash, created_at
               from chat_rewritten_pages
              where owner = $1 and kind = $2
              order by created_at desc, page_hash limit $3",
        )
        .bind(owner.as_str())
        .bind(kind.name())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(found.into_iter().map(|row| row.page(kind)).collect())
    }

    async fn noted_page(&self, owner: &OwnerId, kind: RewriteKind, url: &str) -> Result<Option<NotedPage>, StoreError> {
        let found: Option<PageRow> = sqlx::query_as(
            "select page_url, content_hash, profile_hash, created_at
               from chat_rewritten_pages
              where owner = $1 and kind = $2 and page_hash = $3",
        )
        .bind(owner.as_str())
        .bind(kind.name())
        .bind(page_hash(url))
        .fetch_optional(&self.readers)
        .await?;
        Ok(found.map(|row| row.page(kind)))
    }

    async fn count_rewrite(
        &self,
        payer: &OwnerId,
        name: &str,
        tokens: Tokens,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let payer = super::adoption::adopter(&mut writing, payer).await?.unwrap_or_else(|| payer.clone());
        sqlx::query(
            "insert into chat_usage (turn_id, owner, at, input_tokens, output_tokens)
             values ($1, $2, $3, $4, $5)
             on conflict (turn_id) do update
                set input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens",
        )
        .bind(name)
        .bind(payer.as_str())
        .bind(stamp(now))
        .bind(rows::count(tokens.input))
        .bind(rows::count(tokens.output))
        .execute(&mut *writing)
        .await?;
        Ok(writing.commit().await?)
    }

    async fn sweep_rewrites(
        &self,
        texts_before: Timestamp,
        pages_before: Timestamp,
        limit: u32,
    ) -> Result<SweptRewrites, StoreError> {
        let mut writing = self.write().await?;
        let texts = sqlx::query(
            "delete from chat_rewrites
              where (owner, key) in (
                    select owner, key from chat_rewrites where created_at < $1 order by created_at limit $2
              )",
        )
        .bind(stamp(texts_before))
        .bind(limit)
        .execute(&mut *writing)
        .await?;
        let pages = sqlx::query(
            "delete from chat_rewritten_pages
              where (owner, kind, page_hash) in (
                    select owner, kind, page_hash from chat_rewritten_pages
                     where created_at < $1
                     order by created_at limit $2
              )",
        )
        .bind(stamp(pages_before))
        .bind(limit)
        .execute(&mut *writing)
        .await?;
        writing.commit().await?;
        Ok(SweptRewrites { texts: texts.rows_affected(), pages: pages.rows_affected() })
    }
}
