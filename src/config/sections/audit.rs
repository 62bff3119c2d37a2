//! `[audit]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// Audit events.
    pub struct Audit {
        /// How long audit events are kept.
        keep: Duration = Duration::days(365), in Duration::days(1)..=Duration::days(36500);
    }
}
