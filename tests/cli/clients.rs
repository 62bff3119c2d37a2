//! `tokenhouse client …`

use serde_json::json;

use crate::support::program::{Serving, Workplace};

const SECRET: &str = "a-secret-that-was-brought-along-and-is-long";

#[actix_web::test]
async fn a_secret_is_printed_once_and_works() {
    let workplace = Workplace::fresh();
    let added = workplace
        .run(&["client", "add", "shop", "--grant", "client_credentials", "--scope", "read write", "--json"])
        .json();
    let secret = added["client_secret"].as_str().unwrap();
    assert_eq!(added["client"]["scope"], "read write");

    for command in [&["client", "show", "shop"][..], &["client", "list"], &["client", "list", "--json"]] {
        let shown = workplace.run(command).good();
        assert!(shown.contains("shop") && !shown.contains(secret), "{shown}");
    }
    let serving = workplace.serve(&[]);
    assert_eq!(token(&serving, "shop", secret).await, 200);

    let rotated = workplace.run(&["client", "rotate-secret", "shop"]).good();

    assert!(
        rotated.starts_with("New secret (shown once): ") && rotated.contains("The old one is good until "),
        "{rotated}"
    );
    let new = rotated.lines().next().unwrap().rsplit(' ').next().unwrap();
    wait_for(&serving, "shop", new, 200).await;
    assert_eq!(token(&serving, "shop", secret).await, 200);
    let early = workplace.run(&["client", "rotate-secret", "shop"]).bad();
    assert!(early.starts_with("tokenhouse: the secret before the current one is good until 20"), "{early}");
    assert!(early.contains("--now"), "{early}");
    let third = workplace.run(&["client", "rotate-secret", "shop", "--now", "--json"]).json();
    wait_for(&serving, "shop", secret, 401).await;
    wait_for(&serving, "shop", third["client_secret"].as_str().unwrap(), 200).await;
    assert!(workplace.run(&["client", "disable", "shop"]).good().starts_with("Disabled; sessions ended everywhere."));
    wait_for(&serving, "shop", new, 401).await;
    assert_eq!(workplace.run(&["client", "enable", "shop"]).good(), "Enabled.\n");
    wait_for(&serving, "shop", new, 200).await;
    assert_eq!(workplace.run(&["client", "remove", "shop", "--json"]).json(), json!({ "applied": "everywhere" }));
    wait_for(&serving, "shop", new, 401).await;
}

#[actix_web::test]
async fn a_secret_may_be_brought_along_on_standard_input() {
    let workplace = Workplace::fresh();
    let add = ["client", "add", "shop", "--grant", "client_credentials", "--secret-stdin"];

    let short = workplace.run_with_input(&add, "short").bad();
    let added = workplace.run_with_input(&add, SECRET).good();

    let form = "32 to 512 random characters of A-Z a-z 0-9 - . _ ~, for instance from `openssl rand -hex 32`";
    assert_eq!(short, format!("tokenhouse: a client secret is {form}\n"));
    assert_eq!(added, "Added shop confidential active [client_credentials] \"\"\n");
    assert_eq!(token(&workplace.serve(&[]), "shop", SECRET).await, 200);
}

#[test]
fn every_part_of_a_client_can_be_given() {
    let workplace = Workplace::fresh();
    let added = workplace.run(&[
        "client",
        "add",
        "web",
        "--name",
        "The web shop",
        "--public",
        "--redirect-uri",
        "https://shop.example/cb",
        "--redirect-uri",
        "http://127.0.0.1/cb",
        "--post-logout-redirect-uri",
        "https://shop.example/",
        "--grant",
        "refresh_token",
        "--scope",
        "read",
        "--audience",
        "https://api.example",
        "--auth-method",
        "none",
        "--backchannel-logout-uri",
        "https://shop.example/logout",
        "--trusted",
        "--json",
    ]);

    let client = added.json();

    assert_eq!(client["client_secret"], serde_json::Value::Null);
    let client = &client["client"];
    assert_eq!(client["name"], "The web shop");
    assert_eq!(client["kind"], "public");
    assert_eq!(client["redirect_uris"], json!(["https://shop.example/cb", "http://127.0.0.1/cb"]));
    assert_eq!(client["post_logout_redirect_uris"], json!(["https://shop.example/"]));
    assert_eq!(client["backchannel_logout_uri"], "https://shop.example/logout");
    assert_eq!(client["audience"], json!(["https://api.example"]));
    assert_eq!(client["trusted"], true);
    assert_eq!(workplace.run(&["client", "show", "web", "--json"]).json(), *client);
}

#[test]
fn everything_about_signing_on_can_be_given_and_changed_one_by_one() {
    let workplace = Workplace::fresh();
    let added = workplace.run(&[
        "client",
        "add",
        "web",
        "--redirect-uri",
        "https://shop.example/cb",
        "--client-uri",
        "https://shop.example/",
        "--logo-uri",
        "https://shop.example/logo.png",
        "--policy-uri",
        "https://shop.example/policy",
        "--tos-uri",
        "https://shop.example/terms",
        "--frontchannel-logout-uri",
        "https://shop.example/out",
        "--frontchannel-logout-session-required",
        "--backchannel-logout-session-required",
        "--initiate-login-uri",
        "https://shop.example/in",
        "--response-mode",
        "form_post",
        "--pkce",
        "optional",
        "--id-token-alg",
        "ES256",
        "--userinfo-alg",
        "ES256",
        "--subject-type",
        "pairwise",
        "--sector-identifier",
        "shop.example",
        "--default-max-age",
        "1h",
        "--unverified",
        "--access-lifetime",
        "10m",
        "--refresh-lifetime",
        "2h",
        "--json",
    ]);

    let mut client = added.json()["client"].take();

    let sign_on = json!({
        "client_uri": "https://shop.example/",
        "logo_uri": "https://shop.example/logo.png",
        "policy_uri": "https://shop.example/policy",
        "tos_uri": "https://shop.example/terms",
        "frontchannel_logout_uri": "https://shop.example/out",
        "frontchannel_logout_session_required": true,
        "backchannel_logout_session_required": true,
        "initiate_login_uri": "https://shop.example/in",
        "response_modes": ["form_post"],
        "pkce": "optional",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "sector_identifier": "shop.example",
        "default_max_age": 3600,
        "unverified": true,
    });
    assert_eq!(client["sign_on"], sign_on);
    assert_eq!((&client["access_lifetime"], &client["refresh_lifetime"]), (&json!(600), &json!(7200)));

    let changed =
        workplace.run(&["client", "set", "web", "--logo-uri", "", "--unverified=false", "--pkce", "required"]).good();
    workplace.run(&["client", "set", "web", "--access-lifetime", "", "--name", "Web", "--trusted", "--json"]).good();

    assert!(changed.starts_with("Changed web confidential active"), "{changed}");
    client["sign_on"].as_object_mut().unwrap().retain(|name, _| name != "logo_uri" && name != "unverified");
    client["sign_on"]["pkce"] = json!("required");
    client["access_lifetime"] = serde_json::Value::Null;
    client["name"] = json!("Web");
    client["trusted"] = json!(true);
    // Its tokens can no longer be for itself, so those that it may hold are revoked, and it has another workplace.
    client["status_index"] = json!(1);
    assert_eq!(workplace.run(&["client", "show", "web", "--json"]).json(), client);
    let nothing = workplace.run(&["client", "set", "web"]).bad();
    assert_eq!(nothing, "tokenhouse: name what is to change; see `tokenhouse client set --help`\n");
    let problem = workplace.run(&["client", "set", "web", "--logo-uri", "http://shop.example/logo.png"]).bad();
    assert_eq!(problem, "tokenhouse: logo_uri: the scheme is https, or http on a loopback address\n");
    assert_eq!(
        workplace.run(&["client", "set", "nobody", "--name", "x"]).bad(),
        "tokenhouse: there is no such client\n"
    );
    assert_eq!(workplace.run(&["client", "show", "web", "--json"]).json(), client);
}

#[test]
fn what_is_wrong_with_a_client_is_said_in_a_sentence() {
    let workplace = Workplace::fresh();
    workplace.run(&["client", "add", "shop"]).good();
    workplace.run(&["client", "add", "spa", "--public"]).good();
    for (arguments, says) in [
        (&["client", "add", "shop"][..], "a client with this identifier exists"),
        (
            &["client", "add", "a", "--public", "--grant", "client_credentials"],
            "a public client cannot use client_credentials",
        ),
        (
            &["client", "add", "a", "--grant", "authorization_code"],
            "authorization_code needs a redirect URI: --redirect-uri",
        ),
        (&["client", "show", "nobody"], "there is no client `nobody`"),
        (&["client", "remove", "nobody"], "there is no such client"),
        (&["client", "remove", "simplejwt"], "the built-in client is switched off by simplejwt.enabled = false"),
        (&["client", "rotate-secret", "spa"], "a public client has no secret"),
    ] {
        let problem = workplace.run(arguments).bad();
        assert!(problem.starts_with(&format!("tokenhouse: {says}")), "{arguments:?}: {problem}");
    }
    for (arguments, says) in [
        (&["client", "add", "a b"][..], "client_id is 1 to 128 of"),
        (&["client", "add", "a", "--redirect-uri", "http://example.org/"], "http is for loopback addresses only"),
        (
            &["client", "add", "a", "--grant", "password"],
            "there are authorization_code, client_credentials, refresh_token",
        ),
        (&["client", "add", "a", "--scope", "a  b"], "scope"),
    ] {
        let ended = workplace.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(says) && !ended.err.contains("invalid_"), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn what_is_hardly_meant_is_pointed_out_and_ended_sessions_are_told_of_where_there_may_be_some() {
    let workplace = Workplace::fresh();
    let grantless = workplace.run(&["client", "add", "shop"]).good();
    let set = |arguments: &[&str]| workplace.run(&[&["client", "set", "shop"], arguments].concat()).good();

    let granted = set(&["--grant", "client_credentials"]);
    let narrowed = set(&["--scope", "read,write"]);

    let line = "\nWithout a grant it can obtain no token; see --grant in `tokenhouse client set --help`\n";
    assert!(grantless.contains(line), "{grantless}");
    assert_eq!(granted, "Changed shop confidential active [client_credentials] \"\"\n");
    let (changed, comma) = narrowed.split_once('\n').unwrap();
    assert!(changed.ends_with(" \"read,write\"; sessions beyond it ended everywhere."), "{changed}");
    assert!(comma.starts_with("A word of its scope holds a comma; words are separated by spaces"), "{comma}");
}

/// A running instance learns of the change within a second.
async fn wait_for(serving: &Serving, client: &str, secret: &str, status: u16) {
    for _ in 0..100 {
        if token(serving, client, secret).await == status {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{client} does not get {status}");
}

async fn token(serving: &Serving, client: &str, secret: &str) -> u16 {
    let request = reqwest::Client::new().post(serving.url("/oauth2/token")).basic_auth(client, Some(secret));
    request.form(&[("grant_type", "client_credentials")]).send().await.unwrap().status().as_u16()
}
