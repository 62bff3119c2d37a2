//! A DPoP proof as the client wrote it: a JWT that contains its own key (RFC 9449 section 4.2).

use aws_lc_rs::signature::ParsedPublicKey;
use serde::de::{IgnoredAny, MapAccess};
use serde::{Deserialize, Deserializer};

use super::flaw::ProofFlaw;
use crate::compact::{Parts, decode};
use crate::header::{MAX_HEADER_LENGTH, is_of_type};
use crate::object::{self, Object, Text, Value};
use crate::refusal::{Part, Refusal};
use crate::{Algorithm, Jwk};

/// The longest proof that is read, in bytes. One with an RSA key of 8192 bits has about 4,000.
const MAX_PROOF_LENGTH: usize = 8 * 1024;

/// A proof whose signature was made with the key in its header.
pub(crate) struct SignedProof {
    /// The text whose SHA-256 is the thumbprint of the key.
    pub(crate) thumbprint_input: String,
    payload: Vec<u8>,
}

impl SignedProof {
    pub(crate) fn read(proof: &str) -> Result<Self, ProofFlaw> {
        if proof.len() > MAX_PROOF_LENGTH {
            return Err(ProofFlaw::TooLong { limit: MAX_PROOF_LENGTH });
        }
        let Parts { header, payload, signature, message } = Parts::of(proof).map_err(not_a_proof)?;
        if header.len() > MAX_HEADER_LENGTH {
            return Err(ProofFlaw::TooLong { limit: MAX_HEADER_LENGTH });
        }
        let header = decode(header, Part::Header).map_err(not_a_proof)?;
        let (key, thumbprint_input) = Header::read(&header)?.key()?;
        let signature = decode(signature, Part::Signature).map_err(not_a_proof)?;
        key.verify_sig(message.as_bytes(), &signature).map_err(|_| ProofFlaw::BadSignature)?;
        let payload = decode(payload, Part::Payload).map_err(not_a_proof)?;
        Ok(Self { thumbprint_input, payload })
    }

    pub(crate) fn claims(&self) -> Result<ProofClaims, ProofFlaw> {
        let claims: Claims = object::read(&self.payload).map_err(|refusal| match refusal {
            Refusal::WrongClaimType { claim } => ProofFlaw::BadClaim { claim },
            other => not_a_proof(other),
        })?;
        let text =
            |value: Option<String>, claim| value.filter(|text| !text.is_empty()).ok_or(ProofFlaw::BadClaim { claim });
        Ok(ProofClaims {
            jti: text(claims.jti, "jti")?,
            htm: text(claims.htm, "htm")?,
            htu: text(claims.htu, "htu")?,
            iat: claims.iat.ok_or(ProofFlaw::BadClaim { claim: "iat" })?,
            ath: text(claims.ath, "ath")?,
            nonce: claims.nonce,
        })
    }
}

fn not_a_proof(_: Refusal) -> ProofFlaw {
    ProofFlaw::NotAProof
}

/// The claims of a proof that comes with an access token (RFC 9449 section 4.2).
pub(crate) struct ProofClaims {
    pub(crate) jti: String,
    pub(crate) htm: String,
    pub(crate) htu: String,
    pub(crate) iat: i64,
    pub(crate) ath: String,
    pub(crate) nonce: Option<String>,
}

#[derive(Default)]
struct Header<'a> {
    alg: Option<Text<'a>>,
    typ: Option<Text<'a>>,
    jwk: Option<ProofKey>,
    crit: Option<IgnoredAny>,
}

impl<'a> Header<'a> {
    fn read(json: &'a [u8]) -> Result<Self, ProofFlaw> {
        let header: Self = object::read(json).map_err(|refusal| match refusal {
            Refusal::MalformedHeader { name: "alg" } => ProofFlaw::UnacceptableAlgorithm,
            Refusal::MalformedHeader { name: "jwk" } => ProofFlaw::UnacceptableKey,
            other => not_a_proof(other),
        })?;
        let is_proof = header.typ.as_ref().is_some_and(|Text(typ)| is_of_type(typ, "dpop+jwt"));
        if is_proof && header.crit.is_none() { Ok(header) } else { Err(ProofFlaw::NotAProof) }
    }

    /// Returns the key, which must be public and of the one algorithm that the header names, and the input of its
    /// thumbprint.
    fn key(self) -> Result<(ParsedPublicKey, String), ProofFlaw> {
        let algorithm =
            self.alg.and_then(|Text(alg)| Algorithm::from_name(&alg)).ok_or(ProofFlaw::UnacceptableAlgorithm)?;
        // A key without `alg` has the algorithm of the header, if it is of the right kind.
        let ProofKey { mut jwk, private } = self.jwk.ok_or(ProofFlaw::UnacceptableKey)?;
        jwk.alg.get_or_insert_with(|| algorithm.name().to_owned());
        if private || jwk.algorithm() != Some(algorithm) {
            return Err(ProofFlaw::UnacceptableKey);
        }
        let key = jwk.parse("", algorithm).map_err(|_| ProofFlaw::UnacceptableKey)?;
        Ok((key, jwk.thumbprint_input(algorithm)))
    }
}

impl<'de> Object<'de> for Header<'de> {
    const PART: Part = Part::Header;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "alg" => value.into("alg", &mut self.alg),
            "typ" => value.into("typ", &mut self.typ),
            "jwk" => value.into("jwk", &mut self.jwk),
            "crit" => value.into("crit", &mut self.crit),
            _ => value.skip(),
        }
    }
}

/// A key as the client wrote it. The private members (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1) are known only so that
/// they can be refused. Two private members count as a duplicate, which is refused as well.
#[derive(Deserialize)]
struct ProofKey {
    #[serde(flatten)]
    jwk: Jwk,
    #[serde(
        rename = "d",
        alias = "p",
        alias = "q",
        alias = "dp",
        alias = "dq",
        alias = "qi",
        alias = "oth",
        alias = "k",
        default,
        deserialize_with = "is_there"
    )]
    private: bool,
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[derive(Default)]
struct Claims {
    jti: Option<String>,
    htm: Option<String>,
    htu: Option<String>,
    iat: Option<i64>,
    ath: Option<String>,
    nonce: Option<String>,
}

impl<'de> Object<'de> for Claims {
    const PART: Part = Part::Payload;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "jti" => value.into("jti", &mut self.jti),
            "htm" => value.into("htm", &mut self.htm),
            "htu" => value.into("htu", &mut self.htu),
            "iat" => value.into("iat", &mut self.iat),
            "ath" => value.into("ath", &mut self.ath),
            "nonce" => value.into("nonce", &mut self.nonce),
            _ => value.skip(),
        }
    }
}
