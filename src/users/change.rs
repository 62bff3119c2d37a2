//! Changes a user. Rights that a user loses are taken from the user's sessions before the change is acknowledged.

use serde::{Deserialize, Deserializer};

use super::manage::{check_email, check_words, taken, unknown};
use super::profile::ProfileChange;
use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, Profile, User, UserId};
use crate::sessions::{self, Applied};

/// A change of a user as a JSON merge patch (RFC 7396): an absent member stays as it is, and `null` removes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// A new address counts as not verified unless `email_verified` says so.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    pub email_verified: Option<bool>,
    /// `false` ends the user's sessions that have rights over this server.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool)]
    pub admin: Option<bool>,
    /// Sessions get new roles at their next refresh.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub roles: Option<Option<Vec<String>>>,
    /// Sessions get new groups at their next refresh.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub groups: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Profile>)]
    pub profile: Option<Option<ProfileChange>>,
}

/// Reads a member that is present as `Some`, even if it is `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Changes a user. Before it returns, new roles and groups are in the rotation records of the user's live sessions,
/// and sessions with rights over this server have ended if `admin` was taken away.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` when a value is not acceptable; [`Error::Conflict`] when the address is
/// taken; [`Error::Unavailable`], marked unfinished, when the database has the change and a session does not:
/// repeating the call finishes it, and so do the background jobs of any instance once a lost ephemeral store is back.
pub async fn change(ctx: &Ctx, id: UserId, wanted: UserChange, actor: Actor) -> Result<(User, Applied), Error> {
    // A repeated request is applied again: an earlier call may have been interrupted before it reached every session.
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

/// Builds the audit entry. It names the changed members, and gives a value only for `admin`: others may be personal.
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
