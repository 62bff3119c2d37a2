//! `[clients]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// Clients and their secrets.
    pub struct Clients {
        /// How long the previous secret of a client stays valid after `client rotate-secret`.
        secret_overlap: Duration = Duration::hours(24), in Duration::seconds(0)..=Duration::days(365);
    }
}
