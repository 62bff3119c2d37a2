//! Adds, changes and removes users. Whatever takes rights away ends the user's sessions before it returns.

use serde::Deserialize;

use super::profile::ProfileChange;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, Profile, Secret, SessionFilter, User, UserId, UserState};
use crate::passwords;
use crate::sessions::{self, Applied};
use crate::store::sql::users::ProvenPassword;
use crate::store::{StoreError, UniqueKey};

#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub username: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Profile)]
    pub profile: ProfileChange,
    /// Without a password the user cannot sign in until one is set.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Secret>,
}

pub async fn add(ctx: &Ctx, new: NewUser, actor: Actor) -> Result<User, Error> {
    let hash = match &new.password {
        Some(password) => {
            passwords::may_be_chosen(password, &new.username, &ctx.config.passwords)?;
            Some(ctx.passwords.hash(password).await?)
        }
        None => None,
    };
    let user = build(ctx, new, hash.is_some())?;
    insert(ctx, &user, hash.as_deref(), actor).await?;
    Ok(user)
}

/// Checks the parts and builds the user's row.
pub(super) fn build(ctx: &Ctx, new: NewUser, has_password: bool) -> Result<User, Error> {
    check_username(&new.username)?;
    if let Some(email) = &new.email {
        check_email(email)?;
    }
    if new.email_verified && new.email.is_none() {
        return Err(Error::invalid_request("there is no address that could be verified"));
    }
    check_words("roles", &new.roles)?;
    check_words("groups", &new.groups)?;
    let now = ctx.now();
    let profile = Profile { updated_at: Some(now.seconds()), ..new.profile.applied_to(&Profile::default())? };
    Ok(User {
        id: UserId(ctx.random.uuid_at(now)),
        username: new.username,
        email: new.email,
        email_verified: new.email_verified,
        state: UserState::Active,
        admin: new.admin,
        roles: new.roles,
        groups: new.groups,
        profile,
        not_before: Timestamp::default(),
        created_at: now,
        password_changed_at: has_password.then_some(now),
        last_login_at: None,
    })
}

pub(super) async fn insert(ctx: &Ctx, user: &User, hash: Option<&str>, actor: Actor) -> Result<(), Error> {
    let entry = ctx.audit(actor, AuditEvent::UserAdded { user: user.id });
    ctx.store.database.add_user(user, hash, &entry).await.map_err(taken)
}

/// Turns the violation of a unique key into [`Error::Conflict`].
pub(super) fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(UniqueKey::Username) => Error::Conflict("the name is taken".into()),
        StoreError::Conflict(UniqueKey::Email) => Error::Conflict("the address is taken".into()),
        other => other.into(),
    }
}

/// Sets a new password and ends the user's sessions.
pub async fn change_password(ctx: &Ctx, id: UserId, password: &Secret, actor: Actor) -> Result<Applied, Error> {
    let user = existing(ctx, id).await?;
    passwords::may_be_chosen(password, &user.username, &ctx.config.passwords)?;
    let hash = ctx.passwords.hash(password).await?;
    let entry = ctx.audit(actor.clone(), AuditEvent::PasswordChanged { user: id });
    if !ctx.store.database.set_password(id, &hash, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    end_all(ctx, id, EndReason::PasswordChanged, actor).await
}

/// Sets a new password for a user who has just proved the previous one, and ends the user's sessions. Returns `None`
/// and changes nothing when another request has meanwhile set a password or disabled the user.
pub async fn change_own_password(
    ctx: &Ctx,
    proven: &ProvenPassword<'_>,
    password: &Secret,
) -> Result<Option<Applied>, Error> {
    let user = proven.user;
    passwords::may_be_chosen(password, &user.username, &ctx.config.passwords)?;
    let hash = ctx.passwords.hash(password).await?;
    let actor = Actor::User(user.id);
    let entry = ctx.audit(actor.clone(), AuditEvent::PasswordChanged { user: user.id });
    if !ctx.store.database.change_password(proven, &hash, ctx.now(), &entry).await? {
        return Ok(None);
    }
    end_all(ctx, user.id, EndReason::PasswordChanged, actor).await.map(Some)
}

/// Stops a user from signing in and ends the user's sessions.
pub async fn disable(ctx: &Ctx, id: UserId, actor: Actor) -> Result<Applied, Error> {
    stop(ctx, id, EndReason::UserDisabled, actor).await
}

async fn stop(ctx: &Ctx, id: UserId, reason: EndReason, actor: Actor) -> Result<Applied, Error> {
    let entry = ctx.audit(actor.clone(), AuditEvent::UserDisabled { user: id });
    if !ctx.store.database.set_user_state(id, UserState::Disabled, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    end_all(ctx, id, reason, actor).await
}

/// Lets a user sign in again. Sessions that ended stay ended.
pub async fn enable(ctx: &Ctx, id: UserId, actor: Actor) -> Result<(), Error> {
    let entry = ctx.audit(actor, AuditEvent::UserEnabled { user: id });
    if ctx.store.database.set_user_state(id, UserState::Active, ctx.now(), &entry).await? {
        Ok(())
    } else {
        Err(unknown())
    }
}

/// Removes a user for good and ends the user's sessions. The identifier is never used again.
pub async fn remove(ctx: &Ctx, id: UserId, actor: Actor) -> Result<Applied, Error> {
    let applied = stop(ctx, id, EndReason::UserRemoved, actor.clone()).await?;
    let entry = ctx.audit(actor, AuditEvent::UserRemoved { user: id });
    ctx.store.database.remove_user(id, &entry).await?;
    Ok(applied)
}

async fn existing(ctx: &Ctx, id: UserId) -> Result<User, Error> {
    ctx.store.database.user(id).await?.ok_or_else(unknown)
}

pub(super) fn unknown() -> Error {
    Error::NotFound("there is no such user".into())
}

async fn end_all(ctx: &Ctx, id: UserId, reason: EndReason, actor: Actor) -> Result<Applied, Error> {
    let filter = SessionFilter { user: Some(id), ..SessionFilter::default() };
    Ok(sessions::end_matching(ctx, &filter, reason, actor).await?.applied)
}

fn check_username(username: &str) -> Result<(), Error> {
    let fits = (1..=128).contains(&username.len())
        && username.trim() == username
        && !username.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    if fits { Ok(()) } else { Err(Error::invalid_request("a user name is 1 to 128 bytes without white space")) }
}

/// Limits the number and length of roles and groups, because tokens carry all of them.
pub(super) fn check_words(what: &str, words: &[String]) -> Result<(), Error> {
    let fits = words.len() <= 100 && words.iter().all(|word| (1..=200).contains(&word.len()));
    if fits { Ok(()) } else { Err(Error::invalid_request(format!("{what} are at most 100, of 1 to 200 bytes each"))) }
}

/// Checks for one `@` between a local part and a domain with a dot. Only an answered message proves that it works.
pub(super) fn check_email(email: &str) -> Result<(), Error> {
    let parts: Vec<&str> = email.split('@').collect();
    let fits = email.len() <= 254
        && matches!(parts.as_slice(), [local, domain] if !local.is_empty() && domain.contains('.'))
        && !email.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    if fits { Ok(()) } else { Err(Error::invalid_request("this is not an electronic mail address")) }
}
