//! Tokens that are bound to a key, shown to a service that follows the issuer.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use tokenhouse_verifier::{DpopProof, Proof, ProofFlaw, Refusal, ReplayMemory};

use crate::issuer::{FakeIssuer, sign};
use crate::signer::{SIGNER, encode, with};

const URI: &str = "https://api.example.com/notes";

#[tokio::test]
async fn a_bound_token_passes_once_with_each_proof_unless_it_was_revoked() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;
    let memory = ReplayMemory::with_capacity(10);

    for (idx, expected) in [(8, None), (9, Some(Refusal::Revoked))] {
        let token = bound(&fake, idx);
        let proof = proof(&token, fake.now());
        let shown = Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory);

        assert_eq!(issuer.verify(&token), Err(expected.clone().unwrap_or(Refusal::ProofRequired)));
        assert_eq!(issuer.verify_bound(&token, &shown).err(), expected);
        let again = expected.unwrap_or(Refusal::BadProof(ProofFlaw::Replayed));
        assert_eq!(issuer.verify_bound(&token, &shown), Err(again));
    }
}

#[tokio::test]
async fn a_proof_is_judged_by_the_clock_of_the_issuer() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    let token = bound(&fake, 8);
    let proof = proof(&token, fake.now() - 61);
    let memory = ReplayMemory::with_capacity(10);

    let shown = Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory);
    let refused = Refusal::BadProof(ProofFlaw::TooOld { seconds: 61 });
    assert_eq!(issuer.verify_bound(&token, &shown), Err(refused));
}

/// A token at this status index of the list 0 that is bound to the key `ed`.
fn bound(fake: &FakeIssuer, idx: u64) -> String {
    let key = &SIGNER.jwks["keys"][2];
    let jkt = json!({"crv": key["crv"], "kty": key["kty"], "x": key["x"]}).to_string();
    let status = json!({"status_list": {"idx": idx, "uri": fake.uri(0)}});
    let cnf = json!({"jkt": encode(digest(&SHA256, jkt.as_bytes()))});
    sign(&with(with(fake.claims(), "status", status), "cnf", cnf))
}

fn proof(token: &str, iat: i64) -> String {
    let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": SIGNER.jwks["keys"][2]});
    let ath = encode(digest(&SHA256, token.as_bytes()));
    let claims = json!({"jti": "1", "htm": "GET", "htu": URI, "iat": iat, "ath": ath});
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    format!("{message}.{}", encode(SIGNER.sign("ed", message.as_bytes())))
}
