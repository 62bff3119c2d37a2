//! How clients prove who they are (RFC 6749 section 2.3).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::clients::{self, PreviousSecret};
use tokenhouse::error::Error;
use tokenhouse::model::Secret;
use tokenhouse::protocol::{AuthMethod, GrantType};

use crate::test_server::{Answer, TestServer, new_client, on_each_backend, read};

/// How a test sends the credentials.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Basic,
    Post,
    IdAlone,
    BasicAndPost,
    BasicAndId,
}

#[actix_web::test]
async fn a_client_authenticates_in_the_one_way_that_it_registered() {
    on_each_backend(async |server| {
        let basic = add(server, "basic", AuthMethod::ClientSecretBasic).await;
        let post = add(server, "post", AuthMethod::ClientSecretPost).await;
        let none = add(server, "none", AuthMethod::None).await;

        let table = [
            ("basic", &basic, Sent::Basic, Ok(())),
            ("basic", &basic, Sent::BasicAndId, Ok(())),
            ("basic", &basic, Sent::Post, Err("invalid_client")),
            ("basic", &basic, Sent::IdAlone, Err("invalid_client")),
            ("basic", &basic, Sent::BasicAndPost, Err("invalid_request")),
            ("post", &post, Sent::Post, Ok(())),
            ("post", &post, Sent::Basic, Err("invalid_client")),
            ("post", &post, Sent::BasicAndId, Err("invalid_client")),
            ("post", &post, Sent::IdAlone, Err("invalid_client")),
            ("post", &post, Sent::BasicAndPost, Err("invalid_request")),
            ("none", &none, Sent::IdAlone, Ok(())),
            ("none", &none, Sent::Post, Err("invalid_client")),
            ("none", &none, Sent::Basic, Err("invalid_client")),
        ];
        for (id, secret, sent, expected) in table {
            let answer = read(request(server, id, secret, sent)).await;
            // A client that passes is told that its token is not good.
            let error = expected.err().unwrap_or("invalid_grant");
            assert_eq!(answer.body["error"], error, "{id} {sent:?}: {}", answer.text);
            assert_eq!(answer.status, if error == "invalid_client" { 401 } else { 400 }, "{id} {sent:?}");
            let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
            let basic = "Basic realm=\"tokenhouse\", charset=\"UTF-8\"";
            assert_eq!(challenge, (error == "invalid_client").then_some(basic), "{id} {sent:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn unknown_wrong_and_disabled_clients_get_the_same_answer() {
    on_each_backend(async |server| {
        let right = add(server, "off", AuthMethod::ClientSecretBasic).await;
        add(server, "app", AuthMethod::ClientSecretBasic).await;
        clients::disable(server.ctx(), &"off".parse().unwrap(), Actor::System).await.unwrap();

        let answers = [
            read(request(server, "app", "not the secret", Sent::Basic)).await,
            read(request(server, "app", "", Sent::Basic)).await,
            read(request(server, "nobody", "not the secret", Sent::Basic)).await,
            read(request(server, "no body!", "not the secret", Sent::Basic)).await,
            read(request(server, "off", &right, Sent::Basic)).await,
            read(request(server, "nobody", "not the secret", Sent::Post)).await,
            read(request(server, "nobody", "", Sent::IdAlone)).await,
        ];

        for answer in &answers {
            assert_eq!(answer.status, 401);
            assert_eq!(
                answer.body,
                json!({ "error": "invalid_client", "error_description": "client authentication failed" })
            );
            assert_eq!(names(answer), names(&answers[0]));
        }
    })
    .await;
}

#[actix_web::test]
async fn credentials_that_cannot_be_read_are_refused() {
    on_each_backend(async |server| {
        let secret = add(server, "app", AuthMethod::ClientSecretBasic).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
        let good = format!("Basic {}", STANDARD.encode(format!("app:{secret}")));
        for header in ["Basic", "Basic ", "Basic !!!", "Bearer abc", "Basic YXBw", &good[..good.len() - 5], "Digest x"]
        {
            let request = server.request(Method::POST, "/oauth2/token").header(AUTHORIZATION, header);
            let answer = read(request.form(&form)).await;
            assert_eq!((answer.status, &answer.body["error"]), (401, &json!("invalid_client")), "{header}");
        }
        let twice = server.request(Method::POST, "/oauth2/token").header(AUTHORIZATION, &good);
        let answer = read(twice.header(AUTHORIZATION, "Basic YTpi").form(&form)).await;
        assert_eq!(answer.body["error"], "invalid_request", "{}", answer.text);
        let nobody = server.post("/oauth2/token", &form).await;
        assert_eq!((nobody.status, &nobody.body["error"]), (401, &json!("invalid_client")));
        let other = [form[0], form[1], ("client_id", "other")];
        assert_eq!(server.post_as("app", &secret, "/oauth2/token", &other).await.body["error"], "invalid_request");
    })
    .await;
}

#[actix_web::test]
async fn basic_credentials_are_form_encoded() {
    on_each_backend(async |server| {
        let secret = "a.secret~with-every_kind.of~unreserved-sign";
        let mut new = new_client("urn:app", &[GrantType::RefreshToken], "");
        new.secret = Some(Secret::new(secret));
        server.add_new_client(new).await;
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();

        assert_eq!(encode("urn:app"), "urn%3Aapp");
        // As the standard has it, and as clients send it that do not encode at all: no sign of a secret differs.
        for sent in [encode(secret), secret.to_owned()] {
            let header = STANDARD.encode(format!("{}:{sent}", encode("urn:app")));
            let request =
                server.request(Method::POST, "/oauth2/token").header(AUTHORIZATION, format!("Basic {header}"));
            let answer = read(request.form(&[("grant_type", "refresh_token"), ("refresh_token", "x")])).await;

            assert_eq!(answer.body["error"], "invalid_grant", "{}", answer.text);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_secret_that_clients_could_encode_in_two_ways_is_not_taken() {
    on_each_backend(async |server| {
        for secret in ["pass word+with%odd:signs&and=ümlaut!", "too short", &"x".repeat(513)] {
            let mut new = new_client("app", &[GrantType::RefreshToken], "");
            new.secret = Some(Secret::new(secret));

            assert!(clients::add(server.ctx(), new, Actor::System).await.is_err(), "{secret}");
        }
    })
    .await;
}

#[actix_web::test]
async fn two_secrets_are_live_while_one_takes_over() {
    on_each_backend(async |server| {
        let ctx = server.ctx();
        let id = "app".parse().unwrap();
        let first = add(server, "app", AuthMethod::ClientSecretBasic).await;
        let rotate = async |previous| {
            let (secret, _) = clients::rotate_secret(ctx, &id, previous, Actor::System).await?;
            Ok::<_, Error>(secret.expose().to_owned())
        };
        let second = rotate(PreviousSecret::Stays).await.unwrap();
        let passes = async |secret: &str| read(request(server, "app", secret, Sent::Basic)).await.status != 401;

        assert!(passes(&first).await && passes(&second).await);
        server.clock.advance(Duration::from_mins(24 * 60 - 1));
        assert!(passes(&first).await && passes(&second).await);
        server.clock.advance(Duration::from_mins(1));
        assert!(!passes(&first).await && passes(&second).await, "the old one has ended");

        let third = rotate(PreviousSecret::Stays).await.unwrap();
        assert!(matches!(rotate(PreviousSecret::Stays).await, Err(Error::Conflict(_))));
        assert!(passes(&second).await && passes(&third).await, "what was promised is kept");
        let fourth = rotate(PreviousSecret::Ends).await.unwrap();
        assert!(!passes(&second).await && passes(&third).await && passes(&fourth).await, "never more than two");
    })
    .await;
}

/// Adds a client that may refresh; returns its secret, or something else where it has none.
async fn add(server: &TestServer, id: &str, method: AuthMethod) -> String {
    let mut new = new_client(id, &[GrantType::RefreshToken], "");
    new.auth_method = Some(method);
    new.public = method == AuthMethod::None;
    server.add_new_client(new).await.1.unwrap_or_else(|| "no secret at all".to_owned())
}

fn request(server: &TestServer, id: &str, secret: &str, sent: Sent) -> RequestBuilder {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", "x")];
    let request = server.request(Method::POST, "/oauth2/token");
    let in_body = match sent {
        Sent::Basic => Vec::new(),
        Sent::IdAlone | Sent::BasicAndId => vec![("client_id", id)],
        Sent::Post | Sent::BasicAndPost => vec![("client_id", id), ("client_secret", secret)],
    };
    form.extend(in_body);
    match sent {
        Sent::Basic | Sent::BasicAndPost | Sent::BasicAndId => request.basic_auth(id, Some(secret)).form(&form),
        Sent::Post | Sent::IdAlone => request.form(&form),
    }
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(reqwest::header::HeaderName::as_str).collect()
}
