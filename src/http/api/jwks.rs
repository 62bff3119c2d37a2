//! `GET /.well-known/jwks.json` (RFC 7517 section 5), from memory.

use std::cell::RefCell;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use crate::http::Ctx;
use crate::http::response::knows;
use crate::keys::Jwks;

/// Returns the published keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "OAuth 2.1",
    responses((status = 200, description = "JWKS"), (status = 304)))]
pub async fn jwks(ctx: Ctx, request: HttpRequest) -> HttpResponse {
    let jwks = ctx.keys.jwks();
    let is_known = knows(&request, &jwks.etag);
    let JwksDocument { etag, cache_control, body, .. } = document(&ctx, jwks);
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, cache_control))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json"))).body(body)
}

/// The JWKS as sent. Clones share the same bytes.
#[derive(Clone)]
struct JwksDocument {
    jwks: Arc<Jwks>,
    etag: HeaderValue,
    cache_control: HeaderValue,
    body: Bytes,
}

thread_local! {
    static LAST_SENT: RefCell<Option<JwksDocument>> = const { RefCell::new(None) };
}

/// Returns the document, which is rebuilt only when the keys have changed.
fn document(ctx: &Ctx, jwks: Arc<Jwks>) -> JwksDocument {
    LAST_SENT.with_borrow_mut(|last| match last {
        Some(last) if Arc::ptr_eq(&last.jwks, &jwks) => last.clone(),
        _ => last.insert(JwksDocument::new(ctx, jwks)).clone(),
    })
}

impl JwksDocument {
    fn new(ctx: &Ctx, jwks: Arc<Jwks>) -> Self {
        let max_age = ctx.config.keys.jwks_max_age.get().as_secs();
        let plain = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            etag: plain(&jwks.etag),
            cache_control: plain(&format!("public, max-age={max_age}")),
            body: Bytes::from(jwks.body.clone()),
            jwks,
        }
    }
}
