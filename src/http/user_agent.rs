//! The user agent that sends a request: its name and its address.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;

use super::client_ip::address;
use crate::config::Config;
use crate::model::UserAgent;

/// The longest name of a user agent that is kept, in bytes.
const MAX_USER_AGENT: usize = 256;

#[must_use]
pub fn user_agent(request: &HttpRequest, config: &Config) -> UserAgent {
    let name = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(cut);
    UserAgent { name, address: address(request, config).map(|address| address.to_string()) }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_USER_AGENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
