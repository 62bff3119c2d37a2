//! A registered user.

use serde::{Deserialize, Serialize};

use super::{Profile, UserId};
use crate::clock::Timestamp;

/// A registered user. The password hash stays in `store` and `users` and is not part of this type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never reused.
    pub id: UserId,
    /// The name to sign in with, as registered; unique in its canonical form.
    pub username: String,
    /// Unique; the user can sign in with it.
    pub email: Option<String>,
    pub email_verified: bool,
    pub state: UserState,
    /// Whether the user may call the admin API (scope `tokenhouse:admin`).
    pub admin: bool,
    /// Claim `roles` (RFC 9068 section 2.2.3.1).
    pub roles: Vec<String>,
    /// Claim `groups` (RFC 9068 section 2.2.3.1).
    pub groups: Vec<String>,
    #[serde(default)]
    pub profile: Profile,
    /// Sessions that began before this time are invalid, whatever their own row says.
    pub not_before: Timestamp,
    pub created_at: Timestamp,
    pub password_changed_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
}

impl User {
    /// Claim `preferred_username`: the value of the profile, or the user name.
    #[must_use]
    pub fn preferred_username(&self) -> &str {
        self.profile.preferred_username.as_deref().unwrap_or(&self.username)
    }
}

/// Whether a user may sign in. A removed user has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    Active,
    /// The user cannot sign in and has no live session.
    Disabled,
}
