//! Telling services that verify tokens by themselves what has happened, at once: each change that concerns them as a
//! security event token, under its number in the change feed, which is the same at every instance.
//!
//! What this instance reads of the feed it tells through the broadcast, and it signs only while somebody listens.
//! Whoever comes later, or comes back, first reads from the database what was before: `listen.rs`.

mod subscriber;

use std::sync::Arc;

pub use subscriber::{Disconnect, Subscriber};

use crate::broadcast::{FeedProgress, Frame, FrameKind};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::sql::feed::Change;
use crate::tokens::{self, SecurityEvent};

/// More events than this within a second are not told one by one: to read the status lists again is less work.
const MOST_A_SECOND: usize = 200;

/// Tells whoever listens of the changes of a page of the feed.
///
/// # Errors
/// [`Error`] when something cannot be signed. Whoever listens is then sent away, so that nobody misses it.
pub async fn tell(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), Error> {
    let told = if ctx.broadcast.has_subscribers() { tell_each(ctx, changes).await } else { Ok(()) };
    told.inspect_err(|_| ctx.broadcast.disconnect_all())
}

async fn tell_each(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), Error> {
    let concern = || changes.iter().filter_map(|(number, change)| Some((*number, event_of(change)?)));
    let Some((last, _)) = concern().next_back() else { return Ok(()) };
    if !ctx.broadcast.reserve(concern().count(), MOST_A_SECOND) {
        ctx.broadcast.set_backlog(last);
        return Ok(());
    }
    for (number, event) in concern() {
        ctx.broadcast.send(frame(ctx, number, FrameKind::Event, &event)?);
        // Listeners on the same thread read on, and do not fall behind.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Tells whoever listens that the feed was pruned before it was read, or belongs to an older copy of the database.
///
/// # Errors
/// As [`tell`].
pub fn send_start_over(ctx: &Ctx, number: i64) -> Result<(), Error> {
    // A heartbeat under a previous, greater number would make listeners take the next events for ones they had.
    ctx.broadcast.forget();
    if ctx.broadcast.has_subscribers() {
        let frame = frame(ctx, number, FrameKind::StartOver, &SecurityEvent::Resync);
        ctx.broadcast.send(frame.inspect_err(|_| ctx.broadcast.disconnect_all())?);
    }
    Ok(())
}

/// Tells whoever listens how far the feed was told, and as of when. While the database does not answer, that stands
/// still. Where more has happened than was told one by one, it comes first that all is to be read again.
///
/// # Errors
/// [`Error`] when it cannot be signed.
pub fn give_heartbeat(ctx: &Ctx) -> Result<(), Error> {
    match ctx.broadcast.progress() {
        Some(told) if ctx.broadcast.has_subscribers() => {
            if let Some(number) = ctx.broadcast.backlog() {
                ctx.broadcast.send(frame(ctx, number, FrameKind::Event, &SecurityEvent::Resync)?);
                ctx.broadcast.clear_backlog(number);
            }
            ctx.broadcast.send(heartbeat(ctx, told)?);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn heartbeat(ctx: &Ctx, told: FeedProgress) -> Result<Frame, Error> {
    frame(ctx, told.number, FrameKind::Heartbeat, &SecurityEvent::Heartbeat(told.as_of))
}

/// What a change is to somebody who verifies tokens.
fn event_of(change: &Change) -> Option<SecurityEvent> {
    match change {
        Change::SessionEnded(session) => Some(SecurityEvent::SessionEnded(session.clone())),
        Change::IndexRevoked(retired) => Some(SecurityEvent::ClientRevoked(retired.clone())),
        Change::Keys => Some(SecurityEvent::KeysChanged),
        Change::Unknown => Some(SecurityEvent::Resync),
        Change::User(_) | Change::Client(_) | Change::BrowserSession(_) | Change::GlobalNotBefore => None,
    }
}

/// One server-sent event (WHATWG HTML section 9.2). Its `id` is what a reader comes back with.
fn frame(ctx: &Ctx, number: i64, kind: FrameKind, event: &SecurityEvent) -> Result<Frame, Error> {
    let token = tokens::security_event(ctx, number, event)?;
    Ok(Frame { number, kind, text: Arc::from(format!("id: {number}\ndata: {token}\n\n").into_bytes()) })
}
