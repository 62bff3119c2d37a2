//! `tokenhouse inspect`

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::support::program::{Serving, Workplace};

const PASSWORD: &str = "a fine long password";

#[actix_web::test]
async fn a_token_is_explained_and_judged() {
    let mut workplace = Workplace::fresh();
    workplace.set("TOKENHOUSE_ISSUER", "https://id.example.org");
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();
    let serving = workplace.serve(&[]);
    let [access, refresh] = sign_in(&serving).await;

    let good = workplace.run(&["inspect", &access]).good();
    let renews = workplace.run(&["inspect", &refresh, "--json"]).json();

    assert!(good.contains("\"typ\": \"at+jwt\"") && good.contains("\"token_type\": \"access\""), "{good}");
    assert!(
        good.ends_with(
            "by list: valid\nby introspection: active\ngood: an access token whose session or client is live\n"
        ),
        "{good}"
    );
    assert_eq!((&renews["by_list"], &renews["by_introspection"]), (&Value::Null, &"active".into()));
    assert_eq!((&renews["good"], &renews["why"]), (&true.into(), &"good: a refresh token of a live session".into()));
    assert_eq!(renews["claims"]["gen"], 0);
    for token in [tampered(&access), tampered(&refresh), "nonsense".to_owned(), String::new(), "a.b.c".to_owned()] {
        let refused = workplace.run(&["inspect", &token, "--json"]);
        assert_eq!(refused.code, Some(1), "{}", refused.out);
        let answer: Value = serde_json::from_str(&refused.out).unwrap();
        assert_eq!(answer["good"], false);
        assert!(answer["why"].as_str().unwrap().starts_with("refused: "), "{answer}");
        assert!(!answer["why"].as_str().unwrap().contains("invalid_"), "{answer}");
    }
    workplace.run(&["session", "revoke", "--all"]).good();
    for token in [&access, &refresh] {
        let over = workplace.run(&["inspect", token]).bad();
        assert!(
            over.ends_with(
                "by introspection: not active\n\
                 refused: it is well made, but its session, user or client is over, or it was used before\n"
            ),
            "{over}"
        );
    }
    assert!(workplace.run(&["inspect", &access]).bad().contains("by list: revoked\n"));
}

#[actix_web::test]
async fn a_token_is_judged_from_outside_by_its_status_list() {
    let mut workplace = Workplace::fresh();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    workplace.set("TOKENHOUSE_LISTEN", &address);
    workplace.set("TOKENHOUSE_ISSUER", &format!("http://{address}"));
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();
    let serving = workplace.serve(&[]);
    let [access, _] = sign_in(&serving).await;
    let jwks = serving.url("/.well-known/jwks.json");
    let mut elsewhere = Workplace::fresh();
    elsewhere.set("TOKENHOUSE_ISSUER", &format!("http://{address}"));

    let valid = elsewhere.run(&["inspect", &access, "--jwks", &jwks, "--json"]).json();
    workplace.run(&["session", "revoke", "--all"]).good();
    let revoked = until_the_list_says_so(&elsewhere, &access, &jwks).await;

    assert_eq!((&valid["good"], &valid["by_list"]), (&true.into(), &"valid".into()));
    assert_eq!((&revoked["good"], &revoked["by_introspection"]), (&false.into(), &Value::Null));
    assert!(revoked["why"].as_str().unwrap().contains("revoked"), "{revoked}");
}

/// The command line is another process: the service hears of it from the change feed, within a second.
async fn until_the_list_says_so(elsewhere: &Workplace, access: &str, jwks: &str) -> Value {
    for _ in 0..50 {
        let out = elsewhere.run(&["inspect", access, "--jwks", jwks, "--json"]).out;
        let answer: Value = serde_json::from_str(&out).unwrap();
        if answer["by_list"] == "revoked" {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the list never said so")
}

#[actix_web::test]
async fn an_expired_token_is_told_to_be_expired() {
    let mut workplace = Workplace::fresh();
    workplace.set("TOKENHOUSE__TOKENS__ACCESS_LIFETIME", "1s");
    workplace.set("TOKENHOUSE__TOKENS__REFRESH_LIFETIME", "1s");
    workplace.set("TOKENHOUSE__REFRESH__LOST_RESPONSE_WINDOW", "1s");
    workplace.set("TOKENHOUSE_ISSUER", "https://id.example.org");
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();
    let tokens = sign_in(&workplace.serve(&[])).await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;

    for token in tokens {
        let refused = workplace.run(&["inspect", &token]).bad();
        assert!(refused.contains("refused: ") && refused.contains("expired"), "{refused}");
    }
}

#[actix_web::test]
async fn a_token_is_judged_offline_with_a_jwks_alone() {
    let mut workplace = Workplace::fresh();
    workplace.set("TOKENHOUSE_ISSUER", "https://id.example.org");
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();
    let serving = workplace.serve(&[]);
    let [access, refresh] = sign_in(&serving).await;
    let jwks = reqwest::get(serving.url("/.well-known/jwks.json")).await.unwrap().text().await.unwrap();
    let mut elsewhere = Workplace::fresh();
    elsewhere.set("TOKENHOUSE_ISSUER", "https://id.example.org");
    elsewhere.write("jwks.json", &jwks);
    elsewhere.write("empty.json", "{}");

    let good = elsewhere.run(&["inspect", &access, "--jwks", "jwks.json"]).good();

    assert!(good.contains("good: the signature and the claims hold"), "{good}");
    assert!(elsewhere.run(&["inspect", &refresh, "--jwks", "jwks.json"]).bad().contains("refused: "));
    assert!(elsewhere.run(&["inspect", &tampered(&access), "--jwks", "jwks.json"]).bad().contains("refused: "));
    assert!(
        elsewhere.run(&["inspect", &access, "--jwks", "nowhere.json"]).bad().starts_with("tokenhouse: nowhere.json: ")
    );
    assert!(elsewhere.run(&["inspect", &access, "--jwks", "empty.json"]).bad().starts_with("tokenhouse: empty.json: "));
    let mine: Vec<_> = fs::read_dir(elsewhere.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(mine.len(), 2, "no database and no keys were made: {mine:?}");
    elsewhere.set("TOKENHOUSE_ISSUER", "https://other.example.org");
    assert!(elsewhere.run(&["inspect", &access, "--jwks", "jwks.json"]).bad().contains("refused: "));
}

/// Another letter in the middle of the signature.
fn tampered(token: &str) -> String {
    let workplace = token.len() - 10;
    let other = if token.as_bytes()[workplace] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..workplace], &token[workplace + 1..])
}

async fn sign_in(serving: &Serving) -> [String; 2] {
    let request = reqwest::Client::new().post(serving.url("/api/token/"));
    let answer: Value =
        request.form(&[("username", "ada"), ("password", PASSWORD)]).send().await.unwrap().json().await.unwrap();
    ["access", "refresh"].map(|name| answer[name].as_str().unwrap().to_owned())
}
