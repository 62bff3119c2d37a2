//! How a token is presented: the scheme of the `Authorization` header, and `token_type` in responses.

/// The schemes under which tokens are issued and presented (RFC 6749 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenScheme {
    /// `Bearer` (RFC 6750).
    Bearer,
    /// `DPoP` (RFC 9449 section 7.1): with a proof for each request.
    Dpop,
}

impl TokenScheme {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}
