//! The subject identifier by which a client knows a user (OpenID Connect Core 1.0 section 8).

use url::Url;

use crate::ctx::Ctx;
use crate::digest;
use crate::model::{Client, SubjectType, UserId};

/// Returns `sub`: the user's identifier, or for a client with pairwise subjects one that clients of other sectors
/// cannot correlate.
#[must_use]
pub fn subject(ctx: &Ctx, client: &Client, user: UserId) -> String {
    match client.metadata.subject_type {
        SubjectType::Public => user.to_string(),
        SubjectType::Pairwise => pairwise(&ctx.pairwise_salt, &sector_of(client), user),
    }
}

/// SHA-256 over sector, user and a salt that never changes (section 8.1).
fn pairwise(salt: &[u8; 32], sector: &str, user: UserId) -> String {
    let mut text = salt.to_vec();
    text.extend(user.0.as_bytes());
    text.extend(sector.as_bytes());
    let hash = digest::sha256(&text);
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid().to_string()
}

/// Returns the sector of pairwise subjects: the registered one, else the single host of the redirect URIs, else the
/// client identifier.
fn sector_of(client: &Client) -> String {
    if let Some(sector) = &client.metadata.sector_identifier {
        return sector.clone();
    }
    let mut hosts: Vec<String> = client
        .metadata
        .redirect_uris
        .iter()
        .filter_map(|uri| Url::parse(uri.as_str()).ok()?.host_str().map(str::to_owned))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts.as_slice() {
        [one] => one.clone(),
        _ => client.id.to_string(),
    }
}
