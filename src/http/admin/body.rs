//! JSON bodies of the admin API.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use crate::http::error::AdminRefusal;
use crate::http::form::{media_type, read_body};
use crate::protocol::OAuthError;

/// A JSON body, parsed strictly: unknown fields are refused.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = AdminRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AdminRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = media_type(request) == "application/json";
        let body = read_body(request.clone(), payload.take());
        Box::pin(async move {
            let body = body.await?;
            // An absent body is an empty object: some calls have nothing that must be said.
            let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
            if !is_json && !body.is_empty() {
                return Err(OAuthError::invalid_request("the body is application/json").into());
            }
            serde_json::from_slice(text).map(Self).map_err(|error| {
                OAuthError::invalid_request(format!("the body does not fit: {}", without_values(&error))).into()
            })
        })
    }
}

/// What is wrong and where; never the value that was sent, which may be a secret.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let keeps_silent = ["unknown field", "missing field", "duplicate field"];
    if keeps_silent.iter().any(|start| text.starts_with(start)) {
        return text;
    }
    format!("wrong type or syntax at line {} column {}", error.line(), error.column())
}
