//! One request and its complete answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct Answer {
    head: String,
    pub(crate) body: String,
}

/// Gets `path`, with these cookies.
pub(crate) fn get(base: &str, path: &str, cookies: &str) -> Result<Answer> {
    ask(base, &format!("GET {path} HTTP/1.1\r\ncookie: {cookies}"), "")
}

/// Posts a form to `path`, with these cookies.
pub(crate) fn post(base: &str, path: &str, cookies: &str, form: &str) -> Result<Answer> {
    let head = format!(
        "POST {path} HTTP/1.1\r\ncookie: {cookies}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}",
        form.len()
    );
    ask(base, &head, form)
}

/// Deletes `path` with this access token.
pub(crate) fn delete(base: &str, path: &str, bearer: &str) -> Result<Answer> {
    ask(base, &format!("DELETE {path} HTTP/1.1\r\nauthorization: Bearer {bearer}"), "")
}

fn ask(base: &str, head: &str, body: &str) -> Result<Answer> {
    let authority = base.strip_prefix("http://").context("http")?;
    let mut stream = TcpStream::connect(authority)?;
    write!(stream, "{head}\r\nhost: {authority}\r\nconnection: close\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("a body")?;
    Ok(Answer { head: head.to_owned(), body: body.to_owned() })
}

impl Answer {
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().skip(1).filter_map(move |line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.head.split(' ').nth(1)?.parse().ok()
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.headers("location").next()
    }
}
