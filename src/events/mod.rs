//! Telling services that verify tokens by themselves what has happened, at once: each change that concerns them as a
//! security event token, under its number in the change feed, which is the same at every instance.
//!
//! What this instance reads of the feed it tells through the hub, and it signs only while somebody listens. Whoever
//! comes later, or comes back, first reads from the database what was before: `listen.rs`.

mod listen;

use std::sync::Arc;

pub use listen::{Ending, Listener};

use crate::ctx::Ctx;
use crate::hub::{Line, LineKind, Told};
use crate::protocol::OAuthError;
use crate::store::sql::feed::Change;
use crate::tokens::{self, SecurityEvent};

/// More events than this within a second are not told one by one: to read the status lists again is less work.
const MOST_A_SECOND: usize = 200;

/// Tells whoever listens of the changes of a page of the feed.
///
/// # Errors
/// [`OAuthError`] when something cannot be signed. Whoever listens is then sent away, so that nobody misses it.
pub async fn tell(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), OAuthError> {
    let told = if ctx.hub.has_listeners() { tell_each(ctx, changes).await } else { Ok(()) };
    told.inspect_err(|_| ctx.hub.send_away())
}

async fn tell_each(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), OAuthError> {
    let concern = || changes.iter().filter_map(|(number, change)| Some((*number, event_of(change)?)));
    let Some((last, _)) = concern().next_back() else { return Ok(()) };
    if !ctx.hub.take_room(concern().count(), MOST_A_SECOND) {
        ctx.hub.owe(last);
        return Ok(());
    }
    for (number, event) in concern() {
        ctx.hub.tell(line(ctx, number, LineKind::Event, &event)?);
        // Listeners on the same thread read on, and do not fall behind.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Tells whoever listens that the feed was pruned before it was read, or belongs to an older copy of the database.
///
/// # Errors
/// As [`tell`].
pub fn tell_to_start_over(ctx: &Ctx, number: i64) -> Result<(), OAuthError> {
    // A sign of life under a former, greater number would make listeners take the next events for ones they had.
    ctx.hub.forget();
    if ctx.hub.has_listeners() {
        let line = line(ctx, number, LineKind::StartOver, &SecurityEvent::Resync);
        ctx.hub.tell(line.inspect_err(|_| ctx.hub.send_away())?);
    }
    Ok(())
}

/// Tells whoever listens how far the feed was told, and as of when. While the database does not answer, that stands
/// still. Where more has happened than was told one by one, it comes first that all is to be read again.
///
/// # Errors
/// [`OAuthError`] when it cannot be signed.
pub fn give_sign_of_life(ctx: &Ctx) -> Result<(), OAuthError> {
    match ctx.hub.told() {
        Some(told) if ctx.hub.has_listeners() => {
            if let Some(number) = ctx.hub.owed() {
                ctx.hub.tell(line(ctx, number, LineKind::Event, &SecurityEvent::Resync)?);
                ctx.hub.settle(number);
            }
            ctx.hub.tell(sign_of_life(ctx, told)?);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn sign_of_life(ctx: &Ctx, told: Told) -> Result<Line, OAuthError> {
    line(ctx, told.number, LineKind::SignOfLife, &SecurityEvent::SignOfLife(told.as_of))
}

/// What a change is to somebody who verifies tokens.
fn event_of(change: &Change) -> Option<SecurityEvent> {
    match change {
        Change::SessionEnded(session) => Some(SecurityEvent::SessionEnded(session.clone())),
        Change::IndexRevoked(retired) => Some(SecurityEvent::ClientRevoked(retired.clone())),
        Change::Keys => Some(SecurityEvent::KeysChanged),
        Change::Unknown => Some(SecurityEvent::Resync),
        Change::User(_) | Change::Client(_) | Change::BrowserSession(_) | Change::Watermark => None,
    }
}

/// One server-sent event (WHATWG HTML section 9.2). Its `id` is what a reader comes back with.
fn line(ctx: &Ctx, number: i64, kind: LineKind, event: &SecurityEvent) -> Result<Line, OAuthError> {
    let token = tokens::security_event(ctx, number, event)?;
    Ok(Line { number, kind, text: Arc::from(format!("id: {number}\ndata: {token}\n\n").into_bytes()) })
}
