//! A JSON object read strictly and in one pass: each known member at most once, each value of exactly one type.
//!
//! `null` is a value of the wrong type here, never an absent one: a claim that is present but malformed must not be
//! treated as missing (CVE-2026-25537). Reading by hand instead of deriving is what lets a refusal name the claim.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, Visitor};

use crate::refusal::{Part, Refusal};

/// The members that are read of an object: of a header, or of claims.
pub(crate) trait Object<'de>: Default {
    /// Which part of the token the object is.
    const PART: Part;

    /// Reads the value of the member `name` into its position, or skips it.
    fn take<A: MapAccess<'de>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error>;
}

/// Reads one object and nothing after it.
pub(crate) fn read<'de, O: Object<'de>>(json: &'de [u8]) -> Result<O, Refusal> {
    let mut flaw = None;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let object = deserializer
        .deserialize_map(ObjectVisitor { flaw: &mut flaw, object: PhantomData })
        .and_then(|object| deserializer.end().map(|()| object));
    object.map_err(|error| match flaw {
        Some(Flaw::Duplicate) => Refusal::DuplicateMember { part: O::PART },
        Some(Flaw::WrongType(name)) if error.is_data() => wrong_type(O::PART, name),
        Some(Flaw::WrongType(_)) | None => Refusal::NotAnObject { part: O::PART },
    })
}

/// Returns the refusal for a member of the wrong type.
fn wrong_type(part: Part, name: &'static str) -> Refusal {
    match part {
        Part::Header => Refusal::MalformedHeader { name },
        Part::Payload | Part::Signature => Refusal::WrongClaimType { claim: name },
    }
}

/// Text that is borrowed from the JSON unless it holds escapes.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// The value of a member that has not been read yet.
pub(crate) struct Value<'m, A> {
    map: &'m mut A,
    flaw: &'m mut Option<Flaw>,
}

impl<'de, A: MapAccess<'de>> Value<'_, A> {
    /// Reads the value as `T`. A second value for the same position is refused.
    pub(crate) fn into<T: Deserialize<'de>>(
        self,
        name: &'static str,
        position: &mut Option<T>,
    ) -> Result<(), A::Error> {
        if position.is_some() {
            *self.flaw = Some(Flaw::Duplicate);
            return Err(A::Error::duplicate_field(name));
        }
        *self.flaw = Some(Flaw::WrongType(name));
        *position = Some(self.map.next_value()?);
        *self.flaw = None;
        Ok(())
    }

    pub(crate) fn skip(self) -> Result<(), A::Error> {
        self.map.next_value::<IgnoredAny>().map(|_| ())
    }
}

/// The cause of a parser error.
enum Flaw {
    Duplicate,
    WrongType(&'static str),
}

struct ObjectVisitor<'f, O> {
    flaw: &'f mut Option<Flaw>,
    object: PhantomData<O>,
}

impl<'de, O: Object<'de>> Visitor<'de> for ObjectVisitor<'_, O> {
    type Value = O;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<O, A::Error> {
        let mut object = O::default();
        while let Some(Text(name)) = map.next_key()? {
            object.take(&name, Value { map: &mut map, flaw: self.flaw })?;
        }
        Ok(object)
    }
}
