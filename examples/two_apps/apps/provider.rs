//! Tokenhouse from an application's side, by way of the `openidconnect` crate.

use std::sync::LazyLock;
use std::time::SystemTime;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse, SubjectIdentifier,
    TokenResponse, UserInfoClaims,
};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use url::Url;

use super::app::{App, Begun, Person};

/// The server that the application trusts, with its current metadata and keys.
pub(super) struct Provider {
    metadata: ProviderMetadataWithLogout,
    client: Client,
    address: String,
}

/// Reads the metadata and the keys. (An application under load caches both, and reads them again when a token names an
/// unknown key.)
pub(super) async fn discover(app: &App) -> Result<Provider, String> {
    let issuer = IssuerUrl::new(app.issuer.clone()).map_err(|error| error.to_string())?;
    let metadata = ProviderMetadataWithLogout::discover_async(issuer, &send)
        .await
        .map_err(|error| format!("Tokenhouse does not answer at {}: {error}", app.issuer))?;
    let callback = RedirectUrl::new(format!("{}/callback", app.address)).map_err(|error| error.to_string())?;
    let (id, secret) = (ClientId::new(app.client_id.clone()), ClientSecret::new(app.client_secret.clone()));
    let client = Client::from_provider_metadata(metadata.clone(), id, Some(secret)).set_redirect_uri(callback);
    Ok(Provider { metadata, client, address: app.address.clone() })
}

impl Provider {
    /// Returns the URL to which the browser goes to sign in.
    pub(super) fn authorize_url(&self, state: &CsrfToken, nonce: &Nonce, challenge: PkceCodeChallenge) -> Url {
        let (state, nonce) = (state.clone(), nonce.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let scopes = ["profile", "email", "roles"].map(|scope| Scope::new(scope.to_owned()));
        let request = self.client.authorize_url(flow, || state, || nonce).add_scopes(scopes);
        request.set_pkce_challenge(challenge).url().0
    }

    /// Exchanges the code, checks the ID token, and requests the user's claims.
    pub(super) async fn finish(&self, code: String, begun: Begun) -> Result<Person, String> {
        let request = self.client.exchange_code(AuthorizationCode::new(code)).map_err(|error| error.to_string())?;
        let tokens = request.set_pkce_verifier(begun.verifier).request_async(&send).await;
        let tokens = tokens.map_err(|error| format!("The code was refused: {error}"))?;
        let id_token = tokens.id_token().ok_or("There is no ID token.")?;
        let verifier = self.client.id_token_verifier();
        let claims = id_token.claims(&verifier, &begun.nonce).map_err(|error| format!("The ID token: {error}"))?;
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) = (id_token.signing_alg(), id_token.signing_key(&verifier));
            let (algorithm, key) = (algorithm.map_err(|e| e.to_string())?, key.map_err(|e| e.to_string())?);
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(|error| error.to_string())? != *expected {
                return Err("The access token is not the one that the ID token was issued with.".to_owned());
            }
        }
        Ok(Person {
            name: self.name_of(tokens.access_token(), claims.subject()).await?,
            sub: claims.subject().to_string(),
            sid: claims.additional_claims().sid.clone(),
            scopes: tokens.scopes().into_iter().flatten().map(|scope| scope.as_str().to_owned()).collect(),
            access_token_ends: tokens.expires_in().map(|life| now() + life),
            id_token: id_token.to_string(),
        })
    }

    async fn name_of(&self, token: &AccessToken, sub: &SubjectIdentifier) -> Result<String, String> {
        let request = self.client.user_info(token.clone(), Some(sub.clone())).map_err(|error| error.to_string())?;
        let info: UserInfoClaims<TokenhouseClaims, CoreGenderClaim> =
            request.request_async(&send).await.map_err(|error| format!("Userinfo: {error}"))?;
        let name = info.name().and_then(|name| name.get(None)).map(|name| name.to_string());
        let username = || info.preferred_username().map(|name| name.to_string());
        Ok(name.or_else(username).unwrap_or_else(|| sub.to_string()))
    }

    /// Returns the URL to which the browser goes to sign out.
    pub(super) fn logout_url(&self, id_token: &str) -> Option<Url> {
        let endpoint = self.metadata.additional_metadata().end_session_endpoint.clone()?;
        let mut url = LogoutRequest::from(endpoint)
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(format!("{}/", self.address)).ok()?)
            .http_get_url();
        url.query_pairs_mut().append_pair("id_token_hint", id_token);
        Some(url)
    }

    pub(super) fn keys(&self) -> serde_json::Value {
        serde_json::to_value(self.metadata.jwks()).unwrap_or_default()
    }
}

/// The claims of Tokenhouse beyond the standard ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TokenhouseClaims {
    sid: Option<String>,
}

impl AdditionalClaims for TokenhouseClaims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        TokenhouseClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// `CoreClient` with the claims above, and with the endpoints that discovery sets.
type Client = openidconnect::Client<
    TokenhouseClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Sends a request of the `openidconnect` crate.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = HTTP.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The HTTP client. It follows no redirect, because the target of a redirect would receive the tokens.
#[expect(clippy::expect_used, reason = "building fails only where there is no TLS library, and one is compiled in")]
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // Each application runs on a runtime of its own, so the shared client keeps no idle connection.
    let client = reqwest::Client::builder().redirect(Policy::none()).pool_max_idle_per_host(0);
    client.build().expect("a TLS library")
});

#[expect(clippy::disallowed_methods, reason = "this is not the server, whose clock stands in `ctx`")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
