//! The outbox of sign-outs.

use std::time::Duration;

use tokenhouse::model::{BackchannelLogout, Client, EndReason, SessionFilter};

use crate::house::{House, of_user, on_each_database};

async fn listening(house: &House, id: &str) -> Client {
    let mut client = house.new_client(id);
    client.backchannel_logout_uri = Some("https://app.example/out".to_owned());
    house.database.add_client(&client, &house.any_entry()).await.unwrap();
    client
}

async fn due(house: &House) -> Vec<BackchannelLogout> {
    house.database.due_backchannel_logouts(house.now().plus(Duration::from_hours(1)), 100).await.unwrap()
}

#[tokio::test]
async fn an_end_and_its_notice_are_written_together_and_only_for_whom_it_is_news() {
    on_each_database(async |house| {
        let (user, deaf) = (house.user("alice").await.id, house.client("deaf").await.id);
        let client = listening(house, "app").await.id;
        let (one, two) = (house.session(user, &client).await, house.session(user, &client).await);
        let revoked = house.session(user, &client).await;
        house.session(user, &deaf).await;

        house.database.end_session(one.id, house.ended(EndReason::Admin), &house.any_entry()).await.unwrap();
        house.database.end_session(one.id, house.ended(EndReason::Admin), &house.any_entry()).await.unwrap();
        house.database.end_session(revoked.id, house.ended(EndReason::Revoked), &house.any_entry()).await.unwrap();
        let ended = house.ended(EndReason::UserDisabled);
        let batch = house.database.end_sessions(&of_user(user), ended, 100, |_| house.any_entry()).await.unwrap();
        let again = house.database.end_sessions(&of_user(user), ended, 100, |_| house.any_entry()).await.unwrap();

        assert_eq!((batch.sessions.len(), batch.backchannel_logouts, again.backchannel_logouts), (2, 1, 0));
        let mut told: Vec<_> = due(house).await.into_iter().map(|notice| notice.session).collect();
        told.sort_unstable();
        assert_eq!(told, [one.id, two.id]);
        assert!(
            due(house).await.iter().all(|notice| (notice.user, &notice.client, notice.tries) == (user, &client, 0))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_claim_a_notice_at_once_one_has_it_until_its_next_try() {
    on_each_database(async |house| {
        let user = house.user("alice").await.id;
        let client = listening(house, "app").await.id;
        house.session(user, &client).await;
        let ended = house.ended(EndReason::Admin);
        house.database.end_sessions(&SessionFilter::default(), ended, 100, |_| house.any_entry()).await.unwrap();
        let [notice] = <[BackchannelLogout; 1]>::try_from(due(house).await).unwrap();
        let next = house.now().plus(Duration::from_mins(1));

        let claims: Vec<_> = (0..8)
            .map(|_| {
                let (database, notice) = (house.database.clone(), notice.clone());
                tokio::spawn(async move { database.claim_backchannel_logout(&notice, next).await.unwrap() })
            })
            .collect();
        let mut claimed = 0;
        for claim in claims {
            claimed += usize::from(claim.await.unwrap());
        }

        assert_eq!(claimed, 1);
        assert!(house.database.due_backchannel_logouts(house.now(), 100).await.unwrap().is_empty());
        assert_eq!((due(house).await[0].tries, due(house).await[0].next_try_at), (1, next));
        house.database.remove_backchannel_logout(notice.session).await.unwrap();
        assert!(due(house).await.is_empty());
    })
    .await;
}
