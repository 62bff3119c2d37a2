//! The OAuth 2.1 endpoints.

pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
