//! The rotation record: the state of the refresh tokens of a live session.
//!
//! The ephemeral store keeps one record per session, as text: a head line of numbers, which the Redis script reads and
//! advances, and a line of JSON from which tokens are minted. This file defines a record and how it advances.
//! `sessions/rotation.rs` decides what a presented token means against a record.

use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Acr, ClientId, Confirmation, Session, SessionId, User, UserId};
use crate::clock::Timestamp;
use crate::protocol::Scope;

/// How many ancestors of the current token a record remembers.
pub const MAX_ANCESTORS: usize = 4;

/// Identifies a refresh token of a session: how often it was rotated, and how often that rotation was re-issued. A
/// token is *ahead* of another when it is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation {
    /// Rotations since sign-in (claim `gen`).
    pub number: u64,
    /// Re-issues of this rotation after lost answers (claim `branch`).
    pub branch: u32,
}

/// A token that was rotated. Its position in [`RotationRecord::ancestors`] gives its generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    /// Which re-issue of its generation it was.
    pub branch: u32,
    /// When it was exchanged for its successor; the last time, if the response was lost and re-issued.
    pub rotated_at: Timestamp,
}

/// How often in a row a token was presented again after its rotation.
///
/// A row continues as long as no more than [`MAX_ANCESTORS`] generations pass between two repeats. A used token is
/// accepted for that long, so a party that lives on used tokens cannot leave a wider gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repeats {
    /// Generations in which a used token was presented again.
    pub streak: u32,
    /// The number of the last such generation.
    pub last: u64,
}

/// The state of the refresh tokens of one live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationRecord {
    /// The only live token.
    pub current: Generation,
    /// When it was issued. With the rest of the record, it lets the same token be minted again, byte for byte.
    pub issued_at: Timestamp,
    /// Its `exp`, whole seconds.
    pub expires_at: Timestamp,
    /// The session's absolute end, whole seconds. No rotation moves it.
    pub ends_at: Timestamp,
    /// How long a refresh token lives, whole seconds.
    pub lifetime: Duration,
    pub repeats: Repeats,
    /// The tokens before the current one, newest first. The first has the generation `current.number - 1`.
    pub ancestors: Vec<Ancestor>,
    pub grant: SessionGrant,
}

/// The content of a session's tokens. It is fixed at sign-in, except for roles and groups, which follow the user
/// (`sessions/refresh_claims.rs`). Short names keep the record small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionGrant {
    #[serde(rename = "c")]
    pub client_id: ClientId,
    #[serde(rename = "u", with = "short")]
    pub user_id: UserId,
    #[serde(rename = "s")]
    pub scope: Scope,
    /// `aud` of the access tokens.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    #[serde(rename = "i")]
    pub status_index: i64,
    #[serde(rename = "n", with = "as_millis")]
    pub began_at: Timestamp,
    /// `auth_time`, in seconds.
    #[serde(rename = "t")]
    pub auth_time: i64,
    /// `amr` (RFC 8176).
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    #[serde(rename = "l", default, skip_serializing_if = "Acr::is_weakest")]
    pub acr: Acr,
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Userinfo claims that were requested by name.
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// The key to which the tokens are bound (`cnf`).
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
}

impl SessionGrant {
    #[must_use]
    pub fn of(session: &Session, user: &User) -> Self {
        Self {
            client_id: session.client_id.clone(),
            user_id: session.user_id,
            scope: session.scope.clone(),
            audience: session.audience.clone(),
            status_index: session.status_index,
            began_at: session.created_at,
            auth_time: session.auth_time.seconds(),
            amr: session.amr.clone(),
            acr: session.acr,
            roles: user.roles.clone(),
            groups: user.groups.clone(),
            claims: session.claims.clone(),
            confirmation: session.confirmation,
        }
    }
}

/// A live session and the record from which its tokens are minted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    pub id: SessionId,
    pub record: RotationRecord,
}

/// The state of a session in the ephemeral store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RotationState {
    Live(Box<RotationRecord>),
    /// A tombstone: the session was ended.
    Ended,
    /// Never written, expired, or lost. The database knows which.
    Absent,
}

/// The text that replaces a record once the session has ended.
pub const TOMBSTONE: &str = "ended";

impl RotationRecord {
    /// Creates the record of a session that begins at `now`.
    #[must_use]
    pub fn begin(grant: SessionGrant, now: Timestamp, lifetime: Duration, ends_at: Timestamp) -> Self {
        let mut record = Self {
            current: Generation::default(),
            issued_at: now,
            expires_at: now,
            ends_at: Timestamp::from_seconds(ends_at.seconds()),
            lifetime: Duration::from_secs(lifetime.as_secs()),
            repeats: Repeats::default(),
            ancestors: Vec::new(),
            grant,
        };
        record.expires_at = record.expiry_from(now);
        record
    }

    /// Returns the record after the current token is exchanged at `now`.
    ///
    /// The Redis script `store/redis/advance.lua` does the same to the head line; `tests/store.rs` compares the two.
    #[must_use]
    pub fn advanced(&self, now: Timestamp) -> Self {
        let mut ancestors = vec![Ancestor { branch: self.current.branch, rotated_at: now }];
        ancestors.extend(self.ancestors.iter().copied().take(MAX_ANCESTORS - 1));
        Self {
            current: Generation { number: self.current.number + 1, branch: 0 },
            issued_at: now,
            expires_at: self.expiry_from(now),
            ancestors,
            ..self.clone()
        }
    }

    /// When a token issued at `now` expires: after its lifetime, but not later than the session.
    #[must_use]
    pub fn expiry_from(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_seconds(now.plus(self.lifetime).seconds()).min(self.ends_at)
    }

    /// The token from which the current one was made, if the record knows it.
    #[must_use]
    pub fn parent(&self) -> Option<Generation> {
        let ancestor = self.ancestors.first()?;
        Some(Generation { number: self.current.number.checked_sub(1)?, branch: ancestor.branch })
    }

    /// When `generation` was rotated, at the latest; `None` unless it is one of the last [`MAX_ANCESTORS`] ancestors.
    ///
    /// A rebuilt record knows fewer of them. Those that it lacks were rotated before the oldest one that it knows.
    #[must_use]
    pub fn rotated_by(&self, generation: Generation) -> Option<Timestamp> {
        let back = self.current.number.checked_sub(generation.number)?.checked_sub(1)?;
        let position = usize::try_from(back).ok().filter(|position| *position < MAX_ANCESTORS)?;
        match self.ancestors.get(position) {
            Some(known) => (known.branch == generation.branch).then_some(known.rotated_at),
            None => self.ancestors.last().map(|oldest| oldest.rotated_at),
        }
    }

    /// Writes the record as text for the ephemeral store.
    ///
    /// The head line has words separated by single spaces: `gen branch issued_at expires_in ends_at lifetime streak
    /// last_repeat ancestors`. `issued_at` is in milliseconds, the other times are in seconds; `expires_in` counts
    /// from `issued_at`. Ancestors are separated by commas. An ancestor is `back` or `back:branch`, where `back` is
    /// how many milliseconds it was rotated before the previous ancestor in the list (the first: before `issued_at`).
    ///
    /// A record has exactly one text, because compare-and-set compares texts. A new field of the grant must be omitted
    /// where it has its default. Otherwise records of the previous version can no longer be replaced.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the grant is plain text and numbers, and writing to a String cannot fail"
    )]
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(320);
        write!(
            text,
            "{} {} {} {} {} {} {} {} ",
            self.current.number,
            self.current.branch,
            self.issued_at.millis(),
            self.expires_at.seconds().wrapping_sub(self.issued_at.seconds()),
            self.ends_at.seconds(),
            self.lifetime.as_secs(),
            self.repeats.streak,
            self.repeats.last,
        )
        .expect("writing to a String cannot fail");
        let mut front = self.issued_at;
        for (position, ancestor) in self.ancestors.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            let back = front.millis().wrapping_sub(ancestor.rotated_at.millis());
            write!(text, "{comma}{back}").expect("writing to a String cannot fail");
            if ancestor.branch != 0 {
                write!(text, ":{}", ancestor.branch).expect("writing to a String cannot fail");
            }
            front = ancestor.rotated_at;
        }
        text.push('\n');
        text.push_str(&serde_json::to_string(&self.grant).expect("a grant is plain JSON"));
        text
    }

    /// Reads the output of [`RotationRecord::encode`]; `None` for any other text.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (head, grant) = text.split_once('\n')?;
        let mut words = head.split(' ');
        let current = Generation { number: words.next()?.parse().ok()?, branch: words.next()?.parse().ok()? };
        let issued_at = Timestamp::from_millis(words.next()?.parse().ok()?);
        let expires_in: i64 = words.next()?.parse().ok()?;
        let record = Self {
            current,
            issued_at,
            expires_at: Timestamp::from_seconds(issued_at.seconds().wrapping_add(expires_in)),
            ends_at: Timestamp::from_seconds(words.next()?.parse().ok()?),
            lifetime: Duration::from_secs(words.next()?.parse().ok()?),
            repeats: Repeats { streak: words.next()?.parse().ok()?, last: words.next()?.parse().ok()? },
            ancestors: decode_ancestors(words.next()?, issued_at)?,
            grant: serde_json::from_str(grant).ok()?,
        };
        words.next().is_none().then_some(record)
    }
}

/// Serializes a timestamp as milliseconds.
mod as_millis {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(super) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(moment.millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}

fn decode_ancestors(text: &str, issued_at: Timestamp) -> Option<Vec<Ancestor>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let mut front = issued_at;
    text.split(',')
        .map(|ancestor| {
            let (back, branch) = ancestor.split_once(':').unwrap_or((ancestor, "0"));
            let back: i64 = back.parse().ok()?;
            front = Timestamp::from_millis(front.millis().wrapping_sub(back));
            Some(Ancestor { branch: branch.parse().ok()?, rotated_at: front })
        })
        .collect()
}

/// Serializes a UUID in 22 characters instead of 36.
mod short {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;
    use uuid::Uuid;

    use crate::model::UserId;

    pub(super) fn serialize<S: Serializer>(id: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(id.0.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        Uuid::from_slice(&bytes).map(UserId).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
