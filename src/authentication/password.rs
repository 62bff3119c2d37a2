//! The password method. Every refusal looks the same and costs the same work.

use super::attempts::{self, AttemptReservation, count_network, remember_success, reserve};
use super::authenticated::{Authenticated, Evidence};
use super::method::Method;
use super::step::Policy;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Secret, User, UserId, UserState};
use crate::passwords::Verdict;
use crate::store::sql::users::ProvenPassword;

#[derive(Debug)]
pub struct Attempt<'a> {
    /// Username or email address.
    pub identifier: &'a str,
    pub password: &'a Secret,
    pub address: Option<&'a str>,
}

/// Evidence that a user has proven the password.
#[derive(Debug)]
pub struct PasswordEvidence {
    evidence: Evidence,
    password_hash: Secret,
    reserved: [AttemptReservation; 2],
}

impl PasswordEvidence {
    #[must_use]
    pub const fn user(&self) -> &User {
        self.evidence.user()
    }

    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Returns the password hash as the database has it, for a change of password.
    #[must_use]
    pub fn proven_password(&self) -> ProvenPassword<'_> {
        ProvenPassword { user: self.user(), password_hash: self.password_hash.expose() }
    }

    /// Resets the counts of attempts after a successful sign-in. A password that was right but not enough stays
    /// counted, because a reset would reveal that it was right.
    pub async fn clear_attempts(&self, ctx: &Ctx) -> Result<(), Error> {
        for reserved in &self.reserved {
            remember_success(ctx, reserved).await?;
        }
        Ok(())
    }
}

/// Authenticates a user by the password alone. `None`: unknown user, disabled user, wrong password, or a user who has
/// to prove more. They are indistinguishable.
pub async fn authenticate(ctx: &Ctx, attempt: Attempt<'_>) -> Result<Option<Authenticated>, Error> {
    let Some(proven) = verify(ctx, attempt).await? else { return Ok(None) };
    match Authenticated::accept(Policy::default(), proven.evidence(), None) {
        Ok(authenticated) => {
            proven.clear_attempts(ctx).await?;
            Ok(Some(authenticated))
        }
        Err(_more_is_needed) => {
            record_failure(ctx, Some(proven.user().id)).await;
            Ok(None)
        }
    }
}

/// Verifies the password of an account. `None`, with an audit entry: unknown user, disabled user or wrong password,
/// which are indistinguishable and cost the same work. The attempt stays counted until
/// [`PasswordEvidence::clear_attempts`].
///
/// # Errors
/// [`Error::TooManyRequests`], counted whether or not the account exists; [`Error::Unavailable`] when a store or the
/// hashing queue does not accept the attempt.
pub async fn verify(ctx: &Ctx, attempt: Attempt<'_>) -> Result<Option<PasswordEvidence>, Error> {
    let at = ctx.now();
    // Read first, because a database that is down must cost no attempt.
    let found = ctx.store.database.user_to_sign_in(attempt.identifier).await?;
    let named = found.as_ref().map(|(user, _)| user.id);
    let proven = prove(ctx, attempt, found, at).await?;
    if proven.is_none() {
        record_failure(ctx, named).await;
    }
    Ok(proven)
}

/// Counts the attempt and verifies its password.
async fn prove(
    ctx: &Ctx,
    attempt: Attempt<'_>,
    found: Option<(User, Option<String>)>,
    at: Timestamp,
) -> Result<Option<PasswordEvidence>, Error> {
    let network = attempt.address.map(attempts::network_of);
    let network = network.as_deref();
    count_network(ctx, network).await?;
    let name = attempts::name_in_any_case(ctx, attempt.identifier);
    let by_name = reserve(ctx, &format!("name:{name}"), network).await?;
    if let Some(wait) = by_name.full {
        return Err(Error::TooManyRequests(wait));
    }
    let account = found.as_ref().map_or(name, |(user, _)| user.id.to_string());
    let by_account = reserve(ctx, &format!("account:{account}"), network).await?;
    // Another spelling of the name has used up the account's limit. An error would reveal that both name one account.
    let found = found.filter(|_| by_account.full.is_none());
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    let verdict = ctx.passwords.verify(attempt.password, stored.as_deref()).await?;
    let active = user.filter(|user| user.state == UserState::Active && verdict != Verdict::Wrong);
    let (Some(user), Some(mut password_hash)) = (active, stored) else { return Ok(None) };
    if verdict == Verdict::RightButOutdated {
        password_hash = renew_hash(ctx, &user, attempt.password, password_hash).await;
    }
    let evidence = Evidence::of(user, at, Method::Password);
    let password_hash = Secret::new(password_hash);
    Ok(Some(PasswordEvidence { evidence, password_hash, reserved: [by_name, by_account] }))
}

/// Renews a hash with outdated parameters or from another system, and returns the hash that is in force. After a
/// failure the next sign-in tries again.
async fn renew_hash(ctx: &Ctx, user: &User, password: &Secret, old: String) -> String {
    let Ok(new) = ctx.passwords.hash(password).await else { return old };
    match ctx.store.database.replace_password_hash(user.id, &old, &new).await {
        Ok(true) => {
            tracing::info!(user.id = %user.id, "the password hash was renewed");
            new
        }
        // The password was changed in the meantime.
        Ok(false) => old,
        Err(error) => {
            tracing::warn!(error = %error, "the password hash could not be renewed");
            old
        }
    }
}

/// Writes the audit entry of a failed sign-in, or a log line if the database is down.
async fn record_failure(ctx: &Ctx, user: Option<UserId>) {
    let entry = ctx.audit(Actor::System, AuditEvent::SignInFailed { user });
    if let Err(error) = ctx.store.database.record(&entry).await {
        tracing::warn!(error = %error, "the audit entry could not be written");
    }
}
