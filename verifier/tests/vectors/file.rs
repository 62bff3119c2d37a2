//! The file, as it stands on the disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::keys::{Signer, jwk};
use crate::token::{AUDIENCE, ISSUER, NOW};
use crate::{claims, forms, good, headers, status};

pub(crate) const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/vectors.json");

#[derive(Serialize, Deserialize)]
pub(crate) struct Vectors {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) now: i64,
    pub(crate) leeway: u32,
    pub(crate) max_token_length: usize,
    pub(crate) key_sets: BTreeMap<String, Value>,
    pub(crate) status_lists: BTreeMap<String, String>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) group: Group,
    pub(crate) keys: String,
    pub(crate) expect: Expect,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<Value>,
    pub(crate) token: String,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    Token,
    Status,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Accept,
    Refuse,
}

/// The words for why a token is refused: `vectors/README.md` explains them.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    TooLong,
    Malformed,
    Critical,
    Type,
    Algorithm,
    Key,
    Signature,
    Claim,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    Bound,
    Revoked,
    StatusUnknown,
}

impl Case {
    pub(crate) fn accept(name: &str, claims: &Value, token: String) -> Self {
        Self {
            name: name.to_owned(),
            group: Group::Token,
            keys: "current".to_owned(),
            expect: Expect::Accept,
            reason: None,
            claims: Some(claims.clone()),
            token,
        }
    }

    pub(crate) fn refuse(name: impl Into<String>, reason: Reason, token: String) -> Self {
        Self {
            name: name.into(),
            group: Group::Token,
            keys: "current".to_owned(),
            expect: Expect::Refuse,
            reason: Some(reason),
            claims: None,
            token,
        }
    }

    pub(crate) fn with_keys(self, keys: &str) -> Self {
        Self { keys: keys.to_owned(), ..self }
    }
}

impl Vectors {
    pub(crate) fn read() -> Self {
        serde_json::from_str(&text()).unwrap()
    }

    pub(crate) fn make() -> Self {
        let signer = Signer::new(&text());
        let status_lists = status::lists(&signer);
        let cases = [
            good::cases(&signer),
            headers::cases(&signer),
            forms::cases(&signer),
            claims::cases(&signer),
            status::cases(&signer),
        ];
        let set = |kids: &[&str]| json!({"keys": kids.iter().map(|kid| jwk(kid)).collect::<Vec<_>>()});
        Self {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            now: NOW,
            leeway: 60,
            max_token_length: 16_384,
            key_sets: BTreeMap::from([
                ("current".to_owned(), set(&["es256", "es384", "ed25519", "rs256", "ps256"])),
                ("rotated".to_owned(), set(&["es256-next", "es256", "es384", "ed25519", "rs256", "ps256"])),
                ("removed".to_owned(), set(&["es256-next", "es384", "ed25519", "rs256", "ps256"])),
            ]),
            status_lists,
            cases: cases.into_iter().flatten().collect(),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        format!("{}\n", serde_json::to_string_pretty(self).unwrap())
    }
}

/// What stands on the disk; empty before the file was first written.
pub(crate) fn text() -> String {
    std::fs::read_to_string(PATH).unwrap_or_default()
}
