//! The `Authorization` header of a request.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use crate::error::Error;

/// Returns the header, which may occur only once (RFC 9110 section 5.3). A header that is not text counts as empty.
pub(super) fn authorization(request: &HttpRequest) -> Result<Option<&str>, Error> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next();
    if headers.next().is_some() {
        return Err(Error::invalid_request("the Authorization header is given twice"));
    }
    Ok(header.map(|header| header.to_str().unwrap_or_default()))
}
