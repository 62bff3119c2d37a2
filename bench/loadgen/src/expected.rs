//! The criteria of a good answer.

use clap::Args;

use crate::http::Response;

/// What a good answer looks like. No redirect is followed.
#[derive(Debug, Default, Args)]
pub(crate) struct Expected {
    /// The status of a good answer; any from 200 to 299 where absent.
    #[arg(long)]
    status: Option<u16>,
    /// What the `Location` of a good answer holds.
    #[arg(long)]
    location: Option<String>,
}

impl Expected {
    pub(crate) fn is(&self, answer: &Response) -> bool {
        let status = self.status.map_or((200..300).contains(&answer.status), |status| status == answer.status);
        let led = |text: &String| answer.location.as_ref().is_some_and(|location| location.contains(text));
        status && self.location.as_ref().is_none_or(led)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    fn answer(text: &str) -> Response {
        http::parse(text.as_bytes(), true).unwrap().unwrap()
    }

    #[test]
    fn success_is_good_where_nothing_else_is_asked_for() {
        let expected = Expected::default();

        assert!(expected.is(&answer("HTTP/1.1 204 No Content\r\n\r\n")));
        assert!(!expected.is(&answer("HTTP/1.1 303 See Other\r\nlocation: /?code=1\r\n\r\n")));
    }

    #[test]
    fn a_redirect_is_good_where_status_and_location_are_those_asked_for() {
        let expected = Expected { status: Some(303), location: Some("code=".to_owned()) };

        assert!(expected.is(&answer("HTTP/1.1 303 See Other\r\nlocation: /?code=1\r\n\r\n")));
        assert!(!expected.is(&answer("HTTP/1.1 303 See Other\r\nlocation: /login\r\n\r\n")));
        assert!(!expected.is(&answer("HTTP/1.1 200 OK\r\n\r\n")));
    }
}
