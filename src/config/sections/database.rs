//! `[database]`

use url::Url;

use crate::config::declare::{require, settings};
use crate::config::duration::Duration;
use crate::model::Secret;

settings! {
    /// The database holds users, clients, keys and sessions.
    pub struct Database {
        /// Where the database is: `sqlite://` and a path, or `postgres://` and the address of the server.
        url: Secret = Secret::new("sqlite://data/tokenhouse.db"), env "DATABASE_URL", check url_of_database;
        /// The most connections to the database.
        max_connections: u32 = 10, in 1..=1000;
        /// How long a request waits for a free connection before it is answered 503.
        acquire_timeout: Duration = Duration::millis(500), in Duration::millis(1)..=Duration::minutes(1);
        /// How long one statement may take.
        statement_timeout: Duration = Duration::seconds(2), in Duration::millis(1)..=Duration::minutes(10);
        /// Whether `serve` brings the schema up to date by itself; otherwise run `tokenhouse migrate`.
        migrate_at_start: bool = true;
    }
}

/// The URL is not repeated in the problem: it holds a password.
fn url_of_database(url: &Secret) -> Result<(), String> {
    let url = url.expose();
    let is_postgres = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    let is_known = is_postgres || url.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
    require(is_known, "must begin with postgres:// or sqlite://, as in `sqlite://data/dev.db`")
}
