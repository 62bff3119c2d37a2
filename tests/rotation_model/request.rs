//! One request under way, in the atomic steps of `sessions/refresh.rs` and `sessions/end.rs`. Between two steps
//! anything may happen: another request, a fault, an end, or that the process dies.

use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{RotationRecord, RotationState};
use tokenhouse::sessions::rotation::{self, Decision, PresentedRefresh, Why};

use crate::check::{Event, Party, Refusal};
use crate::protocol::Slip;
use crate::world::{World, minted};

/// An expired token is still taken for so long, for the sake of clocks that differ.
const LEEWAY: Duration = Duration::from_mins(1);

/// From this generation in a row on, repeats are reported.
const REPEATS_REPORTED: u32 = 3;

#[derive(Debug, Clone)]
pub struct Request {
    pub by: Party,
    pub token: PresentedRefresh,
    pub instance: usize,
    pub sent_at: Timestamp,
    /// Whether its answer gets lost.
    pub lost: bool,
    /// Where in the journal it began to be served.
    arrived: usize,
    /// When that was.
    arrived_at: Timestamp,
    /// When it was last decided upon, and by the ephemeral store's time.
    decided_at: Timestamp,
    decided_by_store: Timestamp,
    next: Step,
}

/// What it does next.
#[derive(Debug, Clone)]
enum Step {
    Arrive,
    Load,
    ReadDatabase,
    Insert(Box<RotationRecord>),
    LookAgain,
    Replace(Box<RotationRecord>, Box<RotationRecord>, Why),
    EndForReuse,
    Bury(Refusal),
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Token(PresentedRefresh),
    Refused,
}

impl Request {
    pub fn new(by: Party, token: PresentedRefresh, instance: usize, sent_at: Timestamp) -> Self {
        Self {
            by,
            token,
            instance,
            sent_at,
            lost: false,
            arrived: 0,
            next: Step::Arrive,
            arrived_at: sent_at,
            decided_at: sent_at,
            decided_by_store: sent_at,
        }
    }

    /// Does one step. `None`: it is not answered yet.
    pub fn step(&mut self, world: &mut World) -> Option<Answer> {
        match std::mem::replace(&mut self.next, Step::Load) {
            Step::Arrive => self.arrive(world),
            Step::Load => {
                let known = world.load();
                self.consider(world, known)
            }
            Step::ReadDatabase => self.read_database(world),
            Step::Insert(record) => {
                if world.protocol.slips(Slip::RebuildOverTombstone) {
                    world.forget_tombstone();
                }
                world.insert(self.by, &record);
                self.next = Step::LookAgain;
                None
            }
            Step::LookAgain => {
                self.next = if world.ended_at.is_some() { Step::Bury(Refusal::Over) } else { Step::Load };
                None
            }
            Step::Replace(old, new, why) => self.replace(world, &old, &new, why),
            Step::EndForReuse => {
                world.write_the_end();
                self.next = Step::Bury(Refusal::Reuse);
                None
            }
            Step::Bury(refusal) => {
                world.bury(self.instance);
                world.journal.add(Event::EndAcknowledged { at: world.now() });
                Some(self.refuse(world, refusal))
            }
        }
    }

    fn arrive(&mut self, world: &mut World) -> Option<Answer> {
        self.arrived = world.journal.len();
        self.arrived_at = world.now();
        if world.time_of(self.instance) >= self.token.expires_at.plus(LEEWAY) {
            return Some(self.refuse(world, Refusal::Expired));
        }
        if self.remembers_the_end(world) {
            return Some(self.refuse(world, Refusal::Over));
        }
        if world.rules.fixed {
            self.next = Step::Load;
            return None;
        }
        self.note_the_time(world);
        match world.advance(self.by, self.token.generation) {
            (RotationState::Live(record), true) => {
                world.rotated.insert(self.token.generation, self.decided_at);
                Some(self.answer(world, &record))
            }
            (known, _) => self.consider(world, known),
        }
    }

    fn consider(&mut self, world: &mut World, known: RotationState) -> Option<Answer> {
        let record = match known {
            RotationState::Ended => return Some(self.refuse(world, Refusal::Over)),
            RotationState::Absent if world.protocol.slips(Slip::NoRebuild) => {
                return Some(self.refuse(world, Refusal::Over));
            }
            RotationState::Absent => {
                self.next = Step::ReadDatabase;
                return None;
            }
            RotationState::Live(record) => record,
        };
        self.note_the_time(world);
        match (world.protocol.decide)(&record, self.token, world.rules, world.store_time()) {
            Decision::Keep => Some(self.answer(world, &record)),
            Decision::Over => Some(self.refuse(world, Refusal::Over)),
            Decision::Reuse => {
                self.next = Step::EndForReuse;
                None
            }
            Decision::Step(new, why) => {
                self.next = Step::Replace(record, new, why);
                None
            }
        }
    }

    fn replace(&mut self, world: &mut World, old: &RotationRecord, new: &RotationRecord, why: Why) -> Option<Answer> {
        if !world.replace(self.by, old, new) {
            return None; // and loads again
        }
        if let Why::Repeated { streak } = why
            && streak >= REPEATS_REPORTED
        {
            world.journal.add(Event::Reported);
        }
        if !matches!(why, Why::Repeated { .. }) {
            world.rotated.insert(self.token.generation, self.decided_at);
        }
        Some(self.answer(world, new))
    }

    fn read_database(&mut self, world: &mut World) -> Option<Answer> {
        if world.ended_at.is_some() || world.time_of(self.instance) >= world.ends_at {
            return Some(self.refuse(world, Refusal::Over));
        }
        let first = RotationRecord::begin(world.grant.clone(), self.token.issued_at, world.lifetime, world.ends_at);
        self.next = Step::Insert(Box::new(rotation::brought_to(&first, self.token)));
        None
    }

    fn note_the_time(&mut self, world: &World) {
        self.decided_at = world.now();
        self.decided_by_store = world.store_time();
    }

    fn remembers_the_end(&self, world: &World) -> bool {
        world.instances[self.instance].remembers_the_end && !world.protocol.slips(Slip::NoMemory)
    }

    fn answer(&self, world: &mut World, record: &RotationRecord) -> Answer {
        if self.remembers_the_end(world) {
            return self.refuse(world, Refusal::Over);
        }
        let token = minted(record);
        world.journal.add(Event::Answered {
            at: world.now(),
            arrived: self.arrived,
            arrived_at: self.arrived_at,
            decided_by_store: self.decided_by_store,
            presented: self.token,
            token,
        });
        Answer::Token(token)
    }

    fn refuse(&self, world: &mut World, why: Refusal) -> Answer {
        world.journal.add(Event::Refused { at: world.now(), by: self.by, presented: self.token, why });
        Answer::Refused
    }
}
