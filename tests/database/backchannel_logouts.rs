//! The outbox of sign-outs.

use std::time::Duration;

use tokenhouse::model::{BackchannelLogout, Client, EndReason, SessionFilter};

use crate::test_database::{TestDatabase, of_user, on_each_database};

async fn listening(server: &TestDatabase, id: &str) -> Client {
    let mut client = server.new_client(id);
    client.backchannel_logout_uri = Some("https://app.example/out".to_owned());
    server.database.add_client(&client, &server.any_entry()).await.unwrap();
    client
}

async fn due(server: &TestDatabase) -> Vec<BackchannelLogout> {
    server.database.due_backchannel_logouts(server.now().plus(Duration::from_hours(1)), 100).await.unwrap()
}

#[tokio::test]
async fn an_end_and_its_back_channel_logout_are_written_together_and_only_where_it_is_news() {
    on_each_database(async |server| {
        let (user, deaf) = (server.user("alice").await.id, server.client("deaf").await.id);
        let client = listening(server, "app").await.id;
        let (one, two) = (server.session(user, &client).await, server.session(user, &client).await);
        let revoked = server.session(user, &client).await;
        server.session(user, &deaf).await;

        server.database.end_session(one.id, server.ended(EndReason::Admin), &server.any_entry()).await.unwrap();
        server.database.end_session(one.id, server.ended(EndReason::Admin), &server.any_entry()).await.unwrap();
        server.database.end_session(revoked.id, server.ended(EndReason::Revoked), &server.any_entry()).await.unwrap();
        let ended = server.ended(EndReason::UserDisabled);
        let batch = server.database.end_sessions(&of_user(user), ended, 100, |_| server.any_entry()).await.unwrap();
        let again = server.database.end_sessions(&of_user(user), ended, 100, |_| server.any_entry()).await.unwrap();

        assert_eq!((batch.sessions.len(), batch.backchannel_logouts, again.backchannel_logouts), (2, 1, 0));
        let mut told: Vec<_> = due(server).await.into_iter().map(|notice| notice.session).collect();
        told.sort_unstable();
        assert_eq!(told, [one.id, two.id]);
        assert!(
            due(server).await.iter().all(|notice| (notice.user, &notice.client, notice.tries) == (user, &client, 0))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_claim_a_back_channel_logout_at_once_one_has_it_until_its_next_try() {
    on_each_database(async |server| {
        let user = server.user("alice").await.id;
        let client = listening(server, "app").await.id;
        server.session(user, &client).await;
        let ended = server.ended(EndReason::Admin);
        server.database.end_sessions(&SessionFilter::default(), ended, 100, |_| server.any_entry()).await.unwrap();
        let [notice] = <[BackchannelLogout; 1]>::try_from(due(server).await).unwrap();
        let next = server.now().plus(Duration::from_mins(1));

        let claims: Vec<_> = (0..8)
            .map(|_| {
                let (database, notice) = (server.database.clone(), notice.clone());
                tokio::spawn(async move { database.claim_backchannel_logout(&notice, next).await.unwrap() })
            })
            .collect();
        let mut claimed = 0;
        for claim in claims {
            claimed += usize::from(claim.await.unwrap());
        }

        assert_eq!(claimed, 1);
        assert!(server.database.due_backchannel_logouts(server.now(), 100).await.unwrap().is_empty());
        assert_eq!((due(server).await[0].tries, due(server).await[0].next_try_at), (1, next));
        server.database.remove_backchannel_logout(notice.session).await.unwrap();
        assert!(due(server).await.is_empty());
    })
    .await;
}
