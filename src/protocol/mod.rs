//! The values of OAuth 2.1 and OpenID Connect as types that only parsing can create.
//!
//! This module performs no I/O and reads no clock. It uses no other module but `digest`. The modules above decide what
//! a value means for a client or a user.

pub mod auth_method;
pub mod authorization;
pub mod claims;
pub mod error;
pub mod grant_type;
pub mod merge_patch;
pub mod pkce;
pub mod redirect_uri;
pub mod scope;
pub mod token_scheme;
pub mod token_type;
pub mod web_uri;

pub use auth_method::AuthMethod;
pub use authorization::{Prompt, ResponseMode};
pub use claims::ClaimsRequest;
pub use error::{ErrorCode, OAuthError};
pub use grant_type::GrantType;
pub use merge_patch::MergePatch;
pub use pkce::CodeChallenge;
pub use redirect_uri::RedirectUri;
pub use scope::Scope;
pub use token_scheme::TokenScheme;
pub use token_type::TokenType;
