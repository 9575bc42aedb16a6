//! Profiles of readers, in a table that an earlier back end may have made.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;

use super::PostgresStore;
use super::connection::first;
use crate::identity::OwnerId;
use crate::store::profiles::{ProfileChange, ProfileRow, ProfileStore, StoredProfile, key_of};
use crate::store::{StoreError, rows};

/// A statement that gives a profile, or none.
type Query<'q> = QueryAs<'q, Postgres, ProfileRow, PgArguments>;

#[async_trait]
impl ProfileStore for PostgresStore {
    async fn profile(&self, owner: &OwnerId) -> Result<Option<StoredProfile>, StoreError> {
        let Some(key) = key(owner) else { return Ok(None) };
        let query = sqlx::query_as(
            "select
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at
               from user_profile where user_id = $1 order by updated_at desc nulls last limit 1",
        );
        self.one(query.bind(key)).await
    }

    async fn create_profile(
        &self,
        owner: &OwnerId,
        said: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError> {
        let Some(key) = key(owner) else { return Ok(None) };
        let query = sqlx::query_as(
            "insert into user_profile (
                    user_id,
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at
             ) select
                    $1,
                    $2::jsonb ->> 'age_range', $2::jsonb ->> 'education_level', $2::jsonb ->> 'tech_background',
                    $2::jsonb ->> 'focus_area', $2::jsonb ->> 'primary_goal', $2::jsonb ->> 'learning_mode',
                    $2::jsonb ->> 'learning_speed', $2::jsonb ->> 'time_per_week',
                    $2::jsonb ->> 'preferred_language',
                    $3, $3
               where not exists (select from user_profile where user_id = $1)
                  on conflict do nothing
           returning
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at",
        );
        self.one(query.bind(key).bind(rows::json(said)?).bind(now.utc())).await
    }

    async fn change_profile(
        &self,
        owner: &OwnerId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError> {
        let Some(key) = key(owner) else { return Ok(None) };
        let query = sqlx::query_as(
            "update user_profile set
                    age_range = case when $2::jsonb ? 'age_range'
                        then $2::jsonb ->> 'age_range' else age_range end,
                    education_level = case when $2::jsonb ? 'education_level'
                        then $2::jsonb ->> 'education_level' else education_level end,
                    tech_background = case when $2::jsonb ? 'tech_background'
                        then $2::jsonb ->> 'tech_background' else tech_background end,
                    focus_area = case when $2::jsonb ? 'focus_area'
                        then $2::jsonb ->> 'focus_area' else focus_area end,
                    primary_goal = case when $2::jsonb ? 'primary_goal'
                        then $2::jsonb ->> 'primary_goal' else primary_goal end,
                    learning_mode = case when $2::jsonb ? 'learning_mode'
                        then $2::jsonb ->> 'learning_mode' else learning_mode end,
                    learning_speed = case when $2::jsonb ? 'learning_speed'
                        then $2::jsonb ->> 'learning_speed' else learning_speed end,
                    time_per_week = case when $2::jsonb ? 'time_per_week'
                        then $2::jsonb ->> 'time_per_week' else time_per_week end,
                    preferred_language = case when $2::jsonb ? 'preferred_language'
                        then $2::jsonb ->> 'preferred_language' else preferred_language end,
                    updated_at = $3
              where user_id = $1
          returning
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at",
        );
        self.one(query.bind(key).bind(rows::json(change)?).bind(now.utc())).await
    }
}

impl PostgresStore {
    async fn one(&self, query: Query<'_>) -> Result<Option<StoredProfile>, StoreError> {
        let row: Option<ProfileRow> = first(&self.pool, query).await?;
        Ok(row.map(ProfileRow::stored))
    }
}

/// The key of an owner's row. Postgres fails on U+0000, and nothing is stored under such a key.
fn key(owner: &OwnerId) -> Option<&str> {
    Some(key_of(owner)).filter(|key| rows::can_be_stored(key))
}
