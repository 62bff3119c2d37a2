//! What Redis holds of a session, looked at from behind.

use redis::{AsyncCommands as _, cmd};
use tokenhouse::model::HotSession;
use tokenhouse::store::{HotState as _, StoreError};

use crate::support::records::{grant, old_record, record, session};
use crate::support::{only_sqlite, redis as shared};

#[tokio::test]
async fn a_session_takes_at_most_400_bytes() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = ("th:", shared::raw(&settings.url).await);
    let hot = shared::open(shared::RedisSettings { key_prefix: prefix.to_owned(), ..settings }).await;
    let session = session();
    let record = old_record(hot.load(session).await.unwrap().1);
    assert_eq!(record.grant.scope.iter().count(), 3);
    assert_eq!(record.ancestors.len(), 4);

    hot.insert(session, &record).await.unwrap();

    let key = format!("{prefix}s:{session}");
    let bytes: u64 = cmd("MEMORY").arg("USAGE").arg(&key).query_async(&mut raw).await.unwrap();
    println!("{bytes} bytes for a key of {} and a value of {}: {}", key.len(), record.encode().len(), record.encode());
    assert!(bytes <= 400, "{bytes} bytes");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_of_that_session_only() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = (settings.key_prefix.clone(), shared::raw(&settings.url).await);
    let hot = shared::open(settings).await;
    let well = session();
    let record = record(hot.load(well).await.unwrap().1);
    hot.insert(well, &record).await.unwrap();
    let text = record.encode();

    // Each of them is a record with something bitten off or turned round.
    let mut damaged: Vec<Vec<u8>> =
        ["", "x", "ende", "ended ", "0 0", "\n", "0 0 1 1 1 1 0 0 \n{}"].map(Vec::from).to_vec();
    damaged.extend((0..text.len()).step_by(7).map(|end| text.as_bytes()[..end].to_vec()));
    damaged.push(text.replacen(' ', "  ", 1).into_bytes());
    damaged.push(text.replacen("0 0 ", "0 00 ", 1).replacen("\"c\"", "\"C\"", 1).into_bytes());
    damaged.push(text.replacen(" \n", " ,,\n", 1).into_bytes());
    damaged.push(text.replacen(" \n", " 1:\n", 1).into_bytes());
    damaged.push([text.as_bytes(), b"\xff\xfe"].concat());
    for value in damaged {
        let ill = session();
        let (): () = raw.set(format!("{prefix}s:{ill}"), &value).await.unwrap();

        let shown = String::from_utf8_lossy(&value).into_owned();
        for answer in [hot.load(ill).await.map(|_| ()), hot.advance(ill, record.current).await.map(|_| ())] {
            let Err(StoreError::Corrupt(message)) = answer else { panic!("{shown:?}: {answer:?}") };
            assert!(message.contains(&ill.to_string()), "{message}");
            assert!(!message.contains("web-frontend"), "{message}");
        }
        hot.end(&[ill], std::time::Duration::from_mins(1)).await.unwrap();
        assert_eq!(hot.load(ill).await.unwrap().0, HotSession::Ended);
    }
    assert!(hot.advance(well, record.current).await.unwrap().advanced);
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error_of_that_session_only() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = (settings.key_prefix.clone(), shared::raw(&settings.url).await);
    let hot = shared::open(settings).await;
    let ill = session();
    let (): () = raw.rpush(format!("{prefix}s:{ill}"), "a list").await.unwrap();

    for _ in 0..10 {
        assert!(matches!(hot.load(ill).await, Err(StoreError::Broken { .. })));
        assert!(matches!(hot.advance(ill, record(hot_time()).current).await, Err(StoreError::Broken { .. })));
    }

    assert_eq!(hot.load(session()).await.unwrap().0, HotSession::Absent);
    hot.end(&[ill], std::time::Duration::from_mins(1)).await.unwrap();
    assert_eq!(hot.load(ill).await.unwrap().0, HotSession::Ended);
}

fn hot_time() -> tokenhouse::clock::Timestamp {
    tokenhouse::clock::Timestamp::from_seconds(1_800_000_000)
}

#[tokio::test]
async fn everything_in_redis_has_an_expiry() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = (settings.key_prefix.clone(), shared::raw(&settings.url).await);
    let hot = shared::open(settings).await;
    let minute = std::time::Duration::from_mins(1);
    let (first, second, third) = (session(), session(), session());
    let record = record(hot.load(first).await.unwrap().1);
    hot.insert(first, &record).await.unwrap();
    hot.insert(second, &record).await.unwrap();
    hot.advance(first, record.current).await.unwrap();
    let changed = tokenhouse::model::RotationRecord { grant: grant(record.issued_at), ..record.clone() };
    hot.replace(second, &record, &changed).await.unwrap();
    hot.end(&[third], minute).await.unwrap();
    hot.put_once("fresh", "value", minute).await.unwrap();
    hot.put_once("taken", "value", minute).await.unwrap();
    hot.take_once("taken").await.unwrap();
    hot.remember("memory", minute).await.unwrap();
    hot.count("count", minute).await.unwrap();
    hot.count("count", minute).await.unwrap();

    let keys: Vec<String> = raw.keys(format!("{prefix}*")).await.unwrap();

    assert_eq!(keys.len(), 7, "{keys:?}");
    for key in keys {
        let left: i64 = raw.pttl(&key).await.unwrap();
        let longest = if key.contains("s:") { 24 * 3_600_000 + 120_000 } else { 60_000 };
        assert!(left > 0 && left <= longest, "{key}: {left}");
    }
    let kept: i64 = cmd("PEXPIRETIME").arg(format!("{prefix}s:{first}")).query_async(&mut raw).await.unwrap();
    let HotSession::Live(advanced) = hot.load(first).await.unwrap().0 else { panic!("it lives") };
    assert_eq!(kept, advanced.expires_at.millis() + 120_000);
}
