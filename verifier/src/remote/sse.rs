//! Reads server-sent events (WHATWG HTML section 9.2.6): the fields `id` and `data`, and nothing else.

use super::http::FetchError;
use crate::security_event::MAX_EVENT_LENGTH;

/// The longest event that is read, in bytes: a security event token, and its number.
const MAX_LENGTH: usize = MAX_EVENT_LENGTH + 256;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// Its own `id`, where it has one.
    pub(super) id: Option<String>,
    pub(super) data: String,
}

/// Assembles events from the pieces of a stream.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    /// The bytes of a line that is not complete.
    rest: Vec<u8>,
    event: Event,
}

impl EventReader {
    /// Takes a piece, and returns the events that it completes.
    ///
    /// # Errors
    /// When an event is too long, or not text.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<Event>, FetchError> {
        self.rest.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut read = 0;
        while let Some((line, next)) = first_line(&self.rest[read..]) {
            let line = std::str::from_utf8(line).map_err(|_| FetchError::NotText)?;
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                events.extend(Some(event).filter(|event| !event.data.is_empty()));
            } else {
                self.event.add(line);
            }
            read += next;
        }
        self.rest.drain(..read);
        let length = self.rest.len() + self.event.data.len();
        if length > MAX_LENGTH { Err(FetchError::TooLong(MAX_LENGTH)) } else { Ok(events) }
    }
}

/// Returns the first line and where the next one begins. A line ends with LF, CR LF or CR; a CR at the very end may be
/// half of a CR LF.
fn first_line(text: &[u8]) -> Option<(&[u8], usize)> {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (text[end], text.get(end + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some((&text[..end], end + 2)),
        _ => Some((&text[..end], end + 1)),
    }
}

impl Event {
    fn add(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" if self.data.is_empty() => value.clone_into(&mut self.data),
            "data" => self.data.extend(["\n", value]),
            "id" => self.id = Some(value.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 1000\n\nid: 1\ndata: one\n\n: a comment\ndata:two\r\ndata: more\r\n\r\nid: 3\revent: x\r\rid: 4\ndata\n\nid: 5\ndata: five\n\n";

    fn event(id: Option<&str>, data: &str) -> Event {
        Event { id: id.map(str::to_owned), data: data.to_owned() }
    }

    #[test]
    fn a_stream_may_come_in_pieces_of_any_length() {
        for length in 1..=STREAM.len() {
            let mut reader = EventReader::default();
            let events: Vec<_> =
                STREAM.as_bytes().chunks(length).flat_map(|piece| reader.take(piece).unwrap()).collect();
            let expected = [event(Some("1"), "one"), event(None, "two\nmore"), event(Some("5"), "five")];
            assert_eq!(events, expected, "{length}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        for line in ["data: ", "data: aaaaaaaaaa\n"] {
            let mut reader = EventReader::default();
            let pieces = std::iter::once(line).chain(std::iter::repeat_n("data: aaaaaaaaaaaaaaaa\n", 2000));
            let endless = pieces.map(|piece| if line.ends_with('\n') { piece } else { piece.trim_end() });
            let failed = endless.map(|piece| reader.take(piece.as_bytes())).find(Result::is_err);
            assert!(matches!(failed, Some(Err(FetchError::TooLong(_)))), "{line:?}");
        }
    }

    #[test]
    fn a_stream_that_is_not_text_is_given_up() {
        assert!(matches!(EventReader::default().take(b"data: \xff\n\n"), Err(FetchError::NotText)));
    }
}
