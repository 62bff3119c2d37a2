//! Well-signed tokens whose claims must be refused.

use serde_json::{Value, json};

use crate::file::{Case, Reason};
use crate::keys::Signer;
use crate::token::{AUDIENCE, NOW, claims, with, without};

pub(crate) fn cases(signer: &Signer) -> Vec<Case> {
    let refuse = |name: String, reason: Reason, claims: &Value| Case::refuse(name, reason, signer.with_claims(claims));
    let mut cases = Vec::new();
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        cases.push(refuse(format!("without {claim}"), Reason::Claim, &without(claims(), claim)));
        cases.push(refuse(format!("{claim} is null"), Reason::Claim, &with(claims(), claim, Value::Null)));
    }
    for (claim, value) in wrong_types() {
        cases.push(refuse(format!("{claim} is {value}"), Reason::Claim, &with(claims(), claim, value)));
    }
    for (name, iss) in [
        ("another", "https://evil.example"),
        ("with a slash more", "https://id.example.com/"),
        ("only the beginning of ours", "https://id.example.co"),
        ("ours and more", "https://id.example.com.evil.example"),
        ("in capitals", "HTTPS://ID.EXAMPLE.COM"),
        ("with a letter that looks alike", "https://id.ex\u{430}mple.com"),
        ("empty", ""),
    ] {
        cases.push(refuse(format!("the issuer is {name}"), Reason::Issuer, &with(claims(), "iss", iss)));
    }
    for (name, aud) in [
        ("another", json!("https://b.example.com")),
        ("with a slash more", json!("https://api.example.com/")),
        ("only the beginning of ours", json!("https://api.example.co")),
        ("an empty array", json!([])),
        ("several others", json!(["https://b.example.com", "https://c.example.com"])),
        ("ours and another in one text", json!(format!("{AUDIENCE} https://b.example.com"))),
    ] {
        cases.push(refuse(format!("the audience is {name}"), Reason::Audience, &with(claims(), "aud", aud)));
    }
    for (name, reason, claim, time) in [
        ("expired an hour ago", Reason::Expired, "exp", NOW - 3600),
        ("expired, the leeway is just over", Reason::Expired, "exp", NOW - 60),
        ("expired in 1970", Reason::Expired, "exp", 0),
        ("expired before 1970", Reason::Expired, "exp", -1),
        ("valid only in an hour", Reason::NotYetValid, "nbf", NOW + 3600),
        ("valid only beyond the leeway", Reason::NotYetValid, "nbf", NOW + 61),
        ("issued in an hour", Reason::NotYetValid, "iat", NOW + 3600),
        ("issued beyond the leeway", Reason::NotYetValid, "iat", NOW + 61),
    ] {
        cases.push(refuse(name.to_owned(), reason, &with(claims(), claim, time)));
    }
    for (name, cnf) in [
        ("a key", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
        ("a certificate", json!({"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"})),
    ] {
        let claims = with(claims(), "cnf", cnf);
        cases.push(refuse(format!("bound to {name}, shown as a bearer token"), Reason::Bound, &claims));
    }
    cases
}

fn wrong_types() -> Vec<(&'static str, Value)> {
    let mut odd = Vec::new();
    for claim in ["exp", "iat", "nbf"] {
        odd.extend(
            [json!("9999999999"), json!(1e300), json!(true), json!([1_767_225_900])].map(|value| (claim, value)),
        );
    }
    odd.extend(["iss", "sub", "jti", "client_id", "scope"].map(|claim| (claim, json!(["a"]))));
    odd.extend([
        ("sub", json!(7)),
        ("aud", json!(1)),
        ("aud", json!([AUDIENCE, null])),
        ("aud", json!({AUDIENCE: true})),
        ("roles", json!("editor")),
        ("groups", json!([1])),
        ("status", json!({})),
        ("status", json!({"status_list": {"idx": "1", "uri": "https://id.example.com/status/0"}})),
        ("status", json!({"status_list": {"idx": -1, "uri": "https://id.example.com/status/0"}})),
        ("cnf", json!({})),
        ("cnf", json!({"unknown": "x"})),
    ]);
    odd
}
