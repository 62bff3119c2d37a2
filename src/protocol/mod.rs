//! The words of OAuth 2.1 and OpenID Connect as types that can only be made by parsing.
//!
//! No I/O, no clock, no room of the house is known here. What a word means for a client or a user is decided above.

pub mod auth_method;
pub mod error;
pub mod grant_type;
pub mod redirect_uri;
pub mod scope;

pub use auth_method::AuthMethod;
pub use error::{Internal, OAuthError, with_causes};
pub use grant_type::GrantType;
pub use redirect_uri::RedirectUri;
pub use scope::Scope;
