//! What a refresh costs besides signatures and the store: `cargo bench --bench rotation`.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first mistake")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Acr, Generation, RotationRecord, SessionGrant};
use tokenhouse::protocol::Scope;
use tokenhouse::sessions::rotation::{PresentedRefresh, Rules, decide};

const NOW: Timestamp = Timestamp::from_seconds(1_795_300_000);

const RULES: Rules = Rules { retry_window: Duration::from_secs(30), lost_response_window: None, fixed: false };

fn records(bench: &mut Criterion) {
    let record = record();
    let text = record.encode();
    let mut group = bench.benchmark_group("record");
    group.bench_function("encode", |bench| bench.iter(|| black_box(&record).encode()));
    group.bench_function("decode", |bench| bench.iter(|| RotationRecord::decode(black_box(&text)).unwrap()));
    group.finish();
}

fn decisions(bench: &mut Criterion) {
    let record = record();
    let mut group = bench.benchmark_group("decision");
    for (name, back) in [("current token", 0), ("its parent", 1), ("too old a token", 3)] {
        let generation = Generation { number: record.current.number - back, branch: 0 };
        let presented = PresentedRefresh {
            generation,
            parent_branch: 0,
            issued_at: record.issued_at,
            expires_at: record.expires_at,
        };
        group.bench_function(name, |bench| bench.iter(|| decide(black_box(&record), presented, RULES, NOW)));
    }
    group.finish();
}

/// The record of a user with three scopes and no roles, rotated every five minutes for half an hour.
fn record() -> RotationRecord {
    let began = NOW.minus(Duration::from_mins(30));
    let grant = SessionGrant {
        client_id: "web-frontend".parse().unwrap(),
        user_id: "0196a5d2-6c1f-7d3a-9d57-0e4c1f8b2a63".parse().unwrap(),
        scope: Scope::parse("openid profile email").unwrap(),
        audience: vec!["https://api.example.com".to_owned()],
        status_index: 1_234_567,
        began_at: began,
        auth_time: began.seconds(),
        amr: vec!["pwd".to_owned()],
        acr: Acr::Password,
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
        confirmation: None,
    };
    let mut record =
        RotationRecord::begin(grant, began, Duration::from_hours(24), NOW.plus(Duration::from_hours(24 * 30)));
    for minutes in [5, 10, 15, 20, 25] {
        record = record.advanced(began.plus(Duration::from_mins(minutes)));
    }
    record
}

criterion_group!(benches, records, decisions);
criterion_main!(benches);
