//! Headers and helpers that responses share.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];

/// Adds the headers that a response lacks; a page brings its own content security policy. While the service shuts down,
/// each response also asks the client to close the connection. A client that only finds its connection closed may have
/// sent the next request into it.
pub(super) fn complete<B>(mut answer: ServiceResponse<B>, draining: &AtomicBool) -> ServiceResponse<B> {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if draining.load(Ordering::SeqCst) {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    answer
}

/// The initial size of a JSON body, in bytes: enough for a pair of tokens, so that the buffer is not moved as it grows.
const USUAL_LENGTH: usize = 2048;

/// Builds a JSON response that must not be cached, because it may contain tokens (RFC 6749 section 5.1).
pub(super) fn unkept_json<T: Serialize>(status: StatusCode, body: &T) -> HttpResponse {
    let mut text = Vec::with_capacity(USUAL_LENGTH);
    if let Err(error) = serde_json::to_writer(&mut text, body) {
        return HttpResponse::from_error(actix_web::error::ErrorInternalServerError(error));
    }
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(text)
}

/// Returns whether the client has the representation with this tag (`If-None-Match`, RFC 9110 section 13.1.2). The
/// comparison is weak.
pub(super) fn knows(request: &HttpRequest, etag: &str) -> bool {
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    })
}
