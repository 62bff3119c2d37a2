//! Serializes durations as whole seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

use crate::clock::Timestamp;

#[expect(clippy::ref_option, reason = "serde hands a reference to the field")]
pub(super) fn serialize<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => serializer.serialize_u64(span.as_secs()),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
}

/// Serializes a timestamp as whole seconds since the epoch.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference to the field")]
pub(super) fn of_timestamp<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(moment.seconds())
}
