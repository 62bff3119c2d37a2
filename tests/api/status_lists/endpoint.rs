//! What the addresses of status lists answer.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
use serde_json::json;
use tokenhouse::model::SigningAlgorithm;
use tokenhouse::protocol::GrantType;

use super::{ask, first, index, list};
use crate::admin::assert_problem;
use crate::test_server::{header, on_each_backend, on_each_backend_with, read};

#[actix_web::test]
async fn every_access_token_says_where_its_status_stands() {
    on_each_backend(async |server| {
        let (client, secret) = server.add_client("worker", &[GrantType::ClientCredentials], "read").await;
        let form = [("grant_type", "client_credentials"), ("scope", "read")];
        let own = server.post_as("worker", &secret, "/oauth2/token", &form).await.body["access_token"].clone();
        let pair = server.pair().await;
        let again = server.refresh(&pair.refresh).await.body["access"].clone();
        let other = server.pair().await;

        let own_index = u64::try_from(client.status_index).unwrap();
        assert_eq!(index(own.as_str().unwrap()), (first(server), own_index), "the client's own");
        let session = server.record(server.session_of(&pair.refresh)).await.grant.status_index;
        assert_eq!(index(&pair.access), (first(server), u64::try_from(session).unwrap()));
        assert_eq!(index(again.as_str().unwrap()), index(&pair.access), "of the same session");
        assert_ne!(index(&other.access), index(&pair.access));
        let list = list(server, server.running.address, &first(server)).await;
        assert!(list.revoked().is_empty());
        assert_eq!(list.claims["ttl"], 2);
    })
    .await;
}

#[actix_web::test]
async fn a_list_is_signed_as_access_tokens_are() {
    let es384 = |config: &mut tokenhouse::config::Config| {
        config.keys.access_token_algorithm = SigningAlgorithm::Es384;
    };
    on_each_backend_with(es384, async |server| {
        let answer = server.get("/status/0").await;

        assert_eq!(header(&answer.text)["alg"], "ES384");
        assert_eq!(header(&server.pair().await.access)["alg"], "ES384");
    })
    .await;
}

#[actix_web::test]
async fn a_list_may_be_kept_for_a_second_and_is_sent_once() {
    on_each_backend(async |server| {
        let answer = server.get("/status/0").await;
        let headers = &answer.headers;
        assert_eq!(headers["content-type"], "application/statuslist+jwt");
        assert_eq!(headers["cache-control"], "public, max-age=1");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(!headers.contains_key("content-encoding"));

        // The list may be signed anew between two questions: the tag that was sent last is asked about.
        let mut tag = headers["etag"].clone();
        let known = loop {
            let again = read(server.request(Method::GET, "/status/0").header(IF_NONE_MATCH, &tag)).await;
            if again.status == 304 {
                break again;
            }
            tag = again.headers["etag"].clone();
        };
        assert_eq!((known.text.as_str(), &known.headers["etag"]), ("", &tag));
        let gzip = server.request(Method::GET, "/status/0").header(ACCEPT_ENCODING, "gzip");
        assert_eq!(read(gzip.header(IF_NONE_MATCH, &tag)).await.status, 200, "a tag is of one coding");
    })
    .await;
}

#[actix_web::test]
async fn who_takes_gzip_gets_gzip() {
    on_each_backend(async |server| {
        for (accepts, compressed) in [
            ("gzip", true),
            ("br;q=1.0, GZIP ; q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, identity", false),
            ("identity", false),
        ] {
            let request = server.request(Method::GET, "/status/0").header(ACCEPT_ENCODING, accepts);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers().contains_key("content-encoding"), compressed, "{accepts}");
            let body = answer.bytes().await.unwrap();
            let mut token = String::new();
            if compressed {
                GzDecoder::new(&*body).read_to_string(&mut token).unwrap();
            } else {
                token = String::from_utf8(body.to_vec()).unwrap();
            }
            assert_eq!(header(&token)["typ"], "statuslist+jwt", "{accepts}");
        }
    })
    .await;
}

#[actix_web::test]
async fn the_metadata_leads_to_every_list() {
    on_each_backend(async |server| {
        let metadata = server.get("/.well-known/oauth-authorization-server").await.body;
        let endpoint = metadata["status_list_aggregation_endpoint"].as_str().unwrap();
        server.pair().await;

        let address = server.running.address;
        let aggregation = ask(server, address, endpoint).await;
        let all = [0, 1].map(|number| format!("{}/status/{number}", server.config.issuer));
        assert_eq!(aggregation.body, json!({ "status_lists": all }), "the list in use and the next one");
        assert_eq!(aggregation.headers["access-control-allow-origin"], "*");
        for uri in &all {
            assert!(list(server, address, uri).await.revoked().is_empty());
        }
    })
    .await;
}

#[actix_web::test]
async fn what_is_no_list_is_not_found() {
    on_each_backend(async |server| {
        for number in ["2", "01", "+1", "-1", "x", "1x", "0/", "0/1", "", "/0", "99999999999999999999", "%30"] {
            let answer = server.get(&format!("/status/{number}")).await;
            if number == "%30" {
                assert_eq!(answer.status, 200, "another spelling of 0");
            } else {
                assert_problem(&answer, 404);
            }
        }
        assert_problem(&server.get("/status/0?time=1686925000").await, 501);
        assert_eq!(server.post("/status/0", &[]).await.status, 405);
    })
    .await;
}
