//! Who is signed in in a browser.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::gate;
use crate::model::{Login, Secret, User};
use crate::protocol::OAuthError;
use crate::store::sql::logins::CookieDigest;

/// Somebody who is signed in in a browser.
#[derive(Debug, Clone)]
pub struct SignedOn {
    /// The login.
    pub login: Arc<Login>,
    /// Who.
    pub user: Arc<User>,
}

/// The live login of a cookie, and its user. No SQL where both are remembered.
///
/// # Errors
/// [`OAuthError::Unavailable`] when the database does not answer.
pub async fn find(ctx: &Ctx, cookie: Option<&Secret>) -> Result<Option<SignedOn>, OAuthError> {
    let Some(cookie) = cookie else { return Ok(None) };
    let digest = digest_of(cookie);
    let Some(mut login) = ctx.store.login(&digest).await? else { return Ok(None) };
    if is_idle(ctx, &login) {
        // Another instance may have seen it used.
        ctx.store.memory.forget_login(login.id);
        match ctx.store.login(&digest).await? {
            Some(fresh) if !is_idle(ctx, &fresh) => login = fresh,
            _ => return Ok(None),
        }
    }
    let Some(user) = ctx.store.user(login.user_id).await? else { return Ok(None) };
    if gate::login_is_live(&user, &login, ctx.store.memory.global_watermark(), ctx.now()).is_err() {
        return Ok(None);
    }
    ctx.store.memory.note_login_use(login.id, ctx.now());
    Ok(Some(SignedOn { login, user }))
}

/// What is kept of a login's cookie.
pub(super) fn digest_of(cookie: &Secret) -> CookieDigest {
    CookieDigest::of(digest::sha256(cookie.expose().as_bytes()))
}

fn is_idle(ctx: &Ctx, login: &Login) -> bool {
    ctx.now().since(last_use(ctx, login)) >= ctx.config.logins.idle_lifetime.get()
}

/// When the login was last used, as far as this instance knows.
pub(super) fn last_use(ctx: &Ctx, login: &Login) -> Timestamp {
    let noted = ctx.store.memory.login_use(login.id).unwrap_or_default();
    login.last_used_at.max(login.auth_time).max(noted)
}
