//! The URI of a request in normal form, in which two spellings can be compared.

/// Returns an absolute `http` or `https` URI without query and fragment, normalised by syntax and scheme (RFC 3986
/// sections 6.2.2 and 6.2.3, as RFC 9449 section 4.3 advises). `None` for everything else, and for a URI with user
/// information.
pub(crate) fn normalised(uri: &str) -> Option<String> {
    let uri = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = without_port(authority, default_port).to_ascii_lowercase();
    if authority.is_empty() || authority.contains(['@', '\\', '%', ' ']) {
        return None;
    }
    Some(format!("{scheme}://{authority}{}", without_dots(&unescaped(path)?)))
}

/// The host, and the port where it is not the scheme's own.
fn without_port<'a>(authority: &'a str, default: &str) -> &'a str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.is_empty() || port == default => host,
        _ => authority,
    }
}

/// The path with escapes of unreserved characters undone and the others in capitals (RFC 3986 section 6.2.2). `None`
/// when an escape is malformed.
fn unescaped(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        match char::from(u8::from_str_radix(digits, 16).ok()?) {
            unreserved @ ('A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' | '~') => plain.push(unreserved),
            _ => plain.extend(['%'].into_iter().chain(digits.to_ascii_uppercase().chars())),
        }
        plain.push_str(rest);
    }
    Some(plain)
}

/// The path with `.` and `..` resolved (RFC 3986 section 5.2.4); the empty one is `/`.
fn without_dots(path: &str) -> String {
    let mut segments = Vec::new();
    let mut ends_with_slash = true;
    for segment in path.split('/').skip(1) {
        ends_with_slash = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => _ = segments.pop(),
            _ => segments.push(segment),
        }
    }
    if ends_with_slash {
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn two_spellings_of_one_address_are_the_same() {
        let address = "https://api.example.com/a/b~c";
        for spelling in [
            "HTTPS://API.Example.com/a/b~c",
            "https://api.example.com:443/a/b~c",
            "https://api.example.com:/a/b~c",
            "https://api.example.com/a/b%7Ec",
            "https://api.example.com/a/b%7ec?x=1/..",
            "https://api.example.com/a/b~c#/y?z",
            "https://api.example.com/./a/x/../b~c",
            "https://api.example.com/%2e%2E/a/b~c",
        ] {
            assert_eq!(normalised(spelling).as_deref(), Some(address), "{spelling}");
        }
        for spelling in ["http://h", "http://h/", "http://h:80?q", "http://h/.", "http://h/a/..", "http://h/../"] {
            assert_eq!(normalised(spelling).as_deref(), Some("http://h/"), "{spelling}");
        }
        assert_eq!(normalised("http://[::1]:80/%c3%a4").as_deref(), Some("http://[::1]/%C3%A4"));
    }

    #[test]
    fn two_addresses_stay_two() {
        let others = [
            "http://api.example.com/a",
            "https://api.example.com/A",
            "https://api.example.com/a/",
            "https://api.example.com//a",
            "https://api.example.com/%2Fa",
            "https://api.example.com/b/./",
            "https://api.example.com/b",
            "https://api.example.com:8443/a",
            "https://api.example.com:80/a",
            "https://api.example.com.evil.example/a",
            "https://api.example.com/",
        ];
        let mut found: Vec<_> = others.iter().map(|uri| normalised(uri).unwrap_or_default()).collect();
        found.push(normalised("https://api.example.com/a").unwrap_or_default());
        found.sort();
        found.dedup();
        assert_eq!(found.len(), others.len() + 1);
    }

    #[test]
    fn what_is_not_the_address_of_a_request_is_none() {
        for odd in [
            "",
            "/a",
            "https:",
            "https://",
            "https:///a",
            "https://:443/a",
            "ftp://h/a",
            "https://user@h/a",
            "https://h\\@evil/a",
            "https://h/%",
            "https://h/%4",
            "https://h/%zz",
            "https://h/%+1",
            "https://h/%é",
        ] {
            assert_eq!(normalised(odd), None, "{odd}");
        }
    }
}
