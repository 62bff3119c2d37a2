//! Sets the bits of revoked tokens in this instance's status lists.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{Client, ClientId, ClientStatusIndex, Session};
use crate::store::StoreError;
use crate::store::sql::clients::ClientTokens;

/// The clients of sessions that end together, each loaded once. They determine how long the access tokens live.
#[derive(Default)]
pub struct BatchClients(HashMap<ClientId, Option<Arc<Client>>>);

impl BatchClients {
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

    #[must_use]
    pub fn get(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.0.get(id)?.as_ref()
    }
}

/// Sets the bits of status indexes whose tokens were revoked at the given times, unless all these tokens have expired.
pub async fn revoke(ctx: &Ctx, indexes: &[(ClientStatusIndex, Timestamp)]) {
    let now = ctx.now();
    let mut clients = BatchClients::default();
    for (index, at) in indexes {
        // The client does not matter for older entries: their tokens have expired.
        if *at >= ctx.status_lists.forgettable_before(now) {
            clients.load(ctx, &index.client_id).await;
        }
    }
    revoke_of(ctx, indexes, &clients);
}

/// Does the same with clients that are already loaded.
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

/// Sets the bits of the revoked status indexes of clients that the database lists.
pub async fn revoke_known(ctx: &Ctx) -> Result<(), StoreError> {
    let retired = ctx.store.database.revoked_indexes(ctx.status_lists.forgettable_before(ctx.now())).await?;
    let indexes: Vec<_> = retired.into_iter().map(|retired| (retired.index, retired.at)).collect();
    revoke(ctx, &indexes).await;
    Ok(())
}

/// Decides whether a `not_before` at `mark` revokes the tokens that the client, or every client, holds without a
/// session. One status index covers all of these tokens of a client. It stays where every token from before `mark` has
/// expired.
pub async fn client_tokens_before(ctx: &Ctx, mark: Timestamp, client: Option<&ClientId>) -> ClientTokens {
    let now = ctx.now();
    let longest = match client {
        Some(id) => lifetime(ctx.store.client(id).await.ok().flatten().as_ref(), mark, now),
        None => Some(MAX_ACCESS_LIFETIME),
    };
    if now < ctx.status_lists.needed_until(mark, longest) { ClientTokens::Revoked } else { ClientTokens::Stay }
}

/// Returns when the last access token of a session that ended at `at` expires.
#[must_use]
pub fn tokens_expire_by(ctx: &Ctx, session: &Session, clients: &BatchClients, at: Timestamp) -> Timestamp {
    let own = lifetime(clients.get(&session.client_id), at, ctx.now());
    at.plus(ctx.status_lists.longest_lifetime(own)).min(session.ends_at)
}

/// Returns the longest lifetime of a token from before `at`. It is the maximum of all clients where the client is
/// unknown or was created later under the same identifier.
fn lifetime(client: Option<&Arc<Client>>, at: Timestamp, now: Timestamp) -> Option<Duration> {
    match client {
        Some(client) if client.created_at <= at => client.longest_access_lifetime(now),
        Some(_) | None => Some(MAX_ACCESS_LIFETIME),
    }
}
