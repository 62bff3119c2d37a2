//! The applications that have access to an account.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, PageRequest, Session, SessionFilter, UserId};
use crate::protocol::Scope;

/// The maximum number of a user's live sessions that are read.
const LOOKED_AT: u32 = PageRequest::MAX;

#[derive(Debug, Clone)]
pub struct ConnectedApplication {
    pub client: Arc<Client>,
    /// The scope that the user has agreed to, together with that of its tokens.
    pub scope: Scope,
    pub since: Timestamp,
    /// When it last used its access; `None` if it holds no tokens.
    pub last_used: Option<Timestamp>,
}

/// Lists the applications that hold tokens of the user or that the user has agreed to.
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
        // A removed client has no access.
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
