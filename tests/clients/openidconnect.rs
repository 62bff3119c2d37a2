//! The `openidconnect` crate.

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreTokenResponse, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse,
};
use test_support::provider::Provider;

use crate::provider::{AFTER_LOGOUT, APPLICATION, CALLBACK, CLIENT, SECRET, USERNAME, sign_in, with_application};
use crate::support::browser::{Browser, Page};

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

#[actix_web::test]
async fn the_openidconnect_crate_signs_in_refreshes_and_signs_out() {
    let server = with_application();
    let mut browser = Browser::that_stops_at(APPLICATION);
    let metadata = discover(&server).await;
    let client = client(&metadata);

    let pending =
        PendingRequest::new(&client, &["openid", "profile", "email", "offline_access"], &[CoreAuthPrompt::Consent]);
    let page = browser.open(&pending.url).await;
    let page = sign_in(&mut browser, page).await;
    assert_eq!(page.parameter("state").as_ref(), Some(pending.state.secret()));
    assert_eq!(page.parameter("iss"), Some(server.issuer()));
    let nonce = pending.nonce.clone();
    let tokens = exchange(&client, &page, pending.verifier).await.unwrap();

    let id_token = tokens.id_token().unwrap();
    let verifier = client.id_token_verifier();
    assert!(id_token.claims(&verifier, &Nonce::new_random()).is_err(), "another nonce is refused by the client");
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier).unwrap());
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));

    let subject = claims.subject().clone();
    let request = client.user_info(tokens.access_token().clone(), Some(subject.clone())).unwrap();
    let info: CoreUserInfoClaims = request.request_async(&send).await.unwrap();
    assert_eq!(info.preferred_username().map(|name| name.as_str()), Some(USERNAME));
    assert_eq!(info.email().map(|email| email.as_str()), Some("ada@example.org"));

    let refresh_token = tokens.refresh_token().unwrap();
    let next = client.exchange_refresh_token(refresh_token).unwrap().request_async(&send).await.unwrap();
    assert_ne!(next.access_token().secret(), tokens.access_token().secret());
    if let Some(renewed) = next.id_token() {
        assert_eq!(renewed.claims(&verifier, |_: Option<&Nonce>| Ok(())).unwrap().subject(), &subject);
    }

    let endpoint = metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let goodbye = LogoutRequest::from(endpoint)
        .set_id_token_hint(id_token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(AFTER_LOGOUT.to_owned()).unwrap())
        .set_state(CsrfToken::new("so long".to_owned()));
    let page = browser.open(goodbye.http_get_url()).await;
    assert!(page.url.as_str().starts_with(AFTER_LOGOUT), "not sent back: {page:?}");
    assert_eq!(page.parameter("state").as_deref(), Some("so long"));
    let page = browser.open(PendingRequest::new(&client, &["openid"], &[CoreAuthPrompt::None]).url).await;
    assert_eq!(page.parameter("error").as_deref(), Some("login_required"), "{page:?}");
}

#[actix_web::test]
async fn a_code_is_worth_nothing_to_the_openidconnect_crate_without_its_verifier_or_a_second_time() {
    let server = with_application();
    let mut browser = Browser::that_stops_at(APPLICATION);
    let client = client(&discover(&server).await);

    let pending = PendingRequest::new(&client, &["openid"], &[]);
    let page = browser.open(&pending.url).await;
    let page = sign_in(&mut browser, page).await;
    let (_, another) = PkceCodeChallenge::new_random_sha256();
    let refused = exchange(&client, &page, another).await.unwrap_err();
    assert!(refused.contains("invalid_grant"), "{refused}");

    let pending = PendingRequest::new(&client, &["openid"], &[]);
    let page = browser.open(&pending.url).await;
    let again = PkceCodeVerifier::new(pending.verifier.secret().clone());
    exchange(&client, &page, pending.verifier).await.unwrap();
    let refused = exchange(&client, &page, again).await.unwrap_err();
    assert!(refused.contains("invalid_grant"), "{refused}");
}

async fn discover(server: &Provider) -> ProviderMetadataWithLogout {
    let issuer = IssuerUrl::new(server.issuer()).unwrap();
    ProviderMetadataWithLogout::discover_async(issuer, &send).await.unwrap()
}

fn client(metadata: &ProviderMetadataWithLogout) -> Client {
    let (id, secret) = (ClientId::new(CLIENT.to_owned()), ClientSecret::new(SECRET.to_owned()));
    Client::from_provider_metadata(metadata.clone(), id, Some(secret))
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap())
}

struct PendingRequest {
    url: url::Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl PendingRequest {
    fn new(client: &Client, scopes: &[&str], prompts: &[CoreAuthPrompt]) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        // The crate adds `openid` by itself.
        for scope in scopes.iter().filter(|scope| **scope != "openid") {
            request = request.add_scope(Scope::new((*scope).to_owned()));
        }
        for prompt in prompts {
            request = request.add_prompt(prompt.clone());
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        Self { url, state, nonce, verifier }
    }
}

async fn exchange(client: &Client, page: &Page, verifier: PkceCodeVerifier) -> Result<CoreTokenResponse, String> {
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {page:?}"));
    let request = client.exchange_code(AuthorizationCode::new(code)).unwrap().set_pkce_verifier(verifier);
    request.request_async(&send).await.map_err(|error| format!("{error:?}"))
}

async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = client.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
