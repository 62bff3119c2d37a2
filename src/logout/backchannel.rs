//! Delivers back-channel logouts (OpenID Connect Back-Channel Logout 1.0): sends queued logouts at once after the end
//! of a session, and again until the client has answered.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::ctx::{Ctx, SharedCtx};
use crate::error::{Error, with_causes};
use crate::model::BackchannelLogout;
use crate::tokens;

/// The number of concurrent deliveries. The timeout of `outbound` bounds each one.
const AT_ONCE: u32 = 32;

/// The delay after the first try; it doubles each time. It is longer than a try takes, so that two instances do not try
/// at once.
const FIRST_WAIT: Duration = Duration::from_secs(10);

const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A logout that was not delivered for so long is removed.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Sends every logout that is due.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; what was not sent stays queued.
pub async fn send_due(ctx: &SharedCtx) -> Result<(), Error> {
    loop {
        let due = ctx.store.database.due_backchannel_logouts(ctx.now(), AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut under_way = JoinSet::new();
        for logout in due {
            if claim(ctx, &logout).await? {
                under_way.spawn(deliver(ctx.clone(), logout));
            }
        }
        under_way.join_all().await;
    }
}

/// Claims a logout for one try. If this instance dies, another try is due after the delay.
async fn claim(ctx: &Ctx, logout: &BackchannelLogout) -> Result<bool, Error> {
    let now = ctx.now();
    if now.since(logout.created_at) >= GIVE_UP_AFTER {
        give_up(ctx, logout).await?;
        return Ok(false);
    }
    Ok(ctx.store.database.claim_backchannel_logout(logout, now.plus(wait_after(logout.tries))).await?)
}

async fn give_up(ctx: &Ctx, logout: &BackchannelLogout) -> Result<(), Error> {
    tracing::warn!(
        client.id = %logout.client,
        session.id = %logout.session,
        tries = logout.tries,
        "an application was not told that a session is over: it did not answer for a day"
    );
    Ok(ctx.store.database.remove_backchannel_logout(logout.session).await?)
}

/// Returns the delay after `tries` earlier tries and the current one.
fn wait_after(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST_WAIT)
}

async fn deliver(ctx: SharedCtx, logout: BackchannelLogout) {
    let outcome = match post(&ctx, &logout).await {
        Ok(()) => {
            ctx.store.database.remove_backchannel_logout(logout.session).await.map_err(|error| with_causes(&error))
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = outcome {
        tracing::info!(
            client.id = %logout.client,
            session.id = %logout.session,
            tries = logout.tries + 1,
            problem,
            "an application could not be told that a session is over; it will be tried again"
        );
    }
}

/// Sends the logout token. A client that was removed or has no `backchannel_logout_uri` any more counts as delivered.
async fn post(ctx: &Ctx, logout: &BackchannelLogout) -> Result<(), String> {
    let said = |error: Error| with_causes(&error);
    let client = ctx.store.client(&logout.client).await.map_err(|error| with_causes(&error))?;
    let Some((client, uri)) =
        client.as_ref().and_then(|client| Some((client, client.metadata.backchannel_logout_uri.as_ref()?)))
    else {
        return Ok(());
    };
    let token = tokens::logout_token(ctx, client, logout).map_err(said)?;
    match ctx.outbound.post_form(uri, &[("logout_token", &token)]).await? {
        200..=299 => Ok(()),
        status => Err(format!("it answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_up_to_an_hour() {
        let waits: Vec<u64> = [0, 1, 2, 8, 9, 31, u32::MAX].map(|tries| wait_after(tries).as_secs()).into();
        assert_eq!(waits, [10, 20, 40, 2560, 3600, 3600, 3600]);
    }
}
