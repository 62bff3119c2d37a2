//! Form bodies of OAuth endpoints: `application/x-www-form-urlencoded`. No parameter may occur twice, and an empty one
//! counts as absent (RFC 6749 sections 3.1 and 3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};

use super::error::{OAuthRefusal, RequestError};
use crate::model::Secret;
use crate::protocol::{OAuthError, Scope};

/// The longest body of a request, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The longest time that the body of a request may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(10);

/// The only parameter that may occur several times (RFC 8707 section 2).
const REPEATABLE: &str = "resource";

#[derive(Default)]
pub struct Form {
    once: BTreeMap<String, Secret>,
    resource: BTreeSet<String>,
}

impl Form {
    /// Parses a form; `invalid_request` where a parameter occurs twice.
    pub fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            if value.is_empty() {
                continue;
            }
            if name == REPEATABLE {
                form.resource.insert(value.into_owned());
            } else if form.once.insert(name.into_owned(), Secret::new(value)).is_some() {
                return Err(OAuthError::invalid_request("a parameter is given twice"));
            }
        }
        Ok(form)
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.once.get(name).map(Secret::expose)
    }

    /// Returns the parameter `name` as a secret, which logs do not show.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.once.get(name).cloned()
    }

    /// Returns the parameter `name`; `invalid_request` where it is absent.
    pub fn required(&self, name: &'static str) -> Result<Secret, OAuthError> {
        self.secret(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
    }

    pub fn scope(&self) -> Result<Option<Scope>, OAuthError> {
        self.get("scope").map(Scope::parse).transpose()
    }

    #[must_use]
    pub fn resource(&self) -> Vec<String> {
        self.resource.iter().cloned().collect()
    }
}

impl FromRequest for Form {
    type Error = OAuthRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, OAuthRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = media_type(request) == "application/x-www-form-urlencoded";
        let body = read_body(request.clone(), payload.take());
        Box::pin(async move {
            let body = body.await?;
            if !is_form && !body.is_empty() {
                return Err(OAuthError::invalid_request("the body is application/x-www-form-urlencoded").into());
            }
            Ok(Self::parse(&body)?)
        })
    }
}

/// Returns the media type of the body, in lower case and without parameters.
#[must_use]
pub fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads the body within the limits of size and time.
///
/// # Errors
/// [`RequestError::TooLarge`]; `invalid_request` when the body arrives too slowly or is incomplete.
pub async fn read_body(request: HttpRequest, mut payload: Payload) -> Result<Bytes, RequestError> {
    let payload = web::Payload::from_request(&request, &mut payload);
    let read = async {
        let payload = payload.await.map_err(|_| broken_off())?;
        match payload.to_bytes_limited(MAX_BODY).await {
            Err(_) => Err(RequestError::TooLarge),
            Ok(body) => Ok(body.map_err(|_| broken_off())?),
        }
    };
    match tokio::time::timeout(BODY_TIME, read).await {
        Ok(body) => body,
        Err(_) => Err(OAuthError::invalid_request("the body took too long to arrive").into()),
    }
}

fn broken_off() -> OAuthError {
    OAuthError::invalid_request("the body was broken off")
}
