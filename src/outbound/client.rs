//! The HTTP client for the requests of the server.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use url::Url;

use super::guard::Guard;
use crate::config;
use crate::error::with_causes;

/// The longest that a request may take, from the resolution of the name to the end of the response.
const TIME: Duration = Duration::from_secs(2);

/// The most bytes of a response that are read.
const MAX_ANSWER: usize = 64 * 1024;

/// Calls other servers within two seconds, at public addresses and those that the operator has allowed, by https (or by
/// http at allowed loopback addresses). It follows no redirect, which could lead to any address, and uses no proxy,
/// which would connect without the guard's check.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: Client,
    guard: Guard,
}

impl Outbound {
    pub fn new(settings: &config::Outbound) -> Result<Self, String> {
        let guard = Guard::new(&settings.allow);
        let mut client = Client::builder()
            .dns_resolver(Arc::new(guard.clone()))
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIME)
            .user_agent("tokenhouse");
        if let Some(file) = &settings.extra_ca_file {
            let wrong = |problem: &dyn std::error::Error| {
                format!("outbound.extra_ca_file: {}: {}", file.display(), with_causes(problem))
            };
            let pem = std::fs::read(file).map_err(|error| wrong(&error))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
            if certificates.is_empty() {
                return Err(format!("outbound.extra_ca_file: {} holds no certificate", file.display()));
            }
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|error| format!("outbound: {}", with_causes(&error)))?;
        Ok(Self { client, guard })
    }

    /// Posts a form and returns the status of the response.
    ///
    /// # Errors
    /// A sentence for the log when there is no response or the address may not be called.
    pub async fn post_form(&self, address: &str, form: &[(&str, &str)]) -> Result<u16, String> {
        let url = Url::parse(address).map_err(|error| error.to_string())?;
        self.guard.check(&url)?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = self.client.post(url).header(CONTENT_TYPE, media_type).body(body);
        let answer = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
        let status = answer.status().as_u16();
        read_to_its_end(answer).await;
        Ok(status)
    }
}

/// Reads the rest of the response, so that the connection can be used again. A connection with a longer response is
/// closed instead.
async fn read_to_its_end(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER {
            return;
        }
    }
}
