//! Texts that are not a token in its one form, and signatures that are not the key's.

use serde_json::json;

use crate::file::{Case, Reason};
use crate::keys::Signer;
use crate::token::{claims, encode, header, with};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn cases(signer: &Signer) -> Vec<Case> {
    [texts(signer), objects(signer), twice(signer), signatures(signer)].concat()
}

fn texts(signer: &Signer) -> Vec<Case> {
    let good = signer.with_header(&header());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let last = ALPHABET.find(&good[good.len() - 1..]).unwrap();
    let stray = format!("{}{}", &good[..good.len() - 1], &ALPHABET[last + 1..last + 2]);
    let malformed = |name: &str, token: String| Case::refuse(name, Reason::Malformed, token);
    vec![
        malformed("nothing", String::new()),
        malformed("two dots", "..".to_owned()),
        malformed("only a header", head.to_owned()),
        malformed("without its signature and the dot", message.to_owned()),
        malformed("without its signature", format!("{message}.")),
        malformed("without its payload", format!("{head}..{signature}")),
        malformed("without its header", format!(".{payload}.{signature}")),
        malformed("five parts", format!("{good}.AAAA.AAAA")),
        malformed("padding after the header", format!("{head}=.{payload}.{signature}")),
        malformed("padding after the signature", format!("{good}==")),
        malformed("a line break in the header", format!("{head}\n.{payload}.{signature}")),
        malformed("a space before the token", format!(" {good}")),
        malformed("a line break after the token", format!("{good}\n")),
        malformed("the alphabet of ordinary base64", format!("{message}.+/{}", &signature[2..])),
        malformed("stray bits in the last character", stray),
        malformed("a signature of an impossible length", good[..good.len() - 1].to_owned()),
        Case::refuse("a signature that ends early", Reason::Signature, good[..good.len() - 2].to_owned()),
        malformed("16,384 dots", ".".repeat(16_384)),
        Case::refuse("16,385 dots", Reason::TooLong, ".".repeat(16_385)),
        Case::refuse(
            "a good token that is too long",
            Reason::TooLong,
            signer.with_claims(&with(claims(), "x", "x".repeat(16_384))),
        ),
    ]
}

fn objects(signer: &Signer) -> Vec<Case> {
    let mut cases = Vec::new();
    for odd in ["null", "[]", "\"x\"", "{", "{} x", r#"["ES256","es256","at+jwt"]"#] {
        let token = signer.token("es256", odd, &claims().to_string());
        cases.push(Case::refuse(format!("the header {odd}"), Reason::Malformed, token));
        let token = signer.token("es256", &header().to_string(), odd);
        cases.push(Case::refuse(format!("the payload {odd}"), Reason::Malformed, token));
    }
    cases
}

fn twice(signer: &Signer) -> Vec<Case> {
    let twice = |member: &str| claims().to_string().replacen('{', &format!("{{{member},"), 1);
    let payload = |name: &str, member: &str| {
        Case::refuse(name, Reason::Malformed, signer.token("es256", &header().to_string(), &twice(member)))
    };
    let double = header().to_string().replacen('{', r#"{"alg":"none","#, 1);
    vec![
        payload("a claim that stands twice", r#""sub":"mallory""#),
        payload("a claim that stands twice, once escaped", r#""\u0073ub":"mallory""#),
        payload("an expiry that stands twice", r#""exp":9999999999"#),
        Case::refuse(
            "an algorithm that stands twice",
            Reason::Malformed,
            signer.token("es256", &double, &claims().to_string()),
        ),
    ]
}

fn signatures(signer: &Signer) -> Vec<Case> {
    let good = signer.with_header(&header());
    let (message, _) = good.rsplit_once('.').unwrap();
    let signature = signer.signature("es256", message);
    let refuse = |name: &str, signature: &[u8]| {
        Case::refuse(name, Reason::Signature, format!("{message}.{}", encode(signature)))
    };
    let ones = [[0; 31].as_slice(), &[1], &[0; 31], &[1]].concat();
    let mut cases = vec![
        refuse("an ECDSA signature of zeros", &[0; 64]),
        refuse("an ECDSA signature of ones", &ones),
        refuse("an ECDSA signature of the order of the curve", &[ORDER, ORDER].concat()),
        refuse("an ECDSA signature in DER", &der(&signature)),
        refuse("an ECDSA signature with one octet more", &[&signature[..], &[0]].concat()),
        refuse("an ECDSA signature with one octet less", &signature[..63]),
        refuse("the signature of a stranger", &signer.signature("stranger", message)),
    ];
    let changed = with(claims(), "sub", "mallory").to_string();
    let token = format!("{}.{}.{}", encode(header().to_string()), encode(changed), encode(&signature));
    cases.push(Case::refuse("a payload that was changed", Reason::Signature, token));
    for (kid, alg, signed_as) in
        [("rs256", "RS256", "ps256"), ("ps256", "PS256", "rs256"), ("ed25519", "EdDSA", "es256")]
    {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
        let token = signer.token(signed_as, &header, &claims().to_string());
        cases.push(Case::refuse(
            format!("{alg} in the header, the signature of {signed_as}"),
            Reason::Signature,
            token,
        ));
    }
    cases
}

/// The order of P-256, which is zero once it has been reduced.
const ORDER: &[u8] = b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
    \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

/// The same signature as a SEQUENCE of two INTEGERs, which JWS does not use (RFC 7518 section 3.4).
fn der(signature: &[u8]) -> Vec<u8> {
    let integers = signature.chunks(32).flat_map(|number| {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        let sign = if number[zeros] > 127 { &[0][..] } else { &[] };
        let octets = [sign, &number[zeros..]].concat();
        [vec![2, u8::try_from(octets.len()).unwrap()], octets].concat()
    });
    let body: Vec<u8> = integers.collect();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}
