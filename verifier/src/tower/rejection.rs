//! The answer to a rejected request.

use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::Rejection;

impl Rejection {
    /// Makes the whole answer. It has no body: RFC 6750 section 3 puts everything into the challenge.
    pub fn into_response<B: Default>(self) -> Response<B> {
        tracing::debug!(reason = %self, status = self.http_status(), "a request was not let in");
        let mut answer = Response::new(B::default());
        *answer.status_mut() = StatusCode::from_u16(self.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge().and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        answer
    }
}
