//! `[limits]`

use crate::config::declare::settings;
use crate::config::duration::Duration;
use crate::config::rate::Rate;

settings! {
    /// Limits on attempts to sign in. Each is a number in a duration (`10/1m`), or `off`.
    pub struct Limits {
        /// Attempts to sign in to one account. One that succeeds starts the count over.
        by_account: Rate = Rate::of(10, Duration::minutes(1)), check up_to_a_day;
        /// Attempts to sign in from one address, whether or not they succeed.
        by_address: Rate = Rate::of(60, Duration::minutes(1)), check up_to_a_day;
        /// Requests of applications from one address that wait for the user to sign in or to agree.
        authorizations_by_address: Rate = Rate::of(600, Duration::minutes(1)), check up_to_a_day;
    }
}

fn up_to_a_day(rate: &Rate) -> Result<(), String> {
    let (least, most) = (Duration::millis(1), Duration::days(1));
    match rate {
        Rate::Limit { window, .. } if !(least..=most).contains(window) => {
            Err(format!("{window} is not between {least} and {most}"))
        }
        Rate::Limit { .. } | Rate::Off => Ok(()),
    }
}
