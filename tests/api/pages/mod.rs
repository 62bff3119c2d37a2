//! The pages, as browsers get them.

mod account;
mod consent;
mod headers;
mod language;
mod sign_in;

use tokenhouse::clients::NewClient;

use crate::authorization::{application, request};
use crate::browser::{Browser, Form};
use crate::test_server::Answer;

/// An application that people are asked about.
pub fn stranger(id: &str) -> NewClient {
    let mut new = application(id);
    new.metadata.trusted = false;
    new
}

/// The first page that an application's request leads to.
pub async fn first_page(browser: &Browser<'_>, client: &str, more: &[(&str, &str)]) -> Answer {
    browser.follow(&request(client, more)).await
}

/// A hidden field of the first form of a page.
pub fn hidden(page: &Answer, name: &str) -> String {
    let field = Form::in_page(&page.text).hidden.into_iter().find(|(field, _)| field == name);
    field.unwrap_or_else(|| panic!("a field {name}: {}", page.text)).1
}

/// Whether the page has something with this id.
pub fn has(page: &Answer, id: &str) -> bool {
    page.text.contains(&format!(" id=\"{id}\""))
}

/// Whether it is a page at all.
pub fn assert_page(page: &Answer, status: u16) {
    assert_eq!(page.status, status, "{}", page.text);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
}
