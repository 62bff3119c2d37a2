//! The SimpleJWT-compatible API: a first-party application sends name and password and gets a pair. It passes the same
//! gate and rotates by the same rules as every grant; only its refusals look like SimpleJWT's.

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

/// A pair of tokens.
#[derive(Debug, Clone)]
pub struct TokenPair {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// Somebody who signs in at the SimpleJWT-compatible API.
#[derive(Debug)]
pub struct SignIn {
    /// Name or address of the account.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// What is asked for; the configured scope where nothing is.
    pub scope: Option<Scope>,
    /// Where from.
    pub user_agent: UserAgent,
}

/// The first pair of a new session. `None`: unknown, disabled and wrong look alike, and so does a user for whom the
/// password is not enough: this API has no way to ask for more.
///
/// # Errors
/// [`Error::TooManyRequests`]; `invalid_scope` when more is asked for than the user may be granted;
/// [`Error::Unavailable`] when a store or the hashing queue does not take it, and then no session has begun.
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
        SettleOutcome::BeginOutcome => Ok(Some(TokenPair { access: access.token, refresh })),
        SettleOutcome::Refused | SettleOutcome::BegunBefore => Ok(None),
    }
}

/// What the user may be granted. Rights over this server itself are for administrators who ask for them.
fn permitted(ctx: &Ctx, user: &User, asked: Option<Scope>) -> Result<Scope, Error> {
    let asked = asked.map_or_else(|| Scope::parse(&ctx.config.simplejwt.scope), Ok)?;
    if !user.admin && asked.concerns_this_server() {
        return Err(Error::invalid_scope("this scope is for administrators"));
    }
    Ok(asked)
}

/// The next pair of a session of the SimpleJWT-compatible API.
///
/// # Errors
/// As the grant `refresh_token`.
pub async fn renew(ctx: &Ctx, refresh: &Secret) -> Result<TokenPair, Error> {
    let client = built_in(ctx).await?;
    may_use(&client, GrantType::RefreshToken)?;
    let response = refresh_token::exchange(ctx, &client, refresh, None, None).await?;
    let refresh = response.refresh_token.unwrap_or_default();
    Ok(TokenPair { access: response.access_token, refresh })
}

/// The built-in client, if the SimpleJWT-compatible API is on.
pub(crate) async fn built_in(ctx: &Ctx) -> Result<Arc<Client>, Error> {
    clients::identify(ctx, ClientId::SIMPLEJWT).await
}
