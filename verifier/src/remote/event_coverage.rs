//! The period that events have covered.

/// By how many seconds the clocks of an issuer's instances may differ: of the one that wrote a list, and of the one
/// that sends events.
const CLOCKS: i64 = 2;

/// The two seconds between which events have reported everything that was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventCoverage {
    pub(super) since: i64,
    pub(super) as_of: i64,
}

impl EventCoverage {
    /// Whether events have reported everything that a list of this second does not contain.
    pub(super) fn follows(self, issued_at: i64) -> bool {
        issued_at >= self.since.saturating_add(CLOCKS)
    }

    /// Extends the coverage to the second of a heartbeat, if that is later.
    pub(super) fn up_to(self, as_of: i64) -> Self {
        Self { as_of: self.as_of.max(as_of), ..self }
    }
}
