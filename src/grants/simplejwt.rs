//! The SimpleJWT-compatible API: a first-party application sends username and password and gets a token pair. It passes
//! the same gate and rotates by the same rules as every grant; only its errors have SimpleJWT's form.

use std::sync::Arc;

use super::permission::{may_use, pass_gate};
use super::refresh_token;
use crate::authentication::{Attempt, password};
use crate::clients;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{Principal, audience};
use crate::model::{Client, ClientId, Secret, SessionId, User, UserAgent};
use crate::protocol::{GrantType, Scope};
use crate::sessions::{self, NewSession, SettleOutcome};
use crate::tokens::{self, TokenSubject};

#[derive(Debug, Clone)]
pub struct TokenPair {
    pub access: String,
    pub refresh: String,
}

#[derive(Debug)]
pub struct SignIn {
    /// Username or email address.
    pub username: String,
    pub password: Secret,
    /// The requested scope; `None`: the configured one.
    pub scope: Option<Scope>,
    pub user_agent: UserAgent,
}

/// Authenticates a user and returns the first pair of a new session. `None`: unknown user, disabled user, wrong
/// password, or a user who needs more than a password. They are indistinguishable, and this API cannot ask for more.
///
/// # Errors
/// [`Error::TooManyRequests`]; `invalid_scope` when the user may not be granted the scope; [`Error::Unavailable`] when
/// a store or the hashing queue does not accept the attempt, and then no session has begun.
pub async fn obtain(ctx: &Ctx, sign_in: SignIn) -> Result<Option<TokenPair>, Error> {
    let client = built_in(ctx).await?;
    may_use(&client, GrantType::SimpleJwt)?;
    let attempt = Attempt {
        identifier: &sign_in.username,
        password: &sign_in.password,
        address: sign_in.user_agent.address.as_deref(),
    };
    let Some(authenticated) = password::authenticate(ctx, attempt).await? else { return Ok(None) };
    let (user, at) = (authenticated.user(), authenticated.at());
    let scope = permitted(ctx, user, sign_in.scope)?;
    let audience = audience::of_user_tokens(ctx, &client, &scope);
    pass_gate(ctx, &client, Principal::SigningIn { user, at }, &scope, &audience)?;
    let new = NewSession {
        id: SessionId(ctx.random.uuid_at(at)),
        status_index: ctx.store.status_index(at).await?,
        user,
        at,
        client: &client,
        scope,
        audience,
        user_agent: sign_in.user_agent,
        proof: authenticated.proof(),
        browser_session: None,
        claims: Vec::new(),
        confirmation: None,
    };
    let beginning = sessions::begin(ctx, new);
    let subject = TokenSubject::Session(&beginning.live);
    let access = tokens::access_token(ctx, &client, subject, &beginning.session.scope)?;
    let refresh = tokens::refresh_token(ctx, &beginning.live)?;
    match sessions::settle(ctx, &beginning).await? {
        SettleOutcome::Begun => Ok(Some(TokenPair { access: access.token, refresh })),
        SettleOutcome::Refused | SettleOutcome::BegunBefore => Ok(None),
    }
}

/// Returns the scope that the user may be granted. Only administrators may request scopes of this server.
fn permitted(ctx: &Ctx, user: &User, asked: Option<Scope>) -> Result<Scope, Error> {
    let asked = asked.map_or_else(|| Scope::parse(&ctx.config.simplejwt.scope), Ok)?;
    if !user.admin && asked.concerns_this_server() {
        return Err(Error::invalid_scope("this scope is for administrators"));
    }
    Ok(asked)
}

pub async fn renew(ctx: &Ctx, refresh: &Secret) -> Result<TokenPair, Error> {
    let client = built_in(ctx).await?;
    may_use(&client, GrantType::RefreshToken)?;
    let response = refresh_token::exchange(ctx, &client, refresh, None, None).await?;
    let refresh = response.refresh_token.unwrap_or_default();
    Ok(TokenPair { access: response.access_token, refresh })
}

/// Returns the built-in client, if the SimpleJWT-compatible API is enabled.
pub(crate) async fn built_in(ctx: &Ctx) -> Result<Arc<Client>, Error> {
    clients::identify(ctx, ClientId::SIMPLEJWT).await
}
