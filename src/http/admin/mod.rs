//! The admin API: JSON under `/admin/v1`, errors as problem details (RFC 9457). Access is declared in `routes.rs` and
//! checked by [`bearer`](crate::http::bearer) before an endpoint runs.

pub mod audit;
pub mod body;
pub mod clients;
pub mod keys;
pub mod browser_sessions;
pub mod paging;
pub mod sessions;
pub mod users;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::json;

pub use crate::http::bearer::AuthorizedCaller;
use crate::http::response::unkept_json;
use crate::sessions::Applied;

pub use body::Body;
pub use paging::Paging;

fn ok<T: Serialize>(body: &T) -> HttpResponse {
    answer(StatusCode::OK, body)
}

fn created<T: Serialize>(body: &T) -> HttpResponse {
    answer(StatusCode::CREATED, body)
}

fn answer<T: Serialize>(status: StatusCode, body: &T) -> HttpResponse {
    unkept_json(status, body)
}

/// Returns 200 where the end is applied everywhere, 202 while it has yet to reach the ephemeral store.
fn status_of(applied: Applied) -> StatusCode {
    match applied {
        Applied::Everywhere => StatusCode::OK,
        Applied::Pending => StatusCode::ACCEPTED,
    }
}

fn applied_answer(applied: Applied) -> HttpResponse {
    answer(status_of(applied), &json!({ "applied": applied }))
}
