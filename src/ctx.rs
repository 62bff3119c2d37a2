//! The context of the rules: configuration, stores, status lists, keys, clock and randomness.

use std::sync::Arc;

use tokenhouse_verifier::Verifier;

use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::broadcast::Broadcast;
use crate::clock::{Clock, Random, Timestamp};
use crate::config::Config;
use crate::keys::Keyring;
use crate::outbound::Outbound;
use crate::passwords::Hasher;
use crate::status_lists::StatusLists;
use crate::store::Store;

/// Everything that a rule needs, independent of the request.
pub struct Ctx {
    pub config: Config,
    pub store: Store,
    pub keys: Keyring,
    pub status_lists: StatusLists,
    pub verifier: Verifier,
    pub passwords: Hasher,
    /// Salt of the pairwise subject identifiers. It never changes.
    pub pairwise_salt: [u8; 32],
    pub outbound: Outbound,
    pub broadcast: Broadcast,
    pub clock: Clock,
    pub random: Random,
}

pub type SharedCtx = Arc<Ctx>;

impl Ctx {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    #[must_use]
    pub fn audit(&self, actor: Actor, event: AuditEvent) -> AuditEntry {
        let at = self.now();
        AuditEntry { id: self.random.uuid_at(at), at, actor, event }
    }
}
