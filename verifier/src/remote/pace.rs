//! The waits between requests: randomised so that verifiers do not act at the same moment, and longer after errors.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest wait after errors, so that an issuer that is back is noticed soon.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns the wait before the next try after this many errors in a row: the usual one after none and one, then twice
/// as long with each, within bounds.
pub(super) fn after_errors(usual: Duration, errors: u32) -> Duration {
    let doubled = usual.saturating_mul(2_u32.saturating_pow(errors.saturating_sub(1)));
    with_jitter(doubled.min(LONGEST.max(usual)))
}

/// Shortens `wait` at random, by a fifth at most.
pub(super) fn with_jitter(wait: Duration) -> Duration {
    // The standard library's hasher has a random key, which is random enough to spread requests.
    let percent = RandomState::new().hash_one(()) % 21;
    wait.saturating_sub(wait / 100 * u32::try_from(percent).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_grows_with_the_errors_and_ends_at_ten_seconds() {
        let usual = Duration::from_secs(2);
        for (errors, at_most) in [(0, 2), (1, 2), (2, 4), (3, 8), (4, 10), (40, 10)] {
            let at_most = Duration::from_secs(at_most);
            let wait = after_errors(usual, errors);
            assert!(wait <= at_most && wait >= at_most.mul_f64(0.79), "{errors}: {wait:?}");
        }
        assert!(after_errors(Duration::from_secs(30), 5) > Duration::from_secs(23));
    }
}
