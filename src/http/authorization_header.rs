//! The `Authorization` header of a request.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use crate::error::Error;

/// The header, which there is once at the most (RFC 9110 section 5.3); one that is not text is like an empty one.
pub(super) fn authorization(request: &HttpRequest) -> Result<Option<&str>, Error> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next();
    if headers.next().is_some() {
        return Err(Error::invalid_request("the Authorization header is given twice"));
    }
    Ok(header.map(|header| header.to_str().unwrap_or_default()))
}
