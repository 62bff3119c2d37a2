use std::time::Duration;

use tokenhouse::audit::AuditEntry;
use tokenhouse::model::{
    ClientKind, ClientSecret, ClientState, PageRequest, RefreshPolicy, RepeatedRefresh, SigningAlgorithm,
};
use tokenhouse::protocol::{AuthMethod, GrantType, RedirectUri, Scope};
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::{StoreError, UniqueKey};

use crate::test_database::{TestDatabase, millis, on_each_database};

#[tokio::test]
async fn a_client_comes_back_as_it_was_added() {
    on_each_database(async |server| {
        let mut client = server.new_client("app-1.x~y:z_");
        client.kind = ClientKind::Public;
        client.auth_method = AuthMethod::None;
        client.state = ClientState::Disabled;
        client.redirect_uris = vec![RedirectUri::parse("https://app.example/cb?x=1").unwrap()];
        client.post_logout_redirect_uris = vec![RedirectUri::parse("com.example.app:/out").unwrap()];
        client.backchannel_logout_uri = Some("https://app.example/logout".to_owned());
        client.access_token_algorithm = Some(SigningAlgorithm::EdDsa);
        client.access_lifetime = Some(millis(60_000));
        client.refresh_lifetime = Some(millis(1));
        client.refresh = RefreshPolicy {
            retry_window: Some(Duration::ZERO),
            lost_response_window: Some(millis(1000)),
            fixed: true,
            on_repeated: RepeatedRefresh::EndSession,
        };
        client.secrets = vec![
            ClientSecret { digest: [255; 32], expires_at: None },
            ClientSecret { digest: [0; 32], expires_at: Some(server.now()) },
        ];
        server.database.add_client(&client, &server.any_entry()).await.unwrap();

        assert_eq!(server.database.client(&client.id).await.unwrap(), Some(client));
        assert_eq!(server.database.client(&"other".parse().unwrap()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_client_id_that_is_taken_is_refused() {
    on_each_database(async |server| {
        let client = server.client("app").await;
        let error = server.database.add_client(&client, &server.any_entry()).await.unwrap_err();

        assert!(matches!(error, StoreError::Conflict(UniqueKey::ClientId)), "{error:?}");
        server.client("APP").await;
    })
    .await;
}

#[tokio::test]
async fn an_update_leaves_secrets_state_not_before_and_status_index_alone() {
    on_each_database(async |server| {
        let mut client = server.new_client("app");
        client.secrets = vec![ClientSecret { digest: [1; 32], expires_at: None }];
        server.database.add_client(&client, &server.any_entry()).await.unwrap();
        let mut change = client.clone();
        change.name = "Another name".to_owned();
        change.grants = vec![GrantType::SimpleJwt];
        change.scope = Scope::empty();
        change.trusted = false;
        change.secrets.clear();
        change.state = ClientState::Disabled;
        change.not_before = server.now();
        change.status_index = 99;
        let edited = server
            .database
            .edit_client(&client.id, &server.any_entry(), |_| Ok((change.clone(), ClientTokens::Stay)))
            .await
            .unwrap();
        assert_eq!(edited.unwrap().0, client);

        let expected = tokenhouse::model::Client {
            name: change.name,
            grants: change.grants,
            scope: change.scope,
            trusted: false,
            ..client.clone()
        };
        assert_eq!(server.database.client(&client.id).await.unwrap(), Some(expected));
    })
    .await;
}

#[tokio::test]
async fn the_longer_previous_life_of_access_tokens_is_kept_for_a_day() {
    on_each_database(async |server| {
        let mut client = server.client("app").await;
        let day = Duration::from_hours(24);
        let mut at = server.now();
        let mut change = async |minutes: Option<u64>, at| {
            client.access_lifetime = minutes.map(|minutes| millis(minutes * 60_000));
            let entry = AuditEntry { at, ..server.any_entry() };
            server
                .database
                .edit_client(&client.id, &entry, |_| Ok((client.clone(), ClientTokens::Stay)))
                .await
                .unwrap()
                .unwrap();
            previous(server).await
        };
        // From the server's own to ten minutes; the previous one is the server's own (no number).
        assert_eq!(change(Some(10), at).await, (None, Some(at.millis())));
        // No change.
        assert_eq!(change(Some(10), at.plus(day)).await, (None, Some(at.millis())));
        at = at.plus(day + day);
        assert_eq!(change(Some(60), at).await, (Some(600_000), Some(at.millis())));
        at = at.plus(millis(1));
        assert_eq!(change(Some(5), at).await, (Some(3_600_000), Some(at.millis())));
        at = at.plus(millis(1));
        assert_eq!(change(Some(10), at).await, (Some(3_600_000), Some(at.millis())), "an hour ago it was an hour");
        let day_and_slack = day + millis(120_000);
        at = at.plus(day_and_slack);
        assert_eq!(change(Some(1), at).await, (Some(600_000), Some(at.millis())), "a day is over");
        at = at.plus(millis(1));
        assert_eq!(change(None, at).await, (Some(600_000), Some(at.millis())));
        at = at.plus(millis(1));
        assert_eq!(change(Some(2), at).await, (Some(600_000), Some(at.millis())), "the server's own was between");

        let client = server.database.client(&"app".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(client.longest_access_lifetime(at.plus(day_and_slack)), Some(millis(600_000)));
        assert_eq!(client.longest_access_lifetime(at.plus(day_and_slack + millis(1))), Some(millis(120_000)));
    })
    .await;
}

async fn previous(server: &TestDatabase) -> (Option<i64>, Option<i64>) {
    use sqlx::{Connection, Row};
    let mut connection = sqlx::AnyConnection::connect(&server.settings.url).await.unwrap();
    let row = sqlx::query("select previous_access_lifetime, access_lifetime_changed_at from clients where id = 'app'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn secrets_and_state_change_by_themselves() {
    on_each_database(async |server| {
        let client = server.client("app").await;
        let secrets = [ClientSecret { digest: [9; 32], expires_at: Some(server.now()) }];
        let at = server.now();
        assert!(
            server
                .database
                .edit_client_secrets(&client.id, &server.any_entry(), |_| Ok(secrets.to_vec()))
                .await
                .unwrap()
        );
        assert!(
            server.database.set_client_state(&client.id, ClientState::Disabled, at, &server.any_entry()).await.unwrap()
        );

        let changed = server.database.client(&client.id).await.unwrap().unwrap();
        assert_eq!((changed.secrets, changed.state, changed.not_before), (secrets.to_vec(), ClientState::Disabled, at));
        assert!(
            server
                .database
                .set_client_state(&client.id, ClientState::Active, server.now(), &server.any_entry())
                .await
                .unwrap()
        );
        assert!(
            server
                .database
                .raise_client_not_before(&client.id, at.minus(millis(1)), at, ClientTokens::Stay)
                .await
                .unwrap()
        );
        let changed = server.database.client(&client.id).await.unwrap().unwrap();
        assert_eq!((changed.state, changed.not_before), (ClientState::Active, at));
        assert_eq!(
            server.database.feed_head().await.unwrap(),
            6,
            "five changes, and a status index retired by one of them"
        );
    })
    .await;
}

#[tokio::test]
async fn a_change_to_no_client_says_so_and_leaves_nothing() {
    on_each_database(async |server| {
        let client = server.new_client("nobody");
        let (at, entry) = (server.now(), server.any_entry());

        assert_eq!(
            server
                .database
                .edit_client(&client.id, &entry, |_| Ok((client.clone(), ClientTokens::Stay)))
                .await
                .unwrap(),
            None
        );
        assert!(!server.database.edit_client_secrets(&client.id, &entry, |_| unreachable!()).await.unwrap());
        assert!(!server.database.set_client_state(&client.id, ClientState::Active, at, &entry).await.unwrap());
        assert!(!server.database.raise_client_not_before(&client.id, at, at, ClientTokens::Revoked).await.unwrap());
        assert!(!server.database.remove_client(&client.id, &entry).await.unwrap());
        assert_eq!(server.database.feed_head().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn clients_are_listed_byte_by_byte_in_pages() {
    on_each_database(async |server| {
        let mut ids = vec!["a", "B", "a-b", "a.b", "ab", "~", "_", "0"];
        for id in &ids {
            server.client(id).await;
        }
        ids.sort_unstable();

        let first = server.database.list_clients(&PageRequest::new(None, Some(5))).await.unwrap();
        let second = server.database.list_clients(&PageRequest::new(first.next.clone(), Some(5))).await.unwrap();
        assert!(second.next.is_none());
        let seen: Vec<_> = first.items.iter().chain(&second.items).map(|client| client.id.as_str()).collect();
        assert_eq!(seen, ids);
        assert!(server.database.remove_client(&first.items[0].id, &server.any_entry()).await.unwrap());
        assert_eq!(server.database.client(&first.items[0].id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_refused_edit_writes_nothing() {
    on_each_database(async |server| {
        let client = server.client("app").await;
        let before = server.database.feed_head().await.unwrap();
        let refuse = |_| Err(tokenhouse::error::Error::invalid_request("no"));

        let refused = server.database.edit_client(&client.id, &server.any_entry(), refuse).await;
        let refuse = |_: &tokenhouse::model::Client| Err(tokenhouse::error::Error::invalid_request("no"));
        let secrets = server.database.edit_client_secrets(&client.id, &server.any_entry(), refuse).await;

        assert!(refused.is_err() && secrets.is_err());
        assert_eq!(server.database.client(&client.id).await.unwrap(), Some(client));
        assert_eq!(server.database.feed_head().await.unwrap(), before);
    })
    .await;
}
