//! Status lists: signed lists of which tokens of an issuer were revoked (IETF Token Status List).

use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use serde::{Deserialize, Deserializer};

use crate::{KeySet, Refusal};

/// The longest signed list that is read, in bytes. Tokenhouse writes up to 23,000.
pub(crate) const MAX_LIST_LENGTH: usize = 1024 * 1024;
/// How far a list may inflate, in bytes. Tokenhouse's lists have 16,384.
const MAX_INFLATED: u64 = 1024 * 1024;
/// By how many seconds the clocks of issuer and verifier may differ.
const LEEWAY: i64 = 60;

/// A status list whose signature has been checked (IETF Token Status List, draft 20, section 5.1).
///
/// A token's `status` claim names the list and the token's index in it. The status at this index is 0 as long as the
/// token is valid.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    uri: String,
    issued_at: i64,
    ttl: Option<Duration>,
    /// The bits of one status: 1, 2, 4 or 8.
    bits: u8,
    statuses: Box<[u8]>,
}

impl StatusList {
    /// Reads the list that was fetched from `uri`. `now` is the time in seconds since 1970-01-01 UTC; the clocks of the
    /// two sides may differ by a minute.
    ///
    /// Refuses a list that was issued for another address, and one that is longer than 1 MiB before or after it is
    /// inflated.
    ///
    /// # Errors
    /// The first [`StatusListError`] that applies.
    pub fn from_token(token: &str, uri: &str, keys: &KeySet, now: i64) -> Result<Self, StatusListError> {
        if token.len() > MAX_LIST_LENGTH {
            return Err(StatusListError::TooLong);
        }
        let payload = keys.signed_payload(token, "statuslist+jwt").map_err(|refusal| match refusal {
            Refusal::NotAnAccessToken => StatusListError::NotAStatusList,
            other => StatusListError::Unsigned(other),
        })?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| StatusListError::Malformed)?;
        claims.judge(uri, now)?;
        let Claims { sub, iat, ttl, status_list: Content { bits, lst }, .. } = claims;
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(StatusListError::Malformed);
        }
        let ttl = ttl.map(Duration::try_from_secs_f64).transpose().map_err(|_| StatusListError::Malformed)?;
        Ok(Self { uri: sub, issued_at: iat, ttl, bits, statuses: inflate(&lst)?.into_boxed_slice() })
    }

    /// The address of the list, as tokens spell it.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The time as of which the list is true (`iat`), in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn issued_at(&self) -> i64 {
        self.issued_at
    }

    /// The time after which the issuer asks for the list to be fetched again (`ttl`), if the list says so.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The status at this index, or `None` outside the list. 0 is valid, every other value is not (section 7.1 of the
    /// draft: 1 is revoked, 2 is suspended, the rest is for applications to define).
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u8> {
        let positions = u64::from(self.positions_per_byte());
        let byte = *self.statuses.get(usize::try_from(index / positions).ok()?)?;
        // The remainder is less than 8, so nothing is cut off.
        #[expect(clippy::cast_possible_truncation, reason = "less than 8")]
        let position = (index % positions) as u8;
        Some(self.status_in(byte, position))
    }

    /// Passes when the token with this status index is valid.
    ///
    /// # Errors
    /// [`Refusal::Revoked`], or [`Refusal::OutsideStatusList`], as section 8.3 of the draft demands.
    pub fn check(&self, index: u64) -> Result<(), Refusal> {
        match self.get(index) {
            Some(0) => Ok(()),
            Some(_) => Err(Refusal::Revoked),
            None => Err(Refusal::OutsideStatusList { index }),
        }
    }

    /// The indexes whose status is not 0, in ascending order.
    pub fn revoked(&self) -> impl Iterator<Item = u64> {
        let positions = self.positions_per_byte();
        (0..).zip(&self.statuses).filter(|(_, byte)| **byte != 0).flat_map(move |(number, byte): (u64, &u8)| {
            let revoked = (0..positions).filter(move |position| self.status_in(*byte, *position) != 0);
            revoked.map(move |position| number * u64::from(positions) + u64::from(position))
        })
    }

    fn positions_per_byte(&self) -> u8 {
        8 / self.bits
    }

    /// Status indexes are counted from the least significant bit (section 4.1 of the draft).
    fn status_in(&self, byte: u8, position: u8) -> u8 {
        (byte >> (position * self.bits)) & (u8::MAX >> (8 - self.bits))
    }
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { uri, issued_at, ttl, bits, statuses } = self;
        let positions = statuses.len() * usize::from(8 / bits);
        write!(f, "StatusList {{ uri: {uri:?}, issued_at: {issued_at}, ttl: {ttl:?}, positions: {positions} }}")
    }
}

fn inflate(lst: &str) -> Result<Vec<u8>, StatusListError> {
    let compressed = URL_SAFE_NO_PAD.decode(lst).map_err(|_| StatusListError::Malformed)?;
    let mut statuses = Vec::new();
    let limited = &mut ZlibDecoder::new(&*compressed).take(MAX_INFLATED + 1);
    let length = limited.read_to_end(&mut statuses).map_err(|_| StatusListError::Malformed)?;
    if length as u64 > MAX_INFLATED { Err(StatusListError::TooLong) } else { Ok(statuses) }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    #[serde(default, deserialize_with = "present")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    ttl: Option<f64>,
    status_list: Content,
}

#[derive(Deserialize)]
struct Content {
    bits: u8,
    lst: String,
}

impl Claims {
    fn judge(&self, uri: &str, now: i64) -> Result<(), StatusListError> {
        if self.sub != uri {
            return Err(StatusListError::AnotherList { found: self.sub.clone() });
        }
        if let Some(exp) = self.exp.filter(|exp| now >= exp.saturating_add(LEEWAY)) {
            return Err(StatusListError::Expired { seconds_ago: now.saturating_sub(exp) });
        }
        if self.iat > now.saturating_add(LEEWAY) {
            return Err(StatusListError::IssuedInTheFuture { seconds: self.iat.saturating_sub(now) });
        }
        Ok(())
    }
}

/// Reads a member that is present, so that `null` counts as a wrong type and not as absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Why a status list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusListError {
    /// The list is longer than 1 MiB, or would be once it is inflated.
    #[error("the list is too long")]
    TooLong,
    /// The token's `typ` is not `statuslist+jwt`.
    #[error("this is not a status list: its `typ` is not `statuslist+jwt`")]
    NotAStatusList,
    /// The list is not signed by one of the issuer's keys.
    #[error("the list is not signed by the issuer: {0}")]
    Unsigned(#[source] Refusal),
    /// A claim is missing or has the wrong type or a value that is not allowed, or the list cannot be inflated.
    #[error("the list is malformed")]
    Malformed,
    /// The list was issued for another address.
    #[error("this is the list {found:?}, not the one that was asked for")]
    AnotherList {
        /// The list's `sub`.
        found: String,
    },
    /// `exp` has passed.
    #[error("the list expired {seconds_ago} s ago")]
    Expired {
        /// How long ago, in seconds, without the leeway.
        seconds_ago: i64,
    },
    /// `iat` lies in the future: one of the two clocks is wrong.
    #[error("the list says that it was issued {seconds} s in the future; one of the clocks is wrong")]
    IssuedInTheFuture {
        /// How far ahead, in seconds, without the leeway.
        seconds: i64,
    },
}
