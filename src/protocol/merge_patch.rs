//! JSON Merge Patch (RFC 7396): named members change, `null` removes a member, objects are merged member by member.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::OAuthError;

/// A change of a JSON object. A patch that is read from JSON names no member twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergePatch(Map<String, Value>);

impl MergePatch {
    /// Adds a member to the patch.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the patch changes or removes the member `name`.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Removes the member `name` from the patch and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Removes the member `name` from the patch and reads it; `null` is read as `None`.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, OAuthError> {
        let value = self.0.remove(name).unwrap_or_default();
        serde_json::from_value(value).map_err(|error| misfit(name, &error))
    }

    /// Applies the patch to `target` (RFC 7396 section 2).
    pub fn apply(&self, target: &mut Map<String, Value>) {
        merge(target, &self.0);
    }
}

impl From<Map<String, Value>> for MergePatch {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

impl<'de> Deserialize<'de> for MergePatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Distinct::deserialize(deserializer)?.0 {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(D::Error::custom("a merge patch is a JSON object")),
        }
    }
}

/// Says why the value of the member `name` does not fit. The value itself is left out, because it may be a secret. An
/// unknown or missing member is reported in serde's words.
#[must_use]
pub fn misfit(name: &str, error: &serde_json::Error) -> OAuthError {
    let text = error.to_string();
    if text.starts_with("unknown field") || text.starts_with("missing field") {
        return OAuthError::invalid_request(text);
    }
    // Serde repeats the value before what it expected. The errors of our own types repeat none.
    let why = match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{name}: expected {expected}"),
        None => format!("{name}: {text}"),
    };
    OAuthError::invalid_request(why)
}

fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(members) => {
                let mut object = match target.remove(name) {
                    Some(Value::Object(object)) => object,
                    Some(_) | None => Map::new(),
                };
                merge(&mut object, members);
                target.insert(name.clone(), Value::Object(object));
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

/// JSON in which no object names a member twice. Of two values, different readers could choose different ones.
struct Distinct(Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctVisitor).map(Self)
    }
}

struct DistinctVisitor;

impl<'de> Visitor<'de> for DistinctVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Distinct(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Distinct(value))) = members.next_entry::<String, Distinct>()? {
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            all.insert(name, value);
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_examples_of_the_standard_come_out_as_it_says() {
        // RFC 7396 appendix A, those whose patch is an object.
        for (before, patch, after) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
            (json!({ "a": "b" }), json!({ "a": null }), json!({})),
            (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
            (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "c" }), json!({ "a": ["b"] }), json!({ "a": ["b"] })),
            (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
            (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
            (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
            (json!({ "a": "foo" }), json!({ "a": { "b": null, "c": 1 } }), json!({ "a": { "c": 1 } })),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        ] {
            let mut target = object(before.clone());
            MergePatch(object(patch.clone())).apply(&mut target);
            assert_eq!(Value::Object(target), after, "{before} {patch}");
        }
    }

    #[test]
    fn a_patch_that_names_a_member_twice_or_is_no_object_is_refused() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"b":null}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
            let error = serde_json::from_str::<MergePatch>(text).unwrap_err().to_string();
            assert!(error.starts_with("duplicate field `"), "{text}: {error}");
        }
        for text in ["[]", "null", "1", r#""a""#, "true"] {
            assert!(serde_json::from_str::<MergePatch>(text).is_err(), "{text}");
        }
        let all = r#"{"a":[1,-1,1.5,"x",true,null,{"b":{"c":null}}]}"#;
        let read: MergePatch = serde_json::from_str(all).unwrap();
        assert_eq!(Value::Object(read.0), serde_json::from_str::<Value>(all).unwrap());
    }

    #[test]
    fn a_value_that_does_not_fit_is_not_repeated() {
        let secret = "hunter2, expected, expected ";
        for value in [json!(secret), json!([secret]), json!({ secret: secret }), json!(-1)] {
            let error = MergePatch::default().with("age", value).take::<u8>("age").unwrap_err().to_string();
            assert!(error.starts_with("age: expected ") && !error.contains("hunter2"), "{error}");
        }
        assert_eq!(MergePatch::default().with("age", Value::Null).take::<u8>("age").unwrap(), None);
        assert_eq!(MergePatch::default().take::<u8>("age").unwrap(), None);
    }
}
