//! The checks of an authorization request, as a table in their order.

use std::sync::Arc;

use super::answer::Answer;
use super::request::{Parameters, Request, ReturnTo};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::audience;
use crate::model::{Client, ClientId, ClientState, Pkce};
use crate::protocol::{
    ClaimsRequest, CodeChallenge, ErrorCode, GrantType, OAuthError, Prompt, ResponseMode, Scope, scope,
};
use crate::tokens;

/// The maximum length of `state` and `nonce`, in bytes.
const LONGEST_MARK: usize = 4096;

/// The maximum length of `login_hint` and `ui_locales`, in bytes.
const LONGEST_HINT: usize = 320;

pub(super) enum CheckOutcome {
    Good(Arc<Client>, Box<Request>),
    Refused(Answer),
}

/// A check, which fills in its part of the request or refuses.
type Check = fn(&Ctx, &Client, &Parameters, &mut Request) -> Result<(), OAuthError>;

/// The checks whose failure goes to the client. An unknown client or redirect URI fails earlier and is answered on a
/// page.
const TABLE: [Check; 13] = [
    no_parameter_twice,
    no_request_object,
    response_type_is_code,
    client_may_use_codes,
    response_mode_is_allowed,
    state_and_nonce_are_short,
    scope_can_be_granted,
    pkce_where_required,
    prompt_is_known,
    max_age_is_a_number,
    claims_are_well_formed,
    resource_is_the_clients,
    hints_are_ours,
];

/// Checks a request.
///
/// # Errors
/// `invalid_client` or `invalid_request` for the client and the redirect URI, which must not be answered by redirect;
/// [`Error::Unavailable`].
pub(super) async fn check(ctx: &Ctx, parameters: &Parameters) -> Result<CheckOutcome, Error> {
    let client = who_asks(ctx, parameters).await?;
    let redirect_uri = where_to(&client, parameters)?;
    let mode = parameters.get("response_mode").and_then(ResponseMode::named).unwrap_or_default();
    let return_to = ReturnTo::Redirect { redirect_uri, mode, state: parameters.get("state").map(str::to_owned) };
    let mut request = Request {
        client_id: client.id.clone(),
        return_to,
        scope: Scope::empty(),
        audience: Vec::new(),
        challenge: None,
        nonce: parameters.get("nonce").map(str::to_owned),
        prompt: std::collections::BTreeSet::new(),
        max_age: None,
        claims: ClaimsRequest::default(),
        confirmation: None,
        subject: None,
        // Optional hints: a value that is too long is ignored.
        login_hint: parameters.get("login_hint").filter(|hint| hint.len() <= LONGEST_HINT).map(str::to_owned),
        ui_locales: parameters.get("ui_locales").filter(|tags| tags.len() <= LONGEST_HINT).map(str::to_owned),
        began_at: ctx.now(),
        seen: None,
    };
    for check in TABLE {
        if let Err(error) = check(ctx, &client, parameters, &mut request) {
            return Ok(CheckOutcome::Refused(Answer::error(ctx, &request.return_to, error)));
        }
    }
    Ok(CheckOutcome::Good(client, Box::new(request)))
}

async fn who_asks(ctx: &Ctx, parameters: &Parameters) -> Result<Arc<Client>, Error> {
    let unknown = || Error::invalid_request("no such application is registered here (client_id)");
    let id =
        parameters.get("client_id").ok_or_else(|| Error::invalid_request("client_id is missing or given twice"))?;
    let id: ClientId = id.parse().map_err(|_| unknown())?;
    let client = ctx.store.client(&id).await?.ok_or_else(unknown)?;
    if client.state != ClientState::Active || client.id.is_simplejwt() {
        return Err(unknown());
    }
    Ok(client)
}

/// Returns the redirect URI. It is compared byte by byte with the registered ones (RFC 9700 section 2.1); only the port
/// of a loopback address of a native application may differ (RFC 8252 section 7.3).
fn where_to(client: &Client, parameters: &Parameters) -> Result<String, Error> {
    let sent = parameters.get("redirect_uri");
    let sent = sent.ok_or_else(|| Error::invalid_request("redirect_uri is missing or given twice"))?;
    if is_registered(client, sent) {
        Ok(sent.to_owned())
    } else {
        Err(Error::invalid_request("redirect_uri is not one that this application has registered"))
    }
}

#[must_use]
pub fn is_registered(client: &Client, uri: &str) -> bool {
    let native = client.is_public();
    client
        .metadata
        .redirect_uris
        .iter()
        .any(|registered| registered.as_str() == uri || native && registered.differs_in_loopback_port(uri))
}

fn no_parameter_twice(_: &Ctx, _: &Client, parameters: &Parameters, _: &mut Request) -> Result<(), OAuthError> {
    match parameters.repeated.first() {
        None => Ok(()),
        Some(_) => refuse(ErrorCode::InvalidRequest, "a parameter is given twice"),
    }
}

fn no_request_object(_: &Ctx, _: &Client, parameters: &Parameters, _: &mut Request) -> Result<(), OAuthError> {
    for (name, error) in [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if parameters.get(name).is_some() {
            return refuse(error, "this parameter is not offered here");
        }
    }
    Ok(())
}

fn response_type_is_code(_: &Ctx, _: &Client, parameters: &Parameters, _: &mut Request) -> Result<(), OAuthError> {
    match parameters.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => refuse(ErrorCode::UnsupportedResponseType, "response_type is code"),
        None => refuse(ErrorCode::InvalidRequest, "response_type is missing"),
    }
}

fn client_may_use_codes(_: &Ctx, client: &Client, _: &Parameters, _: &mut Request) -> Result<(), OAuthError> {
    if client.may_use(GrantType::AuthorizationCode) {
        return Ok(());
    }
    refuse(ErrorCode::UnauthorizedClient, "the client is not registered for authorization_code")
}

fn response_mode_is_allowed(
    _: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    if parameters.get("response_mode").is_some_and(|mode| ResponseMode::named(mode).is_none()) {
        return refuse(ErrorCode::InvalidRequest, "response_mode is query or form_post");
    }
    let allowed = &client.metadata.response_modes;
    let ReturnTo::Redirect { mode, .. } = &mut request.return_to;
    if allowed.is_empty() || allowed.contains(mode) {
        return Ok(());
    }
    *mode = allowed[0];
    refuse(ErrorCode::InvalidRequest, "the client is not registered for this response_mode")
}

fn state_and_nonce_are_short(_: &Ctx, _: &Client, _: &Parameters, request: &mut Request) -> Result<(), OAuthError> {
    let long = |mark: &Option<String>| mark.as_ref().is_some_and(|mark| mark.len() > LONGEST_MARK);
    let ReturnTo::Redirect { state, .. } = &mut request.return_to;
    if long(state) {
        *state = None;
        return refuse(ErrorCode::InvalidRequest, "state is longer than 4096 bytes");
    }
    if long(&request.nonce) {
        return refuse(ErrorCode::InvalidRequest, "nonce is longer than 4096 bytes");
    }
    Ok(())
}

/// Narrows the scope to what the client may have (RFC 6749 section 3.3); the token response states what was granted. A
/// request without a scope gets the registered scope, without the parts that must be requested by name.
fn scope_can_be_granted(
    _: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    let asked = match parameters.get("scope") {
        Some(text) => Scope::parse(text)?,
        None => client.metadata.scope.without_server().without(scope::OFFLINE_ACCESS),
    };
    let mut granted = asked.within(&client.metadata.scope);
    if !client.may_use(GrantType::RefreshToken) {
        granted = granted.without(scope::OFFLINE_ACCESS);
    }
    if granted.is_empty() && !asked.is_empty() {
        return refuse(ErrorCode::InvalidScope, "the client may have nothing of this scope");
    }
    request.scope = granted;
    Ok(())
}

fn pkce_where_required(
    ctx: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    request.challenge = match (parameters.get("code_challenge"), parameters.get("code_challenge_method")) {
        (Some(challenge), method) => Some(CodeChallenge::parse(challenge, method)?),
        (None, Some(_)) => return refuse(ErrorCode::InvalidRequest, "code_challenge is missing"),
        (None, None) => None,
    };
    if request.challenge.is_none() && requires_pkce(ctx, client) {
        return refuse(ErrorCode::InvalidRequest, "code_challenge is missing (PKCE with S256 is required)");
    }
    Ok(())
}

fn requires_pkce(ctx: &Ctx, client: &Client) -> bool {
    let own = client.metadata.pkce.unwrap_or(ctx.config.oauth.pkce.rule());
    client.is_public() || own == Pkce::Required
}

fn prompt_is_known(_: &Ctx, _: &Client, parameters: &Parameters, request: &mut Request) -> Result<(), OAuthError> {
    request.prompt = Prompt::parse_all(parameters.get("prompt").unwrap_or_default())?;
    Ok(())
}

fn max_age_is_a_number(
    _: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    request.max_age = match parameters.get("max_age").map(str::parse) {
        None => client.metadata.default_max_age.map(|age| age.as_secs()),
        Some(Ok(seconds)) => Some(seconds),
        Some(Err(_)) => return refuse(ErrorCode::InvalidRequest, "max_age is a number of seconds"),
    };
    Ok(())
}

/// Drops claims that no scope of the client covers, as its scopes are narrowed.
fn claims_are_well_formed(
    _: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    let Some(claims) = parameters.get("claims") else { return Ok(()) };
    request.claims = ClaimsRequest::parse(claims)?.within(&client.metadata.scope);
    Ok(())
}

fn resource_is_the_clients(
    ctx: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    let all = audience::of_user_tokens(ctx, client, &request.scope);
    if parameters.resource.iter().any(|resource| !all.contains(resource)) {
        return refuse(ErrorCode::InvalidTarget, "the client's tokens may not be for this resource");
    }
    let asked = |audience: &String| parameters.resource.is_empty() || parameters.resource.contains(audience);
    request.audience = all.into_iter().filter(asked).collect();
    Ok(())
}

fn hints_are_ours(
    ctx: &Ctx,
    client: &Client,
    parameters: &Parameters,
    request: &mut Request,
) -> Result<(), OAuthError> {
    request.subject.clone_from(&request.claims.sub);
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(()) };
    let Some(hint) = tokens::read_id_token(ctx, hint).filter(|hint| hint.is_for(client)) else {
        return refuse(ErrorCode::InvalidRequest, "id_token_hint is not an ID token that this client was given here");
    };
    if request.subject.as_ref().is_some_and(|subject| *subject != hint.sub) {
        return refuse(ErrorCode::InvalidRequest, "id_token_hint and claims name two people");
    }
    request.subject = Some(hint.sub);
    Ok(())
}

fn refuse(code: ErrorCode, description: &'static str) -> Result<(), OAuthError> {
    Err(OAuthError::new(code, description))
}
