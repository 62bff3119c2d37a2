//! The admin API: JSON under `/admin/v1`, errors as problem details (RFC 9457). Who may pass is declared in
//! `routes.rs` and enforced by [`permission`] before any door is reached.

pub mod audit;
pub mod body;
pub mod clients;
pub mod keys;
pub mod permission;
pub mod sessions;
pub mod users;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::PageRequest;
use crate::sessions::Applied;

pub use body::Body;
pub use permission::Administrator;

/// Which page of a list is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The `next` of the page before.
    after: Option<String>,
    /// 1 to 500; 100 where absent.
    limit: Option<u32>,
}

impl From<Query<Paging>> for PageRequest {
    fn from(paging: Query<Paging>) -> Self {
        let Paging { after, limit } = paging.into_inner();
        Self::new(after, limit)
    }
}

fn ok<T: Serialize>(body: &T) -> HttpResponse {
    answer(StatusCode::OK, body)
}

fn created<T: Serialize>(body: &T) -> HttpResponse {
    answer(StatusCode::CREATED, body)
}

fn answer<T: Serialize>(status: StatusCode, body: &T) -> HttpResponse {
    HttpResponse::build(status).insert_header(("Cache-Control", "no-store")).json(body)
}

/// 200 when what was ended has ended everywhere; 202 while the hot state still has to learn of it.
fn status_of(applied: Applied) -> StatusCode {
    match applied {
        Applied::Everywhere => StatusCode::OK,
        Applied::Pending => StatusCode::ACCEPTED,
    }
}

fn applied_answer(applied: Applied) -> HttpResponse {
    answer(status_of(applied), &json!({ "applied": applied }))
}
