//! Web addresses that a client registers besides its redirect URIs, such as its pages, its logo and its logout
//! endpoints.

use url::Url;

use super::OAuthError;
use super::redirect_uri::is_loopback;

/// Reads an address: `https`, or `http` on a loopback address, without user information and without a fragment.
///
/// # Errors
/// `invalid_request` for anything else, in a sentence that begins with `name`.
pub fn parse(name: &str, text: &str) -> Result<Url, OAuthError> {
    let refuse = |why: &str| Err(OAuthError::invalid_request(format!("{name}: {why}")));
    if text.len() > 2048 || text.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte >= 0x7f) {
        return refuse("an address is at most 2048 printable ASCII characters without backslashes");
    }
    let Ok(url) = Url::parse(text) else { return refuse("an address is absolute") };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("an address has no user information");
    }
    if text.contains('#') {
        return refuse("an address has no fragment");
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => refuse("the scheme is https, or http on a loopback address"),
    }
}

/// Reads an address that must be `https` even on a loopback address.
pub fn parse_https(name: &str, text: &str) -> Result<Url, OAuthError> {
    let url = parse(name, text)?;
    if url.scheme() == "https" {
        return Ok(url);
    }
    Err(OAuthError::invalid_request(format!("{name}: the scheme is https")))
}

/// Adds parameters to the query of an address. The registered part stays unchanged, byte by byte.
#[must_use]
pub fn with_parameters<N: AsRef<str>, V: AsRef<str>>(address: &str, parameters: &[(N, V)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{address}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_addresses_are_accepted() {
        for text in ["https://app.example.com/x?y=1", "http://127.0.0.1:9999/x", "http://[::1]/", "http://localhost/"] {
            assert!(parse("logo_uri", text).is_ok(), "{text}");
        }
        assert!(parse_https("initiate_login_uri", "https://localhost/").is_ok());
    }

    #[test]
    fn what_is_added_leaves_the_address_as_it_is() {
        let more = [("a", "1 2"), ("b", "&")];
        for (address, whole) in [
            ("https://x/%2F", "https://x/%2F?a=1+2&b=%26"),
            ("https://x/?", "https://x/?a=1+2&b=%26"),
            ("https://x/?q=%20", "https://x/?q=%20&a=1+2&b=%26"),
            ("com.example.app:/cb", "com.example.app:/cb?a=1+2&b=%26"),
        ] {
            assert_eq!(with_parameters(address, &more), whole);
        }
    }

    #[test]
    fn other_addresses_are_refused_by_name() {
        for text in [
            "http://app.example.com/",
            "https://a@app.example.com/",
            "https://app.example.com/#x",
            "https://app.example.com\\x",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "com.example.app:/x",
            "/x",
            "",
        ] {
            let refusal = parse("logo_uri", text).unwrap_err().to_string();
            assert!(refusal.contains("logo_uri: "), "{text}: {refusal}");
        }
        assert!(parse_https("initiate_login_uri", "http://127.0.0.1/").is_err());
    }
}
