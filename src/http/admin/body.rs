//! Bodies of the admin API: JSON, and for some calls text.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::http::error::{ProblemRefusal, RequestError};
use crate::http::form::{media_type, read_body};
use crate::model::Secret;

/// A JSON body, parsed strictly: unknown fields are refused.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = ProblemRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ProblemRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = matches!(media_type(request).as_str(), "application/json" | "application/merge-patch+json");
        let body = read_body(request.clone(), payload.take());
        Box::pin(async move {
            let body = body.await?;
            // An absent body counts as an empty object, because some calls need no field.
            let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
            if !is_json && !body.is_empty() {
                return Err(Error::invalid_request("the body is application/json").into());
            }
            // serde would also read a struct from an array, by the order of its fields.
            if text.trim_ascii_start().first() != Some(&b'{') {
                return Err(Error::invalid_request("the body is a JSON object").into());
            }
            serde_json::from_slice(text).map(Self).map_err(|error| {
                let position = format!("wrong type or syntax at line {} column {}", error.line(), error.column());
                Error::invalid_request(format!("the body does not fit: {}", without_values(&error, &position))).into()
            })
        })
    }
}

/// Reads a text body of one of the media types `types`.
///
/// # Errors
/// `invalid_request` for another media type or text that is not UTF-8; [`RequestError::TooLarge`].
pub async fn text(request: &HttpRequest, payload: web::Payload, types: &[&str]) -> Result<Secret, RequestError> {
    if !types.contains(&media_type(request).as_str()) {
        return Err(Error::invalid_request(format!("the body is {}", types.join(" or "))).into());
    }
    let body = read_body(request.clone(), payload.into_inner()).await?;
    match std::str::from_utf8(&body) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(Error::invalid_request("the body is not UTF-8").into()),
    }
}

/// Describes the error in serde's words where they contain no value, because a value may be a secret; else as `other`.
pub fn without_values(error: &impl std::fmt::Display, other: &str) -> String {
    let text = error.to_string();
    let tells_none = ["unknown field", "missing field", "duplicate field"];
    if tells_none.iter().any(|start| text.starts_with(start)) { text } else { other.to_owned() }
}
