//! Security event tokens, with which an issuer reports events (RFC 8417).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{KeySet, Refusal, StatusListEntry};

/// The longest security event token that is read, in bytes. Tokenhouse writes about 900.
pub(crate) const MAX_EVENT_LENGTH: usize = 16 * 1024;
/// By how many seconds the clocks of issuer and verifier may differ.
const LEEWAY: i64 = 60;

/// `CAEP` 1.0 section 3.1.
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/// `OpenID` Shared Signals Framework 1.0 section 8.1.4.1.
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const KEYS_CHANGED: &str = "urn:tokenhouse:event:keys-changed";
const RESYNC: &str = "urn:tokenhouse:event:resync";

/// A security event token whose signature has been checked (RFC 8417 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityEventToken {
    /// The time at which the token was issued (`iat`), in seconds since 1970-01-01 UTC.
    pub issued_at: i64,
    /// The events of the token. Those of an unknown type are left out, so there may be none.
    pub events: Vec<SecurityEvent>,
}

/// An event that a service that verifies tokens has to know; `docs/event-stream.md` of Tokenhouse describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityEvent {
    /// A session ended: refuse its access tokens, which name this status index in a status list. Without a status
    /// index: read the status lists again.
    SessionRevoked(Option<StatusListEntry>),
    /// The published keys have changed: read the JWKS again.
    KeysChanged,
    /// More happened than is reported one by one: read the status lists and the JWKS again.
    Resync,
    /// A heartbeat, which says up to when the events are complete.
    Heartbeat {
        /// The second, since 1970-01-01 UTC, before which everything that was committed has been reported.
        as_of: i64,
    },
}

impl SecurityEventToken {
    /// Reads a token that `issuer` has signed. `now` is the time in seconds since 1970-01-01 UTC; the clocks of the two
    /// sides may differ by a minute.
    ///
    /// # Errors
    /// The first [`SecurityEventError`] that applies.
    pub fn from_token(token: &str, issuer: &str, keys: &KeySet, now: i64) -> Result<Self, SecurityEventError> {
        if token.len() > MAX_EVENT_LENGTH {
            return Err(SecurityEventError::TooLong);
        }
        let payload = keys.signed_payload(token, "secevent+jwt").map_err(|refusal| match refusal {
            Refusal::NotAnAccessToken => SecurityEventError::NotASecurityEvent,
            other => SecurityEventError::Unsigned(other),
        })?;
        let Claims { iss, iat, events } =
            serde_json::from_slice(&payload).map_err(|_| SecurityEventError::Malformed)?;
        if iss != issuer {
            return Err(SecurityEventError::WrongIssuer { found: iss });
        }
        let events: Vec<SecurityEvent> =
            events.iter().filter_map(|(kind, details)| event(kind, details).transpose()).collect::<Result<_, _>>()?;
        let as_of =
            events.iter().map(|event| if let SecurityEvent::Heartbeat { as_of } = event { *as_of } else { iat });
        let latest = as_of.max().map_or(iat, |as_of| as_of.max(iat));
        if latest > now.saturating_add(LEEWAY) {
            return Err(SecurityEventError::InTheFuture { seconds: latest.saturating_sub(now) });
        }
        Ok(Self { issued_at: iat, events })
    }
}

/// Returns the event of this kind; `None` when the kind is not known.
fn event(kind: &str, details: &Value) -> Result<Option<SecurityEvent>, SecurityEventError> {
    Ok(Some(match kind {
        SESSION_REVOKED => SecurityEvent::SessionRevoked(read::<Revoked>(details)?.status_list),
        VERIFICATION => match read::<Verification>(details)?.as_of {
            Some(as_of) => SecurityEvent::Heartbeat { as_of },
            None => return Ok(None),
        },
        KEYS_CHANGED => SecurityEvent::KeysChanged,
        RESYNC => SecurityEvent::Resync,
        _ => return Ok(None),
    }))
}

fn read<'de, T: Deserialize<'de>>(details: &'de Value) -> Result<T, SecurityEventError> {
    T::deserialize(details).map_err(|_| SecurityEventError::Malformed)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    iat: i64,
    events: Map<String, Value>,
}

/// The details of a revoked session. The status index is an addition of Tokenhouse to CAEP.
#[derive(Deserialize)]
struct Revoked {
    status_list: Option<StatusListEntry>,
}

#[derive(Deserialize)]
struct Verification {
    as_of: Option<i64>,
}

/// Why a security event token was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityEventError {
    /// The token is longer than 16 KiB.
    #[error("the event is too long")]
    TooLong,
    /// The token's `typ` is not `secevent+jwt`.
    #[error("this is not a security event: its `typ` is not `secevent+jwt`")]
    NotASecurityEvent,
    /// The token is not signed by one of the issuer's keys.
    #[error("the event is not signed by the issuer: {0}")]
    Unsigned(#[source] Refusal),
    /// A claim is missing or has the wrong type.
    #[error("the event is malformed")]
    Malformed,
    /// The token comes from another issuer.
    #[error("the event was issued by {found:?}, not by the expected issuer")]
    WrongIssuer {
        /// The token's `iss`.
        found: String,
    },
    /// The event lies in the future: one of the two clocks is wrong.
    #[error("the event lies {seconds} s in the future; one of the clocks is wrong")]
    InTheFuture {
        /// How far ahead, in seconds, without the leeway.
        seconds: i64,
    },
}
