//! Access tokens as requests present them, and the only check of whether they may be accepted.

use tokenhouse_verifier::AccessToken;

use super::introspection::{self, LiveAccess};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Confirmation, PossessionProof, Secret};
use crate::protocol::{ErrorCode, TokenScheme};

#[derive(Debug, Clone)]
pub struct PresentedToken {
    pub scheme: TokenScheme,
    pub token: Secret,
    /// The key that the sender has proven to hold.
    pub proof: Option<PossessionProof>,
}

impl PresentedToken {
    #[must_use]
    pub fn bearer(token: Secret) -> Self {
        Self { scheme: TokenScheme::Bearer, token, proof: None }
    }

    /// Returns the token with its client and grant, if it is good now and its sender has proven the key that it is
    /// bound to.
    pub async fn live_access(&self, ctx: &Ctx) -> Result<Option<LiveAccess>, Error> {
        let live = introspection::live_access(ctx, self.token.expose()).await?;
        Ok(live.filter(|live| self.proves(live.access.cnf.as_ref())))
    }

    /// Returns the token's content, if it is good now, its sender may use it, it is meant for this server, and it has
    /// one of `scopes` (RFC 6750 section 3.1).
    ///
    /// # Errors
    /// `invalid_token`, `insufficient_scope`; [`Error::Unavailable`] when a store does not answer.
    pub async fn admit(&self, ctx: &Ctx, scopes: &[&str]) -> Result<AccessToken, Error> {
        let live = self.live_access(ctx).await?.map(|live| live.access);
        let access = live
            .filter(|access| access.aud.contains(&ctx.config.issuer))
            .ok_or_else(|| Error::oauth(ErrorCode::InvalidToken, "the access token is not valid here"))?;
        if scopes.iter().any(|scope| access.has_scope(scope)) {
            return Ok(access);
        }
        let needed = match scopes {
            [] => "nobody may do this".to_owned(),
            scopes => format!("this needs the scope {}", scopes.join(" or ")),
        };
        Err(Error::oauth(ErrorCode::InsufficientScope, needed))
    }

    /// Returns whether the token is presented as its binding demands: an unbound token under `Bearer` (RFC 6750), a
    /// bound one with a proof of its key and under the scheme of that proof (RFC 9449 section 7.1, RFC 8705 section 3).
    fn proves(&self, cnf: Option<&tokenhouse_verifier::Confirmation>) -> bool {
        let Some(cnf) = cnf else { return self.scheme == TokenScheme::Bearer };
        Confirmation::of_claim(cnf.jkt.as_deref(), cnf.x5t_s256.as_deref())
            .is_some_and(|bound| bound.scheme() == self.scheme && bound.is_proven_by(self.proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Thumbprint;

    const KEY: Confirmation = Confirmation::DpopKey(Thumbprint::of([1; 32]));
    const CERTIFICATE: Confirmation = Confirmation::Certificate(Thumbprint::of([1; 32]));

    fn passes(bound: Option<Confirmation>, scheme: TokenScheme, proven: Option<Confirmation>) -> bool {
        let cnf = bound.map(|bound| serde_json::from_value(serde_json::to_value(bound).unwrap()).unwrap());
        let proof = proven.map(|proven| PossessionProof { proven });
        PresentedToken { scheme, token: Secret::new("a token"), proof }.proves(cnf.as_ref())
    }

    #[test]
    fn a_bound_token_passes_with_the_proof_of_its_key_under_its_scheme_and_no_other_way() {
        use TokenScheme::{Bearer, Dpop};

        for (bound, scheme, proven, expected) in [
            (None, Bearer, None, true),
            (None, Dpop, None, false),
            (None, Dpop, Some(KEY), false),
            // A connection may have a client certificate for other reasons.
            (None, Bearer, Some(CERTIFICATE), true),
            (Some(KEY), Bearer, None, false),
            (Some(KEY), Dpop, None, false),
            (Some(KEY), Dpop, Some(KEY), true),
            (Some(KEY), Bearer, Some(KEY), false),
            (Some(KEY), Dpop, Some(CERTIFICATE), false),
            (Some(CERTIFICATE), Bearer, Some(CERTIFICATE), true),
            (Some(CERTIFICATE), Bearer, None, false),
            (Some(CERTIFICATE), Bearer, Some(KEY), false),
        ] {
            assert_eq!(passes(bound, scheme, proven), expected, "{bound:?} as {scheme:?} with {proven:?}");
        }
    }

    #[test]
    fn a_token_that_is_bound_in_two_ways_is_none_of_ours() {
        let mut cnf = serde_json::to_value(KEY).unwrap();
        cnf["x5t#S256"] = cnf["jkt"].clone();
        let cnf = serde_json::from_value(cnf).unwrap();
        let proof = Some(PossessionProof { proven: KEY });

        let presented = PresentedToken { scheme: TokenScheme::Dpop, token: Secret::new("a token"), proof };

        assert!(!presented.proves(Some(&cnf)));
    }
}
