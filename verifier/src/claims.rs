//! The claims of a payload: their names and types, and which of them are required.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::access_token::{AccessToken, Confirmation, Status};
use crate::object::{self, Object, Value};
use crate::refusal::{Part, Refusal};

/// Reads the claims of a payload whose signature has been checked. Checks only their presence and their types.
pub(crate) fn read(payload: &[u8]) -> Result<AccessToken, Refusal> {
    let claims: Claims = object::read(payload)?;
    let missing = |claim| Refusal::MissingClaim { claim };
    Ok(AccessToken {
        iss: claims.iss.ok_or(missing("iss"))?,
        sub: claims.sub.ok_or(missing("sub"))?,
        aud: claims.aud.ok_or(missing("aud"))?.0,
        exp: claims.exp.ok_or(missing("exp"))?,
        iat: claims.iat.ok_or(missing("iat"))?,
        nbf: claims.nbf,
        jti: claims.jti.ok_or(missing("jti"))?,
        client_id: claims.client_id.ok_or(missing("client_id"))?,
        scope: claims.scope.unwrap_or_default(),
        sid: claims.sid,
        auth_time: claims.auth_time,
        acr: claims.acr,
        amr: claims.amr.unwrap_or_default(),
        roles: claims.roles.unwrap_or_default(),
        groups: claims.groups.unwrap_or_default(),
        token_type: claims.token_type,
        user_id: claims.user_id,
        status: claims.status,
        cnf: claims.cnf,
    })
}

#[derive(Default)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    sid: Option<String>,
    auth_time: Option<i64>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    token_type: Option<String>,
    user_id: Option<String>,
    status: Option<Status>,
    cnf: Option<Confirmation>,
}

impl<'de> Object<'de> for Claims {
    const PART: Part = Part::Payload;

    fn take<A: MapAccess<'de>>(&mut self, name: &str, value: Value<'_, A>) -> Result<(), A::Error> {
        match name {
            "iss" => value.into("iss", &mut self.iss),
            "sub" => value.into("sub", &mut self.sub),
            "aud" => value.into("aud", &mut self.aud),
            "exp" => value.into("exp", &mut self.exp),
            "iat" => value.into("iat", &mut self.iat),
            "nbf" => value.into("nbf", &mut self.nbf),
            "jti" => value.into("jti", &mut self.jti),
            "client_id" => value.into("client_id", &mut self.client_id),
            "scope" => value.into("scope", &mut self.scope),
            "sid" => value.into("sid", &mut self.sid),
            "auth_time" => value.into("auth_time", &mut self.auth_time),
            "acr" => value.into("acr", &mut self.acr),
            "amr" => value.into("amr", &mut self.amr),
            "roles" => value.into("roles", &mut self.roles),
            "groups" => value.into("groups", &mut self.groups),
            "token_type" => value.into("token_type", &mut self.token_type),
            "user_id" => value.into("user_id", &mut self.user_id),
            "status" => value.into("status", &mut self.status),
            "cnf" => value.into("cnf", &mut self.cnf),
            _ => value.skip(),
        }
    }
}

/// An audience: one string or an array of strings (RFC 7519 section 4.1.3).
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(AudienceVisitor).map(Self)
    }
}

/// Reads either form straight from the text; deriving it would read the value into an intermediate form first.
struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: Error>(self, one: &str) -> Result<Vec<String>, E> {
        Ok(vec![one.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, many: A) -> Result<Vec<String>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(many))
    }
}
