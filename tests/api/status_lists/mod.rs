//! Status lists (IETF Token Status List, draft-ietf-oauth-status-list-20), read as a service that verifies offline
//! reads them: by the draft, and by none of the server's code.

mod clients;
mod endpoint;
mod ends;
mod instances;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use reqwest::Method;
use serde_json::Value;

use crate::test_server::{Answer, TestServer, claims, read};

/// A list that was verified.
pub struct List {
    pub claims: Value,
    octets: Vec<u8>,
}

impl List {
    /// The indexes that are revoked.
    pub fn revoked(&self) -> BTreeSet<u64> {
        (0..).zip(&self.octets).flat_map(|(at, octet)| bits(*octet).map(move |bit| at * 8 + bit)).collect()
    }
}

fn bits(octet: u8) -> impl Iterator<Item = u64> {
    (0..8).filter(move |bit| octet >> bit & 1 == 1)
}

/// Where an access token says that its status stands.
pub fn index(access: &str) -> (String, u64) {
    let status = &claims(access)["status"]["status_list"];
    (status["uri"].as_str().unwrap().to_owned(), status["idx"].as_u64().unwrap())
}

/// Asks an instance for a list.
pub async fn ask(server: &TestServer, address: SocketAddr, uri: &str) -> Answer {
    let path = uri.strip_prefix(&server.config.issuer).unwrap();
    read(server.request_to(address, Method::GET, path)).await
}

/// The list of this address, verified by the published keys (sections 5.1 and 8.3).
pub async fn list(server: &TestServer, address: SocketAddr, uri: &str) -> List {
    let answer = ask(server, address, uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let jwks: JwkSet = serde_json::from_str(&server.get("/.well-known/jwks.json").await.text).unwrap();
    verified(&answer.text, uri, &jwks)
}

pub fn verified(token: &str, uri: &str, jwks: &JwkSet) -> List {
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("statuslist+jwt"));
    let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = Validation::new(header.alg);
    rules.set_required_spec_claims(&["sub", "exp"]);
    // Tests move the server's clock.
    rules.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims;
    assert_eq!(claims["sub"], uri);
    assert_eq!(claims["status_list"]["bits"], 1);
    let compressed = URL_SAFE_NO_PAD.decode(claims["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut octets = Vec::new();
    ZlibDecoder::new(&*compressed).read_to_end(&mut octets).unwrap();
    List { claims, octets }
}

/// The indexes that the first list of this server revokes.
pub async fn revoked(server: &TestServer) -> BTreeSet<u64> {
    list(server, server.running.address, &first(server)).await.revoked()
}

/// The address of the first list; the status indexes of small servers all lie there.
pub fn first(server: &TestServer) -> String {
    format!("{}/status/0", server.config.issuer)
}

/// The indexes of access tokens.
pub fn indexes<'a>(tokens: impl IntoIterator<Item = &'a String>) -> BTreeSet<u64> {
    tokens.into_iter().map(|token| index(token).1).collect()
}
