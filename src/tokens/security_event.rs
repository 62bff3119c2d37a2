//! Security event tokens (RFC 8417), which the event stream sends to verifiers. No event identifies a user.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Reference;
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, EndedSession, RevokedIndex};
use crate::protocol::TokenType;

/// CAEP 1.0 section 3.1.
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

/// OpenID Shared Signals Framework 1.0 section 8.1.4.1.
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

const KEYS_CHANGED: &str = "urn:tokenhouse:event:keys-changed";

/// The events so far and the next ones have a gap: the verifier reads all status lists and keys again.
const RESYNC: &str = "urn:tokenhouse:event:resync";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecurityEvent {
    SessionEnded(EndedSession),
    /// The tokens that a client held without a session were revoked.
    ClientRevoked(RevokedIndex),
    KeysChanged,
    /// Events may be missing.
    Resync,
    /// Everything that was committed before this time has been sent.
    Heartbeat(Timestamp),
}

/// The claims in the order in which they are written. There is no `aud`, because any verifier may listen, and no `exp`,
/// because an event stays true (RFC 8417 section 2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    jti: String,
    sub_id: Value,
    events: Map<String, Value>,
}

/// Signs the security event token of event `number` with the algorithm of access tokens.
pub fn security_event(ctx: &Ctx, number: i64, event: &SecurityEvent) -> Result<String, Error> {
    let (name, details) = said(ctx, event);
    let claims = Claims {
        iss: &ctx.config.issuer,
        iat: ctx.now().seconds(),
        jti: jti(ctx, number, event),
        sub_id: subject(ctx, event),
        events: Map::from_iter([(name.to_owned(), details)]),
    };
    ctx.keys.sign(ctx.config.keys.access_token_algorithm, TokenType::SecurityEvent, &claims)
}

fn said(ctx: &Ctx, event: &SecurityEvent) -> (&'static str, Value) {
    match event {
        SecurityEvent::SessionEnded(session) => (SESSION_REVOKED, revoked(ctx, session)),
        SecurityEvent::ClientRevoked(retired) => (SESSION_REVOKED, client_revoked(ctx, retired)),
        SecurityEvent::KeysChanged => (KEYS_CHANGED, json!({})),
        SecurityEvent::Resync => (RESYNC, json!({})),
        SecurityEvent::Heartbeat(as_of) => (VERIFICATION, json!({ "as_of": as_of.seconds() })),
    }
}

/// Names the revoked tokens by `status_list`, as the tokens do. CAEP does not define this member.
fn revoked(ctx: &Ctx, session: &EndedSession) -> Value {
    let EndedSession { ended, index, .. } = session;
    let mut details = json!({
        "event_timestamp": ended.at.seconds(),
        "initiating_entity": initiator(ended.reason),
        "reason_admin": { "en": ended.reason.as_str() },
    });
    if let Some(index) = index {
        details["status_list"] = json!(Reference::to(ctx, index.status_index));
    }
    details
}

/// Names a client's own tokens as those of a session. Only administrators revoke them.
fn client_revoked(ctx: &Ctx, retired: &RevokedIndex) -> Value {
    json!({
        "event_timestamp": retired.at.seconds(),
        "initiating_entity": "admin",
        "status_list": Reference::to(ctx, retired.index.status_index),
    })
}

/// Returns `initiating_entity` (CAEP 1.0 section 2).
const fn initiator(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Admin
        | EndReason::UserDisabled
        | EndReason::UserRemoved
        | EndReason::ClientDisabled
        | EndReason::ClientRemoved
        | EndReason::ScopeWithdrawn
        | EndReason::IssuedBefore => "admin",
        EndReason::Revoked
        | EndReason::SignedOut
        | EndReason::PasswordChanged
        | EndReason::Replaced
        | EndReason::ConsentWithdrawn => "user",
        EndReason::Reuse | EndReason::Repeated | EndReason::CodeReused => "policy",
        EndReason::Unknown => "system",
    }
}

/// Returns `sub_id` (RFC 9493). Events about the whole stream name the issuer.
fn subject(ctx: &Ctx, event: &SecurityEvent) -> Value {
    let id = match event {
        SecurityEvent::SessionEnded(session) => session.id.to_string(),
        SecurityEvent::ClientRevoked(retired) => retired.index.client_id.to_string(),
        SecurityEvent::KeysChanged | SecurityEvent::Resync | SecurityEvent::Heartbeat(_) => ctx.config.issuer.clone(),
    };
    json!({ "format": "opaque", "id": id })
}

/// Derives `jti`. The same event has the same one, whichever instance sends it and however often (RFC 8417 section
/// 2.2).
fn jti(ctx: &Ctx, number: i64, event: &SecurityEvent) -> String {
    let named = match event {
        SecurityEvent::SessionEnded(session) => format!("{number} {}", session.id),
        SecurityEvent::ClientRevoked(retired) => format!("{number} {}", retired.index.status_index),
        SecurityEvent::KeysChanged => format!("{number} keys"),
        SecurityEvent::Resync | SecurityEvent::Heartbeat(_) => return ctx.random.uuid().to_string(),
    };
    uuid::Builder::from_custom_bytes(ctx.keys.derive("security event jti", named.as_bytes())).into_uuid().to_string()
}
