//! As much of `PostgreSQL`'s protocol as it takes to see which statement a client executes (PostgreSQL documentation,
//! "Message Formats").

use std::collections::HashMap;

/// What one connection has said so far.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    unread: Vec<u8>,
    /// Messages before this one have no type: the request for TLS and the start.
    is_started: bool,
    texts: HashMap<String, String>,
}

impl Statements {
    /// The texts of the statements that this piece executes.
    pub(crate) fn read(&mut self, piece: &[u8]) -> Vec<String> {
        self.unread.extend_from_slice(piece);
        let mut executed = Vec::new();
        while let Some(message) = self.next_message() {
            match message.first() {
                Some(b'P') => {
                    let mut words = message[5..].split(|byte| *byte == 0).map(String::from_utf8_lossy);
                    if let (Some(name), Some(text)) = (words.next(), words.next()) {
                        self.texts.insert(name.into_owned(), text.into_owned());
                    }
                }
                Some(b'B') => {
                    let name = message[5..].split(|byte| *byte == 0).nth(1).map(String::from_utf8_lossy);
                    executed.extend(name.and_then(|name| self.texts.get(name.as_ref()).cloned()));
                }
                Some(b'Q') => {
                    let text = &message[5..message.len().saturating_sub(1)];
                    executed.push(String::from_utf8_lossy(text).into_owned());
                }
                _ => {}
            }
        }
        executed
    }

    fn next_message(&mut self) -> Option<Vec<u8>> {
        const REQUEST_FOR_TLS: [u8; 4] = [0x04, 0xd2, 0x16, 0x2f];
        let typed = usize::from(self.is_started);
        let length = self.unread.get(typed..typed + 4)?;
        let length = typed + usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        if self.unread.len() < length {
            return None;
        }
        let message: Vec<u8> = self.unread.drain(..length).collect();
        if !self.is_started {
            self.is_started = message.get(4..8) != Some(&REQUEST_FOR_TLS);
            return self.next_message();
        }
        Some(message)
    }
}
