//! What the web framework costs by itself: handlers that do nothing but read the same form and answer with as many
//! bytes as the house does.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::web::{self, Form};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;

/// As long as the JWKS of a new house, with a key and its successor for ES256 and for RS256; a pair of tokens is a
/// little shorter.
const ANSWER: &str = const {
    match str::from_utf8(&[b'{'; 1324]) {
        Ok(text) => text,
        Err(_) => "",
    }
};

/// Serves until it is killed.
pub(crate) fn serve(address: &str) -> Result<()> {
    let app = || App::new().route("/", web::get().to(get)).route("/", web::post().to(post));
    // One worker, as the house has on one core, and the times that the house grants (`src/http/mod.rs`).
    let server = HttpServer::new(app)
        .workers(1)
        .client_request_timeout(Duration::from_secs(5))
        .keep_alive(Duration::from_secs(75))
        .bind(address)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(ANSWER)
}

async fn post(form: Form<BTreeMap<String, String>>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(&ANSWER[form.len()..])
}
