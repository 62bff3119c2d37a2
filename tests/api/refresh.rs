//! Refresh tokens: rotation, retries, lost answers, reuse.

use std::time::Duration;

use reqwest::Method;
use tokenhouse::model::Generation;

use crate::test_server::{TestServer, all_at_once, claims, header, on_each_backend, on_each_backend_with, pair};

const WITHIN: Duration = Duration::from_secs(25);
const AFTER: Duration = Duration::from_secs(31);
const HOURS: Duration = Duration::from_hours(3);

#[actix_web::test]
async fn a_refresh_token_says_where_it_stands_and_nothing_of_the_user() {
    on_each_backend(async |server| {
        let first = server.pair().await;
        let second = pair(&server.refresh(&first.refresh).await);

        let (one, two) = (claims(&first.refresh), claims(&second.refresh));
        let head = header(&first.refresh);
        assert_eq!((&head["typ"], &head["alg"]), (&"rt+jwt".into(), &"HS256".into()));
        assert!(head["kid"].is_string());
        let mut names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "branch", "client_id", "exp", "gen", "iat", "iss", "jti", "sid"]);
        assert_eq!(
            (&one["iss"], &one["aud"]),
            (&server.config.issuer.clone().into(), &server.config.issuer.clone().into())
        );
        assert_eq!(
            (&one["gen"], &one["branch"], &two["gen"], &two["branch"]),
            (&0.into(), &0.into(), &1.into(), &0.into())
        );
        assert_eq!(one["exp"].as_i64().unwrap() - one["iat"].as_i64().unwrap(), 24 * 3600);
        assert_ne!(one["jti"], two["jti"]);
        for same in ["sid", "client_id"] {
            assert_eq!(one[same], two[same], "{same}");
            assert_eq!(one[same], claims(&second.access)[same], "{same}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_hundred_refreshes_at_once_get_one_successor() {
    on_each_backend(async |server| {
        let first = server.pair().await;
        let request = server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &first.refresh)]);

        let answers = all_at_once(100, &request).await;

        let pairs: Vec<_> = answers.iter().map(pair).collect();
        assert!(pairs.iter().all(|pair| pair.refresh == pairs[0].refresh), "one successor, byte for byte");
        assert_eq!(server.record(server.session_of(&first.refresh)).await.current, Generation { number: 1, branch: 0 });
        assert_eq!(events(server).await, 0);
        assert_eq!(server.refresh(&pairs[0].refresh).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn a_double_click_gets_the_same_successor_byte_for_byte() {
    on_each_backend(async |server| {
        let first = server.pair().await;

        let one = pair(&server.refresh(&first.refresh).await);
        server.age_record(server.session_of(&first.refresh), WITHIN).await;
        let two = pair(&server.refresh(&first.refresh).await);

        assert_ne!(one.refresh, first.refresh);
        assert_ne!(one.access, two.access);
        let (one, mut two) = (claims(&one.refresh), claims(&two.refresh));
        // The record was aged, and what is minted again says so.
        two["iat"] = (two["iat"].as_i64().unwrap() + 25).into();
        assert_eq!(one["jti"], two["jti"]);
        assert!((one["iat"].as_i64().unwrap() - two["iat"].as_i64().unwrap()).abs() <= 1);
        let again = pair(&server.refresh(&first.refresh).await);
        assert_eq!(pair(&server.refresh(&first.refresh).await).refresh, again.refresh);
    })
    .await;
}

#[actix_web::test]
async fn a_late_duplicate_of_the_fourth_ancestor_gets_the_current_token_and_one_of_the_fifth_is_reuse() {
    on_each_backend(async |server| {
        let mut tokens = vec![server.pair().await.refresh];
        for _ in 0..5 {
            tokens.push(pair(&server.refresh(tokens.last().unwrap()).await).refresh);
        }

        for ancestor in &tokens[1..5] {
            assert_eq!(pair(&server.refresh(ancestor).await).refresh, tokens[5]);
        }
        assert_eq!(server.refresh(&tokens[0]).await.status, 401);
        assert_eq!(server.refresh(&tokens[5]).await.status, 401, "the session is over");
    })
    .await;
}

#[actix_web::test]
async fn an_answer_that_was_lost_is_made_again_hours_later() {
    on_each_backend(async |server| {
        let first = server.pair().await;
        let lost = pair(&server.refresh(&first.refresh).await);
        server.age_record(server.session_of(&first.refresh), HOURS).await;

        let request = server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &first.refresh)]);
        let found: Vec<_> = all_at_once(10, &request).await.iter().map(pair).collect();

        assert!(found.iter().all(|pair| pair.refresh == found[0].refresh), "retries at once get the same");
        assert_ne!(found[0].refresh, lost.refresh);
        let made_again = claims(&found[0].refresh);
        assert_eq!((&made_again["gen"], &made_again["branch"]), (&1.into(), &1.into()));
        let next = pair(&server.refresh(&found[0].refresh).await);
        assert_eq!(claims(&next.refresh)["gen"], 2);
        assert_eq!(server.verify(&next.access).await.status, 200);
        assert_eq!(events(server).await, 0, "no client did anything wrong");
    })
    .await;
}

#[actix_web::test]
async fn a_lost_token_that_is_shown_after_it_was_replaced_ends_the_session() {
    on_each_backend(async |server| {
        let first = server.pair().await;
        let lost = pair(&server.refresh(&first.refresh).await);
        server.age_record(server.session_of(&first.refresh), HOURS).await;
        let found = pair(&server.refresh(&first.refresh).await);

        let thief = server.refresh(&lost.refresh).await;

        assert_eq!(thief.status, 401, "{}", thief.text);
        for dead in [&first.refresh, &lost.refresh, &found.refresh] {
            assert_eq!(server.refresh(dead).await.status, 401);
        }
        assert_eq!(server.verify(&found.access).await.status, 401);
        assert_eq!(server.count_events("refresh_reused").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_replayed_refresh_token_ends_its_session_once_however_often_it_is_shown() {
    on_each_backend(async |server| {
        let other = server.pair().await;
        let first = server.pair().await;
        let second = pair(&server.refresh(&first.refresh).await);
        let third = pair(&server.refresh(&second.refresh).await);
        server.age_record(server.session_of(&first.refresh), AFTER).await;

        let request = server.request(Method::POST, "/api/token/refresh/").form(&[("refresh", &first.refresh)]);
        let replays = all_at_once(20, &request).await;

        for replay in replays {
            assert_eq!(replay.status, 401, "{}", replay.text);
            assert_eq!(replay.body["code"], "token_not_valid");
        }
        for dead in [&second.refresh, &third.refresh] {
            assert_eq!(server.refresh(dead).await.status, 401);
        }
        assert_eq!(server.verify(&third.access).await.status, 401);
        assert_eq!(server.count_events("refresh_reused").await, 1);
        assert_eq!(server.count_events("session_ended").await, 0, "one event tells of one end");
        assert_eq!(server.refresh(&other.refresh).await.status, 200, "the user's other session lives on");
    })
    .await;
}

#[actix_web::test]
async fn a_refresh_leaves_access_tokens_in_flight_alone() {
    on_each_backend(async |server| {
        let mut current = server.pair().await;
        let mut issued = vec![current.access.clone()];
        for _ in 0..3 {
            current = pair(&server.refresh(&current.refresh).await);
            issued.push(current.access.clone());
        }

        for access in &issued {
            assert_eq!(server.verify(access).await.status, 200);
        }
    })
    .await;
}

#[actix_web::test]
async fn no_rotation_moves_the_end_of_the_session() {
    let an_hour = |config: &mut tokenhouse::config::Config| {
        config.sessions.absolute_lifetime = tokenhouse::config::Duration::hours(1);
    };
    on_each_backend_with(an_hour, async |server| {
        let first = server.pair().await;
        let end = claims(&first.refresh)["exp"].as_i64().unwrap();
        let second = pair(&server.refresh(&first.refresh).await);
        server.clock.advance(Duration::from_mins(58));

        let late = pair(&server.refresh(&second.refresh).await);

        assert_eq!(end - claims(&first.refresh)["iat"].as_i64().unwrap(), 3600);
        assert_eq!(claims(&second.refresh)["exp"], end);
        assert_eq!(claims(&late.refresh)["exp"], end);
        assert_eq!(claims(&late.access)["exp"], end, "an access token does not outlive its session");
        server.clock.advance(Duration::from_mins(2));
        assert_eq!(server.verify(&late.access).await.status, 401);
        assert_eq!(server.verify(&late.refresh).await.status, 401);
        assert_eq!(server.refresh(&late.refresh).await.status, 401);
        assert_eq!(events(server).await, 0);
    })
    .await;
}

#[actix_web::test]
async fn an_expired_refresh_token_is_refused_and_is_not_taken_for_reuse() {
    on_each_backend(async |server| {
        let (first, second) = (server.pair().await, server.pair().await);
        server.clock.advance(Duration::from_secs(24 * 3600 + 30));
        // What background work does every minute: an instance that has not looked at its keys for a day does not sign.
        server.ctx().keys.reload().await.unwrap();

        assert_eq!(server.verify(&first.refresh).await.status, 401, "no client is told that it is good");
        assert_eq!(server.refresh(&first.refresh).await.status, 200, "clocks of instances may differ by a minute");
        server.clock.advance(Duration::from_secs(31));
        assert_eq!(server.refresh(&second.refresh).await.status, 401);
        assert_eq!(events(server).await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_token_with_a_letter_more_less_or_other_is_no_token() {
    on_each_backend(async |server| {
        let token = server.pair().await.refresh;
        let other = server.pair().await.refresh;
        let (head, signature) = token.rsplit_once('.').unwrap();
        let mut altered = vec![
            token[1..].to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{token}A"),
            format!("{token}="),
            format!("{token}."),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{head}."),
            head.to_owned(),
            format!("{head}.{}", other.rsplit_once('.').unwrap().1),
            format!("{}.{}", other.rsplit_once('.').unwrap().0, signature),
            // {"alg":"none","typ":"rt+jwt"}
            format!("eyJhbGciOiJub25lIiwidHlwIjoicnQrand0In0.{}.", token.split('.').nth(1).unwrap()),
        ];
        // Every other last letter: some of them differ in bits that no byte has.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let all_but_last = &token[..token.len() - 1];
        let others = alphabet.chars().map(|letter| format!("{all_but_last}{letter}"));
        altered.extend(others.filter(|candidate| *candidate != token));
        // One letter of each part.
        for position in [5, head.find('.').unwrap() + 10, token.len() - 10] {
            let letter = if token.as_bytes()[position] == b'A' { "B" } else { "A" };
            altered.push(format!("{}{letter}{}", &token[..position], &token[position + 1..]));
        }

        for altered in altered {
            assert_eq!(server.refresh(&altered).await.status, 401, "{altered}");
        }
        assert_eq!(events(server).await, 0);
        assert_eq!(server.refresh(&token).await.status, 200);
    })
    .await;
}

/// How many events report reuse or tell of an end.
async fn events(server: &TestServer) -> usize {
    let accusing =
        ["refresh_reused", "refresh_repeated", "refresh_rolled_forward", "session_ended", "sessions_revoked"];
    let events = server.audit_events().await;
    events.iter().filter(|event| accusing.iter().any(|name| event["event"] == *name)).count()
}
