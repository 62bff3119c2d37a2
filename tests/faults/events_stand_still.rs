//! An instance that is cut off from the database cannot know what others end. Verifiers that follow the security events
//! there must notice.

use reqwest::Method;
use tokenhouse::protocol::GrantType;

use crate::proxy::{Proxy, Way};
use crate::recorded_cluster::RecordedCluster;
use crate::server::{Backend, read};
use crate::settings::{database_by, impatient, shared_postgres};
use crate::support::event_reader::{Event, EventReader};
use crate::support::only_sqlite;

fn as_of(heartbeat: &Event) -> i64 {
    heartbeat.details()["as_of"].as_i64().unwrap()
}

#[actix_web::test]
async fn while_the_database_is_away_heartbeats_go_on_and_say_as_of_when() {
    if only_sqlite() {
        return;
    }
    let proxy = Proxy::to_port(shared_postgres());
    let cluster = RecordedCluster::open(Backend::Servers, |config, instance| {
        impatient(config);
        if instance == 1 {
            database_by(config, proxy.port());
        }
    })
    .await;
    let (_, secret) =
        cluster.server().add_client("verifier", &[GrantType::ClientCredentials], "tokenhouse:events").await;
    let grant = [("grant_type", "client_credentials")];
    let token =
        cluster.server().post_as("verifier", &secret, "/oauth2/token", &grant).await.body["access_token"].clone();
    let token = token.as_str().unwrap();
    let session = cluster.instances.sessions(1).await.remove(0);
    let mut reader = EventReader::open(cluster.other().running.address, token, None).await;
    reader.heartbeat().await;

    proxy.set(Way::Hold);
    // What was under way when the way was cut may still be told.
    let last = [reader.heartbeat().await, reader.heartbeat().await][1].clone();
    let refused =
        cluster.server().request_to(cluster.other().running.address, Method::GET, "/status/events").bearer_auth(token);
    let refused = read(refused).await;
    cluster.instances.end_at_last(&session).await;
    let during = [reader.heartbeat().await, reader.heartbeat().await, reader.heartbeat().await];
    proxy.set(Way::Pass);
    let told = reader.event().await;
    let after = reader.heartbeat().await;

    assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"1".parse().unwrap()));
    assert!(during.iter().all(|sign| as_of(sign) == as_of(&last)), "{:?}", during.each_ref().map(as_of));
    assert_eq!(told.subject(), cluster.server().session_of(&session).to_string());
    let happened = told.details()["event_timestamp"].as_i64().unwrap();
    assert!(happened > as_of(&last) && as_of(&after) >= happened);
    cluster.close().await;
}
