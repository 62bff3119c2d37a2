//! `[refresh]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// How refresh tokens rotate, where a client does not say otherwise.
    pub struct Refresh {
        /// How long a refresh token that was just rotated gets the same successor again: a double click, two tabs, a quick
        /// retry.
        retry_window: Duration = Duration::seconds(30), in Duration::seconds(0)..=Duration::minutes(10);
        /// How long a token whose successor was never used gets a new one, because the answer may have been lost. Unless
        /// set, as long as the token itself is valid; 0 together with `retry_window` 0 is strict single use.
        lost_response_window: Option<Duration> = None;
    }
}
