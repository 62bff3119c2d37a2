//! For services on axum, tonic or hyper: a layer that admits only requests with a valid token.
//!
//! ```no_run
//! use axum::{Extension, Router, routing::get};
//! use tokenhouse_verifier::tower::{RequireScopeLayer, VerifyLayer};
//! use tokenhouse_verifier::{AccessToken, Issuer};
//!
//! async fn notes(Extension(access): Extension<AccessToken>) -> String {
//!     format!("the notes of {}", access.sub)
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::discover("https://id.example.com", ["https://api.example.com"]).await?;
//! let notes = get(notes).layer(RequireScopeLayer::new("notes:read"));
//! let app = Router::new().route("/notes", notes).layer(VerifyLayer::new(issuer));
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8000").await?, app).await?;
//! # Ok(())
//! # }
//! ```

mod rejection;
mod require_scope;
mod verify;

pub use crate::Rejection;
pub use require_scope::{RequireScope, RequireScopeLayer};
pub use verify::{Verify, VerifyLayer};

use std::future::Future;
use std::pin::Pin;

/// The answer of the inner service, or that of a rejected request.
type Answering<R, E> = Pin<Box<dyn Future<Output = Result<http::Response<R>, E>> + Send>>;
