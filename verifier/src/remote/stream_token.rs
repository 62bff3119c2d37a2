//! The service's own access token, with which it asks for events (RFC 6749 section 4.4).

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use tokio::time::Instant;

use super::clock::instant;
use super::http::{FetchError, Http};

const FORM: &str = "grant_type=client_credentials&scope=tokenhouse%3Aevents";
/// How long a token is used that does not say how long it lives.
const USUAL_LIFETIME: Duration = Duration::from_mins(1);
/// More often than this no token is asked for.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// As whom the service asks for events. The secret is never shown.
#[derive(Clone)]
pub(super) struct Credentials {
    id: String,
    secret: String,
}

impl Credentials {
    /// Encoded as they go into the header (RFC 6749 section 2.3.1).
    pub(super) fn new(id: &str, secret: &str) -> Self {
        Self { id: encoded(id), secret: encoded(secret) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Obtains tokens, and keeps the one that is good.
pub(super) struct StreamTokens {
    endpoint: Url,
    credentials: Credentials,
    held: Option<StreamToken>,
}

/// A token, and when to get another.
#[derive(Clone)]
pub(super) struct StreamToken {
    pub(super) bearer: String,
    pub(super) good_until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
}

impl StreamTokens {
    pub(super) fn new(endpoint: Url, credentials: Credentials) -> Self {
        Self { endpoint, credentials, held: None }
    }

    /// A token that is good for a while.
    pub(super) async fn get(&mut self, http: &Http) -> Result<StreamToken, FetchError> {
        if let Some(token) = self.held.as_ref().filter(|token| instant() < token.good_until) {
            return Ok(token.clone());
        }
        let asked_at = instant();
        let Credentials { id, secret } = &self.credentials;
        let text = http.post(self.endpoint.clone(), (id, secret), FORM).await?;
        let answer =
            serde_json::from_str(&text).map_err(|_| FetchError::Failed("the answer is no token".to_owned()))?;
        let Answer { access_token, expires_in } = answer;
        let lifetime =
            expires_in.map_or(USUAL_LIFETIME, Duration::from_secs).clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME);
        // A tenth before its end, at which the stream would end too.
        let token = StreamToken { bearer: access_token, good_until: asked_at + lifetime.mul_f64(0.9) };
        Ok(self.held.insert(token).clone())
    }

    /// The token was not accepted.
    pub(super) fn forget(&mut self) {
        self.held = None;
    }
}

/// `application/x-www-form-urlencoded`, with everything encoded that may be.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let letters =
        text.bytes().map(|byte| if is_plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_and_the_secret_is_not_shown() {
        let credentials = Credentials::new("a client", "s:e+c%ré-._1");
        assert_eq!((&*credentials.id, &*credentials.secret), ("a%20client", "s%3Ae%2Bc%25r%C3%A9-._1"));
        assert_eq!(format!("{credentials:?}"), r#"Credentials { id: "a%20client", .. }"#);
    }
}
