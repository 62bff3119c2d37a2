//! The circuit breaker: while the server does not answer, calls are refused at once, except for a periodic trial.

use std::time::Duration;

use crate::clock::Stopwatch;

/// The number of failures in a row after which calls are refused at once.
const FAILURES: u32 = 5;

/// The interval at which one call is let through as a trial while calls are refused.
const TRIAL_EVERY: Duration = Duration::from_millis(200);

/// Counts failures in a row. Any answer, even an error, ends the row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// The time since the first failure of the row.
    silence: Option<Stopwatch>,
    /// The time since the last trial; set while calls are refused.
    trial: Option<Stopwatch>,
}

impl Breaker {
    /// Returns whether a call may be sent. While calls are refused, this is `true` once in every [`TRIAL_EVERY`].
    pub(super) fn admits(&mut self) -> bool {
        let Some(trial) = self.trial else { return true };
        if trial.elapsed() < TRIAL_EVERY {
            return false;
        }
        self.trial = Some(Stopwatch::start());
        true
    }

    pub(super) fn answered(&mut self) -> bool {
        std::mem::take(self).trial.is_some()
    }

    /// Records that the server did not answer. Returns whether this failure is the one that starts refusing calls.
    pub(super) fn failed(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.silence.get_or_insert_with(Stopwatch::start);
        if self.failures < FAILURES {
            return false;
        }
        self.trial.replace(Stopwatch::start()).is_none()
    }

    pub(super) fn silence(&self) -> Duration {
        self.silence.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_failure_in_a_row_refuses_calls_and_an_answer_admits_them_again() {
        let mut breaker = Breaker::default();

        assert_eq!([(); 5].map(|()| breaker.failed()), [false, false, false, false, true]);
        assert!(!breaker.admits());
        assert!(!breaker.failed(), "it is open already");

        assert!(breaker.answered());
        assert!(breaker.admits());
        assert_eq!(breaker.silence(), Duration::ZERO);
    }

    #[test]
    fn an_answer_in_between_ends_the_row() {
        let mut breaker = Breaker::default();

        for _ in 0..3 {
            for _ in 0..4 {
                breaker.failed();
            }
            assert!(!breaker.answered());
        }

        assert!(breaker.admits());
    }
}
