//! One list: which of its status indexes are revoked and until when, and what was made of it last.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::SignedList;
use crate::clock::{Stopwatch, Timestamp};
use crate::error::Internal;
use crate::model::LIST_LENGTH;

/// A list as of an earlier moment is signed again after this time, where somebody asks for it.
const SIGNED_EVERY: Duration = Duration::from_secs(1);

/// A list that changes all the time is compressed and signed no sooner than this after the last time.
const SIGNED_APART: Duration = Duration::from_millis(100);

/// The best compression takes eight times as long, which busy lists would pay again and again, and saves an eighth.
const EFFORT: Compression = Compression::new(5);

/// One list.
#[derive(Default)]
pub(super) struct List {
    revoked: HashMap<u32, Timestamp>,
    /// The bits in the form of `lst`, until one of them changes.
    compressed: Option<Arc<str>>,
    /// As it was signed last, and how long ago.
    signed: Option<(Arc<SignedList>, Stopwatch)>,
    /// Whether a bit has changed since.
    changed: bool,
}

impl List {
    /// Sets a bit; what is revoked already stays so as long as one of the two asks for it.
    pub(super) fn revoke(&mut self, index: u32, until: Timestamp) {
        match self.revoked.entry(index) {
            Entry::Occupied(mut known) => {
                let longer = until.max(*known.get());
                known.insert(longer);
            }
            Entry::Vacant(new) => {
                new.insert(until);
                self.change();
            }
        }
    }

    /// Takes back the bits that have been set for long enough.
    pub(super) fn prune(&mut self, now: Timestamp) {
        let before = self.revoked.len();
        self.revoked.retain(|_, until| now < *until);
        if self.revoked.len() < before {
            self.change();
        }
    }

    /// The list as it was signed last, if it says what is to be said as of this moment, or was signed since it was
    /// asked for.
    pub(super) fn signed(&self, as_of: Timestamp, asked: Stopwatch) -> Option<Arc<SignedList>> {
        let (signed, since) = self.signed.as_ref()?;
        // One that is dated later was signed before the clock was set back.
        let is_current = !self.changed && signed.as_of <= as_of && as_of.since(signed.as_of) < SIGNED_EVERY;
        (is_current || since.elapsed() < asked.elapsed()).then(|| Arc::clone(signed))
    }

    /// How long it may not be signed again.
    pub(super) fn signed_lately(&self) -> Duration {
        self.signed.as_ref().map_or(Duration::ZERO, |(_, since)| SIGNED_APART.saturating_sub(since.elapsed()))
    }

    /// To be given out from now on.
    pub(super) fn keep(&mut self, signed: &Arc<SignedList>) {
        self.signed = Some((Arc::clone(signed), Stopwatch::start()));
        self.changed = false;
    }

    /// `lst`: the bits, compressed by DEFLATE in the ZLIB format, in base64url (section 4.2).
    pub(super) fn compressed(&mut self) -> Result<Arc<str>, Internal> {
        if let Some(compressed) = &self.compressed {
            return Ok(Arc::clone(compressed));
        }
        let unwritable = |error| Internal::new("a status list cannot be compressed", error);
        let octets = deflate(&bits(self.revoked.keys())).map_err(unwritable)?;
        let text: Arc<str> = URL_SAFE_NO_PAD.encode(octets).into();
        self.compressed = Some(Arc::clone(&text));
        Ok(text)
    }

    fn change(&mut self) {
        self.compressed = None;
        self.changed = true;
    }
}

/// One bit a status index, beginning with the lowest of the first octet (section 4.1).
pub(super) fn bits<'a>(revoked: impl IntoIterator<Item = &'a u32>) -> Vec<u8> {
    let mut octets = vec![0; usize::try_from(LIST_LENGTH / 8).unwrap_or_default()];
    for index in revoked {
        if let Some(octet) = octets.get_mut(*index as usize / 8) {
            *octet |= 1 << (index % 8);
        }
    }
    octets
}

fn deflate(octets: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), EFFORT);
    encoder.write_all(octets)?;
    encoder.finish()
}
