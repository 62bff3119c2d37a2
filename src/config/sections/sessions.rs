//! `[sessions]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// A session is the tokens of one client for one user.
    pub struct Sessions {
        /// How long a session can last, however often it is refreshed.
        absolute_lifetime: Duration = Duration::days(30), in Duration::seconds(1)..=Duration::days(3650);
        /// How often the time of a session's last use is written down.
        last_used_every: Duration = Duration::minutes(1), in Duration::seconds(0)..=Duration::days(1);
        /// How long a session that is over stays in lists.
        keep: Duration = Duration::days(90), in Duration::days(1)..=Duration::days(36500);
    }
}
