//! What Redis holds of a session, looked at from behind.

use redis::{AsyncCommands as _, cmd};
use tokenhouse::model::RotationState;
use tokenhouse::store::{EphemeralStore as _, StoreError};

use crate::support::records::{grant, old_record, record, session};
use crate::support::{only_sqlite, redis as shared};

#[tokio::test]
async fn a_session_takes_at_most_400_bytes() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = ("th:", shared::raw(&settings.url).await);
    let ephemeral = shared::open(shared::RedisSettings { key_prefix: prefix.to_owned(), ..settings }).await;
    let session = session();
    let record = old_record(ephemeral.load(session).await.unwrap().1);
    assert_eq!(record.grant.scope.iter().count(), 3);
    assert_eq!(record.ancestors.len(), 4);

    ephemeral.insert(session, &record).await.unwrap();

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
    let ephemeral = shared::open(settings).await;
    let well = session();
    let record = record(ephemeral.load(well).await.unwrap().1);
    ephemeral.insert(well, &record).await.unwrap();
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
        for answer in [ephemeral.load(ill).await.map(|_| ()), ephemeral.advance(ill, record.current).await.map(|_| ())]
        {
            let Err(StoreError::Corrupt(message)) = answer else { panic!("{shown:?}: {answer:?}") };
            assert!(message.contains(&ill.to_string()), "{message}");
            assert!(!message.contains("web-frontend"), "{message}");
        }
        ephemeral.end(&[ill], std::time::Duration::from_mins(1)).await.unwrap();
        assert_eq!(ephemeral.load(ill).await.unwrap().0, RotationState::Ended);
    }
    assert!(ephemeral.advance(well, record.current).await.unwrap().advanced);
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error_of_that_session_only() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = (settings.key_prefix.clone(), shared::raw(&settings.url).await);
    let ephemeral = shared::open(settings).await;
    let ill = session();
    let (): () = raw.rpush(format!("{prefix}s:{ill}"), "a list").await.unwrap();

    for _ in 0..10 {
        assert!(matches!(ephemeral.load(ill).await, Err(StoreError::Broken { .. })));
        assert!(matches!(
            ephemeral.advance(ill, record(ephemeral_time()).current).await,
            Err(StoreError::Broken { .. })
        ));
    }

    assert_eq!(ephemeral.load(session()).await.unwrap().0, RotationState::Absent);
    ephemeral.end(&[ill], std::time::Duration::from_mins(1)).await.unwrap();
    assert_eq!(ephemeral.load(ill).await.unwrap().0, RotationState::Ended);
}

fn ephemeral_time() -> tokenhouse::clock::Timestamp {
    tokenhouse::clock::Timestamp::from_seconds(1_800_000_000)
}

#[tokio::test]
async fn everything_in_redis_has_an_expiry() {
    if only_sqlite() {
        return;
    }
    let settings = shared::settings();
    let (prefix, mut raw) = (settings.key_prefix.clone(), shared::raw(&settings.url).await);
    let ephemeral = shared::open(settings).await;
    let minute = std::time::Duration::from_mins(1);
    let (first, second, third) = (session(), session(), session());
    let record = record(ephemeral.load(first).await.unwrap().1);
    ephemeral.insert(first, &record).await.unwrap();
    ephemeral.insert(second, &record).await.unwrap();
    ephemeral.advance(first, record.current).await.unwrap();
    let changed = tokenhouse::model::RotationRecord { grant: grant(record.issued_at), ..record.clone() };
    ephemeral.replace(second, &record, &changed).await.unwrap();
    ephemeral.end(&[third], minute).await.unwrap();
    ephemeral.put_once("fresh", "value", minute).await.unwrap();
    ephemeral.update_once("fresh", "value", "another").await.unwrap();
    ephemeral.put_once("taken", "value", minute).await.unwrap();
    ephemeral.take_once("taken").await.unwrap();
    ephemeral.remember("memory", minute).await.unwrap();
    ephemeral.count("count", minute).await.unwrap();
    ephemeral.count("count", minute).await.unwrap();

    let keys: Vec<String> = raw.keys(format!("{prefix}*")).await.unwrap();

    assert_eq!(keys.len(), 7, "{keys:?}");
    for key in keys {
        let left: i64 = raw.pttl(&key).await.unwrap();
        let longest = if key.contains("s:") { 24 * 3_600_000 + 120_000 } else { 60_000 };
        assert!(left > 0 && left <= longest, "{key}: {left}");
    }
    let kept: i64 = cmd("PEXPIRETIME").arg(format!("{prefix}s:{first}")).query_async(&mut raw).await.unwrap();
    let RotationState::Live(advanced) = ephemeral.load(first).await.unwrap().0 else { panic!("it lives") };
    assert_eq!(kept, advanced.expires_at.millis() + 120_000);
}
