//! Changing a user. What the user loses, the user's sessions lose too, before the change is acknowledged.

use serde::{Deserialize, Deserializer};

use super::manage::{check_email, check_words, taken, unknown};
use super::profile::ProfileChange;
use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, Profile, User, UserId};
use crate::sessions::{self, Applied};

/// What may be changed of a user, as a JSON merge patch (RFC 7396): what is absent stays, and null takes away.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another address counts as not verified unless `email_verified` says so.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    pub email_verified: Option<bool>,
    /// Taken away, it ends the user's sessions that have rights over this server.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    pub admin: Option<bool>,
    /// Sessions have them from their next refresh on.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub roles: Option<Option<Vec<String>>>,
    /// Sessions have them from their next refresh on.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub groups: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Profile>)]
    pub profile: Option<Option<ProfileChange>>,
}

/// Something that is said, be it null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Changes a user. Other roles and groups are in the records of the user's live sessions, and sessions with rights over
/// this server have ended where `admin` was taken away, before this returns.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` when a part cannot be taken; [`Error::Conflict`] when the address
/// is taken; [`Error::Unavailable`], unfinished, when the database has the change and a session does not: repeating the call
/// finishes it, and so does the background work of any instance once a lost ephemeral store is back.
pub async fn change(ctx: &Ctx, id: UserId, wanted: UserChange, actor: Actor) -> Result<(User, Applied), Error> {
    // What is said again is done again: an earlier call may have been cut off before it was everywhere.
    let touches_rights = wanted.roles.is_some() || wanted.groups.is_some();
    let takes_admin = wanted.admin == Some(false);
    let at = ctx.now();
    let decide = |before: &User| {
        let mut after = before.clone();
        apply(&mut after, wanted)?;
        if after.profile != before.profile
            || after.email != before.email
            || after.email_verified != before.email_verified
        {
            after.profile.updated_at = Some(at.seconds());
        }
        let entry = entry(ctx, before, &after, actor.clone());
        Ok((after, entry))
    };
    let user = ctx.store.database.edit_user(id, at, decide).await.map_err(taken)??.ok_or_else(unknown)?;
    let mut applied = Applied::Everywhere;
    if takes_admin {
        let reason = EndReason::ScopeWithdrawn;
        applied = sessions::end_those_over_this_server(ctx, id, reason, &actor).await.map_err(Error::unfinished)?;
    }
    if touches_rights {
        sessions::refresh_claims(ctx, id).await.map_err(Error::unfinished)?;
    }
    Ok((user, applied))
}

fn apply(user: &mut User, wanted: UserChange) -> Result<(), Error> {
    let UserChange { email, email_verified, admin, roles, groups, profile } = wanted;
    if let Some(email) = email {
        email.as_deref().map_or(Ok(()), check_email)?;
        user.email_verified = user.email_verified && email == user.email;
        user.email = email;
    }
    user.email_verified = email_verified.unwrap_or(user.email_verified);
    if user.email_verified && user.email.is_none() {
        return Err(Error::invalid_request("there is no address that could be verified"));
    }
    user.admin = admin.unwrap_or(user.admin);
    if let Some(roles) = roles {
        user.roles = roles.unwrap_or_default();
        check_words("roles", &user.roles)?;
    }
    if let Some(groups) = groups {
        user.groups = groups.unwrap_or_default();
        check_words("groups", &user.groups)?;
    }
    if let Some(profile) = profile {
        user.profile = match profile {
            Some(change) => change.applied_to(&user.profile)?,
            None => Profile::default(),
        };
    }
    Ok(())
}

/// The entry names what has changed, and of `admin` how: the rest may be personal.
fn entry(ctx: &Ctx, before: &User, after: &User, actor: Actor) -> AuditEntry {
    let claims = |user: &User| Profile { updated_at: None, ..user.profile.clone() };
    let parts = [
        ("email", before.email != after.email),
        ("email_verified", before.email_verified != after.email_verified),
        ("admin", before.admin != after.admin),
        ("roles", before.roles != after.roles),
        ("groups", before.groups != after.groups),
        ("profile", claims(before) != claims(after)),
    ];
    let changed = parts.into_iter().filter(|(_, is_other)| *is_other).map(|(what, _)| what.to_owned()).collect();
    let admin = (before.admin != after.admin).then_some(after.admin);
    ctx.audit(actor, AuditEvent::UserChanged { user: after.id, changed, admin })
}
