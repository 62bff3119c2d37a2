//! `[shutdown]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// How the service stops.
    pub struct Shutdown {
        /// How long the service answers on while its health check already says that it will stop.
        announce: Duration = Duration::seconds(1), in Duration::seconds(0)..=Duration::minutes(10);
        /// How long requests that are under way may take to end.
        drain: Duration = Duration::seconds(20), in Duration::seconds(0)..=Duration::minutes(10);
    }
}
