//! The answer to an authorization request, which the browser carries to the client.

use super::request::{Request, ReturnTo};
use crate::ctx::Ctx;
use crate::model::Secret;
use crate::protocol::web_uri::with_parameters;
use crate::protocol::{ErrorCode, OAuthError, ResponseMode};

/// The answer to an authorization request. It always names the issuer (`iss`, RFC 9207).
#[derive(Debug)]
pub struct Answer {
    /// The redirect URI, exactly as it was sent.
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub parameters: Vec<(&'static str, String)>,
}

impl Answer {
    /// Builds the answer to a granted request (RFC 6749 section 4.1.2).
    pub(super) fn code(ctx: &Ctx, request: &Request, code: &Secret) -> Self {
        Self::to(ctx, &request.return_to, vec![("code", code.expose().to_owned())])
    }

    /// Builds the answer to a request that is refused (RFC 6749 section 4.1.2.1).
    pub(super) fn refusal(ctx: &Ctx, request: &Request, code: ErrorCode) -> Self {
        Self::to(ctx, &request.return_to, vec![("error", code.to_string())])
    }

    pub(super) fn error(ctx: &Ctx, return_to: &ReturnTo, error: OAuthError) -> Self {
        let description = error.description.into_owned();
        Self::to(ctx, return_to, vec![("error", error.code.to_string()), ("error_description", description)])
    }

    fn to(ctx: &Ctx, return_to: &ReturnTo, mut parameters: Vec<(&'static str, String)>) -> Self {
        let ReturnTo::Redirect { redirect_uri, mode, state } = return_to;
        if let Some(state) = state {
            parameters.push(("state", state.clone()));
        }
        parameters.push(("iss", ctx.config.issuer.clone()));
        Self { redirect_uri: redirect_uri.clone(), mode: *mode, parameters }
    }

    /// Returns the redirect URI with the answer in its query. The registered part stays unchanged, byte for byte.
    #[must_use]
    pub fn location(&self) -> String {
        with_parameters(&self.redirect_uri, &self.parameters)
    }
}
