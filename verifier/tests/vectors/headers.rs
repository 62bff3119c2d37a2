//! Tokens whose header must be refused, most of them well signed.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::file::{Case, Reason};
use crate::keys::{Signer, jwk, rsa_pem};
use crate::token::{claims, encode, header, with, without};

pub(crate) fn cases(signer: &Signer) -> Vec<Case> {
    let mut cases = [types(signer), algorithms(signer), key_confusion(), keys(signer)].concat();
    let crit = |name: &str, header: Value| Case::refuse(name, Reason::Critical, signer.with_header(&header));
    cases.extend([
        crit("critical: an unknown extension", with(with(header(), "crit", json!(["x"])), "x", 1)),
        crit("critical: b64 set to false", with(with(header(), "crit", json!(["b64"])), "b64", false)),
        crit("critical: b64 set to true", with(with(header(), "crit", json!(["b64"])), "b64", true)),
        crit("critical: an empty list", with(header(), "crit", json!([]))),
    ]);
    for name in ["alg", "typ", "kid"] {
        for (odd, value) in [("a number", json!(1)), ("an array", json!(["ES256"])), ("null", Value::Null)] {
            let token = signer.with_header(&with(header(), name, value));
            cases.push(Case::refuse(format!("the header's {name} is {odd}"), Reason::Malformed, token));
        }
    }
    let long = signer.with_header(&with(header(), "x", "x".repeat(4096)));
    cases.push(Case::refuse("a header of more than 4,096 bytes", Reason::TooLong, long));
    cases
}

fn types(signer: &Signer) -> Vec<Case> {
    let refuse = |name: &str, header: Value| {
        Case::refuse(format!("not an access token: {name}"), Reason::Type, signer.with_header(&header))
    };
    vec![
        refuse("an ID token", with(header(), "typ", "JWT")),
        refuse("a refresh token", with(header(), "typ", "rt+jwt")),
        refuse("a logout token", with(header(), "typ", "logout+jwt")),
        refuse("a status list", with(header(), "typ", "statuslist+jwt")),
        refuse("a DPoP proof", with(header(), "typ", "dpop+jwt")),
        refuse("a media type of another kind", with(header(), "typ", "text/at+jwt")),
        refuse("a space after the type", with(header(), "typ", "at+jwt ")),
        refuse("an empty type", with(header(), "typ", "")),
        refuse("no type", without(header(), "typ")),
    ]
}

fn algorithms(signer: &Signer) -> Vec<Case> {
    let mut cases = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = with(header(), "alg", alg).to_string();
        let message = format!("{}.{}", encode(&header), encode(claims().to_string()));
        let refuse = |name: &str, reason, token| Case::refuse(format!("{alg}: {name}"), reason, token);
        cases.extend([
            refuse("without a signature", Reason::Malformed, format!("{message}.")),
            refuse("with some signature", Reason::Algorithm, format!("{message}.AAAA")),
            refuse("with a good signature", Reason::Algorithm, signer.token("es256", &header, &claims().to_string())),
        ]);
    }
    for alg in ["", "es256", "ES256 ", "RS512", "ES256K", "HS384", "RSA-OAEP"] {
        let token = signer.with_header(&with(header(), "alg", alg));
        cases.push(Case::refuse(format!("the algorithm {alg:?}"), Reason::Algorithm, token));
    }
    cases.push(Case::refuse("no algorithm", Reason::Algorithm, signer.with_header(&without(header(), "alg"))));
    for (kid, alg) in
        [("rs256", "PS256"), ("ps256", "RS256"), ("es256", "ES384"), ("es256", "EdDSA"), ("ed25519", "ES256")]
    {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
        let token = signer.token(kid, &header, &claims().to_string());
        cases.push(Case::refuse(format!("{alg} with the key {kid}"), Reason::Algorithm, token));
    }
    cases
}

/// A public key is no secret: whoever verifies HS256 with it accepts what anybody signs.
fn key_confusion() -> Vec<Case> {
    let pem = rsa_pem();
    let secrets = [
        ("the RSA key as PEM", "rs256", pem.clone()),
        ("the RSA key as PEM without its last line break", "rs256", pem.trim_end().to_owned()),
        ("the RSA key as JWK", "rs256", jwk("rs256").to_string()),
        ("the EC key as JWK", "es256", jwk("es256").to_string()),
        ("nothing", "es256", String::new()),
    ];
    let mut cases = Vec::new();
    for (name, kid, secret) in secrets {
        for (alg, reason) in [("HS256", Reason::Algorithm), (&*kid.to_uppercase(), Reason::Signature)] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
            let message = format!("{}.{}", encode(header), encode(claims().to_string()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
            let token = format!("{message}.{}", encode(tag.as_ref()));
            cases.push(Case::refuse(format!("HMAC with {name} as its secret, called {alg}"), reason, token));
        }
    }
    cases
}

fn keys(signer: &Signer) -> Vec<Case> {
    let refuse = |name: &str, header: Value| Case::refuse(name, Reason::Key, signer.with_header(&header));
    let own = with(jwk("stranger"), "kid", "es256");
    let brought = signer.token("stranger", &with(header(), "jwk", own).to_string(), &claims().to_string());
    vec![
        refuse("no kid", without(header(), "kid")),
        refuse("an empty kid", with(header(), "kid", "")),
        refuse("a kid of 257 bytes", with(header(), "kid", "k".repeat(257))),
        refuse("an unknown kid", with(header(), "kid", "es257")),
        refuse("a kid in other letters", with(header(), "kid", "ES256")),
        refuse("a kid that is a path", with(header(), "kid", "../../dev/null")),
        Case::refuse("a key that the token brings along", Reason::Signature, brought),
    ]
}
