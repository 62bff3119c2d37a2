//! `[browser_sessions]`

use crate::config::declare::settings;
use crate::config::duration::Duration;

settings! {
    /// A browser session is the sign-in of one user in one browser.
    pub struct BrowserSessions {
        /// How long a browser can go unused before the user has to sign in again.
        idle_lifetime: Duration = Duration::hours(24), in Duration::seconds(1)..=Duration::days(3650);
        /// How long a browser session can last, however often it is used. The sessions that began under it end with it,
        /// unless they were granted `offline_access`.
        absolute_lifetime: Duration = Duration::days(30), in Duration::seconds(1)..=Duration::days(3650);
    }
}
