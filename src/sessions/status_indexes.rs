//! The status indexes of tokens that were revoked: their bits are set in this instance's status lists.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{Client, ClientId, ClientStatusIndex, Session};
use crate::store::StoreError;
use crate::store::sql::clients::ClientTokens;

/// The clients of what ends together, each loaded once: how long their tokens live is theirs to say.
#[derive(Default)]
pub struct BatchClients(HashMap<ClientId, Option<Arc<Client>>>);

impl BatchClients {
    /// Loads the client of each of these sessions.
    pub async fn of(ctx: &Ctx, sessions: &[Session]) -> Self {
        let mut clients = Self::default();
        for session in sessions {
            clients.load(ctx, &session.client_id).await;
        }
        clients
    }

    async fn load(&mut self, ctx: &Ctx, id: &ClientId) {
        if !self.0.contains_key(id) {
            self.0.insert(id.clone(), ctx.store.client(id).await.ok().flatten());
        }
    }

    /// The client, if there is one and it could be looked up.
    #[must_use]
    pub fn get(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.0.get(id)?.as_ref()
    }
}

/// Sets the bits of status indexes whose tokens were revoked, each at its moment, as long as one of them can be alive.
pub async fn revoke(ctx: &Ctx, indexes: &[(ClientStatusIndex, Timestamp)]) {
    let now = ctx.now();
    let mut clients = BatchClients::default();
    for (index, at) in indexes {
        // Before this, nobody need be asked for the client.
        if *at >= ctx.status_lists.forgettable_before(now) {
            clients.load(ctx, &index.client_id).await;
        }
    }
    revoke_of(ctx, indexes, &clients);
}

/// The same, where the clients have been loaded.
pub fn revoke_of(ctx: &Ctx, indexes: &[(ClientStatusIndex, Timestamp)], clients: &BatchClients) {
    let now = ctx.now();
    for (index, at) in indexes {
        if *at < ctx.status_lists.forgettable_before(now) {
            continue;
        }
        let client = clients.get(&index.client_id);
        let until = ctx.status_lists.needed_until(*at, lifetime(client, *at, now));
        if now < until {
            ctx.status_lists.revoke(index.status_index, until);
        }
    }
}

/// Sets the bits of status indexes that clients have had, as the database knows them.
///
/// # Errors
/// [`StoreError`] when the database does not answer.
pub async fn revoke_known(ctx: &Ctx) -> Result<(), StoreError> {
    let retired = ctx.store.database.revoked_indexes(ctx.status_lists.forgettable_before(ctx.now())).await?;
    let indexes: Vec<_> = retired.into_iter().map(|retired| (retired.index, retired.at)).collect();
    revoke(ctx, &indexes).await;
    Ok(())
}

/// What becomes of the tokens that the client, or every client, holds without a session, when those of before `mark`
/// are revoked: all or none. There is one status index for all of them, and where each of before `mark` has expired, it
/// stays.
pub async fn client_tokens_before(ctx: &Ctx, mark: Timestamp, client: Option<&ClientId>) -> ClientTokens {
    let now = ctx.now();
    let longest = match client {
        Some(id) => lifetime(ctx.store.client(id).await.ok().flatten().as_ref(), mark, now),
        None => Some(MAX_ACCESS_LIFETIME),
    };
    if now < ctx.status_lists.needed_until(mark, longest) { ClientTokens::Revoked } else { ClientTokens::Stay }
}

/// When the last access token of a session that has ended at `at` expires.
#[must_use]
pub fn tokens_expire_by(ctx: &Ctx, session: &Session, clients: &BatchClients, at: Timestamp) -> Timestamp {
    let own = lifetime(clients.get(&session.client_id), at, ctx.now());
    at.plus(ctx.status_lists.longest_lifetime(own)).min(session.ends_at)
}

/// How long a token of before `at` may live, by its client's own settings; as long as any may where they are not known,
/// or are those of a later client of the same identifier.
fn lifetime(client: Option<&Arc<Client>>, at: Timestamp, now: Timestamp) -> Option<Duration> {
    match client {
        Some(client) if client.created_at <= at => client.longest_access_lifetime(now),
        Some(_) | None => Some(MAX_ACCESS_LIFETIME),
    }
}
