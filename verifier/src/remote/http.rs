//! One kind of request: read a document of limited length in limited time, unless it is still the same.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

/// A client that follows no redirect, which could lead anywhere.
#[derive(Debug)]
pub(super) struct Http(Client);

/// A document that is asked for again and again.
#[derive(Debug)]
pub(super) struct Document {
    url: Url,
    accept: &'static str,
    limit: usize,
    etag: Option<HeaderValue>,
    is_failing: bool,
}

/// What was answered, and for how long it may be kept, where the answer says so.
pub(super) struct Answer {
    /// The text, or `None` when it has not changed.
    pub(super) text: Option<String>,
    pub(super) max_age: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer is not text")]
    NotText,
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

    /// Reads the document, if it is another than the one that was accepted last.
    pub(super) async fn get(&self, document: &mut Document) -> Result<Answer, FetchError> {
        let mut request = self.0.get(document.url.clone()).header(ACCEPT, document.accept);
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
        // Whoever cannot make use of the text calls `forget`.
        document.etag = answer.headers().get(ETAG).cloned();
        let text = read(answer, document.limit).await;
        if text.is_err() {
            document.forget();
        }
        Ok(Answer { text: Some(text?), max_age })
    }
}

impl Document {
    pub(super) fn new(url: Url, accept: &'static str, limit: usize) -> Self {
        Self { url, accept, limit, etag: None, is_failing: false }
    }

    /// The text that was read last was of no use: the next answer is wanted whole.
    pub(super) fn forget(&mut self) {
        self.etag = None;
    }

    /// Tells the log when reading begins to fail, and when it works again.
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
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| FetchError::NotText)
}

/// How much longer the answer may be kept (RFC 9111 sections 4.2.1 and 4.2.3): `max-age` less the time that it has spent
/// in other caches.
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
