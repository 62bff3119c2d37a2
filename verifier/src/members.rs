//! A JSON object read strictly: every member once, every value taken by name and with exactly one type.
//!
//! `null` is a value of the wrong type here, never an absent one: a claim that is present but malformed must not be
//! treated as missing (CVE-2026-25537).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::refusal::{Part, Refusal};

/// The members of one JSON object, not parsed further until they are asked for.
pub(crate) struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

/// The value of a member is not of the type that was asked for.
pub(crate) struct WrongType;

impl<'a> Members<'a> {
    /// Reads one JSON object and nothing after it.
    pub(crate) fn read(json: &'a [u8], part: Part) -> Result<Self, Refusal> {
        let found: Found<'a> = serde_json::from_slice(json).map_err(|_| Refusal::NotAnObject { part })?;
        match found {
            Found::Members(members) => Ok(members),
            Found::Duplicate => Err(Refusal::DuplicateMember { part }),
        }
    }

    /// Whether the object has the member, whatever its value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of the member as `T`, or `None` when the object does not have it.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, WrongType> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|_| WrongType)
    }
}

/// An object, or an object that names a member twice.
enum Found<'a> {
    Members(Members<'a>),
    Duplicate,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Found<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Found<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                let mut duplicate = false;
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    match members.entry(name) {
                        Entry::Vacant(place) => _ = place.insert(value),
                        Entry::Occupied(_) => duplicate = true,
                    }
                }
                Ok(if duplicate { Found::Duplicate } else { Found::Members(Members(members)) })
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
