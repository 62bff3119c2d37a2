//! Which applications have access to an account.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, PageRequest, Session, SessionFilter, UserId};
use crate::protocol::Scope;

/// How many live sessions of a user are looked at; nobody reads more.
const LOOKED_AT: u32 = PageRequest::MAX;

/// An application with access.
#[derive(Debug, Clone)]
pub struct ConnectedApplication {
    /// Who it is.
    pub client: Arc<Client>,
    /// What it may have: what was agreed to and what its tokens hold.
    pub scope: Scope,
    /// Since when.
    pub since: Timestamp,
    /// When it last used its access, if it holds tokens.
    pub last_used: Option<Timestamp>,
}

/// Every application that holds tokens of the user or that the user has agreed to.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer.
pub async fn connected_applications(ctx: &Ctx, user: UserId) -> Result<Vec<ConnectedApplication>, Error> {
    let mut access: BTreeMap<ClientId, Access> = BTreeMap::new();
    for consent in ctx.store.database.consents_of(user).await? {
        let agreed = Access { scope: consent.scope, since: consent.given_at, last_used: None };
        access.insert(consent.client_id, agreed);
    }
    let live = SessionFilter { user: Some(user), live_only: true, ..SessionFilter::default() };
    let page = PageRequest::new(None, Some(LOOKED_AT));
    for session in ctx.store.database.list_sessions(&live, &page, ctx.now()).await?.items {
        let held = Access::of(&session);
        access.entry(session.client_id).and_modify(|known| known.add(&held)).or_insert(held);
    }
    let mut connected = Vec::new();
    for (id, Access { scope, since, last_used }) in access {
        // One that was removed has nothing any more.
        if let Some(client) = ctx.store.client(&id).await? {
            connected.push(ConnectedApplication { client, scope, since, last_used });
        }
    }
    Ok(connected)
}

struct Access {
    scope: Scope,
    since: Timestamp,
    last_used: Option<Timestamp>,
}

impl Access {
    fn of(session: &Session) -> Self {
        Self { scope: session.scope.clone(), since: session.created_at, last_used: Some(session.last_used_at) }
    }

    fn add(&mut self, other: &Self) {
        self.scope = self.scope.and(&other.scope);
        self.since = self.since.min(other.since);
        self.last_used = self.last_used.max(other.last_used);
    }
}
