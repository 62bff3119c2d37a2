//! Where a person is signed in.

use super::find::last_use;
use crate::ctx::Ctx;
use crate::model::{Login, UserId};
use crate::protocol::OAuthError;

/// The logins of a user that would still be believed, the one used last first.
///
/// # Errors
/// [`OAuthError::Unavailable`] when the database does not answer.
pub async fn of_user(ctx: &Ctx, user: UserId) -> Result<Vec<Login>, OAuthError> {
    let (now, global) = (ctx.now(), ctx.store.memory.global_watermark());
    let mut logins = ctx.store.database.live_logins(user, now).await?;
    for login in &mut logins {
        login.last_used_at = last_use(ctx, login);
    }
    let idle = ctx.config.logins.idle_lifetime.get();
    logins.retain(|login| login.created_at >= global && now.since(login.last_used_at) < idle);
    logins.sort_by_key(|login| std::cmp::Reverse(login.last_used_at));
    Ok(logins)
}
