//! A person who signs in.

use serde::{Deserialize, Serialize};

use super::{Profile, UserId};
use crate::clock::Timestamp;

/// A registered user. The password hash stays in `store` and `users`; it is not part of this noun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never reused.
    pub id: UserId,
    /// The name to sign in with, as registered; unique in its canonical form.
    pub username: String,
    /// Electronic mail address; unique, and good for signing in.
    pub email: Option<String>,
    /// Whether the address was proven to belong to the user.
    pub email_verified: bool,
    /// May the user sign in?
    pub state: UserState,
    /// May the user call the admin API (scope `tokenhouse:admin`)?
    pub admin: bool,
    /// Claim `roles` (RFC 9068 section 2.2.3.1).
    pub roles: Vec<String>,
    /// Claim `groups` (RFC 9068 section 2.2.3.1).
    pub groups: Vec<String>,
    /// The standard claims of OpenID Connect.
    #[serde(default)]
    pub profile: Profile,
    /// Sessions that began before this moment are over, whatever their own row says.
    pub not_before: Timestamp,
    /// When the user was added.
    pub created_at: Timestamp,
    /// When the password was last set, if there is one.
    pub password_changed_at: Option<Timestamp>,
    /// The last sign-in.
    pub last_login_at: Option<Timestamp>,
}

impl User {
    /// Claim `preferred_username`: what the profile says, or the name to sign in with.
    #[must_use]
    pub fn preferred_username(&self) -> &str {
        self.profile.preferred_username.as_deref().unwrap_or(&self.username)
    }
}

/// Whether a user may sign in. A removed user has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// May sign in.
    Active,
    /// May not, and has no live session.
    Disabled,
}
