//! Refresh tokens: compact JWS (RFC 7515 section 7.1) with HS256 under a key derived from the master key. Only this
//! server reads them, so a header must equal one of its own byte for byte, and none is ever parsed.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest text that is read, in bytes.
const LONGEST: usize = 4096;

pub(super) struct RefreshKey {
    key: hmac::Key,
    header: String,
}

impl RefreshKey {
    /// Builds the key. `kid` distinguishes the keys of two master keys; its characters need no escape in JSON.
    pub(super) fn new(key: hmac::Key, kid: &str) -> Self {
        let header = format!(r#"{{"alg":"HS256","typ":"rt+jwt","kid":"{kid}"}}"#);
        Self { key, header: URL_SAFE_NO_PAD.encode(header) + "." }
    }

    /// Signs `claims`. The same claims give the same octets.
    pub(super) fn sign<T: Serialize>(&self, claims: &T) -> serde_json::Result<String> {
        let claims = serde_json::to_vec(claims)?;
        let mut token = String::with_capacity(self.header.len() + claims.len() * 4 / 3 + 48);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let tag = hmac::sign(&self.key, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut token);
        Ok(token)
    }

    fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let rest = token.strip_prefix(&self.header)?;
        let (claims, signature) = rest.split_once('.')?;
        // A third dot is not base64url, so there are exactly three parts from here on.
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signed = &token.as_bytes()[..self.header.len() + claims.len()];
        hmac::verify(&self.key, signed, &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

/// Returns the claims of a token that one of `keys` has signed.
pub(super) fn open<'a, T, I>(keys: I, token: &str) -> Option<T>
where
    T: DeserializeOwned,
    I: IntoIterator<Item = &'a RefreshKey>,
{
    if token.len() > LONGEST {
        return None;
    }
    keys.into_iter().find(|key| token.starts_with(&key.header))?.open(token)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(secret: &[u8], kid: &str) -> RefreshKey {
        RefreshKey::new(hmac::Key::new(hmac::HMAC_SHA256, secret), kid)
    }

    fn signed(header: &str, claims: &str) -> String {
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"one"), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    #[test]
    fn the_same_claims_give_the_same_octets() {
        let claims = json!({"sub": "u", "gen": 7});
        let token = key(b"one", "k1").sign(&claims).unwrap();
        assert_eq!(token, key(b"one", "k1").sign(&claims).unwrap());
        assert_eq!(open::<Value, _>([&key(b"one", "k1")], &token), Some(claims));
    }

    #[test]
    fn it_is_an_ordinary_jws() {
        let token = key(&[7; 32], "k1").sign(&json!({"exp": 32_503_680_000_u64})).unwrap();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.kid.as_deref()), (Some("rt+jwt"), Some("k1")));
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
        rules.validate_aud = false;
        let secret = jsonwebtoken::DecodingKey::from_secret(&[7; 32]);
        jsonwebtoken::decode::<Value>(&token, &secret, &rules).unwrap();
    }

    #[test]
    fn a_token_of_either_key_opens_by_its_kid() {
        let (new, old) = (key(b"two", "k2"), key(b"one", "k1"));
        let token = old.sign(&json!(1)).unwrap();
        assert_eq!(open::<Value, _>([&new, &old], &token), Some(json!(1)));
        assert_eq!(open::<Value, _>([&new], &token), None);
    }

    #[test]
    fn only_our_own_header_is_accepted() {
        let one = key(b"one", "k1");
        let good = r#"{"alg":"HS256","typ":"rt+jwt","kid":"k1"}"#;
        assert_eq!(open::<Value, _>([&one], &signed(good, "{}")), Some(json!({})));
        for header in [
            r#"{"alg":"none","typ":"rt+jwt","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"rt+jwt","kid":"k2"}"#,
            r#"{"alg":"HS256","typ":"rt+jwt"}"#,
            r#"{"alg":"HS256","typ":"rt+jwt","kid":"k1","crit":["b64"],"b64":false}"#,
            r#"{ "alg":"HS256","typ":"rt+jwt","kid":"k1"}"#,
        ] {
            assert_eq!(open::<Value, _>([&one], &signed(header, "{}")), None, "{header}");
        }
    }

    #[test]
    fn a_token_with_any_other_character_does_not_open() {
        let one = key(b"one", "k1");
        let token = one.sign(&json!({"sub": "u", "exp": 12})).unwrap();
        for position in 0..token.len() {
            for other in ["A", "-", ".", "=", "+", "/", " ", ""] {
                let mut changed = token.clone();
                changed.replace_range(position..=position, other);
                assert!(changed == token || open::<Value, _>([&one], &changed).is_none(), "{position} {other:?}");
            }
        }
        for changed in
            [format!("{token}="), format!("{token}."), format!("{token}.x"), format!(" {token}"), String::new()]
        {
            assert_eq!(open::<Value, _>([&one], &changed), None, "{changed}");
        }
    }

    #[test]
    fn a_token_longer_than_4_kib_is_not_looked_at() {
        let one = key(b"one", "k1");
        let fits = one.sign(&"x".repeat(2900)).unwrap();
        assert!(fits.len() <= LONGEST && open::<Value, _>([&one], &fits).is_some());
        let long = one.sign(&"x".repeat(3100)).unwrap();
        assert!(long.len() > LONGEST && open::<Value, _>([&one], &long).is_none());
    }
}
