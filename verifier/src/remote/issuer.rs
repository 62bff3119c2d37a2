//! The handle with which a service verifies the tokens of an issuer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::shared::Shared;
use crate::{AccessToken, KeySet, Proof, Refusal, Verifier};

/// An issuer whose tokens a service accepts. Its keys and its status lists are kept up to date in the background.
///
/// Make one at start-up and clone it freely; all clones share one memory. The background reads end when the last clone
/// is dropped.
///
/// ```no_run
/// # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use tokenhouse_verifier::Issuer;
///
/// let issuer = Issuer::discover("https://id.example.com", ["https://api.example.com"]).await?;
///
/// let access = issuer.verify(token)?;
/// access.require_scope("notes:read")?;
/// # Ok(())
/// # }
/// ```
///
/// # What it promises
/// * Verifying sends no request and waits for nothing. Only [`verify_fresh`](Self::verify_fresh) may wait, for a key.
/// * A token that the issuer's status list shows as revoked is refused from the moment at which the list was read, and
///   stays refused however old the list becomes.
/// * The age of a list counts from its own signed `iat`, never from when it was fetched; or from the last heartbeat,
///   while events have reported everything since then. Beyond
///   [`max_staleness`](super::IssuerBuilder::max_staleness) its tokens are refused with status 503, unless
///   [`OnStale::Accept`](super::OnStale::Accept) is set. So no revoked token is accepted beyond the stated staleness,
///   apart from the difference between the two clocks.
/// * A key that is gone from the JWKS is dropped when the JWKS is read again: when its `Cache-Control` says so, after
///   an hour at the latest.
/// * However many unknown keys tokens name, the JWKS is read at most once per cool-down.
/// * Requests go only to addresses that the issuer's metadata and its list of lists name, at the issuer's own origin,
///   never to one that a token names.
#[derive(Clone)]
pub struct Issuer {
    shared: Arc<Shared>,
    /// The background tasks, which end when the last handle is dropped.
    _followers: Arc<JoinSet<()>>,
}

impl Issuer {
    pub(super) fn new(shared: Arc<Shared>, followers: JoinSet<()>) -> Self {
        Self { shared, _followers: Arc::new(followers) }
    }

    /// Checks a bearer token and returns its claims. Sends no request and waits for nothing.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies; [`Refusal::http_status`] says how to answer. With [`Refusal::UnknownKey`]
    /// the keys are read again in the background, if the cool-down allows it. A token that is bound to a key is no
    /// bearer token: [`Refusal::ProofRequired`].
    pub fn verify(&self, token: &str) -> Result<AccessToken, Refusal> {
        self.verify_bound(token, &Proof::default())
    }

    /// Like [`verify`](Self::verify), for a token that may be bound to a key or a certificate, with the proof that came
    /// with the request (RFC 9449 section 7.1, RFC 8705 section 3).
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and [`Refusal::BadProof`], [`Refusal::NotBound`] or [`Refusal::WrongCertificate`].
    pub fn verify_bound(&self, token: &str, proof: &Proof<'_>) -> Result<AccessToken, Refusal> {
        let judged = self.judge(token, proof, |verifier, keys, now| Ok((verifier.verify(token, keys, now)?, ())));
        judged.map(|(access, ())| access)
    }

    /// Like [`verify`](Self::verify), and reads the claims once more as `C`, for claims that [`AccessToken`] does not
    /// know.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and [`Refusal::ExtraClaims`] when the claims are not a `C`.
    pub fn verify_with_claims<C: DeserializeOwned>(&self, token: &str) -> Result<(AccessToken, C), Refusal> {
        self.judge(token, &Proof::default(), |verifier, keys, now| verifier.verify_with_claims(token, keys, now))
    }

    /// Like [`verify`](Self::verify), but where the token's key is unknown waits until the keys have been read again,
    /// so that the first token of a new key is not refused. Within the cool-down it refuses at once.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub async fn verify_fresh(&self, token: &str) -> Result<AccessToken, Refusal> {
        self.again_with_fresh_keys(|| self.verify(token)).await
    }

    /// Like [`verify_with_claims`](Self::verify_with_claims), but waits as [`verify_fresh`](Self::verify_fresh) does.
    ///
    /// # Errors
    /// As [`verify_with_claims`](Self::verify_with_claims).
    pub async fn verify_fresh_with_claims<C: DeserializeOwned>(
        &self,
        token: &str,
    ) -> Result<(AccessToken, C), Refusal> {
        self.again_with_fresh_keys(|| self.verify_with_claims(token)).await
    }

    /// The age of the oldest of the issuer's status lists, by its own `iat` or by the events that followed it. `None`
    /// when one of them could not be read yet, or the issuer has named none. For health checks and metrics.
    #[must_use]
    pub fn staleness(&self) -> Option<Duration> {
        let seconds = self.shared.memory.snapshot().staleness(self.shared.clock.now())?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    fn judge<C>(
        &self,
        token: &str,
        proof: &Proof<'_>,
        verify: impl FnOnce(&Verifier, &KeySet, i64) -> Result<(AccessToken, C), Refusal>,
    ) -> Result<(AccessToken, C), Refusal> {
        let Shared { verifier, limits, memory, key_refresher, lists_wanted, clock, .. } = &*self.shared;
        let (known, now) = (memory.snapshot(), clock.now());
        let (access, claims) = verify(verifier, known.keys(limits, now)?, now).inspect_err(|refusal| {
            if matches!(refusal, Refusal::UnknownKey { .. }) {
                key_refresher.want();
            }
        })?;
        known.judge(&access, limits, now).inspect_err(|refusal| {
            if *refusal == Refusal::StatusUnknown {
                lists_wanted.notify_one();
            }
        })?;
        proof.judge(token, access.cnf.as_ref(), now)?;
        Ok((access, claims))
    }

    async fn again_with_fresh_keys<T>(&self, verify: impl Fn() -> Result<T, Refusal>) -> Result<T, Refusal> {
        let rounds = self.shared.key_refresher.rounds();
        match verify() {
            Err(Refusal::UnknownKey { .. }) if self.shared.key_refresher.read_since(rounds).await => verify(),
            other => other,
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.shared.issuer).finish_non_exhaustive()
    }
}
