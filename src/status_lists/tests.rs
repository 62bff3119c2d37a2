use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::ZlibDecoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::list::bits;
use super::{SignedList, StatusLists};
use crate::clock::{Clock, Random, Stopwatch, Timestamp};
use crate::config;
use crate::digest;
use crate::error::Error;
use crate::keys::Keyring;
use crate::model::{LIST_LENGTH, LIST_LIFETIME, SigningAlgorithm, StatusIndex};
use crate::store::Database;
use crate::store::sql::DatabaseSettings;
use crate::store::sql::status::StatusFacts;

const SECOND: Duration = Duration::from_secs(1);

struct Instance {
    lists: StatusLists,
    keys: Keyring,
    now: Timestamp,
    _folder: TempDir,
}

impl Instance {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, random) = (Clock::system(), Random::default());
        let settings = config::Keys {
            folder: folder.path().join("keys"),
            master_key_file: folder.path().join("keys/master.key"),
            id_token_algorithm: SigningAlgorithm::Es256,
            ..config::Keys::default()
        };
        let settings_of_database = DatabaseSettings {
            url: format!("sqlite://{}", folder.path().join("tokenhouse.db").display()),
            max_connections: 1,
            acquire_timeout: 10 * SECOND,
            statement_timeout: 10 * SECOND,
        };
        let database = Database::connect(&settings_of_database).await.unwrap();
        database.migrate().await.unwrap();
        let keys = Keyring::open(&settings, 300 * SECOND, database, clock.clone(), random).await.unwrap();
        let lists = StatusLists::new("https://id.example/", SigningAlgorithm::Es256);
        lists.learn(facts(0..1, 300 * SECOND));
        // Not a whole second, so that rounding shows.
        let now = Timestamp::from_millis(clock.now().seconds() * 1000 + 500);
        lists.vouch(now);
        Self { lists, keys, now, _folder: folder }
    }

    async fn claims(&self) -> Value {
        let signed = self.lists.signed(0, &self.keys, self.now).await.unwrap();
        payload(&signed)
    }

    async fn revoked(&self) -> Vec<usize> {
        let octets = inflated(self.claims().await["status_list"]["lst"].as_str().unwrap());
        (0..octets.len() * 8).filter(|index| octets[index / 8] >> (index % 8) & 1 == 1).collect()
    }

    fn until(&self, later: Duration) -> Timestamp {
        self.now.plus(later)
    }
}

fn facts(lists: impl IntoIterator<Item = u64>, longest_access_lifetime: Duration) -> StatusFacts {
    StatusFacts { lists: lists.into_iter().collect(), longest_access_lifetime }
}

fn payload(list: &SignedList) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(list.token().split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn lst(list: &SignedList) -> Value {
    payload(list)["status_list"].take()
}

fn inflated(lst: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    ZlibDecoder::new(&*URL_SAFE_NO_PAD.decode(lst).unwrap()).read_to_end(&mut octets).unwrap();
    octets
}

#[test]
fn bits_lie_as_in_the_example_of_the_draft() {
    let octets = bits(&[0, 3, 4, 5, 7, 8, 9, 13, 15]);

    assert_eq!(octets.len() as u64, LIST_LENGTH / 8);
    assert_eq!(octets[..2], inflated("eNrbuRgAAhcBXQ"), "section 4.2");
    assert!(octets[2..].iter().all(|octet| *octet == 0));
}

#[test]
fn the_drafts_list_of_a_million_indexes_is_eight_of_ours() {
    let theirs = inflated(concat!(
        "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAA",
        "ADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
    ));
    let revoked = [0, 1993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345]
        .map(StatusIndex::of);

    for list in 0..8 {
        let ours = revoked.iter().filter(|index| index.list == list).map(|index| &index.index);
        let from = usize::try_from(list * LIST_LENGTH / 8).unwrap();
        assert!(bits(ours) == theirs[from..][..16_384], "list {list}: appendix C.1");
    }
}

#[tokio::test]
async fn a_list_says_as_of_when_it_is_true_and_how_long_it_is_good() {
    let instance = Instance::new().await;
    let claims = instance.claims().await;

    let iat = instance.now.seconds();
    let lst = claims["status_list"]["lst"].clone();
    assert_eq!(
        claims,
        json!({
            "sub": "https://id.example/status/0", "iat": iat, "exp": iat + 60, "ttl": 2,
            "status_list": { "bits": 1, "lst": lst },
        })
    );
    assert!(instance.revoked().await.is_empty());
}

#[tokio::test]
async fn a_list_is_signed_once_a_second_and_when_it_changes() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    let first = lists.signed(0, keys, *now).await.unwrap();
    lists.vouch(now.plus(Duration::from_millis(999)));
    assert_eq!(lists.signed(0, keys, *now).await.unwrap().token(), first.token());
    lists.vouch(now.plus(SECOND));
    let second = lists.signed(0, keys, *now).await.unwrap();
    assert_ne!(second.token(), first.token());

    lists.revoke(LIST_LENGTH.cast_signed(), now.plus(SECOND));
    assert_eq!(lists.signed(0, keys, *now).await.unwrap().token(), second.token(), "another list changed");
    lists.revoke(7, now.plus(SECOND));
    let third = lists.signed(0, keys, *now).await.unwrap();
    assert_ne!(third.token(), second.token());
    lists.revoke(7, now.plus(2 * SECOND));
    assert_eq!(lists.signed(0, keys, *now).await.unwrap().token(), third.token(), "it says no more than before");
}

#[tokio::test]
async fn an_instance_that_hears_nothing_vouches_for_nothing_new() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    let last = lists.signed(0, keys, *now).await.unwrap();

    let later = now.plus(LIST_LIFETIME).minus(Duration::from_millis(1));
    assert_eq!(lists.signed(0, keys, later).await.unwrap().token(), last.token());
    let refusal = lists.signed(0, keys, now.plus(LIST_LIFETIME)).await.unwrap_err();
    assert!(matches!(refusal, Error::Unavailable(_)), "{refusal:?}");
}

#[tokio::test]
async fn a_list_from_before_the_clock_was_set_back_is_signed_again() {
    let mut instance = Instance::new().await;
    assert_eq!(instance.claims().await["iat"], instance.now.seconds());

    instance.now = instance.now.minus(100 * SECOND);
    instance.lists.vouch(instance.now);
    assert_eq!(instance.claims().await["iat"], instance.now.seconds());
}

#[tokio::test]
async fn nothing_is_served_before_the_change_feed_was_read() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    lists.vouch(Timestamp::default());

    assert!(matches!(lists.signed(0, keys, *now).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_bit_stays_until_the_last_moment_that_was_asked_for() {
    let instance = Instance::new().await;
    instance.lists.revoke(3, instance.until(20 * SECOND));
    instance.lists.revoke(3, instance.until(10 * SECOND));
    instance.lists.revoke(131_071, instance.until(10 * SECOND));
    instance.lists.revoke(131_072, instance.until(10 * SECOND));
    assert_eq!(instance.revoked().await, [3, 131_071]);

    instance.lists.prune(instance.until(10 * SECOND));
    assert_eq!(instance.revoked().await, [3]);
    instance.lists.prune(instance.until(20 * SECOND));
    assert!(instance.revoked().await.is_empty());
}

#[tokio::test]
async fn a_bit_is_needed_until_no_token_and_no_list_without_it_is_believed() {
    let Instance { lists, now, .. } = &Instance::new().await;
    let (leeway, good) = (Duration::from_mins(1), LIST_LIFETIME);

    assert_eq!(lists.needed_until(*now, None), now.plus(300 * SECOND + leeway + good));
    assert_eq!(lists.needed_until(*now, Some(60 * SECOND)), now.plus(300 * SECOND + leeway + good));
    assert_eq!(lists.needed_until(*now, Some(900 * SECOND)), now.plus(900 * SECOND + leeway + good));
}

#[tokio::test]
async fn the_lists_that_were_begun_and_the_next_are_there_and_no_others() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    for (begun, all) in [(vec![], vec![0]), (vec![0], vec![0, 1]), (vec![0, 2, 3], vec![0, 2, 3, 4])] {
        lists.learn(facts(begun, SECOND));

        let uris: Vec<_> = all.iter().map(|number| format!("https://id.example/status/{number}")).collect();
        assert_eq!(lists.uris(), uris);
        for number in 0..9 {
            match lists.signed(number, keys, *now).await {
                Ok(_) => assert!(all.contains(&number), "{number}"),
                Err(Error::NotFound(_)) => assert!(!all.contains(&number), "{number}"),
                Err(other) => panic!("{number}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_revoked_in_a_list_that_the_database_was_asked_before_is_kept() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    lists.revoke(2 * LIST_LENGTH.cast_signed(), now.plus(SECOND));
    lists.learn(facts([0], SECOND));
    lists.learn(facts([0, 1, 2], SECOND));

    let (empty, one) = (lists.signed(1, keys, *now).await.unwrap(), lists.signed(2, keys, *now).await.unwrap());
    assert_ne!(lst(&empty), lst(&one));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_who_ask_at_once_get_one_list_and_what_was_revoked_before_is_in_it() {
    let instance = Arc::new(Instance::new().await);
    let mut signed = BTreeSet::new();
    let watch = Stopwatch::start();
    for round in 0..5 {
        instance.lists.revoke(round, instance.until(SECOND));
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let instance = Arc::clone(&instance);
                tokio::spawn(async move { instance.lists.signed(0, &instance.keys, instance.now).await.unwrap() })
            })
            .collect();
        for asking in asking {
            let list = asking.await.unwrap();
            let octets = inflated(lst(&list)["lst"].as_str().unwrap());
            assert_eq!(octets[0], (2_u8 << round) - 1);
            signed.insert(list.token().to_owned());
        }
    }

    assert_eq!(signed.len(), 5);
    assert!(watch.elapsed() >= Duration::from_millis(400), "ten times a second at most: {:?}", watch.elapsed());
}

#[tokio::test]
async fn a_million_indexes_of_which_one_in_a_hundred_is_revoked_take_less_than_28_kilobytes() {
    let Instance { lists, keys, now, .. } = &Instance::new().await;
    let million: i64 = 1_000_000;
    lists.learn(facts(0..8, SECOND));
    // Pseudo-random, and the same in each run.
    for number in 0..million / 100 {
        let digest = digest::sha256(&number.to_be_bytes());
        let chance = digest.iter().take(8).fold(0_i64, |sum, byte| (sum << 7) + i64::from(*byte));
        lists.revoke(chance % million, now.plus(SECOND));
    }

    let mut size = 0;
    for number in 0..8 {
        size += lists.signed(number, keys, *now).await.unwrap().gzip.octets.len();
    }
    assert!(size < 28_000, "{size}");
}
