//! The endpoints of OAuth 2.1 and OpenID Connect.

pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod event_stream;
pub mod status_list;
pub mod token;
pub mod userinfo;
