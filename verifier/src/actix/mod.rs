//! For services on actix-web: a handler with an argument of type [`Access`] runs only with a valid token.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, web};
//! use tokenhouse_verifier::Issuer;
//! use tokenhouse_verifier::actix::{Access, Rejection};
//!
//! async fn notes(access: Access) -> Result<String, Rejection> {
//!     access.require_scope("notes:read")?;
//!     Ok(format!("the notes of {}", access.sub))
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = Issuer::discover("https://id.example.com", ["https://api.example.com"]).await?;
//! let app = move || App::new().app_data(issuer.clone()).route("/notes", web::get().to(notes));
//! HttpServer::new(app).bind(("127.0.0.1", 8000))?.run().await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod rejection;

pub use crate::Rejection;
pub use access::{Access, AccessWith};
