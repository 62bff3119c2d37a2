//! Reads client credentials from a request: HTTP Basic or the body, never both (RFC 6749 section 2.3.1).

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::authorization_header::authorization;
use super::form::Form;
use crate::clients::ClientAuthentication;
use crate::error::Error;
use crate::model::Secret;
use crate::protocol::{AuthMethod, ErrorCode};

/// Returns the credentials of a request.
///
/// # Errors
/// `invalid_client` when there are none or they are malformed; `invalid_request` when there are two kinds or two
/// clients.
pub fn credentials(request: &HttpRequest, form: &Form) -> Result<ClientAuthentication, Error> {
    let in_body = form.secret("client_secret");
    match (authorization(request)?, form.get("client_id"), in_body) {
        (Some(_), _, Some(_)) => Err(Error::invalid_request("the client authenticates in two ways at once")),
        (Some(header), named, None) => {
            let (client_id, secret) = read_basic(header).ok_or_else(malformed)?;
            if named.is_some_and(|named| named != client_id) {
                return Err(Error::invalid_request("client_id differs from the authenticated client"));
            }
            Ok(ClientAuthentication::Secret { client_id, secret, method: AuthMethod::ClientSecretBasic })
        }
        (None, Some(client_id), Some(secret)) => {
            let client_id = client_id.to_owned();
            Ok(ClientAuthentication::Secret { client_id, secret, method: AuthMethod::ClientSecretPost })
        }
        (None, Some(client_id), None) => Ok(ClientAuthentication::None { client_id: client_id.to_owned() }),
        (None, None, _) => Err(Error::oauth(ErrorCode::InvalidClient, "the client does not say who it is")),
    }
}

fn malformed() -> Error {
    Error::oauth(ErrorCode::InvalidClient, "the Authorization header is not HTTP Basic")
}

/// Reads HTTP Basic credentials. Identifier and secret are form-encoded before they are joined and base64-encoded.
fn read_basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, Secret::new(form_decode(secret)?)))
}

fn form_decode(text: &str) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    // Encoded text has no `=` or `&`, so the parser returns it as one name.
    let (name, _) = url::form_urlencoded::parse(text.as_bytes()).next()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_and_secret_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("a%3Ab:s%2Bt+u"));

        let (client_id, secret) = read_basic(&header).unwrap();

        assert_eq!(client_id, "a:b");
        assert_eq!(secret.expose(), "s+t u");
    }

    #[test]
    fn other_headers_are_not_basic() {
        for header in ["", "Basic", "Basic !!!", "Bearer abc", &format!("Basic {}", STANDARD.encode("no colon"))] {
            assert!(read_basic(header).is_none(), "{header}");
        }
    }
}
