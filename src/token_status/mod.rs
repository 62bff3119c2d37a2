//! The status of a presented token: introspection (RFC 7662), revocation (RFC 7009) and userinfo (OpenID Connect Core
//! 1.0 section 5.3).

pub mod introspection;
mod presented_token;
pub mod revocation;
pub mod userinfo;

pub use presented_token::PresentedToken;
