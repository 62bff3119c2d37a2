//! The stores of the model: one ephemeral record that can be lost or rolled back, one database row, two instances, one
//! clock.

use std::collections::HashMap;
use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Acr, ClientId, Generation, RotationRecord, RotationState, SessionGrant, UserId};
use tokenhouse::protocol::Scope;
use tokenhouse::sessions::Rules;
use tokenhouse::sessions::rotation::PresentedRefresh;

use crate::check::{Event, Journal, Party};
use crate::protocol::Protocol;

/// How late an instance may learn of an end from the change feed, or of a loss from the ephemeral store.
pub const POLL: Duration = Duration::from_secs(1);

/// How long the ephemeral store keeps a record after its token has expired.
const KEEP: Duration = Duration::from_mins(10);

/// When every history begins.
pub const START: Timestamp = Timestamp::from_millis(1_800_000_000_123);

/// What a history takes for granted.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub rules: Rules,
    /// How long a refresh token lives.
    pub lifetime: Duration,
    /// How long the session may last.
    pub absolute: Duration,
    /// How far the second instance's clock is ahead of the first's.
    pub skew: Duration,
}

/// One process.
#[derive(Debug, Default)]
pub struct Instance {
    /// How far its clock is ahead.
    ahead: Duration,
    /// Whether it remembers the end of the session.
    pub remembers_the_end: bool,
}

/// What a fault does to the ephemeral store.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It comes back empty: records and tombstones are gone.
    Emptied,
    /// It comes back as it stood so many writes ago, on a machine whose clock is behind by so much more.
    RolledBack { writes: usize, slower: Duration },
}

pub struct World {
    pub protocol: Protocol,
    pub rules: Rules,
    pub lifetime: Duration,
    /// The session's row: what it grants, when it is over at the latest, and when it was ended.
    pub grant: SessionGrant,
    pub ends_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub instances: [Instance; 2],
    pub journal: Journal,
    /// When it was decided, last, that a token was exchanged for its successor.
    pub rotated: HashMap<Generation, Timestamp>,
    /// The furthest that the record ever was.
    pub furthest: Generation,
    now: Timestamp,
    ephemeral: RotationState,
    /// How the ephemeral store stood before each write since the last fault, oldest first.
    past: Vec<RotationState>,
    /// How far the ephemeral store's clock is behind.
    slow: Duration,
    /// A fault that the instances have not noticed yet.
    unnoticed: Option<Timestamp>,
}

impl World {
    /// A session that begins now, and its first token.
    pub fn begin(protocol: Protocol, setting: Setting) -> (Self, PresentedRefresh) {
        let ends_at = Timestamp::from_seconds(START.plus(setting.absolute).seconds());
        let grant = grant();
        let first = RotationRecord::begin(grant.clone(), START, setting.lifetime, ends_at);
        let token = minted(&first);
        let world = Self {
            protocol,
            rules: setting.rules,
            lifetime: setting.lifetime,
            grant,
            ends_at,
            ended_at: None,
            instances: [Instance::default(), Instance { ahead: setting.skew, ..Instance::default() }],
            journal: Journal::new(&first),
            rotated: HashMap::new(),
            furthest: first.current,
            now: START,
            ephemeral: RotationState::Live(Box::new(first)),
            past: Vec::new(),
            slow: Duration::ZERO,
            unnoticed: None,
        };
        (world, token)
    }

    /// Time passes; feeds are polled and losses noticed.
    pub fn wait(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.keep_up();
    }

    /// The true time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The ephemeral store's time, by which rotation is decided.
    pub fn store_time(&self) -> Timestamp {
        self.now.minus(self.slow)
    }

    /// An instance's time, by which expiry is judged.
    pub fn time_of(&self, instance: usize) -> Timestamp {
        self.now.plus(self.instances[instance].ahead)
    }

    // The operations of the ephemeral store, each one atomic step.

    pub fn advance(&mut self, by: Party, presented: Generation) -> (RotationState, bool) {
        let now = self.store_time();
        let known = self.load();
        if let RotationState::Live(record) = &known
            && record.current == presented
            && now < record.ends_at
        {
            let next = record.advanced(now);
            self.write(by, next.clone());
            return (RotationState::Live(Box::new(next)), true);
        }
        (known, false)
    }

    pub fn load(&mut self) -> RotationState {
        let now = self.store_time();
        if let RotationState::Live(record) = &self.ephemeral
            && now >= record.expires_at.plus(KEEP)
        {
            self.ephemeral = RotationState::Absent;
        }
        self.ephemeral.clone()
    }

    pub fn insert(&mut self, by: Party, record: &RotationRecord) {
        if self.load() == RotationState::Absent {
            self.write(by, record.clone());
        }
    }

    pub fn replace(&mut self, by: Party, old: &RotationRecord, new: &RotationRecord) -> bool {
        let is_there = matches!(self.load(), RotationState::Live(record) if *record == *old);
        if is_there {
            self.write(by, new.clone());
        }
        is_there
    }

    /// A tombstone, and the memory of the instance that wrote it.
    pub fn bury(&mut self, instance: usize) {
        self.past.push(std::mem::replace(&mut self.ephemeral, RotationState::Ended));
        self.instances[instance].remembers_the_end = true;
    }

    /// The database's row says that the session has ended.
    pub fn write_the_end(&mut self) {
        self.ended_at.get_or_insert(self.now);
    }

    /// What a careless implementation does to a tombstone.
    pub fn forget_tombstone(&mut self) {
        if self.ephemeral == RotationState::Ended {
            self.ephemeral = RotationState::Absent;
        }
    }

    pub fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::Emptied => {
                self.ephemeral = RotationState::Absent;
                self.past.clear();
            }
            Fault::RolledBack { writes, slower } => {
                let kept = self.past.len().saturating_sub(writes);
                let Some(snapshot) = self.past.get(kept).cloned() else { return };
                self.past.truncate(kept);
                self.ephemeral = snapshot;
                self.slow = (self.slow + slower).min(Duration::from_mins(5));
            }
        }
        self.unnoticed.get_or_insert(self.now);
        self.journal.add(Event::Fault);
    }

    fn write(&mut self, by: Party, record: RotationRecord) {
        self.furthest = self.furthest.max(record.current);
        self.journal.add(Event::Wrote { by, record: record.clone() });
        self.past.push(std::mem::replace(&mut self.ephemeral, RotationState::Live(Box::new(record))));
    }

    /// Within a poll, every instance knows the end, and what a fault took is written again.
    fn keep_up(&mut self) {
        if self.unnoticed.is_some_and(|at| self.now.since(at) >= POLL) {
            self.unnoticed = None;
            if self.ended_at.is_some() {
                self.ephemeral = RotationState::Ended;
            }
        }
        if self.ended_at.is_some_and(|at| self.now.since(at) >= POLL) {
            self.instances.iter_mut().for_each(|instance| instance.remembers_the_end = true);
        }
    }
}

/// The current token of a record, as a request presents it.
pub fn minted(record: &RotationRecord) -> PresentedRefresh {
    PresentedRefresh {
        generation: record.current,
        parent_branch: record.ancestors.first().map_or(0, |parent| parent.branch),
        issued_at: Timestamp::from_seconds(record.issued_at.seconds()),
        expires_at: record.expires_at,
    }
}

fn grant() -> SessionGrant {
    SessionGrant {
        client_id: ClientId::simplejwt(),
        user_id: UserId(uuid::Uuid::nil()),
        scope: Scope::empty(),
        audience: Vec::new(),
        status_index: 0,
        began_at: START,
        auth_time: START.seconds(),
        amr: Vec::new(),
        acr: Acr::Password,
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
        confirmation: None,
    }
}
