//! A minimal HTTP/1.1 parser, which finds the end of a response.

use std::ops::Range;

use anyhow::{Context, Result, anyhow, ensure};

/// A complete response within the read buffer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// How many bytes of the buffer the response takes.
    pub(crate) len: usize,
    pub(crate) close: bool,
    /// The `Location` of a redirect.
    pub(crate) location: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// The body lies in the buffer as it is.
    Plain(Range<usize>),
    /// The body came in chunks, joined here.
    Joined(Vec<u8>),
}

impl Body {
    pub(crate) fn bytes<'a>(&'a self, buffer: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Plain(range) => &buffer[range.clone()],
            Self::Joined(bytes) => bytes,
        }
    }
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// Parses the response at the front of `buffer`; `None` while it is incomplete. `eof`: the server has closed.
pub(crate) fn parse(buffer: &[u8], eof: bool) -> Result<Option<Response>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(buffer).context("unreadable response head")? else {
        return Ok(None);
    };
    let status = head.code.context("response without a status")?;
    let mut close = head.version == Some(0);
    let mut framing = Framing::UntilClose;
    let mut location = None;
    for header in head.headers.iter() {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(value)?.parse().context("unreadable content-length")?;
            framing = Framing::Length(length);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case(b"chunked") {
            framing = Framing::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            close = value.eq_ignore_ascii_case(b"close");
        } else if header.name.eq_ignore_ascii_case("location") {
            location = Some(String::from_utf8_lossy(value).into_owned());
        }
    }
    if status == 204 || status == 304 {
        framing = Framing::Length(0);
    }
    let (body, len) = match framing {
        Framing::Length(length) if buffer.len() >= start + length => {
            (Body::Plain(start..start + length), start + length)
        }
        Framing::UntilClose if eof => (Body::Plain(start..buffer.len()), buffer.len()),
        Framing::Chunked => match join_chunks(&buffer[start..])? {
            Some((joined, used)) => (Body::Joined(joined), start + used),
            None => return Ok(None),
        },
        Framing::Length(_) | Framing::UntilClose => return Ok(None),
    };
    Ok(Some(Response { status, body, len, close: close || eof, location }))
}

fn join_chunks(mut rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let whole = rest.len();
    let mut joined = Vec::new();
    loop {
        let httparse::Status::Complete((head, size)) =
            httparse::parse_chunk_size(rest).map_err(|_| anyhow!("unreadable chunk size"))?
        else {
            return Ok(None);
        };
        let size = usize::try_from(size)?;
        if rest.len() < head + size + 2 {
            return Ok(None);
        }
        joined.extend_from_slice(&rest[head..head + size]);
        ensure!(
            &rest[head + size..head + size + 2] == b"\r\n",
            "chunk without its line end (trailers are not supported)"
        );
        rest = &rest[head + size + 2..];
        if size == 0 {
            return Ok(Some((joined, whole - rest.len())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_chunked_and_close_framing() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP";
        let response = parse(plain, false).unwrap().unwrap();
        assert_eq!((response.status, response.body.bytes(plain), response.len), (200, &b"hi"[..], plain.len() - 4));
        assert!(parse(&plain[..plain.len() - 5], false).unwrap().is_none());

        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let response = parse(chunked, false).unwrap().unwrap();
        assert_eq!((response.body.bytes(chunked), response.len), (&b"abcd"[..], chunked.len()));
        for cut in 0..chunked.len() {
            assert!(parse(&chunked[..cut], false).unwrap().is_none(), "cut at {cut}");
        }

        let until_close = b"HTTP/1.0 400 Bad\r\n\r\nxyz";
        assert!(parse(until_close, false).unwrap().is_none());
        let response = parse(until_close, true).unwrap().unwrap();
        assert_eq!((response.body.bytes(until_close), response.close), (&b"xyz"[..], true));
    }

    #[test]
    fn a_redirect_tells_where_it_leads() {
        let redirect = b"HTTP/1.1 303 See Other\r\nLocation: http://a/?code=1\r\nContent-Length: 0\r\n\r\n";

        let response = parse(redirect, false).unwrap().unwrap();

        assert_eq!((response.status, response.location.as_deref()), (303, Some("http://a/?code=1")));
    }
}
