//! Profiles of readers.

use async_trait::async_trait;
use chatkit_protocol::Timestamp;

use super::{SqliteStore, stamp};
use crate::identity::OwnerId;
use crate::store::profiles::{ProfileChange, ProfileRow, ProfileStore, StoredProfile, key_of};
use crate::store::{StoreError, rows};

#[async_trait]
impl ProfileStore for SqliteStore {
    async fn profile(&self, owner: &OwnerId) -> Result<Option<StoredProfile>, StoreError> {
        let row: Option<ProfileRow> = sqlx::query_as(
            "select
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at
               from user_profile where user_id = $1",
        )
        .bind(key_of(owner))
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(ProfileRow::stored))
    }

    async fn create_profile(
        &self,
        owner: &OwnerId,
        said: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError> {
        let mut writing = self.write().await?;
        let row: Option<ProfileRow> = sqlx::query_as(
            "insert into user_profile (
                    user_id,
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at
             ) values (
                    $1,
                    $2 ->> '$.age_range', $2 ->> '$.education_level', $2 ->> '$.tech_background', $2 ->> '$.focus_area',
                    $2 ->> '$.primary_goal', $2 ->> '$.learning_mode', $2 ->> '$.learning_speed', $2 ->> '$.time_per_week',
                    $2 ->> '$.preferred_language',
                    $3, $3
             ) on conflict do nothing
           returning
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at",
        )
        .bind(key_of(owner))
        .bind(rows::json(said)?)
        .bind(stamp(now))
        .fetch_optional(&mut *writing)
        .await?;
        writing.commit().await?;
        Ok(row.map(ProfileRow::stored))
    }

    async fn change_profile(
        &self,
        owner: &OwnerId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<Option<StoredProfile>, StoreError> {
        let mut writing = self.write().await?;
        let row: Option<ProfileRow> = sqlx::query_as(
            "update user_profile set
                    age_range = iif(json_type($2, '$.age_range') is null, age_range,
                        $2 ->> '$.age_range'),
                    education_level = iif(json_type($2, '$.education_level') is null, education_level,
                        $2 ->> '$.education_level'),
                    tech_background = iif(json_type($2, '$.tech_background') is null, tech_background,
                        $2 ->> '$.tech_background'),
                    focus_area = iif(json_type($2, '$.focus_area') is null, focus_area,
                        $2 ->> '$.focus_area'),
                    primary_goal = iif(json_type($2, '$.primary_goal') is null, primary_goal,
                        $2 ->> '$.primary_goal'),
                    learning_mode = iif(json_type($2, '$.learning_mode') is null, learning_mode,
                        $2 ->> '$.learning_mode'),
                    learning_speed = iif(json_type($2, '$.learning_speed') is null, learning_speed,
                        $2 ->> '$.learning_speed'),
                    time_per_week = iif(json_type($2, '$.time_per_week') is null, time_per_week,
                        $2 ->> '$.time_per_week'),
                    preferred_language = iif(json_type($2, '$.preferred_language') is null, preferred_language,
                        $2 ->> '$.preferred_language'),
                    updated_at = $3
              where user_id = $1
          returning
                    age_range, education_level, tech_background, focus_area, primary_goal, learning_mode,
                    learning_speed, time_per_week, preferred_language, created_at, updated_at",
        )
        .bind(key_of(owner))
        .bind(rows::json(change)?)
        .bind(stamp(now))
        .fetch_optional(&mut *writing)
        .await?;
        writing.commit().await?;
        Ok(row.map(ProfileRow::stored))
    }
}
