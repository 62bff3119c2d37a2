//! The service's own access token, with which it subscribes to the event stream (RFC 6749 section 4.4).

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use tokio::time::Instant;

use super::clock::instant;
use super::http::{FetchError, Http};

const FORM: &str = "grant_type=client_credentials&scope=tokenhouse%3Aevents";
/// The lifetime of a token without `expires_in`.
const USUAL_LIFETIME: Duration = Duration::from_mins(1);
/// The shortest lifetime that counts, so that tokens are not requested more often than this.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// The client credentials of the service. `Debug` leaves the secret out.
#[derive(Clone)]
pub(super) struct Credentials {
    id: String,
    secret: String,
}

impl Credentials {
    /// Encodes the credentials as the `Authorization` header requires (RFC 6749 section 2.3.1).
    pub(super) fn new(id: &str, secret: &str) -> Self {
        Self { id: encoded(id), secret: encoded(secret) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Obtains access tokens, and keeps the current one.
pub(super) struct StreamTokens {
    endpoint: Url,
    credentials: Credentials,
    held: Option<StreamToken>,
}

/// An access token, and when to replace it.
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

    /// Returns the current token, or obtains another one.
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
        // A tenth before its expiry, at which the stream would end too.
        let token = StreamToken { bearer: access_token, good_until: asked_at + lifetime.mul_f64(0.9) };
        Ok(self.held.insert(token).clone())
    }

    /// Drops a token that was not accepted.
    pub(super) fn forget(&mut self) {
        self.held = None;
    }
}

/// Encodes as `application/x-www-form-urlencoded`, with everything escaped that may be.
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
