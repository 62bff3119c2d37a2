use std::time::Duration;

use tokenhouse::store::Database;
use tokenhouse::store::sql::Dialect;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::test_database::{TestDatabase, millis, on_each_database};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_change_is_news_in_its_own_process_and_a_refused_one_is_none() {
    on_each_database(async |server| {
        server.client("app").await;
        timeout(SOON, server.database.news()).await.unwrap();

        server.database.add_client(&server.new_client("app"), &server.any_entry()).await.unwrap_err();
        server.database.client(&"app".parse().unwrap()).await.unwrap();
        timeout(millis(100), server.database.news()).await.unwrap_err();
    })
    .await;
}

/// Another instance, and its listening.
async fn listener(server: &TestDatabase) -> (Database, JoinHandle<()>) {
    let other = Database::connect(&server.settings).await.unwrap();
    let listening = tokio::spawn({
        let other = other.clone();
        async move { other.listen().await }
    });
    (other, listening)
}

#[tokio::test]
async fn on_postgres_a_change_is_notified_to_other_instances_with_its_commit() {
    on_each_database(async |server| {
        if server.database.dialect() == Dialect::Sqlite {
            return;
        }
        let (other, listening) = listener(server).await;
        timeout(SOON, other.news()).await.expect("what was told before it listened");
        timeout(millis(100), other.news()).await.expect_err("nothing has changed");

        for name in ["one", "two"] {
            server.client(name).await;
            timeout(SOON, other.news()).await.unwrap();
        }
        listening.abort();
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_listener_whose_connection_was_cut_listens_again() {
    on_each_database(async |server| {
        if server.database.dialect() == Dialect::Sqlite {
            return;
        }
        let (other, listening) = listener(server).await;
        timeout(SOON, other.news()).await.unwrap();

        server
            .sql(
                "select pg_terminate_backend(pid) from pg_stat_activity
                  where application_name = 'tokenhouse news' and datname = current_database()",
            )
            .await;
        timeout(SOON, other.news()).await.expect("what was told meanwhile");
        server.client("app").await;
        timeout(SOON, other.news()).await.unwrap();
        listening.abort();
        other.close().await;
    })
    .await;
}
