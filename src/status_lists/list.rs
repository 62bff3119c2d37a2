//! One list: which of its status indexes are revoked and until when, and its last compressed and signed forms.

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

/// A signed list as of an earlier time is signed again after this time, when it is requested.
const SIGNED_EVERY: Duration = Duration::from_secs(1);

/// A list that keeps changing is compressed and signed at most this often.
const SIGNED_APART: Duration = Duration::from_millis(100);

/// The best compression takes eight times as long, for each change of a busy list, and saves an eighth.
const EFFORT: Compression = Compression::new(5);

#[derive(Default)]
pub(super) struct List {
    revoked: HashMap<u32, Timestamp>,
    /// The bits in the form of `lst`, until one of them changes.
    compressed: Option<Arc<str>>,
    /// The last signed list, and how long ago it was signed.
    signed: Option<(Arc<SignedList>, Stopwatch)>,
    /// Whether a bit has changed since the last signature.
    changed: bool,
}

impl List {
    /// Sets a bit. A bit that is set already stays set for the longer of the two times.
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

    pub(super) fn prune(&mut self, now: Timestamp) {
        let before = self.revoked.len();
        self.revoked.retain(|_, until| now < *until);
        if self.revoked.len() < before {
            self.change();
        }
    }

    /// Returns the last signed list, if it is current as of this time, or was signed after the request began.
    pub(super) fn signed(&self, as_of: Timestamp, asked: Stopwatch) -> Option<Arc<SignedList>> {
        let (signed, since) = self.signed.as_ref()?;
        // A list with a later date was signed before the clock was set back.
        let is_current = !self.changed && signed.as_of <= as_of && as_of.since(signed.as_of) < SIGNED_EVERY;
        (is_current || since.elapsed() < asked.elapsed()).then(|| Arc::clone(signed))
    }

    /// Returns how long to wait before the list may be signed again.
    pub(super) fn signed_lately(&self) -> Duration {
        self.signed.as_ref().map_or(Duration::ZERO, |(_, since)| SIGNED_APART.saturating_sub(since.elapsed()))
    }

    pub(super) fn keep(&mut self, signed: &Arc<SignedList>) {
        self.signed = Some((Arc::clone(signed), Stopwatch::start()));
        self.changed = false;
    }

    /// Returns `lst`: the bits, compressed by DEFLATE in the ZLIB format, in base64url (section 4.2).
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

/// Writes one bit for each status index, beginning with the lowest bit of the first octet (section 4.1).
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
