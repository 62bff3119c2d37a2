//! The bearer token of a request, and the rejection of requests (RFC 6750 sections 2.1 and 3).

use crate::Refusal;

/// Why a request is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no bearer token in the `Authorization` header, the only header that is read. The answer has status 401
    /// and names no error (RFC 6750 section 3.1).
    #[error("the request has no bearer token")]
    NoToken,
    /// There is more than one `Authorization` header, or what follows `Bearer` is not one token. Status 400 and
    /// `invalid_request` (RFC 6750 section 3.1).
    #[error("the request's `Authorization` header is malformed")]
    Malformed,
    /// The token was refused; the status is that of [`Refusal::http_status`].
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The service has not registered an issuer, or a layer is missing. Status 500.
    #[error("the service holds no `tokenhouse_verifier::Issuer`: this is a mistake in its set-up")]
    NoIssuer,
}

impl Rejection {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::NoToken => 401,
            Self::Malformed => 400,
            Self::Refused(refusal) => refusal.http_status(),
            Self::NoIssuer => 500,
        }
    }

    /// The value of `WWW-Authenticate`, where the answer has one.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match self {
            Self::NoToken => Some("Bearer".to_owned()),
            Self::Malformed => Some(r#"Bearer error="invalid_request""#.to_owned()),
            Self::Refused(refusal) => refusal.challenge(),
            Self::NoIssuer => None,
        }
    }

    /// After how many seconds the client may retry (`Retry-After`), where the answer has status 503.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        (self.http_status() == 503).then_some(5)
    }
}

/// Returns the token of the only `Authorization` header. A query or a body is never read, because their content ends in
/// logs and histories (RFC 9700 section 4.3.2).
pub(crate) fn bearer_token<'a>(mut authorization: impl Iterator<Item = &'a [u8]>) -> Result<&'a str, Rejection> {
    let value = authorization.next().ok_or(Rejection::NoToken)?;
    if authorization.next().is_some() {
        return Err(Rejection::Malformed);
    }
    let value = std::str::from_utf8(value).map_err(|_| Rejection::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Rejection::NoToken);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.contains([' ', '\t', ',']) {
        return Err(Rejection::Malformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(headers: &[&'a str]) -> Result<&'a str, Rejection> {
        bearer_token(headers.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case() {
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c ", "bEaReR a.b.c"] {
            assert_eq!(read(&[header]), Ok("a.b.c"), "{header}");
        }
    }

    #[test]
    fn another_scheme_is_no_token() {
        for headers in [&[][..], &["Basic YTpi"], &["DPoP a.b.c"], &["Bearerer a"], &["a.b.c"], &[""]] {
            assert_eq!(read(headers), Err(Rejection::NoToken), "{headers:?}");
        }
    }

    #[test]
    fn more_or_less_than_one_token_is_malformed() {
        for headers in [&["Bearer a", "Bearer b"][..], &["Basic x", "Bearer b"], &["Bearer"], &["Bearer  "]] {
            assert_eq!(read(headers), Err(Rejection::Malformed), "{headers:?}");
        }
        for header in ["Bearer a b", "Bearer a,b", "Bearer a, Bearer b", "Bearer a\tb"] {
            assert_eq!(read(&[header]), Err(Rejection::Malformed), "{header}");
        }
    }
}
