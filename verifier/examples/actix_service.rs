//! A service on actix-web that accepts the tokens of a Tokenhouse, and refuses a revoked one within seconds.
//!
//! ```text
//! tokenhouse serve --dev                                          # in one terminal
//! cargo run -p tokenhouse-verifier --features actix --example actix_service http://127.0.0.1:8080 AUDIENCE
//! curl -i http://127.0.0.1:8000/me -H "Authorization: Bearer $TOKEN"
//! ```

use actix_web::{App, HttpResponse, HttpServer, web};
use tokenhouse_verifier::Issuer;
use tokenhouse_verifier::actix::{Access, Rejection};

/// Whom the token acts for.
async fn me(access: Access) -> String {
    format!("{} by {}\n", access.sub, access.client_id)
}

/// For tokens with the scope `notes:read` alone.
async fn notes(access: Access) -> Result<String, Rejection> {
    access.require_scope("notes:read")?;
    Ok(format!("the notes of {}\n", access.sub))
}

/// Whether the lists of revoked tokens are read: for the load balancer.
async fn health(issuer: web::Data<Issuer>) -> HttpResponse {
    match issuer.staleness() {
        Some(age) => HttpResponse::Ok().body(format!("as of {} s ago\n", age.as_secs())),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(issuer), Some(audience)) = (arguments.next(), arguments.next()) else {
        return Err("usage: actix_service ISSUER AUDIENCE".into());
    };
    let issuer = web::Data::new(Issuer::discover(issuer, [audience]).await?);
    let app = move || {
        App::new()
            .app_data(issuer.clone())
            .route("/me", web::get().to(me))
            .route("/notes", web::get().to(notes))
            .route("/health", web::get().to(health))
    };
    Ok(HttpServer::new(app).bind(("127.0.0.1", 8000))?.run().await?)
}
