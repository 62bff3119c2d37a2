//! `tokenhouse session …`

use std::time::Duration;

use serde_json::Value;

use crate::support::program::{Serving, Workplace};

const PASSWORD: &str = "a fine long password";

#[actix_web::test]
async fn sessions_are_listed_and_ended_by_user_client_identifier_or_all() {
    let workplace = Workplace::fresh();
    for user in ["ada", "bob"] {
        workplace.run_with_input(&["user", "add", user, "--password-stdin"], PASSWORD).good();
    }
    let serving = workplace.serve(&[]);
    let adas = sign_in(&serving, "ada").await;
    let bobs = [sign_in(&serving, "bob").await, sign_in(&serving, "bob").await, sign_in(&serving, "bob").await];
    assert_eq!(list(&workplace, &[]).len(), 4);
    assert_eq!(list(&workplace, &["--user", "ada"]).len(), 1);
    assert_eq!(list(&workplace, &["--user", "bob", "--client", "simplejwt", "--live"]).len(), 3);
    workplace.run(&["client", "add", "shop"]).good();
    assert_eq!(list(&workplace, &["--client", "shop"]).len(), 0);
    let first = list(&workplace, &["--user", "bob"])[0]["id"].as_str().unwrap().to_owned();

    let by_user = workplace.run(&["session", "revoke", "--user", "ada"]).good();
    let one = workplace.run(&["session", "revoke", &first, "--json"]).json();

    assert!(by_user.starts_with("1 session ended everywhere; "), "{by_user}");
    assert_eq!((&one["sessions_ended"], &one["applied"]), (&1.into(), &"everywhere".into()));
    let moment = |name: &str| one[name].as_str().unwrap().parse::<tokenhouse::clock::Timestamp>().unwrap();
    let (refused, expired) = (moment("offline_refused_by"), moment("access_tokens_expire_by"));
    let five_minutes = Duration::from_secs(290)..=Duration::from_secs(310);
    assert!(five_minutes.contains(&expired.since(refused)), "the server's tokens live five minutes: {one}");
    assert_eq!(refresh(&serving, &adas).await, 401, "at once, in the running service too");
    assert_eq!(refresh(&serving, &bobs[0]).await, 401);
    assert_eq!(refresh(&serving, &bobs[1]).await, 200);
    assert_eq!(list(&workplace, &["--live"]).len(), 2);
    let words = workplace.run(&["session", "list"]).good();
    assert!(words.contains("ended at 20") && words.contains("(admin)") && words.contains(" until 20"), "{words}");
    assert!(workplace.run(&["session", "revoke", "--client", "shop"]).good().starts_with("No live session matches"));
    assert!(workplace.run(&["session", "revoke", "--all"]).good().starts_with("2 sessions ended everywhere; "));
    assert_eq!(refresh(&serving, &bobs[1]).await, 401);
}

#[test]
fn a_revocation_that_names_nothing_or_no_known_user_or_client_is_refused() {
    let workplace = Workplace::fresh();
    assert_eq!(workplace.run(&["session", "revoke"]).code, Some(2));
    assert_eq!(workplace.run(&["session", "revoke", "--all", "--user", "ada"]).code, Some(2));
    let odd = workplace.run(&["session", "revoke", "no-identifier"]);
    assert_eq!(odd.code, Some(2));
    assert!(odd.err.contains("a session's identifier is a UUID; see `tokenhouse session list`"), "{}", odd.err);
    for command in ["list", "revoke"] {
        let nobody = workplace.run(&["session", command, "--client", "nobody"]).bad();
        assert_eq!(nobody, "tokenhouse: there is no client `nobody`\n");
    }
    assert_eq!(workplace.run(&["session", "revoke", "--user", "ada"]).bad(), "tokenhouse: there is no user `ada`\n");
    assert_eq!(workplace.run(&["session", "list", "--user", "ada"]).bad(), "tokenhouse: there is no user `ada`\n");
    assert_eq!(workplace.run(&["session", "list"]).good(), "none\n");
}

fn list(workplace: &Workplace, filter: &[&str]) -> Vec<Value> {
    let arguments = [&["session", "list", "--json"], filter].concat();
    workplace.run(&arguments).json().as_array().unwrap().clone()
}

async fn sign_in(serving: &Serving, user: &str) -> String {
    let request = reqwest::Client::new().post(serving.url("/api/token/"));
    let answer: Value =
        request.form(&[("username", user), ("password", PASSWORD)]).send().await.unwrap().json().await.unwrap();
    answer["refresh"].as_str().unwrap().to_owned()
}

async fn refresh(serving: &Serving, token: &str) -> u16 {
    let request = reqwest::Client::new().post(serving.url("/api/token/refresh/"));
    request.form(&[("refresh", token)]).send().await.unwrap().status().as_u16()
}
