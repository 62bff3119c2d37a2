//! Fetches documents for the command line.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::error::with_causes;

const TIME: Duration = Duration::from_secs(10);

/// The longest response that is read, in bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Fetches a text document. Redirects are not followed.
pub async fn fetch(url: &str) -> Result<String, String> {
    let failed = |error: reqwest::Error| format!("{url}: {}", with_causes(&error));
    let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIME).build().map_err(failed)?;
    let mut answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(format!("{url}: the answer is larger than 1 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| format!("{url}: the answer is not text"))
}
