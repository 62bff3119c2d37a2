//! What it costs to build the status lists of a million sessions of which one in a hundred was revoked: compressed,
//! signed and ready to serve. `cargo bench --bench status_list`

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first mistake")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tempfile::TempDir;
use tokenhouse::clock::{Clock, Random, Timestamp};
use tokenhouse::config;
use tokenhouse::digest::sha256;
use tokenhouse::keys::Keyring;
use tokenhouse::model::SigningAlgorithm;
use tokenhouse::status_lists::StatusLists;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;
use tokenhouse::store::sql::status::StatusFacts;
use tokio::runtime::Runtime;

const INDEXES: i64 = 1_000_000;
const LISTS: u64 = 8;

fn build(bench: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = runtime.block_on(keys(&folder));
    let now = Clock::system().now();
    let mut group = bench.benchmark_group("status lists");
    for (name, numbers) in [("one", 0..1), ("eight", 0..LISTS)] {
        let sign = |lists: StatusLists| {
            for number in numbers.clone() {
                black_box(runtime.block_on(lists.signed(number, &keys, now)).unwrap());
            }
        };
        group.bench_function(name, |bench| bench.iter_batched(|| revoked(now), sign, BatchSize::SmallInput));
    }
    group.finish();
}

/// Lists that were never signed.
fn revoked(now: Timestamp) -> StatusLists {
    let lists = StatusLists::new("https://id.example.com", SigningAlgorithm::Es256);
    lists.learn(StatusFacts { lists: (0..LISTS).collect(), longest_access_lifetime: Duration::from_mins(5) });
    lists.vouch(now);
    // Scattered as if by chance, and the same each time.
    for number in 0..INDEXES / 100 {
        let digest = sha256(&number.to_be_bytes());
        let chance = digest.iter().take(8).fold(0_i64, |sum, byte| (sum << 7) + i64::from(*byte));
        lists.revoke(chance % INDEXES, now.plus(Duration::from_mins(7)));
    }
    lists
}

async fn keys(folder: &TempDir) -> Keyring {
    let settings = config::Keys {
        folder: folder.path().join("keys"),
        master_key_file: folder.path().join("keys/master.key"),
        id_token_algorithm: SigningAlgorithm::Es256,
        ..config::Keys::default()
    };
    let database = Database::connect(&DatabaseSettings {
        url: format!("sqlite://{}", folder.path().join("server.db").display()),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_secs(10),
    })
    .await
    .unwrap();
    database.migrate().await.unwrap();
    Keyring::open(&settings, Duration::from_mins(5), database, Clock::system(), Random::default()).await.unwrap()
}

criterion_group!(benches, build);
criterion_main!(benches);
