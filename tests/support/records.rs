//! Rotation records to test with.

use std::time::Duration;

use proptest::prelude::*;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::rotation::{MAX_ANCESTORS, Repeats};
use tokenhouse::model::{
    Acr, Ancestor, Confirmation, Generation, RotationRecord, SessionGrant, SessionId, Thumbprint, UserId,
};
use tokenhouse::protocol::Scope;
use uuid::Uuid;

/// A session that no other test uses.
pub fn session() -> SessionId {
    SessionId(Uuid::now_v7())
}

/// A usual grant: three scopes, no roles.
pub fn grant(now: Timestamp) -> SessionGrant {
    SessionGrant {
        client_id: "web-frontend".parse().unwrap(),
        user_id: UserId(Uuid::now_v7()),
        scope: Scope::parse("openid profile email").unwrap(),
        audience: vec!["https://api.example.com".to_owned()],
        status_index: 1_234_567,
        began_at: now.minus(Duration::from_hours(24)),
        auth_time: now.seconds() - 86_400,
        amr: vec!["pwd".to_owned()],
        acr: Acr::Password,
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
        confirmation: None,
    }
}

/// The record of a session that began just now: 24 hours a token, 30 days in all.
pub fn record(now: Timestamp) -> RotationRecord {
    RotationRecord::begin(
        grant(now),
        now,
        Duration::from_hours(24),
        Timestamp::from_seconds(now.seconds() + 30 * 86_400),
    )
}

/// A record in mid-life, with four ancestors five minutes apart.
pub fn old_record(now: Timestamp) -> RotationRecord {
    let minutes = |minutes: u64| now.minus(Duration::from_secs(minutes * 60) + Duration::from_millis(minutes * 37));
    RotationRecord {
        current: Generation { number: 412, branch: 0 },
        ancestors: [0, 5, 10, 15].map(|ago| Ancestor { branch: 0, rotated_at: minutes(ago) }).to_vec(),
        ..record(now)
    }
}

/// Any record that a store could hold at `now` and still advance.
pub fn any_record(now: Timestamp) -> impl Strategy<Value = RotationRecord> {
    let seconds = now.seconds();
    let ancestor = (prop_oneof![Just(0_u32), any::<u32>()], 0..now.millis() * 2)
        .prop_map(|(branch, millis)| Ancestor { branch, rotated_at: Timestamp::from_millis(millis) });
    let head = (
        prop_oneof![0..50_u64, 0..(1_u64 << 53) - 1],
        prop_oneof![Just(0_u32), any::<u32>()],
        0..now.millis() * 2,
        seconds + 60..seconds * 2,
        seconds + 60..seconds * 2,
        prop_oneof![1..90_000_u64, 1..10_000_000_000_u64],
    );
    let tail = (any::<u32>(), 0..1_u64 << 53, prop::collection::vec(ancestor, 0..=MAX_ANCESTORS), any_grant(now));
    (head, tail).prop_map(|((number, branch, issued_at, expires_at, ends_at, lifetime), tail)| {
        let (streak, last, ancestors, grant) = tail;
        RotationRecord {
            current: Generation { number, branch },
            issued_at: Timestamp::from_millis(issued_at),
            expires_at: Timestamp::from_seconds(expires_at),
            ends_at: Timestamp::from_seconds(ends_at),
            lifetime: Duration::from_secs(lifetime),
            repeats: Repeats { streak, last },
            ancestors,
            grant,
        }
    })
}

fn any_grant(now: Timestamp) -> impl Strategy<Value = SessionGrant> {
    let words = || prop::collection::vec(any::<String>(), 0..4);
    let confirmation = prop_oneof![
        Just(None),
        any::<[u8; 32]>().prop_map(|key| Some(Confirmation::DpopKey(Thumbprint::of(key)))),
        any::<[u8; 32]>().prop_map(|key| Some(Confirmation::Certificate(Thumbprint::of(key)))),
    ];
    (words(), words(), words(), words(), any::<i64>(), any::<i64>(), confirmation).prop_map(
        move |(audience, amr, roles, groups, status_index, auth_time, confirmation)| SessionGrant {
            confirmation,
            audience,
            amr,
            roles,
            groups,
            status_index,
            auth_time,
            acr: if auth_time % 2 == 0 { Acr::Password } else { Acr::MultiFactor },
            ..grant(now)
        },
    )
}
