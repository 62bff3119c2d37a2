//! Every way of ending sets the bits of what has ended, before it is acknowledged, and no others.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokenhouse::clock::Timestamp;
use tokenhouse::protocol::GrantType;

use super::{index, indexes, revoked};
use crate::admin::{AdminClient, begin, user_path};
use crate::authorization::{application, code, exchange, sign_in};
use crate::browser::Browser;
use crate::test_server::{ADMIN, Pair, TestServer, USER, on_each_backend, pair};

/// A session that must live on, and the sessions that are to end.
async fn sessions<const N: usize>(server: &TestServer) -> (Pair, [Pair; N]) {
    server.add_user(("bob", "a third long password"), false).await;
    let other = pair(&server.obtain(("bob", "a third long password")).await);
    let mut ended = Vec::with_capacity(N);
    for _ in 0..N {
        ended.push(server.pair().await);
    }
    (other, ended.try_into().unwrap())
}

fn of<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> BTreeSet<u64> {
    indexes(pairs.into_iter().map(|pair| &pair.access))
}

#[actix_web::test]
async fn an_administrator_ends_one_session() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (_, [ended, _live]) = sessions(server).await;

        let path = format!("/admin/v1/sessions/{}", server.session_of(&ended.refresh));
        assert_eq!(admin_api.delete(&path).await.status, 200);
        assert_eq!(revoked(server).await, of([&ended]));
        assert_eq!(admin_api.delete(&path).await.status, 200, "a second time");
        assert_eq!(revoked(server).await, of([&ended]));
    })
    .await;
}

#[actix_web::test]
async fn an_administrator_ends_all_sessions_of_a_user_or_of_all_users() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (other, ended) = sessions::<3>(server).await;
        let id = server.user().await.id;
        let simplejwt = server.ctx().store.database.client(&"simplejwt".parse().unwrap()).await;

        assert_eq!(admin_api.post("/admin/v1/revocations", &json!({ "user": id })).await.status, 200);
        assert_eq!(revoked(server).await, of(&ended));
        assert_eq!(admin_api.post("/admin/v1/revocations", &json!({ "all": true })).await.status, 200);
        let everybody = &of(ended.iter().chain([&other])) | &indexes([&admin_api.token]);
        let simplejwt = u64::try_from(simplejwt.unwrap().unwrap().status_index).unwrap();
        assert_eq!(revoked(server).await, &everybody | &BTreeSet::from([simplejwt]), "and the client itself");
    })
    .await;
}

#[actix_web::test]
async fn an_application_gives_its_token_back() {
    on_each_backend(async |server| {
        let (_, [by_refresh, by_access, by_blacklist]) = sessions(server).await;
        for token in [&by_refresh.refresh, &by_access.access] {
            let form = [("token", token.as_str()), ("client_id", "simplejwt")];
            assert_eq!(server.post("/oauth2/revoke", &form).await.status, 200);
        }
        assert_eq!(revoked(server).await, of([&by_refresh, &by_access]));

        let form = [("refresh", by_blacklist.refresh.as_str())];
        assert_eq!(server.post("/api/token/blacklist/", &form).await.status, 200);
        assert_eq!(revoked(server).await, of([&by_refresh, &by_access, &by_blacklist]));
    })
    .await;
}

#[actix_web::test]
async fn a_used_refresh_token_comes_back() {
    on_each_backend(async |server| {
        let (_, [ended]) = sessions(server).await;
        let mut newest = ended.clone();
        for _ in 0..6 {
            newest = pair(&server.refresh(&newest.refresh).await);
        }
        assert!(revoked(server).await.is_empty());

        assert_eq!(server.refresh(&ended.refresh).await.status, 401);
        assert_eq!(revoked(server).await, of([&ended]));
        assert_eq!(of([&ended]), of([&newest]));
    })
    .await;
}

#[actix_web::test]
async fn a_user_is_disabled_or_gets_a_new_password() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (other, [ended]) = sessions(server).await;
        let path = user_path(server).await;

        let password = json!({ "password": "quite another password" });
        assert!(admin_api.post(&format!("{path}/password"), &password).await.status < 300);
        assert_eq!(revoked(server).await, of([&ended]));
        let again = pair(&server.obtain((USER.0, "quite another password")).await);
        assert!(admin_api.post(&format!("{path}/disable"), &json!({})).await.status < 300);
        assert_eq!(revoked(server).await, of([&ended, &again]));
        assert!(!revoked(server).await.contains(&index(&other.access).1));
    })
    .await;
}

#[actix_web::test]
async fn an_administrator_ends_sessions_of_a_client_or_of_before_a_moment() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (client, _) = server.add_client("app", &[GrantType::RefreshToken], "read").await;
        let user = server.user().await;
        let early = begin(server, &user, &client, "read", &[]).await;
        let (_, [simplejwt]) = sessions(server).await;
        server.clock.advance(Duration::from_millis(5));
        let moment = server.clock.now();
        server.clock.advance(Duration::from_millis(5));
        let late = begin(server, &user, &client, "read", &[]).await;

        let before = json!({ "user": user.id, "client": "app", "issued_before": moment });
        let receipt = admin_api.post("/admin/v1/revocations", &before).await;
        assert_eq!(revoked(server).await, indexes([&early.access]));
        let within = receipt.body["offline_refused_by"].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!(within <= server.clock.now().plus(Duration::from_secs(5)), "{}", receipt.text);
        assert!(within >= moment.plus(Duration::from_secs(4)), "{}", receipt.text);

        assert_eq!(admin_api.post("/admin/v1/revocations", &json!({ "client": "app" })).await.status, 200);
        let own = u64::try_from(client.status_index).unwrap();
        let all = &indexes([&early.access, &late.access]) | &BTreeSet::from([own]);
        assert_eq!(revoked(server).await, all);
        assert!(!all.contains(&index(&simplejwt.access).1));
    })
    .await;
}

#[actix_web::test]
async fn a_user_is_removed_and_a_scope_is_withdrawn() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (other, [removed]) = sessions(server).await;
        let (client, _) = server.add_client("app", &[GrantType::RefreshToken], "read write").await;
        let grace = server.ctx().store.database.user_to_sign_in(ADMIN.0).await.unwrap().unwrap().0;
        let narrow = begin(server, &grace, &client, "read", &[]).await;
        let wide = begin(server, &grace, &client, "read write", &[]).await;

        assert!(admin_api.delete(&user_path(server).await).await.status < 300);
        assert_eq!(revoked(server).await, of([&removed]));
        assert_eq!(admin_api.patch("/admin/v1/clients/app", &json!({ "scope": "read" })).await.status, 200);
        let own = u64::try_from(client.status_index).unwrap();
        let all = &(&of([&removed]) | &indexes([&wide.access])) | &BTreeSet::from([own]);
        assert_eq!(revoked(server).await, all);
        assert!(all.is_disjoint(&indexes([&narrow.access, &other.access])));
    })
    .await;
}

#[actix_web::test]
async fn a_person_signs_out_of_everything_in_a_browser() {
    on_each_backend(async |server| {
        let browser = Browser::of(server);
        sign_in(server, &browser).await;
        let elsewhere = server.pair().await;
        let mut ended = Vec::new();
        let mut hint = String::new();
        for id in ["app", "other"] {
            let (client, secret) = server.add_new_client(application(id)).await;
            let code = code(&browser, id, &[]).await;
            let tokens = exchange(server, &client, &secret.unwrap(), &code).await.body;
            ended.push(tokens["access_token"].as_str().unwrap().to_owned());
            tokens["id_token"].as_str().unwrap().clone_into(&mut hint);
        }

        browser.get(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        assert_eq!(revoked(server).await, indexes(&ended));
        assert!(!revoked(server).await.contains(&index(&elsewhere.access).1));
    })
    .await;
}
