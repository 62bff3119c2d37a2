//! `tokenhouse migrate`: applies the missing migrations.

use serde_json::json;

use super::answer::{Answer, problem};
use crate::app;
use crate::config::Config;

/// Applies the missing migrations. A schema that is newer than this program is an error.
pub async fn run(config: Config) -> Result<Answer, String> {
    let database = app::connect_database(&config).await.map_err(problem)?;
    let migrated = database.migrate().await.map_err(problem)?;
    let words = if migrated.applied.is_empty() {
        format!("The schema is up to date (version {}).", migrated.version)
    } else {
        format!("Applied {}; the schema is at version {}.", migrated.applied.join(", "), migrated.version)
    };
    Ok(Answer::new(words, &json!({ "applied": migrated.applied, "version": migrated.version })))
}
