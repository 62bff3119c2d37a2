//! The authorization endpoint: what it makes of requests, good and bad.

use reqwest::Method;
use serde_json::json;
use tokenhouse::model::{Pkce, SignOn};
use tokenhouse::protocol::{GrantType, RedirectUri, ResponseMode};
use url::Url;

use crate::authorization::{CALLBACK, application, code, exchange, request, sign_in};
use crate::browser::{Browser, location, parameters};
use crate::test_server::{Answer, TestServer, new_client, on_each_backend, on_each_backend_with, read};

/// A page that says what is wrong, and no way out of the server.
fn assert_page(answer: &Answer, about: &str) {
    assert_eq!(answer.status, 400, "{about}: {}", answer.text);
    assert_eq!(location(answer), None, "{about}");
}

#[actix_web::test]
async fn a_mutation_of_a_registered_redirect_uri_ends_on_a_page() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.redirect_uris = vec![
            RedirectUri::parse("https://app.example.com/cb").unwrap(),
            RedirectUri::parse("https://app.example.com/q?x=1").unwrap(),
        ];
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        for mutation in [
            "https://app.example.com.evil.tld/cb",
            "https://app.example.com@evil.tld/cb",
            "https://evil.tld/https://app.example.com/cb",
            "https://evil.tld\\@app.example.com/cb",
            "https://app.example.com\\.evil.tld/cb",
            "https://evilapp.example.com/cb",
            "https://example.com/cb",
            "https://sub.app.example.com/cb",
            "https://app.example.com./cb",
            "https://app.example.com:443/cb",
            "https://app.example.com:8443/cb",
            "http://app.example.com/cb",
            "HTTPS://app.example.com/cb",
            "https://APP.example.com/cb",
            "https://app.example.com/CB",
            "https://app.example.com/cb/",
            "https://app.example.com/cb/..",
            "https://app.example.com//cb",
            "https://app.example.com/./cb",
            "https://app.example.com/x/../cb",
            "https://app.example.com/..;/cb",
            "https://app.example.com/%2e%2e/cb",
            "https://app.example.com/%63b",
            "https://app.example.com/cb%2f",
            "https://app.example.com/cb%00",
            "https://app.example.com/cb%0d%0aLocation:%20https://evil.tld",
            "https://app.example.com/cb\r\nLocation: https://evil.tld",
            "https://app.example.com/cb ",
            " https://app.example.com/cb",
            "https://app.example.com/cb?",
            "https://app.example.com/cb?x=1",
            "https://app.example.com/cb#",
            "https://app.example.com/cb#x",
            "https://app.example.com/cb;x",
            "https://app.example.com/q",
            "https://app.example.com/q?x=2",
            "https://app.example.com/q?x=1&y=2",
            "https://app.example.com/q?y=2&x=1",
            "//app.example.com/cb",
            "/cb",
            "javascript:alert(1)//https://app.example.com/cb",
            "data:text/html,https://app.example.com/cb",
            "http://localhost:1/cb",
            "http://127.0.0.1:9/other",
            "https://[::ffff:app.example.com]/cb",
            "https://app。example。com/cb",
        ] {
            for prompt in ["none", "login"] {
                let answer = browser.get(&request("app", &[("redirect_uri", mutation), ("prompt", prompt)])).await;
                assert_page(&answer, mutation);
            }
        }
        for good in ["https://app.example.com/cb", "https://app.example.com/q?x=1"] {
            let back = location(&browser.get(&request("app", &[("redirect_uri", good)])).await).unwrap();
            assert!(back.starts_with(good), "{back}");
        }
    })
    .await;
}

#[actix_web::test]
async fn what_a_redirect_uri_was_registered_with_stays_as_it_is() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.redirect_uris = vec![RedirectUri::parse("https://app.example.com/a%2Fb?foo=bar%20baz&x").unwrap()];
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let uri = "https://app.example.com/a%2Fb?foo=bar%20baz&x";
        let back = location(&browser.get(&request("app", &[("redirect_uri", uri)])).await).unwrap();

        assert!(back.starts_with("https://app.example.com/a%2Fb?foo=bar%20baz&x&code="), "{back}");
    })
    .await;
}

#[actix_web::test]
async fn only_a_native_application_may_come_back_to_another_loopback_port() {
    on_each_backend(async |server| {
        let loopback = RedirectUri::parse("http://127.0.0.1:9/cb").unwrap();
        for (id, public) in [("native", true), ("web", false)] {
            let mut new = application(id);
            new.public = public;
            new.redirect_uris = vec![loopback.clone()];
            server.add_new_client(new).await;
        }
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let other_port = [("redirect_uri", "http://127.0.0.1:51004/cb")];
        // Any program on the device may listen there, so the person is asked, however well the client is known.
        let silent = [other_port[0], ("prompt", "none")];
        assert_eq!(parameters(&browser.get(&request("native", &silent)).await)["error"], "consent_required");
        let page = browser.follow(&request("native", &other_port)).await;
        let native = browser.submit(&page, &[("answer", "accept")]).await;
        let web = browser.get(&request("web", &other_port)).await;

        assert!(location(&native).unwrap().starts_with("http://127.0.0.1:51004/cb?code="));
        assert_page(&web, "a web application");
        for other in ["http://127.0.0.1:9/other", "http://localhost:9/cb", "http://[::1]:9/cb"] {
            assert_page(&browser.get(&request("native", &[("redirect_uri", other)])).await, other);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_client_must_be_known_before_a_browser_is_sent_anywhere() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);

        for (client, more) in [
            ("nobody", ("state", "s")),
            ("simplejwt", ("state", "s")),
            ("(absent)", ("state", "s")),
            ("a b", ("state", "s")),
            ("app", ("redirect_uri", "(absent)")),
        ] {
            let more = [more, ("client_id", client)];
            assert_page(&browser.get(&request("app", &more)).await, client);
        }
        let twice = format!("{}&client_id=app", request("app", &[]));
        assert_page(&browser.get(&twice).await, "client_id twice");
        let twice = format!("{}&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb", request("app", &[]));
        assert_page(&browser.get(&twice).await, "redirect_uri twice");
    })
    .await;
}

#[actix_web::test]
async fn what_else_is_wrong_the_application_is_told_by_the_code_of_the_standard() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let mut service = new_client("svc", &[GrantType::ClientCredentials], "read");
        service.redirect_uris = vec![RedirectUri::parse(CALLBACK).unwrap()];
        server.add_new_client(service).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        for (more, error) in [
            (("response_type", "(absent)"), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", "code id_token"), "unsupported_response_type"),
            (("response_mode", "fragment"), "invalid_request"),
            (("scope", "unheard-of"), "invalid_scope"),
            (("scope", "a  b"), "invalid_scope"),
            (("code_challenge", "(absent)"), "invalid_request"),
            (("code_challenge_method", "(absent)"), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("code_challenge", "short"), "invalid_request"),
            (("prompt", "none login"), "invalid_request"),
            (("prompt", "dance"), "invalid_request"),
            (("max_age", "-1"), "invalid_request"),
            (("max_age", "soon"), "invalid_request"),
            (("claims", "[]"), "invalid_request"),
            (("resource", "https://elsewhere.example"), "invalid_target"),
            (("request", "e30.e30."), "request_not_supported"),
            (("request_uri", "https://app.example.com/r"), "request_uri_not_supported"),
            (("registration", "{}"), "registration_not_supported"),
            (("id_token_hint", "e30.e30.e30"), "invalid_request"),
        ] {
            let back = parameters(&browser.get(&request("app", &[more])).await);
            assert_eq!((&*back["error"], &*back["state"]), (error, "s1"), "{more:?}");
            assert_eq!(back["iss"], server.config.issuer, "{more:?}");
            assert!(!back.contains_key("code"), "{more:?}");
        }
        let back = parameters(&browser.get(&request("svc", &[("scope", "read")])).await);
        assert_eq!(back["error"], "unauthorized_client");
        for name in ["state", "scope", "nonce", "code_challenge", "prompt", "unheard_of"] {
            let twice = format!("{}&{name}=x&{name}=y", request("app", &[]));
            assert_eq!(parameters(&browser.get(&twice).await)["error"], "invalid_request", "{name}");
        }
        let long = "n".repeat(4097);
        assert_eq!(parameters(&browser.get(&request("app", &[("nonce", &long)])).await)["error"], "invalid_request");
    })
    .await;
}

#[actix_web::test]
async fn what_is_not_known_or_merely_wished_for_changes_nothing() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        for more in [
            ("extra", "foobar"),
            ("display", "page"),
            ("display", "popup"),
            ("login_hint", "ada"),
            ("ui_locales", "se de"),
            ("claims_locales", "se"),
            ("acr_values", "1 2"),
            ("nonce", "(absent)"),
            ("state", "(absent)"),
            ("max_age", "10000"),
            ("scope", "email openid profile"),
            ("scope", "openid unheard-of"),
            ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
        ] {
            let back = parameters(&browser.get(&request("app", &[more])).await);
            assert!(back.contains_key("code"), "{more:?}: {back:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_request_by_post_is_served_as_one_by_get() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let url = Url::parse(&format!("http://x{}", request("app", &[]))).unwrap();
        let form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = browser.post("/oauth2/authorize", &form).await;

        assert_eq!(answer.status, 303);
        let again = browser.get(&location(&answer).unwrap()).await;
        assert!(parameters(&again).contains_key("code"));
    })
    .await;
}

#[actix_web::test]
async fn a_code_is_long_random_and_kept_as_a_digest() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let (one, other) = (code(&browser, "app", &[]).await, code(&browser, "app", &[]).await);

        assert_ne!(one, other);
        assert!(
            one.len() >= 43 && one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            "{one}"
        );
        let ephemeral = &server.ctx().store.ephemeral;
        assert_eq!(ephemeral.peek(&format!("code:{one}")).await.unwrap(), None, "the code itself names nothing");
        let answer = exchange(server, &client, secret.as_deref().unwrap(), &one).await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn a_confidential_client_must_use_pkce_unless_it_is_exempted() {
    on_each_backend(async |server| {
        server.add_new_client(application("strict")).await;
        let mut new = application("relaxed");
        new.sign_on = SignOn { pkce: Some(Pkce::Optional), ..SignOn::default() };
        server.add_new_client(new).await;
        let mut new = application("public");
        new.public = true;
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let without = [("code_challenge", "(absent)"), ("code_challenge_method", "(absent)")];
        for (client, error) in
            [("strict", Some("invalid_request")), ("relaxed", None), ("public", Some("invalid_request"))]
        {
            let back = parameters(&browser.get(&request(client, &without)).await);
            assert_eq!(back.get("error").map(String::as_str), error, "{client}");
        }
    })
    .await;
}

#[actix_web::test]
async fn the_server_may_leave_pkce_to_public_clients() {
    let relax = |config: &mut tokenhouse::config::Config| config.oauth.pkce = tokenhouse::config::PkceFor::Public;
    on_each_backend_with(relax, async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let without = [("code_challenge", "(absent)"), ("code_challenge_method", "(absent)")];
        let back = parameters(&browser.get(&request("app", &without)).await);

        assert!(back.contains_key("code"), "{back:?}");
    })
    .await;
}

#[actix_web::test]
async fn a_client_gets_its_answers_only_the_way_it_has_registered() {
    on_each_backend(async |server| {
        let mut new = application("app");
        new.sign_on = SignOn { response_modes: vec![ResponseMode::Query], ..SignOn::default() };
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let back = parameters(&browser.get(&request("app", &[("response_mode", "form_post")])).await);

        assert_eq!(back["error"], "invalid_request");
    })
    .await;
}

#[actix_web::test]
async fn administrators_rights_are_given_to_administrators_alone() {
    on_each_backend(async |server| {
        let mut new = application("console");
        new.scope = tokenhouse::protocol::Scope::parse("openid tokenhouse:admin").unwrap();
        server.add_new_client(new).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let back = parameters(&browser.get(&request("console", &[("scope", "openid tokenhouse:admin")])).await);

        assert_eq!(back["error"], "access_denied");
        let back = parameters(&browser.get(&request("console", &[("scope", "(absent)")])).await);
        assert!(back.contains_key("code"), "what is not asked for by name leaves these rights out: {back:?}");
    })
    .await;
}

#[actix_web::test]
async fn what_waits_for_a_person_is_small_and_each_address_has_so_many() {
    let few = |config: &mut tokenhouse::config::Config| {
        config.limits.authorizations_by_address =
            tokenhouse::config::Rate::of(5, tokenhouse::config::Duration::minutes(1));
    };
    on_each_backend_with(few, async |server| {
        server.add_new_client(application("app")).await;
        let browser = Browser::of(server);

        let large = "x".repeat(30_000);
        let hints = [("login_hint", &*large), ("ui_locales", &*large)];
        let kept = browser.get(&request("app", &hints)).await;
        let page = browser.get(&location(&kept).unwrap()).await;
        assert!(page.status == 200 && !page.text.contains("xxxxxxxx"), "{}", page.status);
        let control = "\u{1}".repeat(4096);
        let escaped = browser.get(&request("app", &[("state", &control), ("nonce", &control)])).await;
        assert_eq!(escaped.status, 400, "JSON makes six of each");
        for _ in 0..4 {
            assert_eq!(browser.get(&request("app", &[])).await.status, 303);
        }
        let refused = browser.get(&request("app", &[])).await;
        assert_eq!(refused.status, 429);
        assert!(refused.headers.contains_key("retry-after"));
        // Nothing waits where no user is asked.
        sign_in(server, &browser).await;
        assert!(parameters(&browser.get(&request("app", &[])).await).contains_key("code"));
    })
    .await;
}

#[actix_web::test]
async fn a_head_request_issues_nothing() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;
        let head = read(server.request(Method::HEAD, &request("app", &[]))).await;
        assert_eq!(head.status, 405);
    })
    .await;
}

#[actix_web::test]
async fn no_header_changes_where_the_answer_goes_or_who_gives_it() {
    on_each_backend(async |server| {
        server.add_new_client(application("app")).await;

        let poisoned = server
            .request(Method::GET, &request("app", &[]))
            .header("Host", "evil.example")
            .header("X-Forwarded-Host", "evil.example")
            .header("X-Forwarded-Proto", "gopher");
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = http.execute(poisoned.build().unwrap()).await.unwrap();

        let to = answer.headers()["location"].to_str().unwrap();
        assert!(to.starts_with("/login?interaction="), "{to}");
    })
    .await;
}

#[actix_web::test]
async fn the_metadata_says_what_openid_connect_asks_for() {
    on_each_backend(async |server| {
        let document = server.get("/.well-known/openid-configuration").await;

        assert_eq!(document.status, 200);
        assert_eq!(document.headers["content-type"], "application/json");
        let metadata = &document.body;
        assert_eq!(metadata["issuer"], server.config.issuer);
        assert_eq!(metadata["response_types_supported"], json!(["code"]));
        assert_eq!(metadata["response_modes_supported"], json!(["query", "form_post"]));
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
        assert_eq!(metadata["subject_types_supported"], json!(["public", "pairwise"]));
        for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
            let url = metadata[name].as_str().unwrap();
            assert!(url.starts_with(&server.config.issuer), "{name}");
            assert_ne!(
                read(server.request(Method::GET, url.strip_prefix(&server.config.issuer).unwrap())).await.status,
                404
            );
        }
        let scopes = metadata["scopes_supported"].as_array().unwrap();
        for scope in ["openid", "profile", "email", "address", "phone", "offline_access"] {
            assert!(scopes.contains(&json!(scope)), "{scope}");
        }
        assert_eq!(server.get("/.well-known/oauth-authorization-server").await.body, *metadata);
    })
    .await;
}

#[actix_web::test]
async fn with_the_usual_settings_id_tokens_are_signed_with_rs256() {
    let usual = |config: &mut tokenhouse::config::Config| {
        config.keys.id_token_algorithm = tokenhouse::model::SigningAlgorithm::Rs256;
    };
    on_each_backend_with(usual, async |server: &TestServer| {
        let (client, secret) = server.add_new_client(application("app")).await;
        let browser = Browser::of(server);
        sign_in(server, &browser).await;

        let code = code(&browser, "app", &[]).await;
        let tokens = exchange(server, &client, secret.as_deref().unwrap(), &code).await;

        let head = crate::test_server::header(tokens.body["id_token"].as_str().unwrap());
        assert_eq!(head["alg"], "RS256");
        let metadata = server.get("/.well-known/openid-configuration").await.body;
        assert!(metadata["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
    })
    .await;
}
