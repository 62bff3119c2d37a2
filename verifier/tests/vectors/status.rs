//! Tokens with a position in a status list, and lists that must not be believed.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use crate::file::{Case, Group, Reason};
use crate::keys::Signer;
use crate::token::{NOW, claims, encode, header, with, without};

/// In the list 0 the positions 7 and 1,000 are revoked. The others are in some way bad.
const REVOKED: [usize; 2] = [7, 1000];

pub(crate) fn cases(signer: &Signer) -> Vec<Case> {
    let at = |list: &str, idx: u64| {
        let status = json!({"status_list": {"idx": idx, "uri": uri(list)}});
        let claims = with(claims(), "status", status);
        (signer.with_claims(&claims), claims)
    };
    let accept = |name: &str, (token, claims): (String, Value)| Case::accept(name, &claims, token);
    let refuse = |name: &str, reason, (token, _): (String, Value)| Case::refuse(name, reason, token);
    let cases = vec![
        accept("the first index of the list", at("0", 0)),
        accept("the index before a revoked one", at("0", 6)),
        accept("the index after a revoked one", at("0", 8)),
        accept("the last index of the list", at("0", 1023)),
        refuse("revoked", Reason::Revoked, at("0", 7)),
        refuse("revoked, far into the list", Reason::Revoked, at("0", 1000)),
        accept("two bits an index: valid", at("two-bits", 4)),
        refuse("two bits an index: revoked", Reason::Revoked, at("two-bits", 1)),
        refuse("two bits an index: suspended", Reason::Revoked, at("two-bits", 2)),
        refuse("the index after the last one", Reason::StatusUnknown, at("0", 1024)),
        refuse("an index far outside", Reason::StatusUnknown, at("0", 1 << 53)),
        refuse("a list that nobody serves", Reason::StatusUnknown, at("unknown", 0)),
        refuse("a list that has expired", Reason::StatusUnknown, at("expired", 0)),
        refuse("a list that was signed by a stranger", Reason::StatusUnknown, at("stranger", 0)),
        refuse("a list that was written for another address", Reason::StatusUnknown, at("misplaced", 0)),
        refuse("a list of another type", Reason::StatusUnknown, at("type", 0)),
        refuse("a list that inflates to 16 MiB", Reason::StatusUnknown, at("bomb", 0)),
        refuse("a list that is not compressed", Reason::StatusUnknown, at("plain", 0)),
        refuse("a list without an issuing time", Reason::StatusUnknown, at("timeless", 0)),
        refuse("a list of three bits an index", Reason::StatusUnknown, at("three-bits", 0)),
    ];
    cases.into_iter().map(|case| Case { group: Group::Status, ..case }).collect()
}

/// The signed lists by their address.
pub(crate) fn lists(signer: &Signer) -> BTreeMap<String, String> {
    let mut positions = [0_u8; 128];
    for position in REVOKED {
        positions[position / 8] |= 1 << (position % 8);
    }
    let list = |name: &str, bits: u8, lst: String| json!({"sub": uri(name), "iat": NOW - 1, "exp": NOW + 59, "ttl": 2, "status_list": {"bits": bits, "lst": lst}});
    let good = |name: &str| list(name, 1, packed(&positions));
    let typ = with(header(), "typ", "statuslist+jwt");
    let sign = |claims: Value| signer.token("es256", &typ.to_string(), &claims.to_string());
    BTreeMap::from([
        ("0", sign(good("0"))),
        // The positions 1 and 2 hold 1 and 2: 0b00_10_01_00.
        ("two-bits", sign(list("two-bits", 2, packed(&[0b0010_0100, 0])))),
        ("expired", sign(with(good("expired"), "exp", NOW - 3600))),
        ("stranger", signer.token("stranger", &typ.to_string(), &good("stranger").to_string())),
        ("misplaced", sign(good("0"))),
        ("type", signer.token("es256", &header().to_string(), &good("type").to_string())),
        ("bomb", sign(list("bomb", 1, packed(&vec![0; 16 << 20])))),
        ("plain", sign(list("plain", 1, encode(positions)))),
        ("timeless", sign(without(good("timeless"), "iat"))),
        ("three-bits", sign(list("three-bits", 3, packed(&positions)))),
    ])
    .into_iter()
    .map(|(name, token)| (uri(name), token))
    .collect()
}

fn uri(name: &str) -> String {
    format!("https://id.example.com/status/{name}")
}

/// DEFLATE in the ZLIB format, base64url.
fn packed(positions: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(positions).unwrap();
    encode(encoder.finish().unwrap())
}
