//! Adding, changing and removing clients.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::allowed_audience;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::model::{
    Client, ClientId, ClientKind, ClientSecret, ClientState, EndReason, PageRequest, RefreshPolicy, Secret,
    SessionFilter, SigningAlgorithm,
};
use crate::protocol::{AuthMethod, GrantType, OAuthError, RedirectUri, Scope, scope};
use crate::sessions::{self, Applied};
use crate::store::StoreError;

/// The longest time in which a used refresh token gets its successor again.
const MAX_RETRY_WINDOW: Duration = Duration::from_mins(10);

/// The longest life of an access token; status lists count on it.
pub const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(24);

/// A client to be added. Absent parts take the safe default.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Client`")]
pub struct NewClient {
    #[schema(value_type = String)]
    pub id: ClientId,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub auth_method: Option<AuthMethod>,
    #[serde(default)]
    pub trusted: bool,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub grants: Vec<GrantType>,
    #[serde(default)]
    #[schema(value_type = String)]
    pub scope: Scope,
    #[serde(default)]
    pub audience: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// A secret brought along; generated for a confidential client where absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
}

/// What may be changed of a client. Absent parts stay as they are.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields are those of `Client`")]
pub struct ClientChange {
    pub name: Option<String>,
    pub trusted: Option<bool>,
    #[schema(value_type = Option<Vec<String>>)]
    pub grants: Option<Vec<GrantType>>,
    #[schema(value_type = Option<String>)]
    pub scope: Option<Scope>,
    pub audience: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub redirect_uris: Option<Vec<RedirectUri>>,
    #[schema(value_type = Option<String>)]
    pub access_token_algorithm: Option<SigningAlgorithm>,
    /// Seconds.
    pub access_lifetime: Option<u64>,
    /// Seconds.
    pub refresh_lifetime: Option<u64>,
    #[schema(value_type = Option<Object>)]
    pub refresh: Option<RefreshPolicy>,
}

/// Adds a client. The second value is its secret where one was generated; it is kept nowhere.
///
/// # Errors
/// `invalid_request` when the parts do not go together or the identifier is taken.
pub async fn add(ctx: &Ctx, new: NewClient, actor: Actor) -> Result<(Client, Option<Secret>), OAuthError> {
    let kind = if new.public { ClientKind::Public } else { ClientKind::Confidential };
    let auth_method = auth_method(kind, new.auth_method)?;
    check_secret(kind, new.secret.as_ref())?;
    let generated = (kind == ClientKind::Confidential && new.secret.is_none()).then(|| generate_secret(ctx));
    let now = ctx.now();
    let secrets = new.secret.as_ref().or(generated.as_ref()).map(current_secret).into_iter().collect();
    let client = Client {
        name: new.name.unwrap_or_else(|| new.id.to_string()),
        id: new.id,
        kind,
        auth_method,
        state: ClientState::Active,
        trusted: new.trusted,
        grants: new.grants,
        scope: new.scope,
        audience: new.audience,
        redirect_uris: new.redirect_uris,
        post_logout_redirect_uris: new.post_logout_redirect_uris,
        backchannel_logout_uri: new.backchannel_logout_uri,
        access_token_algorithm: None,
        access_lifetime: None,
        refresh_lifetime: None,
        refresh: RefreshPolicy::default(),
        status_index: ctx.store.status_index().await?,
        // Tokens of a removed client of the same identifier are not its own. Tokens tell their age in whole seconds.
        not_before: Timestamp::from_seconds(now.seconds()),
        created_at: now,
        secrets,
    };
    check(ctx, &client)?;
    let entry = ctx.audit(actor, AuditEvent::ClientAdded { client: client.id.clone() });
    match ctx.store.ledger.add_client(&client, &entry).await {
        Ok(()) => Ok((client, generated)),
        Err(StoreError::Conflict(_)) => Err(OAuthError::Conflict("a client with this identifier exists".into())),
        Err(error) => Err(error.into()),
    }
}

/// Makes sure that the built-in client of the direct token API is on record.
///
/// # Errors
/// [`OAuthError::Unavailable`] when the ledger does not answer.
pub async fn ensure_direct(ctx: &Ctx) -> Result<(), OAuthError> {
    let id = ClientId::direct();
    let scope = direct_scope(ctx)?;
    if let Some(client) = ctx.store.ledger.client(&id).await? {
        if client.scope == scope {
            return Ok(());
        }
        let wanted = ClientChange { scope: Some(scope), ..ClientChange::default() };
        return change(ctx, &id, wanted, Actor::System).await.map(|_| ());
    }
    let client = Client {
        name: "Direct token API".to_owned(),
        kind: ClientKind::Public,
        auth_method: AuthMethod::None,
        state: ClientState::Active,
        trusted: true,
        grants: vec![GrantType::Direct, GrantType::RefreshToken],
        scope,
        audience: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        access_token_algorithm: None,
        access_lifetime: None,
        refresh_lifetime: None,
        refresh: RefreshPolicy::default(),
        status_index: ctx.store.status_index().await?,
        not_before: Timestamp::default(),
        created_at: ctx.now(),
        secrets: Vec::new(),
        id,
    };
    let entry = ctx.audit(Actor::System, AuditEvent::ClientAdded { client: client.id.clone() });
    match ctx.store.ledger.add_client(&client, &entry).await {
        // Another instance was faster.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What the direct token API may grant: the configured scope, and the admin API's scopes to administrators.
fn direct_scope(ctx: &Ctx) -> Result<Scope, OAuthError> {
    let words = [ctx.config.direct.scope.as_str(), scope::ADMIN, scope::ADMIN_READ, scope::SESSIONS];
    Scope::parse(words.join(" ").trim())
}

/// Changes a client. Sessions that hold more than the client may be granted from now on are ended before this returns.
///
/// # Errors
/// [`OAuthError::NotFound`]; `invalid_request` when the parts do not go together.
pub async fn change(
    ctx: &Ctx,
    id: &ClientId,
    wanted: ClientChange,
    actor: Actor,
) -> Result<(Client, Applied), OAuthError> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientChanged { client: id.clone() });
    let decide = |mut client: Client| {
        apply(&mut client, wanted);
        check(ctx, &client).map(|()| client)
    };
    let (before, client) = ctx.store.ledger.edit_client(id, &entry, decide).await?.ok_or_else(unknown)?;
    ctx.store.memory.forget_client(id);
    let applied = if fits(ctx, &client, &before.scope, &allowed_audience(ctx, &before)) {
        Applied::Everywhere
    } else {
        end_sessions_beyond(ctx, &client, &actor).await?
    };
    Ok((client, applied))
}

/// Lets a client obtain tokens again.
///
/// # Errors
/// [`OAuthError::NotFound`].
pub async fn enable(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<(), OAuthError> {
    let entry = ctx.audit(actor, AuditEvent::ClientEnabled { client: id.clone() });
    if !ctx.store.ledger.set_client_state(id, ClientState::Active, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    ctx.store.memory.forget_client(id);
    Ok(())
}

/// Stops a client and ends its sessions.
///
/// # Errors
/// [`OAuthError::NotFound`].
pub async fn disable(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<Applied, OAuthError> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientDisabled { client: id.clone() });
    if !ctx.store.ledger.set_client_state(id, ClientState::Disabled, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    ctx.store.memory.forget_client(id);
    end_all(ctx, id, EndReason::ClientDisabled, actor).await
}

/// Removes a client and ends its sessions.
///
/// # Errors
/// [`OAuthError::NotFound`]; `invalid_request` for the built-in one, which can be switched off instead.
pub async fn remove(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<Applied, OAuthError> {
    if id.is_direct() {
        return Err(OAuthError::invalid_request("the built-in client is switched off by direct.enabled = false"));
    }
    let disabled = disable(ctx, id, actor.clone()).await?;
    let applied = disabled.max(end_all(ctx, id, EndReason::ClientRemoved, actor.clone()).await?);
    let entry = ctx.audit(actor, AuditEvent::ClientRemoved { client: id.clone() });
    ctx.store.ledger.remove_client(id, &entry).await?;
    ctx.store.memory.forget_client(id);
    Ok(applied)
}

/// Gives a client a new secret; the current one stays good for the configured overlap. Returns the new secret, which is
/// kept nowhere, and when the old one ends.
///
/// # Errors
/// [`OAuthError::NotFound`]; `invalid_request` for a public client.
pub async fn rotate_secret(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<(Secret, Timestamp), OAuthError> {
    let client = existing(ctx, id).await?;
    if client.kind == ClientKind::Public {
        return Err(OAuthError::invalid_request("a public client has no secret"));
    }
    let old_ends = ctx.now().plus(ctx.config.clients.secret_overlap.get());
    let secret = generate_secret(ctx);
    let mut secrets = vec![current_secret(&secret)];
    secrets.extend(client.secrets.first().map(|old| ClientSecret { digest: old.digest, expires_at: Some(old_ends) }));
    let entry = ctx.audit(actor, AuditEvent::ClientSecretRotated { client: id.clone() });
    if !ctx.store.ledger.set_client_secrets(id, &secrets, &entry).await? {
        return Err(unknown());
    }
    ctx.store.memory.forget_client(id);
    Ok((secret, old_ends))
}

async fn existing(ctx: &Ctx, id: &ClientId) -> Result<Client, OAuthError> {
    ctx.store.ledger.client(id).await?.ok_or_else(unknown)
}

fn unknown() -> OAuthError {
    OAuthError::NotFound("there is no such client".into())
}

async fn end_all(ctx: &Ctx, id: &ClientId, reason: EndReason, actor: Actor) -> Result<Applied, OAuthError> {
    let filter = SessionFilter { client: Some(id.clone()), ..SessionFilter::default() };
    Ok(sessions::end_matching(ctx, &filter, reason, actor).await?.applied)
}

/// Whether the client may be granted this much.
fn fits(ctx: &Ctx, client: &Client, scope: &Scope, audience: &[String]) -> bool {
    let allowed = allowed_audience(ctx, client);
    scope.is_within(&client.scope) && audience.iter().all(|audience| allowed.contains(audience))
}

/// Ends the sessions whose scope or audience the client may no longer be granted.
async fn end_sessions_beyond(ctx: &Ctx, client: &Client, actor: &Actor) -> Result<Applied, OAuthError> {
    let filter = SessionFilter { client: Some(client.id.clone()), live_only: true, ..SessionFilter::default() };
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut applied = Applied::Everywhere;
    loop {
        let found = ctx.store.ledger.list_sessions(&filter, &page, ctx.now()).await?;
        for session in found.items.iter().filter(|session| !fits(ctx, client, &session.scope, &session.audience)) {
            let ended = sessions::end_one(ctx, session.id, EndReason::ScopeWithdrawn, actor.clone()).await?;
            if ended == Some(Applied::Pending) {
                applied = Applied::Pending;
            }
        }
        if found.next.is_none() {
            return Ok(applied);
        }
        page.after = found.next;
    }
}

fn apply(client: &mut Client, wanted: ClientChange) {
    let ClientChange {
        name,
        trusted,
        grants,
        scope,
        audience,
        redirect_uris,
        access_token_algorithm,
        access_lifetime,
        refresh_lifetime,
        refresh,
    } = wanted;
    client.name = name.unwrap_or_else(|| client.name.clone());
    client.trusted = trusted.unwrap_or(client.trusted);
    client.grants = grants.unwrap_or_else(|| client.grants.clone());
    client.scope = scope.unwrap_or_else(|| client.scope.clone());
    client.audience = audience.unwrap_or_else(|| client.audience.clone());
    client.redirect_uris = redirect_uris.unwrap_or_else(|| client.redirect_uris.clone());
    client.access_token_algorithm = access_token_algorithm.or(client.access_token_algorithm);
    client.access_lifetime = access_lifetime.map(Duration::from_secs).or(client.access_lifetime);
    client.refresh_lifetime = refresh_lifetime.map(Duration::from_secs).or(client.refresh_lifetime);
    client.refresh = refresh.unwrap_or_else(|| client.refresh.clone());
}

/// Whether the parts of a client go together.
fn check(ctx: &Ctx, client: &Client) -> Result<(), OAuthError> {
    let refuse = |why: &'static str| Err(OAuthError::invalid_request(why));
    let public = client.kind == ClientKind::Public;
    if client.name.is_empty() || client.name.len() > 200 || client.name.chars().any(char::is_control) {
        return refuse("a client's name is 1 to 200 bytes without control characters");
    }
    if public && client.may_use(GrantType::ClientCredentials) {
        return refuse("a public client cannot use client_credentials (RFC 6749 section 4.4)");
    }
    if client.may_use(GrantType::Direct) && !client.id.is_direct() {
        return refuse("the direct grant belongs to the built-in client");
    }
    if client.access_lifetime.is_some_and(|life| life.is_zero() || life > MAX_ACCESS_LIFETIME) {
        return refuse("an access token lives between one second and 24 hours");
    }
    let limit = ctx.config.longest_refresh_lifetime();
    if client.refresh_lifetime.is_some_and(|life| life.is_zero() || life > limit) {
        return refuse("a refresh token lives between one second and tokens.refresh_lifetime_limit");
    }
    if client.refresh.retry_window.is_some_and(|window| window > MAX_RETRY_WINDOW) {
        return refuse("a retry window is at most 10 minutes");
    }
    if client.refresh.lost_response_window.is_some_and(|window| window > limit) {
        return refuse("a window for lost answers is at most tokens.refresh_lifetime_limit");
    }
    let algorithm = client.access_token_algorithm;
    if algorithm.is_some_and(|algorithm| !ctx.keys.algorithms().contains(&algorithm)) {
        return refuse("there is no key of this algorithm; name it in keys.further_algorithms first");
    }
    if client.audience.len() > 100 || client.audience.iter().any(|audience| audience.is_empty() || audience.len() > 500)
    {
        return refuse("a client has at most 100 audiences of 1 to 500 bytes");
    }
    if client.redirect_uris.len() > 100 || client.post_logout_redirect_uris.len() > 100 {
        return refuse("a client has at most 100 addresses to redirect to");
    }
    if let Some(uri) = &client.backchannel_logout_uri {
        // The same forms are safe to call as to redirect to (OpenID Connect Back-Channel Logout 1.0 section 2.2).
        RedirectUri::parse(uri)?;
    }
    if let Some(uri) = &client.backchannel_logout_uri {
        RedirectUri::parse(uri)
            .map_err(|error| OAuthError::invalid_request(format!("backchannel_logout_uri: {error}")))?;
    }
    Ok(())
}

fn auth_method(kind: ClientKind, wanted: Option<AuthMethod>) -> Result<AuthMethod, OAuthError> {
    match (kind, wanted) {
        (ClientKind::Public, None | Some(AuthMethod::None)) => Ok(AuthMethod::None),
        (ClientKind::Confidential, None) => Ok(AuthMethod::ClientSecretBasic),
        (ClientKind::Confidential, Some(method)) if method != AuthMethod::None => Ok(method),
        _ => Err(OAuthError::invalid_request("a public client authenticates with none, a confidential one does not")),
    }
}

fn check_secret(kind: ClientKind, secret: Option<&Secret>) -> Result<(), OAuthError> {
    let Some(secret) = secret else { return Ok(()) };
    if kind == ClientKind::Public {
        return Err(OAuthError::invalid_request("a public client has no secret"));
    }
    // What is kept is a plain digest, which is safe for long random secrets only.
    // Unreserved characters mean the same to clients that form-encode it (RFC 6749 section 2.3.1) and to those that do not.
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(32..=512).contains(&secret.expose().len()) || !secret.expose().bytes().all(unreserved) {
        return Err(OAuthError::invalid_request(
            "a client secret is 32 to 512 random characters of A-Z a-z 0-9 - . _ ~",
        ));
    }
    Ok(())
}

/// 256 random bits.
fn generate_secret(ctx: &Ctx) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>()))
}

fn current_secret(secret: &Secret) -> ClientSecret {
    ClientSecret { digest: digest::sha256(secret.expose().as_bytes()), expires_at: None }
}
