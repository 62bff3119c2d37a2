//! Follows the JWKS: before it is stale, and when a token names a key that is not in it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::clock::instant;
use super::http::{Caches, Document, Http};
use super::key_refresher::Reason;
use super::pace::with_jitter;
use super::shared::Shared;
use crate::KeySet;

/// How much of a JWKS is read, in bytes. Tokenhouse writes about 2,000.
pub(super) const MAX_JWKS_LENGTH: usize = 512 * 1024;
/// For how long a JWKS is kept that does not say so itself.
const USUAL_AGE: Duration = Duration::from_mins(5);
/// For how long a JWKS is kept at most, whatever it says: until then a removed key is still accepted.
const LONGEST_AGE: Duration = Duration::from_hours(1);
/// How long after a change that the issuer has told of the JWKS is read once more.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Reads the JWKS for as long as somebody holds the issuer.
pub(super) async fn follow(shared: Arc<Shared>, mut jwks: Document, mut age: Duration) {
    let (mut reason, mut caches) = (Reason::Due, Caches::MayAnswer);
    loop {
        let refresher = &shared.key_refresher;
        reason = if reason == Reason::Changed {
            // Another instance of the issuer may be a moment behind the one that told of the change.
            sleep(SECOND_LOOK).await;
            Reason::ChangedLately
        } else {
            refresher.turn(instant() + with_jitter(age)).await
        };
        refresher.begin_reading();
        // What a cache has is not what is looked for, unless it is only due.
        if reason != Reason::Due {
            caches = Caches::MustAsk;
        }
        let result = read(&shared.http, caches, &mut jwks).await;
        if result.is_ok() {
            caches = Caches::MayAnswer;
        }
        jwks.note(&result);
        // After an error the same pace as for a missing key: the keys that are known go on meanwhile.
        age = result.as_ref().map_or(shared.cool_down, |(_, age)| *age);
        if let Ok((keys, _)) = result {
            shared.memory.change(|known| match keys {
                Some(keys) => known.take_keys(keys, shared.clock.now()),
                None => known.keep_keys(shared.clock.now()),
            });
        }
        refresher.end_reading(instant() + shared.cool_down);
    }
}

/// Reads the JWKS: the keys, unless they are still the same, and for how long they may be kept.
pub(super) async fn read(
    http: &Http,
    caches: Caches,
    jwks: &mut Document,
) -> Result<(Option<KeySet>, Duration), String> {
    let answer = http.get_through(caches, jwks).await.map_err(|error| error.to_string())?;
    let age = answer.max_age.unwrap_or(USUAL_AGE).min(LONGEST_AGE);
    let Some(text) = answer.text else { return Ok((None, age)) };
    match KeySet::from_jwks(&text) {
        Ok(keys) => Ok((Some(keys), age)),
        Err(error) => {
            jwks.forget();
            Err(error.to_string())
        }
    }
}
