//! Every way of ending sets the bits of what has ended, before it is acknowledged, and no others.

use std::collections::BTreeSet;

use serde_json::json;

use super::{indexes, revoked};
use crate::admin::{Desk, user_path};
use crate::house::{House, Pair, USER, on_each_backend, pair};

/// A session that must live on, and the sessions that are to end.
async fn sessions<const N: usize>(house: &House) -> (Pair, [Pair; N]) {
    house.add_user(("bob", "a third long password"), false).await;
    let other = pair(&house.obtain(("bob", "a third long password")).await);
    let mut ended = Vec::with_capacity(N);
    for _ in 0..N {
        ended.push(house.pair().await);
    }
    (other, ended.try_into().unwrap())
}

fn of<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> BTreeSet<u64> {
    indexes(pairs.into_iter().map(|pair| &pair.access))
}

#[actix_web::test]
async fn an_administrator_ends_one_session() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let (_, [ended, _live]) = sessions(house).await;

        let path = format!("/admin/v1/sessions/{}", house.session_of(&ended.refresh));
        assert_eq!(desk.delete(&path).await.status, 200);
        assert_eq!(revoked(house).await, of([&ended]));
        assert_eq!(desk.delete(&path).await.status, 200, "a second time");
        assert_eq!(revoked(house).await, of([&ended]));
    })
    .await;
}

#[actix_web::test]
async fn an_administrator_ends_all_sessions_of_a_user_or_of_everybody() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let (other, ended) = sessions::<3>(house).await;
        let id = house.user().await.id;
        let direct = house.ctx().store.ledger.client(&"direct".parse().unwrap()).await;

        assert_eq!(desk.post("/admin/v1/revocations", &json!({ "user": id })).await.status, 200);
        assert_eq!(revoked(house).await, of(&ended));
        assert_eq!(desk.post("/admin/v1/revocations", &json!({ "all": true })).await.status, 200);
        let everybody = &of(ended.iter().chain([&other])) | &indexes([&desk.token]);
        let direct = u64::try_from(direct.unwrap().unwrap().status_index).unwrap();
        assert_eq!(revoked(house).await, &everybody | &BTreeSet::from([direct]), "and the client itself");
    })
    .await;
}

#[actix_web::test]
async fn an_application_gives_its_token_back() {
    on_each_backend(async |house| {
        let (_, [by_refresh, by_access, by_blacklist]) = sessions(house).await;
        for token in [&by_refresh.refresh, &by_access.access] {
            let form = [("token", token.as_str()), ("client_id", "direct")];
            assert_eq!(house.post("/oauth2/revoke", &form).await.status, 200);
        }
        assert_eq!(revoked(house).await, of([&by_refresh, &by_access]));

        let form = [("refresh", by_blacklist.refresh.as_str())];
        assert_eq!(house.post("/api/token/blacklist/", &form).await.status, 200);
        assert_eq!(revoked(house).await, of([&by_refresh, &by_access, &by_blacklist]));
    })
    .await;
}

#[actix_web::test]
async fn a_used_refresh_token_comes_back() {
    on_each_backend(async |house| {
        let (_, [ended]) = sessions(house).await;
        let mut newest = ended.clone();
        for _ in 0..6 {
            newest = pair(&house.refresh(&newest.refresh).await);
        }
        assert!(revoked(house).await.is_empty());

        assert_eq!(house.refresh(&ended.refresh).await.status, 401);
        assert_eq!(revoked(house).await, of([&ended]));
        assert_eq!(of([&ended]), of([&newest]));
    })
    .await;
}

#[actix_web::test]
async fn a_user_is_disabled_or_gets_a_new_password() {
    on_each_backend(async |house| {
        let desk = Desk::of(house).await;
        let (other, [ended]) = sessions(house).await;
        let path = user_path(house).await;

        let password = json!({ "password": "quite another password" });
        assert!(desk.post(&format!("{path}/password"), &password).await.status < 300);
        assert_eq!(revoked(house).await, of([&ended]));
        let again = pair(&house.obtain((USER.0, "quite another password")).await);
        assert!(desk.post(&format!("{path}/disable"), &json!({})).await.status < 300);
        assert_eq!(revoked(house).await, of([&ended, &again]));
        assert!(!revoked(house).await.contains(&super::place(&other.access).1));
    })
    .await;
}
