//! `[simplejwt]`

use crate::config::declare::{require, settings};
use crate::protocol::Scope;

settings! {
    /// The SimpleJWT-compatible API.
    pub struct SimpleJwt {
        /// Whether the API (`/api/token/`) is open.
        enabled: bool = true;
        /// `aud` of the access tokens made there; the issuer unless set.
        audience: Option<String> = None, check one_word;
        /// `scope` of the access tokens made there: words separated by single spaces.
        scope: String = String::new(), check scope;
    }
}

fn one_word(audience: &str) -> Result<(), String> {
    let is_sound = !audience.is_empty() && !audience.contains(char::is_whitespace);
    require(is_sound, "must be one word, such as the URL of an API")
}

fn scope(scope: &str) -> Result<(), String> {
    Scope::parse(scope).map(drop).map_err(|error| error.to_string())
}
