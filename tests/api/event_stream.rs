//! Security events for services that verify tokens by themselves: `GET /status/events`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::app::{self, Purpose};
use tokenhouse::audit::Actor;
use tokenhouse::broadcast::{FeedProgress, Frame, FrameKind};
use tokenhouse::clock::Stopwatch;
use tokenhouse::event_stream;
use tokenhouse::keys::Ripeness;
use tokenhouse::model::{EndReason, Ended, EndedSession, SessionId};
use tokenhouse::protocol::GrantType;
use tokenhouse::store::sql::feed::Change;

use crate::support::event_reader::{Event, EventReader, KEYS_CHANGED, RESYNC, SESSION_REVOKED, SOON, read_block};
use crate::support::until;
use crate::test_server::{TestServer, claims, header, on_each_backend, read};

/// Adds a client that may follow events, and returns a token of its own.
async fn follower_token(server: &TestServer) -> String {
    let (_, secret) = server.add_client("verifier", &[GrantType::ClientCredentials], "tokenhouse:events").await;
    own_token(server, "verifier", &secret).await
}

async fn own_token(server: &TestServer, client: &str, secret: &str) -> String {
    let answer = server.post_as(client, secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

/// A session that is over: its identifier.
async fn ended_session(server: &TestServer) -> String {
    claims(&revoked_access(server).await)["sid"].as_str().unwrap().to_owned()
}

/// The access token of a session that is over.
async fn revoked_access(server: &TestServer) -> String {
    let pair = server.pair().await;
    let answer = server.post("/api/token/blacklist/", &[("refresh", &pair.refresh)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    pair.access
}

/// What another program, with jsonwebtoken and the published keys, says of a token.
async fn is_signed(server: &TestServer, token: &str) -> bool {
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_str(&server.get("/.well-known/jwks.json").await.text).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(header.alg);
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok()
}

/// Reads on until the other side ends the stream.
async fn end_of(mut reader: EventReader) {
    let watch = Stopwatch::start();
    while reader.next().await.is_some() {
        assert!(watch.elapsed() < SOON, "nothing ended it");
    }
}

/// Waits until the server has read the change feed to its end.
async fn read_to_the_end(server: &TestServer) {
    let head = server.ctx().store.database.feed_head().await.unwrap();
    until("the feed is read", async || server.ctx().broadcast.progress().is_some_and(|told| told.number >= head)).await;
}

#[actix_web::test]
async fn an_end_is_told_in_a_security_event_token_that_names_no_user() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        let mut reader = EventReader::open(server.running.address, &token, None).await;
        let headers = reader.response.headers().clone();
        let first = reader.heartbeat().await;

        let access = claims(&revoked_access(server).await);
        let event = reader.event().await;
        let next = reader.heartbeat().await;

        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert_eq!(header(&event.token)["typ"], "secevent+jwt");
        assert!(is_signed(server, &event.token).await && is_signed(server, &next.token).await);
        let says = claims(&event.token);
        let names: Vec<&String> = says.as_object().unwrap().keys().collect();
        assert_eq!(names, ["events", "iat", "iss", "jti", "sub_id"]);
        assert_eq!(says["iss"], json!(server.config.issuer));
        assert_eq!(says["sub_id"], json!({ "format": "opaque", "id": access["sid"] }));
        assert_eq!(event.name(), SESSION_REVOKED);
        assert_eq!(event.details()["status_list"], access["status"]["status_list"]);
        assert_eq!(event.details()["initiating_entity"], "user");
        assert_eq!(event.details()["reason_admin"], json!({ "en": "revoked" }));
        let happened = event.details()["event_timestamp"].as_i64().unwrap();
        assert!((happened - server.clock.now().seconds()).abs() < 20, "{happened}");
        assert!(!says.to_string().contains(&server.user().await.id.to_string()));
        assert!(first.id < event.id && event.id <= next.id);
        assert!(next.details()["as_of"].as_i64().unwrap() >= happened);
        assert_ne!(first.jti(), next.jti());
    })
    .await;
}

#[actix_web::test]
async fn a_reader_goes_on_at_another_instance_without_gap_or_repeat() {
    on_each_backend(async |server| {
        let other = server.second_instance(server.clock.clone()).await;
        let token = follower_token(server).await;
        let mut steady = EventReader::open(server.running.address, &token, None).await;
        let mut reader = EventReader::open(server.running.address, &token, None).await;
        let number = reader.heartbeat().await.id;
        drop(reader);

        let before = [ended_session(server).await, ended_session(server).await];
        server.ctx().keys.rotate(Ripeness::Ignored, Actor::System).await.unwrap();
        let mut reader = EventReader::open(other.address, &token, Some(&number.to_string())).await;
        let after = ended_session(server).await;

        for reader in [&mut steady, &mut reader] {
            let events = [reader.event().await, reader.event().await, reader.event().await, reader.event().await];
            let subjects = events.each_ref().map(Event::subject);
            assert_eq!([&subjects[0], &subjects[1], &subjects[3]], [&before[0], &before[1], &after]);
            assert_eq!(events.each_ref().map(Event::name)[2..], [KEYS_CHANGED, SESSION_REVOKED]);
            assert!(events.is_sorted_by(|one, next| one.id < next.id), "{events:?}");
        }
        let last = ended_session(server).await;
        let (here, there) = (steady.event().await, reader.event().await);
        assert_eq!((here.subject(), there.subject()), (last.clone(), last));
        assert_eq!((here.id, here.jti()), (there.id, there.jti()), "one event has one name everywhere");
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_reader_whose_number_is_not_known_any_more_is_told_to_read_everything_again() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        ended_session(server).await;
        read_to_the_end(server).await;
        server.ctx().store.database.prune_feed(server.clock.now().plus(Duration::from_secs(1))).await.unwrap();
        let head = server.ctx().store.database.feed_head().await.unwrap();

        for last in ["0", "999999999999", "-5", "of another service"] {
            let mut reader = EventReader::open(server.running.address, &token, Some(last)).await;
            let first = reader.next().await.unwrap();
            let second = reader.heartbeat().await;

            assert_eq!((first.name().as_str(), first.id, second.id), (RESYNC, head, head), "{last}");
        }
        let mut reader = EventReader::open(server.running.address, &token, Some(&head.to_string())).await;
        reader.heartbeat().await;
        let session = ended_session(server).await;
        assert_eq!(reader.event().await.subject(), session);
    })
    .await;
}

#[actix_web::test]
async fn only_who_has_the_scope_may_follow_events() {
    on_each_backend(async |server| {
        let (_, secret) = server.add_client("other", &[GrantType::ClientCredentials], "read").await;
        let other = own_token(server, "other", &secret).await;
        let follow = |token: &str| server.request(Method::GET, "/status/events").bearer_auth(token);
        let admin = server.admin_token().await;

        assert_eq!(read(server.request(Method::GET, "/status/events")).await.status, 401);
        assert_eq!(read(follow("nonsense")).await.status, 401);
        for token in [other, admin, server.pair().await.access] {
            let refused = read(follow(&token)).await;
            assert_eq!(refused.status, 403, "{}", refused.text);
            let challenge = refused.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("insufficient_scope"), "{challenge}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_request_for_the_headers_alone_takes_no_subscription() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;

        let answer = read(server.request(Method::HEAD, "/status/events").bearer_auth(&token)).await;

        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(answer.headers["content-type"], "text/event-stream");
        assert!(!server.ctx().broadcast.has_subscribers());
        let metadata = server.get("/.well-known/oauth-authorization-server").await.body;
        let endpoint = metadata["status_events_endpoint"].as_str().unwrap();
        assert_eq!(endpoint, format!("{}/status/events", server.config.issuer.trim_end_matches('/')));
    })
    .await;
}

#[actix_web::test]
async fn the_stream_ends_with_the_access_token() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        let mut reader = EventReader::open(server.running.address, &token, None).await;
        reader.heartbeat().await;

        server.clock.advance(Duration::from_secs(301));

        end_of(reader).await;
        let again = read(server.request(Method::GET, "/status/events").bearer_auth(&token)).await;
        assert_eq!(again.status, 401);
    })
    .await;
}

#[actix_web::test]
async fn the_stream_ends_when_the_token_is_revoked() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        let admin = server.admin_token().await;
        let mut reader = EventReader::open(server.running.address, &token, None).await;
        reader.heartbeat().await;

        let disabled = server.admin(&admin, Method::POST, "/admin/v1/clients/verifier/disable", None).await;

        assert_eq!(disabled.status, 200, "{}", disabled.text);
        end_of(reader).await;
        until("the subscription is free", async || !server.ctx().broadcast.has_subscribers()).await;
    })
    .await;
}

#[actix_web::test]
async fn a_stop_sends_listeners_away_and_does_not_wait_for_them() {
    on_each_backend(async |server| {
        let other = server.second_instance(server.clock.clone()).await;
        let token = follower_token(server).await;
        let mut reader = EventReader::open(other.address, &token, None).await;
        let number = reader.heartbeat().await.id;

        let watch = Stopwatch::start();
        other.stop().await;

        assert!(watch.elapsed() < server.config.shutdown.drain.get() / 2, "{:?}", watch.elapsed());
        end_of(reader).await;
        let session = ended_session(server).await;
        let mut reader = EventReader::open(server.running.address, &token, Some(&number.to_string())).await;
        assert_eq!(reader.event().await.subject(), session);
    })
    .await;
}

#[actix_web::test]
async fn a_reader_that_takes_nothing_is_cut_off_and_loses_nothing() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        let broadcast = &server.ctx().broadcast;
        let mut stalled = raw_reader(server.running.address, &token);
        until("a verifier listens", async || broadcast.has_subscribers()).await;
        let number = server.ctx().store.database.feed_head().await.unwrap();

        // More than the buffers on the way take.
        let text: Arc<[u8]> = Arc::from(format!(": {}\n\n", "x".repeat(1 << 20)).into_bytes());
        for _ in 0..64 {
            broadcast.send(Frame { number: i64::MAX, kind: FrameKind::StartOver, text: Arc::clone(&text) });
        }
        let session = ended_session(server).await;

        until("the reader is cut off", async || !broadcast.has_subscribers()).await;
        stalled.set_read_timeout(Some(SOON)).unwrap();
        let received = tokio::task::spawn_blocking(move || drain(&mut stalled)).await.unwrap();
        assert!(received < 64 << 20, "{received}");
        let mut reader = EventReader::open(server.running.address, &token, Some(&number.to_string())).await;
        assert_eq!(reader.event().await.subject(), session);
        let metrics = server.http.get(format!("http://{}/metrics", server.running.operations));
        let metrics = read(metrics).await.text;
        assert!(metrics.contains("tokenhouse_event_subscribers_ended_total{why=\"slow\"}"), "{metrics}");
    })
    .await;
}

/// Asks for events and reads none.
fn raw_reader(address: SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /status/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads what is still there, to the end of the connection.
fn drain(stream: &mut TcpStream) -> usize {
    let mut piece = vec![0; 1 << 16];
    let mut all = 0;
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return all,
            Ok(read) => all += read,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("the connection was not closed: {error}"),
        }
    }
}

#[actix_web::test]
async fn without_a_free_subscription_a_verifier_is_asked_to_come_back() {
    on_each_backend(async |server| {
        let token = follower_token(server).await;
        let subscriptions: Vec<_> = std::iter::from_fn(|| server.ctx().broadcast.subscribe()).collect();

        let refused = read(server.request(Method::GET, "/status/events").bearer_auth(&token)).await;

        assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"1".parse().unwrap()));
        drop(subscriptions);
        EventReader::open(server.running.address, &token, None).await.heartbeat().await;
    })
    .await;
}

/// A keyring that may not sign shows when it is asked to.
#[actix_web::test]
async fn nothing_is_signed_without_a_subscriber_and_one_that_would_miss_something_is_sent_away() {
    on_each_backend(async |server| {
        let ctx = app::open(server.config.clone(), server.clock.clone(), Purpose::Command).await.unwrap();
        server.clock.advance(Duration::from_hours(25));

        assert!(event_stream::tell(&ctx, &[(1, Change::Keys)]).await.is_ok());
        assert!(event_stream::send_start_over(&ctx, 1).is_ok());
        for tell in 0..2 {
            let subscription = ctx.broadcast.subscribe().unwrap();
            let told = match tell {
                0 => event_stream::tell(&ctx, &[(1, Change::Keys)]).await,
                _ => event_stream::send_start_over(&ctx, 1),
            };
            assert!(told.is_err());
            tokio::time::timeout(SOON, subscription.shutdown()).await.unwrap();
        }
    })
    .await;
}

#[actix_web::test]
async fn no_heartbeat_under_a_previous_number_follows_when_all_starts_over() {
    on_each_backend(async |server| {
        let ctx = app::open(server.config.clone(), server.clock.clone(), Purpose::Command).await.unwrap();
        let mut subscription = ctx.broadcast.subscribe().unwrap();
        let as_of = server.clock.now();
        let tell_of = |number| {
            ctx.broadcast.note(FeedProgress { number, as_of });
            event_stream::give_heartbeat(&ctx).unwrap();
        };

        tell_of(100);
        event_stream::send_start_over(&ctx, 7).unwrap();
        event_stream::give_heartbeat(&ctx).unwrap();
        tell_of(8);

        let mut heard = Vec::new();
        for _ in 0..3 {
            let line = subscription.next().await.unwrap();
            heard.push((line.kind, line.number));
        }
        let expected = [(FrameKind::Heartbeat, 100), (FrameKind::StartOver, 7), (FrameKind::Heartbeat, 8)];
        assert_eq!(heard, expected);
    })
    .await;
}

#[actix_web::test]
async fn very_many_ends_at_once_are_told_as_one_reason_to_read_the_lists_again() {
    on_each_backend(async |server| {
        let ctx = server.ctx();
        let ended = Ended { at: server.clock.now(), reason: EndReason::Admin };
        let ends = |count: i64| -> Vec<(i64, Change)> {
            let end = || EndedSession { id: SessionId(ctx.random.uuid()), ended, index: None };
            (1..=count).map(|number| (number, Change::SessionEnded(end()))).collect()
        };
        let mut subscription = ctx.broadcast.subscribe().unwrap();

        event_stream::tell(ctx, &ends(200)).await.unwrap();
        event_stream::tell(ctx, &ends(201)).await.unwrap();

        let mut lines = Vec::new();
        while lines.len() < 201 {
            let line = subscription.next().await.unwrap();
            if line.kind == FrameKind::Event {
                lines.push(line);
            }
        }
        let last = read_block(std::str::from_utf8(&lines[200].text).unwrap()).unwrap();
        assert_eq!((last.name().as_str(), last.id), (RESYNC, 201));
        let all_but_last = lines[..200].iter().map(|line| line.number);
        assert!(all_but_last.eq(1..=200));
    })
    .await;
}
