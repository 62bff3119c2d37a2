//! Requests whose answers are limited in length and time: reads a document unless it has not changed, posts a form,
//! opens a stream.

use std::fmt;
use std::io::Read as _;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::timeout;

/// How long a stream may take to begin.
const STREAM_BEGINS: Duration = Duration::from_secs(5);
/// How long a stream is read at most. It ends with its access token, long before.
const STREAM_ENDS: Duration = Duration::from_hours(25);
/// The longest answer to a form that is read, in bytes. Tokenhouse writes about 1,000.
const MAX_FORM_ANSWER: usize = 64 * 1024;
/// The `id` of the last server-sent event that was read.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A client that follows no redirect, because a redirect could lead to any origin.
#[derive(Debug)]
pub(super) struct Http(Client);

/// A document that is read repeatedly.
#[derive(Debug)]
pub(super) struct Document {
    url: Url,
    accept: &'static str,
    limit: usize,
    etag: Option<HeaderValue>,
    is_failing: bool,
}

/// What caches on the way to the issuer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caches {
    MayAnswer,
    /// They must ask the issuer whether what they have is still the same (RFC 9111 section 5.2.1.4).
    MustAsk,
}

/// An answer, and how long it may be kept, where it says so.
pub(super) struct Answer {
    /// The text, or `None` when it has not changed.
    pub(super) text: Option<String>,
    pub(super) max_age: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer is not text")]
    NotText,
    #[error("nothing is heard")]
    Silent,
    #[error("{0}")]
    Failed(String),
}

impl Http {
    pub(super) fn new(timeout: Duration) -> Result<Self, FetchError> {
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            .user_agent(concat!("tokenhouse-verifier/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// Reads the document, unless it has not changed since it was last accepted.
    pub(super) async fn get(&self, document: &mut Document) -> Result<Answer, FetchError> {
        self.get_through(Caches::MayAnswer, document).await
    }

    /// Like [`get`](Self::get), with a choice of what caches may do.
    pub(super) async fn get_through(&self, caches: Caches, document: &mut Document) -> Result<Answer, FetchError> {
        let mut request =
            self.0.get(document.url.clone()).header(ACCEPT, document.accept).header(ACCEPT_ENCODING, "gzip");
        if caches == Caches::MustAsk {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(etag) = &document.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await?;
        let max_age = max_age(answer.headers());
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if document.etag.is_some() => return Ok(Answer { text: None, max_age }),
            other => return Err(FetchError::Status(other.as_u16())),
        }
        // A caller that cannot use the text calls `forget`.
        document.etag = answer.headers().get(ETAG).cloned();
        let text = read(answer, document.limit).await;
        if text.is_err() {
            document.forget();
        }
        Ok(Answer { text: Some(text?), max_age })
    }

    /// Posts a form as a client with these credentials (RFC 6749 section 2.3.1), which are encoded already.
    pub(super) async fn post(&self, url: Url, (name, secret): (&str, &str), form: &str) -> Result<String, FetchError> {
        let request = self.0.post(url).basic_auth(name, Some(secret)).header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned());
        read(good(request.send().await?)?, MAX_FORM_ANSWER).await
    }

    /// Opens a stream of server-sent events that begins after the event with this number.
    pub(super) async fn open(&self, url: Url, bearer: &str, last: Option<i64>) -> Result<Response, FetchError> {
        let mut request = self.0.get(url).header(ACCEPT, "text/event-stream").header(CACHE_CONTROL, "no-store");
        if let Some(number) = last {
            request = request.header(LAST_EVENT_ID, number);
        }
        let begun = timeout(STREAM_BEGINS, request.bearer_auth(bearer).timeout(STREAM_ENDS).send()).await;
        good(begun.map_err(|_| FetchError::Silent)??)
    }
}

fn good(answer: Response) -> Result<Response, FetchError> {
    let status = answer.status();
    if status == StatusCode::OK { Ok(answer) } else { Err(FetchError::Status(status.as_u16())) }
}

impl Document {
    pub(super) fn new(url: Url, accept: &'static str, limit: usize) -> Self {
        Self { url, accept, limit, etag: None, is_failing: false }
    }

    /// Forgets the `ETag` of an unusable text, so that the next answer is complete.
    pub(super) fn forget(&mut self) {
        self.etag = None;
    }

    /// Logs when reading begins to fail, and when it works again.
    pub(super) fn note<T>(&mut self, result: &Result<T, impl fmt::Display>) {
        match result {
            Err(reason) if !self.is_failing => tracing::warn!(url = %self.url, %reason, "cannot be read"),
            Ok(_) if self.is_failing => tracing::info!(url = %self.url, "can be read again"),
            Ok(_) | Err(_) => {}
        }
        self.is_failing = result.is_err();
    }
}

async fn read(mut answer: Response, limit: usize) -> Result<String, FetchError> {
    let is_gzip =
        answer.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    if is_gzip {
        body = inflate(&body, limit)?;
    }
    String::from_utf8(body).map_err(|_| FetchError::NotText)
}

/// Decodes gzip (RFC 9110 section 8.4.1.3), and stops where the text becomes too long.
fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, FetchError> {
    let mut text = Vec::new();
    let limited = &mut MultiGzDecoder::new(body).take(limit as u64 + 1);
    limited.read_to_end(&mut text).map_err(|error| FetchError::Failed(error.to_string()))?;
    if text.len() > limit { Err(FetchError::TooLong(limit)) } else { Ok(text) }
}

/// Returns how much longer the answer may be kept (RFC 9111 sections 4.2.1 and 4.2.3): `max-age` less the time that it
/// has spent in other caches.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let control = headers.get(CACHE_CONTROL)?.to_str().ok()?.to_ascii_lowercase();
    let mut directives = control.split(',').map(str::trim);
    if directives.clone().any(|directive| matches!(directive, "no-store" | "no-cache")) {
        return Some(Duration::ZERO);
    }
    let seconds: u64 = directives.find_map(|directive| directive.strip_prefix("max-age="))?.parse().ok()?;
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_sub(age)))
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        Self::Failed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_its_max_age_less_its_age() {
        let cases = [
            (None, None, None),
            (Some("public, max-age=300"), None, Some(300)),
            (Some("Max-Age=300, must-revalidate"), Some("100"), Some(200)),
            (Some("max-age=300"), Some("301"), Some(0)),
            (Some("max-age=300, no-cache"), None, Some(0)),
            (Some("no-store"), None, Some(0)),
            (Some("max-age=soon"), None, None),
            (Some("public"), None, None),
        ];
        for (control, age, expected) in cases {
            let given = [(CACHE_CONTROL, control), (AGE, age)];
            let named = given.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_static(value?))));
            assert_eq!(max_age(&named.collect()), expected.map(Duration::from_secs), "{control:?} {age:?}");
        }
    }
}
