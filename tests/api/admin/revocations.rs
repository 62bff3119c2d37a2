//! Ending all sessions that match.

use std::time::Duration;

use serde_json::{Value, json};
use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::model::{EndReason, SessionFilter};
use tokenhouse::protocol::GrantType;
use tokenhouse::sessions;

use super::{AdminClient, IssuedSession, assert_problem, begin};
use crate::quiet_instance::QuietInstance;
use crate::test_server::{ADMIN, Backend, TestServer, on_each_backend};

/// Two users with sessions at two clients.
struct FourSessions {
    ada: String,
    ada_shop: IssuedSession,
    ada_bank: IssuedSession,
    grace_shop: IssuedSession,
    grace_bank: IssuedSession,
    secrets: [(&'static str, String); 2],
}

impl FourSessions {
    async fn build(server: &TestServer) -> Self {
        let grants = [GrantType::RefreshToken, GrantType::ClientCredentials];
        let (shop, shop_secret) = server.add_client("shop", &grants, "read").await;
        let (bank, bank_secret) = server.add_client("bank", &grants, "read").await;
        let ada = server.user().await;
        let grace = server.ctx().store.database.user_to_sign_in(ADMIN.0).await.unwrap().unwrap().0;
        let issuer = [server.config.issuer.as_str()];
        Self {
            ada_shop: begin(server, &ada, &shop, "read", &issuer).await,
            ada_bank: begin(server, &ada, &bank, "read", &issuer).await,
            grace_shop: begin(server, &grace, &shop, "read", &issuer).await,
            grace_bank: begin(server, &grace, &bank, "read", &issuer).await,
            ada: ada.id.to_string(),
            secrets: [("shop", shop_secret), ("bank", bank_secret)],
        }
    }

    /// Which of the four sessions can still be refreshed: ada's at shop and bank, grace's at shop and bank.
    async fn live(&self, server: &TestServer) -> [bool; 4] {
        let [(_, shop), (_, bank)] = &self.secrets;
        let mut live = [false; 4];
        let sessions = [&self.ada_shop, &self.ada_bank, &self.grace_shop, &self.grace_bank];
        for (position, session) in sessions.into_iter().enumerate() {
            let (client, secret) = if position % 2 == 0 { ("shop", shop) } else { ("bank", bank) };
            let form = [("grant_type", "refresh_token"), ("refresh_token", session.refresh.as_str())];
            live[position] = server.post_as(client, secret, "/oauth2/token", &form).await.status == 200;
        }
        live
    }
}

#[actix_web::test]
async fn a_revocation_ends_what_matches_all_its_parts_and_nothing_else() {
    on_each_backend(async |server| {
        let four = FourSessions::build(server).await;
        let admin_api = AdminClient::of(server).await;
        let revoke = async |body: Value| {
            let answer = admin_api.post("/admin/v1/revocations", &body).await;
            assert_eq!(answer.status, 200, "{body}: {}", answer.text);
            assert_eq!(answer.body["applied"], "everywhere");
            assert_eq!(answer.body["sessions_ended"], answer.body["access_tokens_refused"]);
            answer.body["sessions_ended"].as_u64().unwrap()
        };

        assert_eq!(revoke(json!({ "session": four.ada_shop.id, "client": "bank" })).await, 0);
        assert_eq!(revoke(json!({ "user": four.ada, "client": "nobody" })).await, 0);
        assert_eq!(four.live(server).await, [true, true, true, true]);
        assert_eq!(revoke(json!({ "user": four.ada, "client": "shop" })).await, 1);
        assert_eq!(four.live(server).await, [false, true, true, true]);
        assert_eq!(revoke(json!({ "session": four.grace_bank.id })).await, 1);
        assert_eq!(four.live(server).await, [false, true, true, false]);
        assert_eq!(revoke(json!({ "client": "shop" })).await, 1);
        assert_eq!(four.live(server).await, [false, true, false, false]);
        assert_eq!(revoke(json!({ "user": four.ada })).await, 1);
        assert_eq!(four.live(server).await, [false, false, false, false]);
        assert_eq!(server.count_events("sessions_revoked").await, 6);
    })
    .await;
}

#[actix_web::test]
async fn sessions_issued_before_a_moment_are_ended_and_later_ones_are_not() {
    on_each_backend(async |server| {
        let early = server.pair().await;
        server.clock.advance(Duration::from_secs(10));
        let moment = server.clock.now().to_string();
        server.clock.advance(Duration::from_secs(10));
        let late = server.pair().await;
        let admin_api = AdminClient::of(server).await;

        let receipt = admin_api.post("/admin/v1/revocations", &json!({ "issued_before": moment })).await;

        assert_eq!(receipt.body["sessions_ended"], 1, "{}", receipt.text);
        assert_eq!(server.refresh(&early.refresh).await.status, 401);
        assert_eq!(server.verify(&early.access).await.status, 401);
        assert_eq!(server.refresh(&late.refresh).await.status, 200);
        let ahead = server.clock.now().plus(Duration::from_mins(1)).to_string();
        assert_problem(&admin_api.post("/admin/v1/revocations", &json!({ "issued_before": ahead })).await, 400);
        assert_eq!(server.verify(&late.access).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn everything_is_ended_only_when_it_is_said() {
    on_each_backend(async |server| {
        let tokens = server.pair().await;
        let admin_api = AdminClient::of(server).await;
        let id = server.user().await.id;
        for body in [
            json!({}),
            json!({ "all": false }),
            json!({ "all": true, "user": id }),
            json!({ "all": "true" }),
            json!({ "all": 1 }),
            json!({ "user": null }),
            json!({ "users": id }),
            json!({ "user": "nobody" }),
            json!({ "client": "a b" }),
            json!({ "issued_before": "yesterday" }),
            json!({ "issued_before": 0 }),
            json!([]),
            json!("all"),
            json!(null),
            json!({ "all": true, "issued_before": "2026-01-01T00:00:00Z" }),
        ] {
            assert_problem(&admin_api.post("/admin/v1/revocations", &body).await, 400);
        }
        assert_eq!(server.refresh(&tokens.refresh).await.status, 200);

        let receipt = admin_api.post("/admin/v1/revocations", &json!({ "all": true })).await;

        assert_eq!(receipt.status, 200, "{}", receipt.text);
        assert_eq!(receipt.body["sessions_ended"], 2);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401);
        assert_problem(&admin_api.get("/admin/v1/sessions").await, 401);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(
            server.obtain(crate::test_server::USER).await.status,
            200,
            "who signs in afterwards is not affected"
        );
    })
    .await;
}

#[actix_web::test]
async fn the_receipt_says_when_the_last_access_token_expires() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let access = server.pair().await.access;
        let before = server.clock.now();

        let receipt = admin_api
            .post("/admin/v1/revocations", &json!({ "client": "simplejwt", "user": server.user().await.id }))
            .await;

        let by: tokenhouse::clock::Timestamp =
            receipt.body["access_tokens_expire_by"].as_str().unwrap().parse().unwrap();
        let expiry = crate::test_server::claims(&access)["exp"].as_i64().unwrap();
        assert!(by.seconds() >= expiry, "{by} is before {expiry}");
        assert!(by <= before.plus(Duration::from_secs(310)), "{by}");
    })
    .await;
}

#[actix_web::test]
async fn a_receipt_counts_the_previous_longer_life_of_a_client_s_tokens() {
    on_each_backend(async |server| {
        let four = FourSessions::build(server).await;
        let admin_api = AdminClient::of(server).await;
        for lifetime in [3600, 60] {
            let answer = admin_api
                .patch("/admin/v1/clients/shop", &json!({ "tokenhouse_access_token_lifetime": lifetime }))
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }

        let receipt = admin_api.post("/admin/v1/revocations", &json!({ "client": "shop", "user": four.ada })).await;

        let by: tokenhouse::clock::Timestamp =
            receipt.body["access_tokens_expire_by"].as_str().unwrap().parse().unwrap();
        assert!(by >= server.clock.now().plus(Duration::from_secs(3590)), "{by}");
    })
    .await;
}

#[actix_web::test]
async fn a_batch_asks_the_database_for_each_client_once_however_many_sessions_it_ends() {
    on_each_backend(async |server| {
        // Embedded, each tombstone is a statement of its own.
        if server.backend == Backend::Embedded {
            return;
        }
        let instance = QuietInstance::open(server).await;
        let ctx = &instance.ctx;
        let mut statements = Vec::new();
        for (id, sessions) in [("one", 1), ("ten", 10)] {
            let (client, _) = server.add_client(id, &[GrantType::RefreshToken], "read").await;
            for _ in 0..sessions {
                server.begin_session(&client, "read").await;
            }
            // No memory holds a client whose row is gone: each look is a statement.
            let entry = ctx.audit(Actor::System, AuditEvent::ClientRemoved { client: client.id.clone() });
            ctx.store.database.remove_client(&client.id, &entry).await.unwrap();
            let theirs = SessionFilter { user: Some(server.user().await.id), ..SessionFilter::default() };
            let before = ctx.store.database.statements();

            let receipt = sessions::end_matching(ctx, &theirs, EndReason::Admin, Actor::System).await.unwrap();

            assert_eq!(receipt.sessions_ended, sessions);
            statements.push(ctx.store.database.statements() - before);
        }
        assert_eq!(statements[0], statements[1]);
        instance.stop().await;
    })
    .await;
}
