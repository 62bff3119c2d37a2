//! The requests to send. A body may contain `{token}` (the virtual client's current token) and `{n}` (the virtual
//! client's number).

use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The description of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) url: String,
    /// `user:password`, sent as HTTP Basic.
    pub(crate) basic: Option<String>,
    /// Additional headers, `name: value`.
    pub(crate) headers: Vec<String>,
    /// The body of a POST; a GET without one.
    pub(crate) body: Option<String>,
    pub(crate) format: Format,
}

/// How a body is written, and how tokens are escaped in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Form,
    Json,
}

/// A request whose constant parts are written once.
pub(crate) struct Prepared {
    head: Vec<u8>,
    body: Option<Vec<Piece>>,
    format: Format,
}

enum Piece {
    Text(String),
    Token,
    Number,
}

impl Message {
    /// Returns the loopback address that the request goes to.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let (authority, _) = split(&self.url)?;
        let authority = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let address = authority
            .to_socket_addrs()
            .with_context(|| format!("resolving {authority}"))?
            .find(SocketAddr::is_ipv4)
            .with_context(|| format!("no IPv4 address for {authority}"))?;
        ensure!(address.ip().is_loopback(), "{address} is not a loopback address");
        Ok(address)
    }

    pub(crate) fn prepare(&self) -> Result<Prepared> {
        let (authority, path) = split(&self.url)?;
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: loadgen\r\n");
        if self.body.is_some() {
            head += match self.format {
                Format::Form => "content-type: application/x-www-form-urlencoded\r\n",
                Format::Json => "content-type: application/json\r\n",
            };
        }
        if let Some(basic) = &self.basic {
            head.extend(["authorization: Basic ", &STANDARD.encode(basic), "\r\n"]);
        }
        for header in &self.headers {
            ensure!(header.contains(": ") && !header.contains(['\r', '\n']), "a header is `name: value`");
            head.extend([header, "\r\n"]);
        }
        let body = self.body.as_deref().map(pieces);
        Ok(Prepared { head: head.into_bytes(), body, format: self.format })
    }
}

impl Prepared {
    /// Writes the whole request into `out`; `scratch` is a buffer for the body.
    pub(crate) fn write(&self, out: &mut Vec<u8>, scratch: &mut String, token: &str, number: usize) -> Result<()> {
        out.clear();
        out.extend_from_slice(&self.head);
        let Some(body) = &self.body else {
            out.extend_from_slice(b"\r\n");
            return Ok(());
        };
        scratch.clear();
        for piece in body {
            match piece {
                Piece::Text(text) => scratch.push_str(text),
                Piece::Token => escape(scratch, token, self.format)?,
                Piece::Number => scratch.push_str(&number.to_string()),
            }
        }
        write!(out, "content-length: {}\r\n\r\n{scratch}", scratch.len())?;
        Ok(())
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (piece, length) = match &rest[at..] {
            tail if tail.starts_with("{token}") => (Piece::Token, "{token}".len()),
            tail if tail.starts_with("{n}") => (Piece::Number, "{n}".len()),
            _ => (Piece::Text("{".to_owned()), 1),
        };
        pieces.push(Piece::Text(rest[..at].to_owned()));
        pieces.push(piece);
        rest = &rest[at + length..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}

fn escape(out: &mut String, text: &str, format: Format) -> Result<()> {
    match format {
        Format::Form => {
            use std::fmt::Write as _;
            for byte in text.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    write!(out, "%{byte:02X}")?;
                }
            }
        }
        Format::Json => out.push_str(serde_json::to_string(text)?.trim_matches('"')),
    }
    Ok(())
}

fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").context("only http:// URLs: the generator speaks no TLS")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let path = if at == rest.len() { "/" } else { &rest[at..] };
    Ok((&rest[..at], path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(message: &Message, token: &str) -> String {
        let mut out = Vec::new();
        message.prepare().unwrap().write(&mut out, &mut String::new(), token, 3).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn post(format: Format, body: &str) -> Message {
        Message { url: "http://127.0.0.1:1/t".into(), body: Some(body.into()), format, ..Message::default() }
    }

    #[test]
    fn tokens_in_forms_are_percent_encoded() {
        let text = written(&post(Format::Form, "r={token}&n={n}"), "a/b+c");

        assert!(text.starts_with("POST /t HTTP/1.1\r\nhost: 127.0.0.1:1\r\n"), "{text}");
        assert!(text.ends_with("content-length: 15\r\n\r\nr=a%2Fb%2Bc&n=3"), "{text}");
    }

    #[test]
    fn braces_of_json_are_left_alone() {
        let text = written(&post(Format::Json, r#"{"refresh":"{token}"}"#), "abc");

        assert!(text.ends_with("\r\n\r\n{\"refresh\":\"abc\"}"), "{text}");
    }

    #[test]
    fn credentials_are_sent_as_http_basic() {
        let message = Message { basic: Some("id:secret".into()), ..post(Format::Form, "") };

        assert!(written(&message, "").contains("authorization: Basic aWQ6c2VjcmV0\r\n"));
    }

    #[test]
    fn headers_are_sent_as_they_are_and_nothing_can_be_slipped_in() {
        let get = |header: &str| Message {
            url: "http://127.0.0.1:1/".into(),
            headers: vec![header.into()],
            ..Message::default()
        };

        assert!(written(&get("cookie: a=1; b=2"), "").ends_with("\r\ncookie: a=1; b=2\r\n\r\n"));
        assert!(get("cookie: a\r\nhost: b").prepare().is_err());
    }

    #[test]
    fn only_loopback_is_a_target() {
        let to = |url: &str| Message { url: url.into(), ..Message::default() }.address();

        assert!(to("http://127.0.0.1:80/").is_ok());
        assert!(to("http://192.0.2.1:80/").is_err());
    }
}
