//! The header of a token, and the checks that come before the key is looked up.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess};

use crate::Algorithm;
use crate::object::{self, Object, Text, Value};
use crate::refusal::{Part, Refusal};

/// The longest encoded header that is read, in bytes. Tokenhouse writes about 120.
pub(crate) const MAX_HEADER_LENGTH: usize = 4096;
/// The longest `kid` that is looked up, in bytes. Tokenhouse writes 43.
const MAX_KID_LENGTH: usize = 256;

/// The algorithm and the key that a header names.
pub(crate) struct Header<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Cow<'a, str>,
}

/// Reads a decoded header. Refuses one that is not of the type `wanted`, has `crit`, or names no usable algorithm or
/// key.
pub(crate) fn read<'a>(json: &'a [u8], wanted: &str) -> Result<Header<'a>, Refusal> {
    let Parameters { alg, kid, typ, crit } = object::read(json)?;
    if crit.is_some() {
        return Err(Refusal::CriticalExtension);
    }
    let algorithm = alg.and_then(|Text(alg)| Algorithm::from_name(&alg)).ok_or(Refusal::UnacceptableAlgorithm)?;
    if !typ.is_some_and(|Text(typ)| is_of_type(&typ, wanted)) {
        return Err(Refusal::NotAnAccessToken);
    }
    let Text(kid) = kid.ok_or(Refusal::MissingKid)?;
    if kid.is_empty() || kid.len() > MAX_KID_LENGTH {
        return Err(Refusal::MissingKid);
    }
    Ok(Header { algorithm, kid })
}

/// Compares media types without regard to case; `application/` may be left out (RFC 7515 section 4.1.9).
pub(crate) fn is_of_type(typ: &str, wanted: &str) -> bool {
    let (prefix, rest) = typ.split_at_checked("application/".len()).unwrap_or(("", typ));
    let short = if prefix.eq_ignore_ascii_case("application/") { rest } else { typ };
    short.eq_ignore_ascii_case(wanted)
}

/// The header parameters that are read. Keys in the header (`jwk`, `jku`, `x5u`, `x5c`) are not among them (RFC 8725
/// section 3.10).
#[derive(Default)]
struct Parameters<'a> {
    alg: Option<Text<'a>>,
    kid: Option<Text<'a>>,
    typ: Option<Text<'a>>,
    crit: Option<IgnoredAny>,
}

impl<'de> Object<'de> for Parameters<'de> {
    const PART: Part = Part::Header;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "alg" => value.into("alg", &mut self.alg),
            "kid" => value.into("kid", &mut self.kid),
            "typ" => value.into("typ", &mut self.typ),
            "crit" => value.into("crit", &mut self.crit),
            _ => value.skip(),
        }
    }
}
