//! The master key: 32 random bytes, and the keys derived from them (HKDF-SHA-256, RFC 5869), each for one purpose.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{constant_time, hkdf, hmac};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::files;
use super::open_error::OpenError;
use super::refresh::RefreshKey;
use super::seal::Seal;
use crate::clock::Random;
use crate::config;
use crate::model::SigningKeyRecord;

/// The variables that may hold the keys. `config` reads them; messages name them.
const CURRENT: &str = "TOKENHOUSE_MASTER_KEY";
const PREVIOUS: &str = "TOKENHOUSE_MASTER_KEY_PREVIOUS";

/// Base64 (RFC 4648 section 4), with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Generates a master key: 32 random bytes in base64.
#[must_use]
pub fn make_master_key(random: &Random) -> String {
    BASE64.encode(Zeroizing::new(random.bytes::<32>()))
}

/// Writes a master key to a file with mode 0600, unless the file exists.
pub fn write_master_key(path: &Path, key: &str, random: &Random) -> Result<files::WriteOutcome, OpenError> {
    files::write_new(path, &Zeroizing::new(format!("{}\n", key.trim())), random)
}

pub(super) struct MasterKey {
    /// The file or variable that it came from, for messages.
    origin: String,
    pub(super) seal: Seal,
    pub(super) refresh: RefreshKey,
    derive: hmac::Key,
    check: [u8; 32],
}

impl MasterKey {
    fn parse(text: &str, origin: String) -> Result<Self, OpenError> {
        let wanted = "a master key is 32 random bytes in base64, as `tokenhouse keys master` makes it";
        let octets = match BASE64.decode(text.trim()) {
            Ok(octets) => Zeroizing::new(octets),
            Err(_) => return Err(OpenError(format!("{origin} is not base64 (or is cut off): {wanted}"))),
        };
        if octets.is_empty() {
            return Err(OpenError(format!("{origin} is empty: {wanted}")));
        }
        if octets.len() != 32 {
            let length = octets.len();
            return Err(OpenError(format!("{origin} holds {length} bytes (is it cut off?): {wanted}")));
        }
        Self::derive_all(&octets, origin)
            .map_err(|Unspecified| OpenError("the keys under the master key cannot be derived".to_owned()))
    }

    fn derive_all(octets: &[u8], origin: String) -> Result<Self, Unspecified> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tokenhouse master key").extract(octets);
        let mac = |purpose: &'static str| -> Result<hmac::Key, Unspecified> {
            Ok(root.expand(&[purpose.as_bytes()], hmac::HMAC_SHA256)?.into())
        };
        let sealing = UnboundKey::from(root.expand(&[b"seal signing keys"], &AES_256_GCM)?);
        let name = hmac::sign(&mac("name the refresh key")?, b"kid");
        let kid = URL_SAFE_NO_PAD.encode(&name.as_ref()[..6]);
        let mut check = [0; 32];
        check.copy_from_slice(hmac::sign(&mac("check value")?, b"tokenhouse").as_ref());
        Ok(Self {
            origin,
            seal: Seal::new(LessSafeKey::new(sealing)),
            refresh: RefreshKey::new(mac("sign refresh tokens")?, &kid),
            derive: mac("derive identifiers")?,
            check,
        })
    }

    /// Returns the check value by which this master key is recognised. It reveals nothing of the key.
    pub(super) fn check(&self) -> &[u8] {
        &self.check
    }

    pub(super) fn has_check(&self, check: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.check, check).is_ok()
    }

    /// Returns the first half of HMAC-SHA-256 over label and text. The labels are constants without NUL, so the zero
    /// octet between the two makes the encoding of each pair unique.
    pub(super) fn derive(&self, label: &'static str, text: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.derive);
        context.update(label.as_bytes());
        context.update(&[0]);
        context.update(text);
        let tag = context.sign();
        let mut value = [0; 16];
        value.copy_from_slice(&tag.as_ref()[..16]);
        value
    }
}

/// The current master key and, while it is being changed, the previous one (or the one to come).
///
/// The order for several instances: give all of them the new key as *previous*, then swap the two, then remove the old
/// one when the last refresh token that it signed has expired. Each instance then accepts the tokens of all others
/// throughout.
pub(super) struct MasterKeys {
    pub(super) current: MasterKey,
    pub(super) previous: Option<MasterKey>,
}

impl MasterKeys {
    /// Reads the keys from the environment or the file; `None` where neither has a current key.
    pub(super) fn find(settings: &config::Keys) -> Result<Option<Self>, OpenError> {
        let current = match &settings.master_key {
            Some(key) => Some(MasterKey::parse(key.expose(), CURRENT.to_owned())?),
            None => from_file(&settings.master_key_file)?,
        };
        let previous = match &settings.master_key_previous {
            Some(key) => Some(MasterKey::parse(key.expose(), PREVIOUS.to_owned())?),
            None => None,
        };
        Ok(current.map(|current| Self { current, previous }))
    }

    /// Generates the master key's file, or reads the one that another process has just written.
    pub(super) fn make(settings: &config::Keys, random: &Random) -> Result<Self, OpenError> {
        let path = &settings.master_key_file;
        let text = Zeroizing::new(make_master_key(random) + "\n");
        if files::write_new(path, &text, random)? == files::WriteOutcome::New {
            tracing::info!(file = %path.display(), "made a new master key; keep a copy of it somewhere safe");
        }
        Self::find(settings)?.ok_or_else(|| files::problem(path, "was written and is gone again"))
    }

    /// Explains why a start without a master key is refused, and the fix.
    pub(super) fn missing(settings: &config::Keys, why: &str) -> OpenError {
        let path = settings.master_key_file.display();
        OpenError(format!("there is no master key: {path} does not exist and {CURRENT} is not set. {why}"))
    }

    pub(super) fn both(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    pub(super) fn of_check(&self, check: &[u8]) -> Option<&MasterKey> {
        self.both().find(|key| key.has_check(check))
    }

    /// Opens a sealed key and returns its PKCS#8 document.
    pub(super) fn open(&self, record: &SigningKeyRecord) -> Option<Zeroizing<Vec<u8>>> {
        self.both().find_map(|key| key.seal.open(&record.kid, &record.sealed))
    }

    pub(super) fn origins(&self) -> String {
        self.both().map(|key| key.origin.as_str()).collect::<Vec<_>>().join(" or ")
    }
}

fn from_file(path: &Path) -> Result<Option<MasterKey>, OpenError> {
    match files::read(path)? {
        Some(text) => Ok(Some(MasterKey::parse(&text, path.display().to_string())?)),
        None => Ok(None),
    }
}
