//! Follows the JWKS: reads it before it is stale, and when a token names a key that is not in it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::clock::instant;
use super::http::{Caches, Document, Http};
use super::key_refresher::Reason;
use super::pace::with_jitter;
use super::shared::Shared;
use crate::KeySet;

/// The longest JWKS that is read, in bytes. Tokenhouse writes about 2,000.
pub(super) const MAX_JWKS_LENGTH: usize = 512 * 1024;
/// How long a JWKS without `max-age` is kept.
const USUAL_AGE: Duration = Duration::from_mins(5);
/// How long a JWKS is kept at most, whatever it says: until then a removed key is still accepted.
const LONGEST_AGE: Duration = Duration::from_hours(1);
/// The wait between the read after a change that the issuer has announced and a second read.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Reads the JWKS for as long as a handle of the issuer exists.
pub(super) async fn follow(shared: Arc<Shared>, mut jwks: Document, mut age: Duration) {
    let (mut reason, mut caches) = (Reason::Due, Caches::MayAnswer);
    loop {
        let refresher = &shared.key_refresher;
        reason = if reason == Reason::Changed {
            // Another instance of the issuer may be a moment behind the one that announced the change.
            sleep(SECOND_LOOK).await;
            Reason::ChangedLately
        } else {
            refresher.turn(instant() + with_jitter(age)).await
        };
        refresher.begin_reading();
        // A cached answer is of use only when the JWKS is merely due.
        if reason != Reason::Due {
            caches = Caches::MustAsk;
        }
        let result = read(&shared.http, caches, &mut jwks).await;
        if result.is_ok() {
            caches = Caches::MayAnswer;
        }
        jwks.note(&result);
        // After an error the cool-down is the interval; the known keys stay in use meanwhile.
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

/// Reads the JWKS. Returns the keys, unless they have not changed, and how long they may be kept.
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
