//! What the OpenID Foundation's certification asks of a provider, module by module: basic, config, form post. (Sign-out
//! has its plans in `logout.rs` and `backchannel_logout.rs`.) Where a test elsewhere demands the same, the table names
//! it.
//!
//! | module | test |
//! |---|---|
//! | server, ensure-request-with-valid-pkce-succeeds | `authorization::an_application_signs_a_person_on_with_a_code` |
//! | server-client-secret-post | `a_client_may_send_its_secret_in_the_body` |
//! | response-type-missing, request-uri-…, unsigned-request-object-… | `authorization_request::what_else_is_wrong_the_application_is_told_by_the_code_of_the_standard` |
//! | idtoken-signature | `authorization_request::with_the_usual_settings_id_tokens_are_signed_with_rs256`, `an_id_token_verifies_against_the_published_keys` |
//! | idtoken-unsigned | `nothing_is_offered_unsigned` |
//! | userinfo-get, -post-header, -post-body | `authorization::userinfo_tells_what_the_scope_asks_for` |
//! | scope-profile, -email, -address, -phone, -all | `each_scope_brings_its_claims_by_userinfo_and_no_others` |
//! | alternate-happy-flow, display-…, login-hint, ui-locales, claims-locales, acr-values, nonce absent, unknown parameter | `authorization_request::what_is_not_known_or_merely_wished_for_changes_nothing` |
//! | prompt-login, max-age-1, max-age-10000 | `single_sign_on::a_person_proves_again_who_they_are_where_the_application_wants_it` |
//! | prompt-none-not-logged-in | `authorization::without_a_browser_session_nothing_is_answered_silently` |
//! | prompt-none-logged-in | `a_silent_answer_tells_of_the_same_person_and_sign_in` |
//! | id-token-hint | `single_sign_on::a_hint_names_the_one_person_who_may_answer` |
//! | codereuse, codereuse-30seconds | `authorization_code::a_code_that_comes_again_after_half_a_minute_ends_what_it_has_issued` |
//! | ensure-registered-redirect-uri, ensure-request-object-with-redirect-uri | `authorization_request::a_mutation_of_a_registered_redirect_uri_ends_on_a_page` |
//! | ensure-post-request-succeeds | `authorization_request::a_request_by_post_is_served_as_one_by_get` |
//! | claims-essential | `authorization_code::claims_asked_for_by_name_are_told_where_they_were_asked_for` |
//! | refresh-token | `authorization::a_refresh_brings_a_new_id_token_of_the_same_person_and_session`, `refresh_policy::a_token_of_another_client_is_refused_and_lives_on` |
//! | discovery-endpoint-verification | `authorization_request::the_metadata_says_what_openid_connect_asks_for`, `nothing_is_offered_unsigned` |
//! | form post, all modules | `every_answer_by_form_is_a_form_and_nothing_in_an_address` |

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokenhouse::audit::Actor;
use tokenhouse::users::{self, UserChange};

use crate::authorization::{CALLBACK, VERIFIER, application, code, exchange, request, sign_in};
use crate::browser::{Browser, Form, location, parameters};
use crate::test_server::{Answer, TestServer, claims, on_each_backend};

async fn userinfo(server: &TestServer, tokens: &Answer) -> Value {
    let access = tokens.body["access_token"].as_str().unwrap();
    server.post("/oauth2/userinfo", &[("access_token", access)]).await.body
}

#[actix_web::test]
async fn a_client_may_send_its_secret_in_the_body() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.auth_method = Some(tokenhouse::protocol::AuthMethod::ClientSecretPost);
        let secret = server.add_new_client(new).await.1.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;

        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", "app"),
            ("client_secret", &*secret),
        ];
        let tokens = server.post("/oauth2/token", &form).await;

        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert!(tokens.body["expires_in"].is_u64() && tokens.body["token_type"] == "Bearer");
    })
    .await;
}

#[actix_web::test]
async fn an_id_token_verifies_against_the_published_keys() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let code = code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;

        let keys: jsonwebtoken::jwk::JwkSet =
            serde_json::from_value(server.get("/.well-known/jwks.json").await.body).unwrap();
        let token = tokens.body["id_token"].as_str().unwrap();
        let head = jsonwebtoken::decode_header(token).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(head.kid.as_deref().unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(head.alg);
        rules.set_audience(&["app"]);
        rules.set_issuer(&[&server.config.issuer]);
        let says = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims;

        let kids: BTreeSet<_> = keys.keys.iter().map(|key| key.common.key_id.clone()).collect();
        assert_eq!(kids.len(), keys.keys.len(), "each key has a name of its own");
        let names: BTreeSet<&str> = says.as_object().unwrap().keys().map(String::as_str).collect();
        let asked =
            ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"].into_iter();
        assert_eq!(names, asked.collect(), "nothing that was not asked for");
    })
    .await;
}

#[actix_web::test]
async fn nothing_is_offered_unsigned() {
    on_each_backend(async |server| {
        let metadata = server.get("/.well-known/openid-configuration").await.body;
        for name in ["id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"] {
            let offered = metadata[name].as_array().unwrap();
            assert!(!offered.is_empty() && !offered.contains(&json!("none")) && !offered.contains(&json!("HS256")));
        }
        let keys = server.get("/.well-known/jwks.json").await.body;
        for key in keys["keys"].as_array().unwrap() {
            assert!(["d", "p", "q", "dp", "dq", "qi", "k"].iter().all(|secret| key.get(secret).is_none()), "{key}");
        }
        for name in metadata.as_object().unwrap().keys().filter(|name| name.ends_with("_endpoint")) {
            assert!(metadata[name].as_str().unwrap().starts_with(&server.config.issuer), "{name}");
        }
    })
    .await;
}

#[actix_web::test]
async fn each_scope_brings_its_claims_by_userinfo_and_no_others() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.scope = tokenhouse::protocol::Scope::parse("openid profile email address phone").unwrap();
        let (client, secret) = server.add_new_client(new).await;
        let change: UserChange = serde_json::from_value(json!({
            "email": "ada@example.com",
            "email_verified": true,
            "profile": {
                "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "birthdate": "1815-12-10",
                "locale": "en-GB", "zoneinfo": "Europe/London", "website": "https://ada.example.com",
                "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
                "address": { "locality": "London", "country": "GB" },
            },
        }))
        .unwrap();
        users::change(server.ctx(), server.user().await.id, change, Actor::System).await.unwrap();
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let profile: &[&str] = &[
            "birthdate",
            "family_name",
            "given_name",
            "locale",
            "name",
            "preferred_username",
            "updated_at",
            "website",
            "zoneinfo",
        ];
        let (email, address, phone): (&[&str], &[&str], &[&str]) =
            (&["email", "email_verified"], &["address"], &["phone_number", "phone_number_verified"]);
        for (scope, expected) in [
            ("openid", vec![]),
            ("openid profile", vec![profile]),
            ("openid email", vec![email]),
            ("openid address", vec![address]),
            ("openid phone", vec![phone]),
            ("phone address email profile openid", vec![profile, email, address, phone]),
        ] {
            let code = code(&browser, "app", &[("scope", scope)]).await;
            let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;
            let info = userinfo(server, &tokens).await;
            let told: BTreeSet<&str> = info.as_object().unwrap().keys().map(String::as_str).collect();
            let expected: BTreeSet<&str> = expected.concat().into_iter().chain(["sub"]).collect();
            assert_eq!(told, expected, "{scope}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_silent_answer_tells_of_the_same_person_and_sign_in() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let secret = secret.unwrap();
        let browser = Browser::of(server);
        let page = browser.follow(&request("app", &[])).await;
        let asked = browser.sign_in(&page).await;
        let first = exchange(server, &client, &secret, &parameters(&asked)["code"]).await;
        server.clock.advance(std::time::Duration::from_secs(5));

        let silent = code(&browser, "app", &[("prompt", "none")]).await;
        let second = exchange(server, &client, &secret, &silent).await;

        let of = |answer: &Answer| claims(answer.body["id_token"].as_str().unwrap());
        assert_eq!((&of(&first)["sub"], &of(&first)["auth_time"]), (&of(&second)["sub"], &of(&second)["auth_time"]));
    })
    .await;
}

#[actix_web::test]
async fn every_answer_by_form_is_a_form_and_nothing_in_an_address() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        let by_form = ("response_mode", "form_post");
        let fields = |answer: &Answer| {
            assert_eq!((answer.status, location(answer)), (200, None), "{}", answer.text);
            let form = Form::in_page(&answer.text);
            assert_eq!(form.action, CALLBACK, "to the byte");
            form.hidden.into_iter().collect::<std::collections::BTreeMap<_, _>>()
        };

        let nobody = fields(&browser.get(&request("app", &[by_form, ("prompt", "none")])).await);
        assert_eq!((&*nobody["error"], &*nobody["state"]), ("login_required", "s1"));
        let page = browser.follow(&request("app", &[by_form])).await;
        let signed_in = fields(&browser.sign_in(&page).await);
        let silent = fields(&browser.get(&request("app", &[by_form, ("prompt", "none")])).await);
        for answer in [&signed_in, &silent] {
            assert_eq!((&*answer["state"], &*answer["iss"]), ("s1", &*server.config.issuer));
            let tokens = exchange(server, &client, secret.as_deref().unwrap(), &answer["code"]).await;
            assert_eq!(tokens.status, 200, "{}", tokens.text);
        }
        for (more, error) in [
            (("response_type", "(absent)"), "invalid_request"),
            (("response_type", "id_token"), "unsupported_response_type"),
            (("request", "e30.e30."), "request_not_supported"),
            (("request_uri", "https://app.example.com/r"), "request_uri_not_supported"),
            (("max_age", "soon"), "invalid_request"),
        ] {
            assert_eq!(fields(&browser.get(&request("app", &[by_form, more])).await)["error"], error, "{more:?}");
        }
        let elsewhere = [by_form, ("redirect_uri", "https://app.example.com/other")];
        assert_eq!(browser.get(&request("app", &elsewhere)).await.status, 400);
    })
    .await;
}
