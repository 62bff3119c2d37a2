//! `GET /status/{list}` (IETF Token Status List, section 8), from memory, and `GET /status`, which names all lists.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue,
    VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::{self, ProblemRefusal};
use crate::http::response::knows;
use crate::status_lists::SignedList;

/// Returns the current status list.
#[utoipa::path(get, path = "/status/{list}", tag = "OAuth 2.1", params(("list" = u64, Path)),
    responses((status = 200, description = "statuslist+jwt", content_type = "application/statuslist+jwt"), (status = 304),
        (status = 404), (status = 501, description = "lists of other times are not kept"), (status = 503)))]
pub async fn status_list(ctx: Ctx, request: HttpRequest) -> Result<HttpResponse, ProblemRefusal> {
    // Historical lists are optional (section 8.4).
    if request.query_string().split('&').any(|part| part.starts_with("time=")) {
        return Ok(error::problem(StatusCode::NOT_IMPLEMENTED, "lists of other times are not kept"));
    }
    let number = number(request.match_info().unprocessed())?;
    let list = ctx.status_lists.signed(number, &ctx.keys, ctx.now()).await?;
    Ok(answer(&request, &list))
}

/// Lists the addresses of the status lists (section 9).
#[utoipa::path(get, path = "/status", tag = "OAuth 2.1", responses((status = 200, description = "status_lists")))]
pub async fn status_lists(ctx: Ctx) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=60"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(json!({ "status_lists": ctx.status_lists.uris() }))
}

/// Parses the number of a list as its URI has it: no sign, no leading zero.
fn number(rest: &str) -> Result<u64, Error> {
    let text = rest.strip_prefix('/').unwrap_or_default();
    let is_plain = text == "0" || text.starts_with(|first| matches!(first, '1'..='9'));
    let number = text.parse().ok().filter(|_| is_plain);
    number.ok_or_else(|| Error::NotFound("there is no such status list".into()))
}

fn answer(request: &HttpRequest, list: &SignedList) -> HttpResponse {
    let is_coded = takes_gzip(request);
    let representation = if is_coded { &list.gzip } else { &list.plain };
    let is_known = knows(request, &representation.etag);
    let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header((ETAG, representation.etag.as_str()))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=1")))
        .insert_header((VARY, HeaderValue::from_static("accept-encoding")))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")));
    if is_known {
        return response.finish();
    }
    if is_coded {
        response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/statuslist+jwt")))
        .body(representation.octets.clone())
}

/// Returns whether `Accept-Encoding` names gzip without refusing it (RFC 9110 section 12.5.3).
fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(|weight| weight.parse::<f32>().unwrap_or(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}
