//! What this verifier says to a case, and in which of the file's words.

use serde_json::Value;
use tokenhouse_verifier::{KeySet, Proof, Refusal, StatusList, Verifier};

use crate::file::{Case, Reason, Vectors};

/// The claims of an accepted token as JSON.
pub(crate) fn judge(vectors: &Vectors, case: &Case) -> Result<Value, Refusal> {
    let keys = KeySet::from_jwks(&vectors.key_sets[&case.keys].to_string()).unwrap();
    let verifier = Verifier::new(&vectors.issuer, [&vectors.audience])
        .with_leeway_seconds(vectors.leeway)
        .with_max_token_length(vectors.max_token_length);
    let access = verifier.verify_bound(&case.token, &keys, vectors.now, &Proof::default())?;
    if let Some(status) = &access.status {
        let uri = &status.status_list.uri;
        let list = vectors.status_lists.get(uri).ok_or(Refusal::StatusUnknown)?;
        let list = StatusList::from_token(list, uri, &keys, vectors.now).map_err(|_| Refusal::StatusUnknown)?;
        list.check(status.status_list.idx)?;
    }
    Ok(serde_json::to_value(access).unwrap())
}

pub(crate) fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::TooLong { .. } | Refusal::HeaderTooLong { .. } => Reason::TooLong,
        Refusal::NotThreeParts
        | Refusal::NotBase64 { .. }
        | Refusal::NotAnObject { .. }
        | Refusal::DuplicateMember { .. }
        | Refusal::MalformedHeader { .. } => Reason::Malformed,
        Refusal::CriticalExtension => Reason::Critical,
        Refusal::NotAnAccessToken => Reason::Type,
        Refusal::UnacceptableAlgorithm | Refusal::WrongAlgorithm { .. } => Reason::Algorithm,
        Refusal::MissingKid | Refusal::UnknownKey { .. } => Reason::Key,
        Refusal::BadSignature => Reason::Signature,
        Refusal::MissingClaim { .. } | Refusal::WrongClaimType { .. } => Reason::Claim,
        Refusal::WrongIssuer { .. } => Reason::Issuer,
        Refusal::WrongAudience { .. } => Reason::Audience,
        Refusal::Expired { .. } => Reason::Expired,
        Refusal::NotYetValid { .. } | Refusal::IssuedInTheFuture { .. } => Reason::NotYetValid,
        Refusal::ProofRequired => Reason::Bound,
        Refusal::Revoked => Reason::Revoked,
        Refusal::OutsideStatusList { .. } | Refusal::StatusUnknown => Reason::StatusUnknown,
        other => panic!("no token alone causes this: {other}"),
    }
}

/// The name of a variant, from its declaration or from what `Debug` writes.
pub(crate) fn first_word(text: &str) -> String {
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}
