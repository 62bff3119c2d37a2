//! What the web framework costs by itself: a handler that reads a form and answers nothing much.

use std::collections::BTreeMap;

use actix_web::web::{self, Form};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;

/// Serves until it is killed.
pub(crate) fn serve(address: &str) -> Result<()> {
    let app = || App::new().route("/", web::get().to(get)).route("/", web::post().to(post));
    let server = HttpServer::new(app).workers(1).bind(address)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body("{}")
}

async fn post(form: Form<BTreeMap<String, String>>) -> HttpResponse {
    HttpResponse::Ok().json(form.len())
}
