//! `[tokens]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// Lifetimes of tokens.
    pub struct Tokens {
        /// How long an access token is valid.
        access_lifetime: Duration = Duration::minutes(5), in Duration::seconds(1)..=Duration::hours(24);
        /// How long a refresh token is valid; each rotation begins it anew.
        refresh_lifetime: Duration = Duration::hours(24), in Duration::seconds(1)..=Duration::days(3650);
        /// The longest that a client's own refresh lifetime may be. The database keeps the end of a session for ever; the
        /// ephemeral store and the instances keep it this long.
        refresh_lifetime_limit: Duration = Duration::days(7), in Duration::seconds(1)..=Duration::days(3650);
        /// How long an ID token is valid: long enough to be checked once by the application that got it.
        id_token_lifetime: Duration = Duration::minutes(10), in Duration::seconds(1)..=Duration::hours(24);
    }
}
