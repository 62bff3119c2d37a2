//! The protocol under test: the real rule and the real order of steps, or one with a planted slip.

use tokenhouse::clock::Timestamp;
use tokenhouse::model::RotationRecord;
use tokenhouse::sessions::Rules;
use tokenhouse::sessions::rotation::{self, Decision, PresentedRefresh};

/// The shape of the decision.
pub type Rule = fn(&RotationRecord, PresentedRefresh, Rules, Timestamp) -> Decision;

#[derive(Clone, Copy)]
pub struct Protocol {
    pub decide: Rule,
    pub slip: Option<Slip>,
}

/// A step that a careless implementation leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A rebuilt record replaces a tombstone.
    RebuildOverTombstone,
    /// An instance does not ask its memory of ended sessions.
    NoMemory,
    /// A lost record is an end.
    NoRebuild,
}

impl Protocol {
    /// What is built.
    pub const REAL: Self = Self { decide: rotation::decide, slip: None };

    pub fn with_rule(decide: Rule) -> Self {
        Self { decide, ..Self::REAL }
    }

    pub fn with_slip(slip: Slip) -> Self {
        Self { slip: Some(slip), ..Self::REAL }
    }

    pub fn slips(&self, slip: Slip) -> bool {
        self.slip == Some(slip)
    }
}
