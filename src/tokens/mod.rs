//! The mint: the content of tokens, one file for each kind. `keys` signs them.
//!
//! Nothing here decides whether a token may be issued, and nothing here uses a store.

mod access;
pub mod claims;
mod id_token;
mod logout_token;
mod refresh;
mod security_event;
mod subject;

pub use access::{AccessToken, TokenSubject, access_token};
pub use id_token::{IdToken, IdTokenInput, algorithm_for, id_token, read_id_token};
pub use logout_token::logout_token;
pub use refresh::{RefreshToken, read_refresh_token, refresh_token};

pub use security_event::{SecurityEvent, security_event};
pub use subject::subject;

use serde::Serialize;

use crate::ctx::Ctx;
use crate::model::StatusIndex;

/// The `status_list` member of a token (IETF Token Status List, draft 20, section 6.2).
#[derive(Debug, Serialize)]
struct Reference {
    idx: u32,
    uri: String,
}

impl Reference {
    fn to(ctx: &Ctx, status_index: i64) -> Self {
        let index = StatusIndex::of(status_index);
        Self { idx: index.index, uri: ctx.status_lists.uri(index.list) }
    }
}

/// Returns whether an access token refers to this status index. A token without a reference passes.
#[must_use]
pub fn names_index(ctx: &Ctx, access: &tokenhouse_verifier::AccessToken, status_index: i64) -> bool {
    let Some(status) = &access.status else { return true };
    let Reference { idx, uri } = Reference::to(ctx, status_index);
    status.status_list.idx == u64::from(idx) && status.status_list.uri == uri
}

/// `aud` as in RFC 7519 section 4.1.3: one audience is a string, several are an array.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Many(&'a [String]),
}

impl<'a> Audience<'a> {
    fn of(audience: &'a [String]) -> Self {
        match audience {
            [one] => Self::One(one),
            many => Self::Many(many),
        }
    }
}
