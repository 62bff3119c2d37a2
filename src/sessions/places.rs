//! The places of tokens that were revoked: their bits are set in this instance's status lists.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{ClientId, HeldPlace};

/// Sets the bits of places whose tokens were revoked, each at its moment, as long as one of them can be alive.
pub async fn revoke(ctx: &Ctx, places: &[(HeldPlace, Timestamp)]) {
    let now = ctx.now();
    let mut lifetimes = HashMap::new();
    for (place, at) in places {
        // Past this, nobody need be asked for the client.
        if now >= ctx.status.needed_until(*at, Some(MAX_ACCESS_LIFETIME)) {
            continue;
        }
        if !lifetimes.contains_key(&place.client_id) {
            lifetimes.insert(&place.client_id, lifetime(ctx, &place.client_id, now).await);
        }
        let until = ctx.status.needed_until(*at, lifetimes.get(&place.client_id).copied().flatten());
        if now < until {
            ctx.status.revoke(place.status_index, until);
        }
    }
}

/// How long a token that the client holds may live, by its own settings; where they are not known, as long as any may.
async fn lifetime(ctx: &Ctx, client: &ClientId, now: Timestamp) -> Option<Duration> {
    match ctx.store.client(client).await {
        Ok(Some(client)) => client.longest_access_lifetime(now),
        Ok(None) | Err(_) => Some(MAX_ACCESS_LIFETIME),
    }
}
