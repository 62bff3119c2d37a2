//! How far events lead.

/// By how many seconds the clocks of an issuer's instances may differ: the one that wrote a list, and the one that
/// tells events.
const CLOCKS: i64 = 2;

/// Events have told everything that was committed between these two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventCoverage {
    pub(super) since: i64,
    pub(super) as_of: i64,
}

impl EventCoverage {
    /// Whether everything was told that a list of this second does not know.
    pub(super) fn follows(self, issued_at: i64) -> bool {
        issued_at >= self.since.saturating_add(CLOCKS)
    }

    /// With the heartbeat of another second. The greatest counts.
    pub(super) fn up_to(self, as_of: i64) -> Self {
        Self { as_of: self.as_of.max(as_of), ..self }
    }
}
