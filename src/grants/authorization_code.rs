//! `authorization_code`: exchanges a code for the tokens of a new session (OAuth 2.1 section 4.1.3).

use super::permission::{check_possession, pass_gate};
use super::response::{TokenResponse, id_token};
use crate::audit::{Actor, AuditEvent};
use crate::authorize;
use crate::authorize::code::{self, Code};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::Principal;
use crate::model::{Client, EndReason, PossessionProof, Secret, User};
use crate::protocol::{ErrorCode, GrantType};
use crate::sessions::{self, NewSession, PreparedSession, SettleOutcome};
use crate::tokens::claims;
use crate::tokens::{self, IdTokenInput, TokenSubject};

#[derive(Debug)]
pub struct CodeExchange {
    pub code: Secret,
    pub redirect_uri: Option<String>,
    /// The PKCE verifier (RFC 7636 section 4.5).
    pub code_verifier: Option<Secret>,
}

pub(super) async fn exchange(
    ctx: &Ctx,
    client: &Client,
    presented: CodeExchange,
    proof: Option<PossessionProof>,
) -> Result<TokenResponse, Error> {
    let code = code::read(ctx, &presented.code).await?.ok_or_else(not_good)?;
    check_bindings(client, &code, &presented)?;
    check_possession(code.confirmation, proof)?;
    let user = ctx.store.database.user(code.user).await?;
    if code.has_expired(ctx) || user.is_none() {
        // A late request may be the second use of the code.
        end_previous(ctx, &code).await?;
        return Err(not_good());
    }
    let user = user.ok_or_else(not_good)?;
    let principal = Principal::SigningIn { user: &user, at: code.issued_at };
    pass_gate(ctx, client, principal, &code.scope, &code.audience).map_err(as_invalid_grant)?;
    let beginning = sessions::begin(ctx, session_of(client, &user, &code, proof));
    let response = mint(ctx, client, &user, &code, &beginning)?;
    match sessions::settle(ctx, &beginning).await? {
        SettleOutcome::Begun => Ok(response),
        SettleOutcome::Refused => Err(not_good()),
        SettleOutcome::BegunBefore => {
            end_previous(ctx, &code).await?;
            Err(not_good())
        }
    }
}

/// Checks client, redirect URI and PKCE verifier. A request that fails any of them changes nothing: a leaked code
/// neither helps its finder nor harms its owner.
fn check_bindings(client: &Client, code: &Code, presented: &CodeExchange) -> Result<(), Error> {
    let same_address = match &presented.redirect_uri {
        Some(uri) => *uri == code.redirect_uri,
        // OAuth 2.1 omits it. Without a challenge it is required, because it binds the code (RFC 6749 section 4.1.3).
        None => code.challenge.is_some(),
    };
    let proved = match (&code.challenge, &presented.code_verifier) {
        (Some(challenge), Some(verifier)) => challenge.is_answered_by(verifier.expose()),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let own = code.client_id == client.id && authorize::is_registered(client, &code.redirect_uri);
    if own && same_address && proved { Ok(()) } else { Err(not_good()) }
}

/// Ends the session of a code that is used again (RFC 6749 section 4.1.2).
async fn end_previous(ctx: &Ctx, code: &Code) -> Result<(), Error> {
    let event = AuditEvent::CodeReused { session: code.session, user: code.user, client: code.client_id.clone() };
    let entry = ctx.audit(Actor::System, event);
    if sessions::end_one_as(ctx, code.session, EndReason::CodeReused, entry).await?.is_some() {
        tracing::warn!(session.id = %code.session, client.id = %code.client_id, "an authorization code came a second time");
    }
    Ok(())
}

fn session_of<'a>(client: &'a Client, user: &'a User, code: &Code, proof: Option<PossessionProof>) -> NewSession<'a> {
    NewSession {
        id: code.session,
        status_index: code.status_index,
        user,
        at: code.issued_at,
        client,
        scope: code.scope.clone(),
        audience: code.audience.clone(),
        user_agent: code.user_agent.clone(),
        proof: sessions::Proof { at: code.auth_time, amr: code.amr.clone(), acr: code.acr },
        browser_session: Some(sessions::ParentBrowserSession {
            browser_session: code.browser_session,
            ends_at: code.browser_session_ends_at,
        }),
        claims: code.claims.userinfo.clone(),
        // The binding of a bound code is proven by now.
        confirmation: proof.map(|proof| proof.proven),
    }
}

fn mint(
    ctx: &Ctx,
    client: &Client,
    user: &User,
    code: &Code,
    beginning: &PreparedSession,
) -> Result<TokenResponse, Error> {
    let PreparedSession { session, live, .. } = beginning;
    let access = tokens::access_token(ctx, client, TokenSubject::Session(live), &session.scope)?;
    let refresh_token =
        if client.may_use(GrantType::RefreshToken) { Some(tokens::refresh_token(ctx, live)?) } else { None };
    let claims = claims::named(user, &claims::permitted(&code.claims.id_token, &client.metadata.scope));
    let told = IdTokenInput { session: live, nonce: code.nonce.as_deref(), claims: &claims };
    let id_token = id_token(ctx, client, &session.scope, told, &access.token)?;
    Ok(TokenResponse {
        access_token: access.token,
        token_type: access.scheme,
        expires_in: access.lifetime,
        scope: session.scope.clone(),
        refresh_token,
        id_token,
    })
}

fn not_good() -> Error {
    Error::invalid_grant("the authorization code is not good, or not any more")
}

/// Maps a scope or audience that was withdrawn since the authorization request to `invalid_grant`: the code is at
/// fault, not this request.
fn as_invalid_grant(error: Error) -> Error {
    let is_the_codes = |code| matches!(code, ErrorCode::InvalidScope | ErrorCode::InvalidTarget);
    if error.oauth_code().is_some_and(is_the_codes) { not_good() } else { error }
}
