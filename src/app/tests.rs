//! Tests that no endpoint bypasses a second factor. Only these tests have users with one.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::serve::{Mode, Running, start};
use crate::audit::Actor;
use crate::authentication::{Attempt, Authenticated, Evidence, Method, Policy, Step, password};
use crate::browser_sessions::{self, Browser};
use crate::clock::Clock;
use crate::config::{self, Config, Rate};
use crate::ctx::Ctx;
use crate::model::{Acr, Secret, SigningAlgorithm, User, UserAgent};
use crate::users::{self, NewUser};

const PASSWORD: &str = "a fine long password";

#[actix_web::test]
async fn the_simplejwt_compatible_api_refuses_a_user_who_has_to_prove_more_as_it_refuses_a_wrong_password() {
    let (running, _folder) = server(|_| {}).await;
    add(&running.ctx, "ada", false).await;
    add(&running.ctx, "grace", true).await;

    let (enough, _) = obtain(running.address, "ada", PASSWORD).await;
    let (status, body) = obtain(running.address, "grace", PASSWORD).await;
    let wrong = obtain(running.address, "grace", "not the password").await;

    assert_eq!(enough, 200);
    assert_eq!((status, &body["code"]), (401, &json!("no_active_account")), "{body}");
    assert_eq!((status, body), wrong);
    running.stop().await;
}

#[actix_web::test]
async fn a_right_password_that_is_not_enough_stays_counted() {
    let (running, _folder) =
        server(|config| config.limits.by_account = Rate::of(3, config::Duration::minutes(15))).await;
    add(&running.ctx, "grace", true).await;

    for password in ["not the password", PASSWORD, PASSWORD] {
        assert_eq!(obtain(running.address, "grace", password).await.0, 401);
    }

    assert_eq!(obtain(running.address, "grace", PASSWORD).await.0, 429);
    running.stop().await;
}

#[actix_web::test]
async fn a_browser_session_begins_only_when_enough_is_proven_and_says_what_was() {
    let (running, _folder) = server(|_| {}).await;
    let ctx = &*running.ctx;
    let user = add(ctx, "grace", true).await;
    let browser = Browser { secret: Browser::new_secret(ctx), session_cookie: None, user_agent: UserAgent::default() };
    let secret = Secret::new(PASSWORD);

    let by_password = browser_sessions::sign_in(ctx, &browser, "grace", &secret).await.unwrap();
    let before = browser_sessions::of_user(ctx, user.id).await.unwrap();
    let authenticated = with_both(ctx, &secret).await;
    let begun = browser_sessions::begin(ctx, &browser, authenticated).await.unwrap().unwrap();
    let after = browser_sessions::of_user(ctx, user.id).await.unwrap();

    assert!(by_password.is_none());
    assert_eq!(before, []);
    assert_eq!(after, [begun.browser_session]);
    assert_eq!((&*after[0].amr, after[0].acr), (&["pwd".to_owned(), "otp".to_owned()][..], Acr::MultiFactor));
    running.stop().await;
}

/// Proves the password, which is not enough, and then the code.
async fn with_both(ctx: &Ctx, secret: &Secret) -> Authenticated {
    let attempt = Attempt { identifier: "grace", password: secret, address: None };
    let proven = password::verify(ctx, attempt).await.unwrap().unwrap();
    let first = Authenticated::accept(Policy::default(), proven.evidence(), None).unwrap_err();
    assert_eq!(first, Step::Prove([Method::Code].into()));
    let both = proven.evidence().clone().and(Evidence::of_code(proven.user().clone(), ctx.now())).unwrap();
    Authenticated::accept(Policy::default(), &both, None).unwrap()
}

async fn add(ctx: &Ctx, name: &str, with_code: bool) -> User {
    let new = NewUser {
        username: name.to_owned(),
        groups: if with_code { vec![Method::CODE_GROUP.to_owned()] } else { Vec::new() },
        password: Some(Secret::new(PASSWORD)),
        ..NewUser::default()
    };
    users::add(ctx, new, Actor::System).await.unwrap()
}

/// A server on SQLite with a key and passwords that are quick to make.
async fn server(settings: impl Fn(&mut Config)) -> (Running, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        listen: "127.0.0.1:0".to_owned(),
        ops_listen: "127.0.0.1:0".to_owned(),
        workers: 1,
        ..Config::default()
    };
    config.keys.folder = folder.path().join("keys");
    config.keys.master_key_file = folder.path().join("keys/master.key");
    config.keys.id_token_algorithm = SigningAlgorithm::Es256;
    config.passwords.memory_kib = 64;
    config.passwords.iterations = 1;
    config.passwords.threads = 1;
    config.shutdown.announce = config::Duration::seconds(0);
    config.database.url = Secret::new(format!("sqlite://{}", folder.path().join("data/server.db").display()));
    settings(&mut config);
    (start(config, Clock::system(), Mode::Production).await.unwrap(), folder)
}

/// `POST /api/token/`: the status and the body.
async fn obtain(address: SocketAddr, username: &str, password: &str) -> (u16, Value) {
    let body = json!({ "username": username, "password": password }).to_string();
    let request = format!(
        "POST /api/token/ HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}
