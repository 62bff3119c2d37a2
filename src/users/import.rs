//! Imports users from another system, with their password hashes.

use serde::Deserialize;

use super::manage::{self, NewUser};
use super::profile::ProfileChange;
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Secret, User};
use crate::passwords;

/// One line of an import file, in JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedUser {
    pub username: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub profile: ProfileChange,
    /// argon2 (PHC string), bcrypt, or Django's `pbkdf2_sha256$…`, `argon2$…` and `bcrypt…` forms. The next sign-in
    /// replaces it by a hash with this server's parameters.
    #[serde(default)]
    pub password_hash: Option<Secret>,
}

/// Adds a user for each line of `text` that is not empty, and passes each result with its line number to `tell`. A
/// refused line does not stop the import. A store that does not answer stops it.
pub async fn import_lines(ctx: &Ctx, text: &str, actor: Actor, mut tell: impl FnMut(usize, Result<User, Error>)) {
    for (position, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let done = import_line(ctx, line, actor.clone()).await;
        let store_is_away = matches!(done, Err(Error::Unavailable(_)));
        tell(position + 1, done);
        if store_is_away {
            return;
        }
    }
}

async fn import_line(ctx: &Ctx, line: &str, actor: Actor) -> Result<User, Error> {
    // Serde's message could contain part of a hash.
    let user = serde_json::from_str(line)
        .map_err(|error| Error::invalid_request(format!("not as expected at column {}", error.column())))?;
    import(ctx, user, actor).await
}

/// Adds a user with a password hash from another system.
///
/// # Errors
/// `invalid_request` when a value is not acceptable or the hash has no known form; [`Error::Conflict`] when the name
/// or the address is taken.
pub async fn import(ctx: &Ctx, user: ImportedUser, actor: Actor) -> Result<User, Error> {
    let hash = user.password_hash;
    if hash.as_ref().is_some_and(|hash| !passwords::is_known_form(hash.expose())) {
        return Err(Error::invalid_request("the password hash is neither argon2, bcrypt nor one of Django's"));
    }
    let new = NewUser {
        username: user.username,
        email: user.email,
        email_verified: user.email_verified,
        admin: false,
        roles: user.roles,
        groups: user.groups,
        profile: user.profile,
        password: None,
    };
    let user = manage::build(ctx, new, hash.is_some())?;
    manage::insert(ctx, &user, hash.as_ref().map(Secret::expose), actor).await?;
    Ok(user)
}
