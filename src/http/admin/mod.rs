//! The admin API: JSON under `/admin/v1`, errors as problem details (RFC 9457). Who may pass is declared in
//! `routes.rs` and enforced by [`permission`](crate::http::bearer) before any endpoint is reached.

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

/// 200 when what was ended has ended everywhere; 202 while the ephemeral store still has to learn of it.
fn status_of(applied: Applied) -> StatusCode {
    match applied {
        Applied::Everywhere => StatusCode::OK,
        Applied::Pending => StatusCode::ACCEPTED,
    }
}

fn applied_answer(applied: Applied) -> HttpResponse {
    answer(status_of(applied), &json!({ "applied": applied }))
}
