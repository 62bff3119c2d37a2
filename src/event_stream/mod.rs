//! Tells services that verify tokens at once what was revoked: each change that concerns them as a signed security
//! event token (RFC 8417), under its number in the change feed, which is the same at every instance.
//!
//! `/status/events` sends, in the order of the change feed, which sessions ended, which clients' own tokens were
//! revoked, and that signing keys changed (`docs/event-stream.md`). The feed follower signs each event once and hands
//! it to `broadcast`. Nothing is signed while there is no subscriber.
//!
//! # No gap and no repeat
//!
//! A reader (`subscriber.rs`) subscribes first, then reads the database's feed from the number that it came back with,
//! then goes on with the broadcast and skips what it has already sent. This holds at any instance. What the feed no
//! longer holds, and what would be too much (more than 1,000 changes), is replaced by one event that says *read the
//! lists again* (`resync`).
//!
//! # Bounds
//!
//! - More than 200 events within a second are replaced by one `resync`.
//! - A heartbeat (the `verification` event) about each second gives the time as of which everything was sent. That time
//!   is taken before the feed is read to its end. An instance that does not reach the database goes on sending
//!   heartbeats with the old time, so that a verifier knows how stale it is.
//! - An instance serves 1,000 readers, each of which costs a connection and a queue of 16 frames. A reader that falls
//!   1,024 frames behind, or takes nothing for 10 s, is disconnected.
//! - At each heartbeat the reader's access token is checked again. While the stores do not answer, only its expiry
//!   counts.

mod subscriber;

use std::sync::Arc;

pub use subscriber::{Disconnect, Subscriber};

use crate::broadcast::{FeedProgress, Frame, FrameKind};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::store::Change;
use crate::tokens::{self, SecurityEvent};

/// The most events within a second that are sent one by one. Beyond that, reading the status lists again is less work.
const MOST_A_SECOND: usize = 200;

/// Sends the changes of one page of the feed to every subscriber.
///
/// # Errors
/// [`Error`] when an event cannot be signed. All subscribers are then disconnected, so that none misses it.
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
        // Lets subscribers on the same thread read, so that they do not fall behind.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Tells subscribers that the feed was pruned before it was read, or belongs to an older copy of the database.
pub fn send_start_over(ctx: &Ctx, number: i64) -> Result<(), Error> {
    // A heartbeat under a previous, greater number would make subscribers skip the next events as already sent.
    ctx.broadcast.forget();
    if ctx.broadcast.has_subscribers() {
        let frame = frame(ctx, number, FrameKind::StartOver, &SecurityEvent::Resync);
        ctx.broadcast.send(frame.inspect_err(|_| ctx.broadcast.disconnect_all())?);
    }
    Ok(())
}

/// Sends a heartbeat: how far the feed was broadcast, and as of when. The time does not advance while the database does
/// not answer. Where events were left out, a `resync` precedes it.
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

/// Returns the event that a change is to a verifier, if it concerns verifiers.
fn event_of(change: &Change) -> Option<SecurityEvent> {
    match change {
        Change::SessionEnded(session) => Some(SecurityEvent::SessionEnded(session.clone())),
        Change::IndexRevoked(retired) => Some(SecurityEvent::ClientRevoked(retired.clone())),
        Change::Keys => Some(SecurityEvent::KeysChanged),
        Change::Unknown => Some(SecurityEvent::Resync),
        Change::User(_) | Change::Client(_) | Change::BrowserSession(_) | Change::GlobalNotBefore(_) => None,
    }
}

/// Writes one server-sent event (WHATWG HTML section 9.2). A reader sends its `id` when it reconnects.
fn frame(ctx: &Ctx, number: i64, kind: FrameKind, event: &SecurityEvent) -> Result<Frame, Error> {
    let token = tokens::security_event(ctx, number, event)?;
    Ok(Frame { number, kind, text: Arc::from(format!("id: {number}\ndata: {token}\n\n").into_bytes()) })
}
