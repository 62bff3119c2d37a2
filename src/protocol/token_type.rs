//! The kind of a signed token (`typ`, RFC 7515 section 4.1.9). OAuth's `token_type` is a different value
//! (`token_scheme.rs`).

/// The kinds of tokens that are signed with published keys. A verifier checks `typ` first, so that no token passes for
/// one of another kind (RFC 8725 section 3.11). Refresh tokens (`rt+jwt`) have a secret key of their own and are not
/// listed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// An access token (RFC 9068 section 2.1).
    Access,
    /// An ID token. OpenID Connect defines no type for it; `sid` distinguishes it from [`Self::UserInfo`] (RFC 8725
    /// section 3.12).
    Id,
    /// A signed userinfo response (OpenID Connect Core 1.0 section 5.3.2), which has no `sid`.
    UserInfo,
    /// A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
    Logout,
    /// A status list (IETF Token Status List, draft-ietf-oauth-status-list-20, section 5.1).
    StatusList,
    /// A security event token (RFC 8417 section 2.3).
    SecurityEvent,
}

impl TokenType {
    pub const ALL: [Self; Self::SecurityEvent as usize + 1] =
        [Self::Access, Self::Id, Self::UserInfo, Self::Logout, Self::StatusList, Self::SecurityEvent];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Id | Self::UserInfo => "JWT",
            Self::Logout => "logout+jwt",
            Self::StatusList => "statuslist+jwt",
            Self::SecurityEvent => "secevent+jwt",
        }
    }
}
