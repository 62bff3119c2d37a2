//! What a rule holds in its hands: configuration, stores, status lists, keys, clock and randomness.

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

/// Everything a rule needs, and nothing of the request.
pub struct Ctx {
    /// The settings.
    pub config: Config,
    /// The database, the ephemeral store and the caches before them.
    pub store: Store,
    /// The keyring.
    pub keys: Keyring,
    /// Which access tokens were revoked.
    pub status_lists: StatusLists,
    /// Checks access tokens of this server.
    pub verifier: Verifier,
    /// The threads that hash passwords.
    pub passwords: Hasher,
    /// What pairwise names of people are made with; it never changes.
    pub pairwise_salt: [u8; 32],
    /// Calls others.
    pub outbound: Outbound,
    /// Those who listen to security events.
    pub broadcast: Broadcast,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// How a context is passed about.
pub type SharedCtx = Arc<Ctx>;

impl Ctx {
    /// Now, by this instance's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An audit entry of this moment.
    #[must_use]
    pub fn audit(&self, actor: Actor, event: AuditEvent) -> AuditEntry {
        let at = self.now();
        AuditEntry { id: self.random.uuid_at(at), at, actor, event }
    }
}
