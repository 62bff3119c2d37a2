//! A service on axum that accepts the tokens of a Tokenhouse. It follows the lists of revoked tokens, or with the name
//! and secret of a client for `tokenhouse:events` the events, and refuses a revoked one at once.
//!
//! ```text
//! tokenhouse serve --dev                                          # in one terminal
//! cargo run -p tokenhouse-verifier --features tower --example tower_service http://127.0.0.1:8080 AUDIENCE [CLIENT SECRET]
//! curl -i http://127.0.0.1:8000/me -H "Authorization: Bearer $TOKEN"
//! ```

use axum::routing::get;
use axum::{Extension, Router};
use tokenhouse_verifier::tower::{RequireScopeLayer, VerifyLayer};
use tokenhouse_verifier::{AccessToken, Issuer};
use tokio::net::TcpListener;

/// Whom the token acts for.
async fn me(Extension(access): Extension<AccessToken>) -> String {
    format!("{} by {}\n", access.sub, access.client_id)
}

/// For tokens with the scope `notes:read` alone.
async fn notes(Extension(access): Extension<AccessToken>) -> String {
    format!("the notes of {}\n", access.sub)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let issuer = match &*arguments {
        [issuer, audience] => Issuer::builder(issuer, [audience]),
        [issuer, audience, client, secret] => Issuer::builder(issuer, [audience]).follow_events(client, secret),
        _ => return Err("usage: tower_service ISSUER AUDIENCE [CLIENT SECRET]".into()),
    };
    let app = Router::new()
        .route("/me", get(me))
        .route("/notes", get(notes).layer(RequireScopeLayer::new("notes:read")))
        .layer(VerifyLayer::new(issuer.discover().await?));
    Ok(axum::serve(TcpListener::bind("127.0.0.1:8000").await?, app).await?)
}
