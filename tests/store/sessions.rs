//! Rotation records: what `advance`, `load`, `insert`, `replace` and `end` promise.

use std::time::Duration;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::rotation::Repeats;
use tokenhouse::model::{Ancestor, Confirmation, Generation, RotationRecord, RotationState, SessionGrant, Thumbprint};
use tokenhouse::store::Advance;

use super::backends::{Position, every_backend};
use crate::support::records::{any_record, grant, record, session};

const DAY: Duration = Duration::from_hours(24);

every_backend! {
    advance_steps_a_current_record_exactly_as_the_rule_says
    advance_leaves_any_other_generation_as_it_stands
    advance_leaves_a_session_past_its_end_as_it_stands
    advance_of_an_ended_session_says_ended
    advance_of_an_unknown_session_says_absent
    a_hundred_parallel_advances_of_one_token_exchange_it_once
    a_session_can_be_advanced_many_times
    insert_overwrites_no_record
    insert_overwrites_no_tombstone
    replace_replaces_exactly_the_old_record
    replace_of_an_unknown_session_writes_nothing
    parallel_replaces_of_one_record_succeed_once
    an_ended_session_stays_ended
    ending_twice_and_ending_the_unknown_are_fine
    many_sessions_can_be_ended_at_once
    a_tombstone_stays_as_long_as_asked
    an_expired_record_is_gone
    records_come_back_as_they_were_written
    any_record_comes_back_as_it_was_written
    the_time_of_the_store_moves_on
}

fn live(record: &RotationRecord) -> RotationState {
    RotationState::Live(Box::new(record.clone()))
}

async fn advance_steps_a_current_record_exactly_as_the_rule_says(position: &Position) {
    let now = position.now().await;
    let records = any_record(now);
    let mut runner = TestRunner::default();
    for _ in 0..200 {
        let (session, record) = (session(), records.new_tree(&mut runner).unwrap().current());
        assert!(position.insert(session, &record).await.unwrap());

        let first = position.advance(session, record.current).await.unwrap();
        let stepped = record.advanced(first.now);
        assert_eq!(first, Advance { session: live(&stepped), advanced: true, now: first.now }, "{record:?}");
        assert_eq!(position.load(session).await.unwrap().0, live(&stepped));

        // A second step, from what the store itself wrote.
        let second = position.advance(session, stepped.current).await.unwrap();
        assert_eq!(second.session, live(&stepped.advanced(second.now)), "{record:?}");

        // Texts are compared here: the store writes what we would write.
        let replaced = position.replace(session, &stepped.advanced(second.now), &record).await.unwrap();
        assert!(replaced, "{record:?}");
    }
}

async fn advance_leaves_any_other_generation_as_it_stands(position: &Position) {
    let (session, begun) = position.begun().await;
    let current = Generation { number: 10, branch: 3 };
    let record = RotationRecord { current, ..begun.clone() };
    assert!(position.replace(session, &begun, &record).await.unwrap());

    for (number, branch) in [(9, 3), (11, 3), (10, 2), (10, 4), (1, 3), (103, 3), (0, 0), (u64::MAX, u32::MAX)] {
        let answer = position.advance(session, Generation { number, branch }).await.unwrap();

        assert!(!answer.advanced);
        assert_eq!(answer.session, live(&record));
    }
    assert_eq!(position.load(session).await.unwrap().0, live(&record));
}

async fn advance_leaves_a_session_past_its_end_as_it_stands(position: &Position) {
    let session = session();
    let now = position.now().await;
    let over = RotationRecord { ends_at: Timestamp::from_seconds(now.seconds()), ..record(now) };
    assert!(position.insert(session, &over).await.unwrap());

    let answer = position.advance(session, over.current).await.unwrap();

    assert!(!answer.advanced);
    assert_eq!(answer.session, live(&over));
}

async fn advance_of_an_ended_session_says_ended(position: &Position) {
    let (session, record) = position.begun().await;
    position.end(&[session], DAY).await.unwrap();

    let answer = position.advance(session, record.current).await.unwrap();

    assert_eq!(answer, Advance { session: RotationState::Ended, advanced: false, now: answer.now });
}

async fn advance_of_an_unknown_session_says_absent(position: &Position) {
    let answer = position.advance(session(), Generation::default()).await.unwrap();

    assert_eq!(answer, Advance { session: RotationState::Absent, advanced: false, now: answer.now });
}

async fn a_hundred_parallel_advances_of_one_token_exchange_it_once(position: &Position) {
    let (session, record) = position.begun().await;

    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let ephemeral = position.ephemeral();
        calls.spawn(async move { ephemeral.advance(session, record.current).await.unwrap() });
    }
    let answers = calls.join_all().await;

    let exchanged: Vec<_> = answers.iter().filter(|answer| answer.advanced).collect();
    assert_eq!(exchanged.len(), 1);
    assert!(answers.iter().all(|answer| answer.session == exchanged[0].session));
}

async fn a_session_can_be_advanced_many_times(position: &Position) {
    let (session, mut expected) = position.begun().await;

    for _ in 0..20 {
        let answer = position.advance(session, expected.current).await.unwrap();
        expected = expected.advanced(answer.now);
        assert_eq!(answer.session, live(&expected));
    }

    assert_eq!(expected.current, Generation { number: 20, branch: 0 });
    assert_eq!(expected.ancestors.len(), 4);
}

async fn insert_overwrites_no_record(position: &Position) {
    let (session, first) = position.begun().await;
    let second = first.advanced(first.issued_at);

    assert!(!position.insert(session, &second).await.unwrap());

    assert_eq!(position.load(session).await.unwrap().0, live(&first));
}

async fn insert_overwrites_no_tombstone(position: &Position) {
    let session = session();
    let record = record(position.now().await);
    position.end(&[session], DAY).await.unwrap();

    assert!(!position.insert(session, &record).await.unwrap());

    assert_eq!(position.load(session).await.unwrap().0, RotationState::Ended);
}

async fn replace_replaces_exactly_the_old_record(position: &Position) {
    let (session, old) = position.begun().await;
    let roles = vec!["admin".to_owned()];
    let new = RotationRecord { grant: SessionGrant { roles, ..old.grant.clone() }, ..old.clone() };
    let other = old.advanced(old.issued_at);

    assert!(!position.replace(session, &other, &new).await.unwrap());
    assert_eq!(position.load(session).await.unwrap().0, live(&old));
    assert!(position.replace(session, &old, &new).await.unwrap());
    assert!(!position.replace(session, &old, &new).await.unwrap());

    assert_eq!(position.load(session).await.unwrap().0, live(&new));
}

async fn replace_of_an_unknown_session_writes_nothing(position: &Position) {
    let session = session();
    let record = record(position.now().await);

    assert!(!position.replace(session, &record, &record).await.unwrap());

    assert_eq!(position.load(session).await.unwrap().0, RotationState::Absent);
}

async fn parallel_replaces_of_one_record_succeed_once(position: &Position) {
    let (session, old) = position.begun().await;

    let mut calls = tokio::task::JoinSet::new();
    for branch in 1..=50 {
        let (ephemeral, old) = (position.ephemeral(), old.clone());
        let new = RotationRecord { current: Generation { number: 0, branch }, ..old.clone() };
        calls.spawn(async move { ephemeral.replace(session, &old, &new).await.unwrap().then_some(new) });
    }
    let written: Vec<_> = calls.join_all().await.into_iter().flatten().collect();

    assert_eq!(written.len(), 1);
    assert_eq!(position.load(session).await.unwrap().0, live(&written[0]));
}

async fn an_ended_session_stays_ended(position: &Position) {
    let (session, record) = position.begun().await;
    let next = record.advanced(record.issued_at);
    position.end(&[session], DAY).await.unwrap();

    assert!(!position.insert(session, &next).await.unwrap());
    assert!(!position.replace(session, &record, &next).await.unwrap());
    assert!(!position.advance(session, record.current).await.unwrap().advanced);
    position.prune().await.unwrap();

    assert_eq!(position.load(session).await.unwrap().0, RotationState::Ended);
}

async fn ending_twice_and_ending_the_unknown_are_fine(position: &Position) {
    let (known, _) = position.begun().await;
    let unknown = session();

    position.end(&[], DAY).await.unwrap();
    position.end(&[known, unknown], DAY).await.unwrap();
    position.end(&[unknown, known], DAY).await.unwrap();

    assert_eq!(position.load(known).await.unwrap().0, RotationState::Ended);
    assert_eq!(position.load(unknown).await.unwrap().0, RotationState::Ended);
}

async fn many_sessions_can_be_ended_at_once(position: &Position) {
    let (first, _) = position.begun().await;
    let mut sessions = vec![first];
    sessions.extend(std::iter::repeat_with(session).take(2_500));
    let bystander = position.begun().await;

    position.end(&sessions, DAY).await.unwrap();

    for session in [sessions[0], sessions[999], sessions[1000], sessions[2_000], sessions[2_500]] {
        assert_eq!(position.load(session).await.unwrap().0, RotationState::Ended);
    }
    assert_eq!(position.load(bystander.0).await.unwrap().0, live(&bystander.1));
}

async fn a_tombstone_stays_as_long_as_asked(position: &Position) {
    let (short, long) = (position.begun().await.0, position.begun().await.0);
    position.end(&[short], Duration::from_millis(300)).await.unwrap();
    position.end(&[long], DAY).await.unwrap();
    assert_eq!(position.load(short).await.unwrap().0, RotationState::Ended);

    position.pass(Duration::from_millis(400)).await;
    position.prune().await.unwrap();

    assert_eq!(position.load(short).await.unwrap().0, RotationState::Absent);
    assert_eq!(position.load(long).await.unwrap().0, RotationState::Ended);
}

async fn an_expired_record_is_gone(position: &Position) {
    // Records are kept for two minutes after their token has expired.
    let now = position.now().await;
    let just_kept = RotationRecord { expires_at: Timestamp::from_seconds(now.seconds() - 110), ..record(now) };
    let just_gone = RotationRecord { expires_at: Timestamp::from_seconds(now.seconds() - 121), ..record(now) };
    let (kept, gone) = (session(), session());

    position.insert(kept, &just_kept).await.unwrap();
    position.insert(gone, &just_gone).await.unwrap();

    assert_eq!(position.load(kept).await.unwrap().0, live(&just_kept));
    assert_eq!(position.load(gone).await.unwrap().0, RotationState::Absent);
    assert_eq!(position.advance(gone, just_gone.current).await.unwrap().session, RotationState::Absent);
    assert!(!position.replace(gone, &just_gone, &just_kept).await.unwrap());
    assert!(!position.insert(kept, &just_gone).await.unwrap());
    assert!(position.insert(gone, &just_kept).await.unwrap(), "nothing is there any more");
}

async fn records_come_back_as_they_were_written(position: &Position) {
    let now = position.now().await;
    let empty = RotationRecord {
        grant: SessionGrant {
            scope: tokenhouse::protocol::Scope::empty(),
            audience: Vec::new(),
            amr: Vec::new(),
            status_index: 0,
            ..grant(now)
        },
        ..record(now)
    };
    let full = RotationRecord {
        current: Generation { number: (1 << 53) - 1, branch: u32::MAX },
        repeats: Repeats { streak: u32::MAX, last: (1 << 53) - 1 },
        ancestors: vec![
            Ancestor { branch: u32::MAX, rotated_at: now },
            Ancestor { branch: 0, rotated_at: now.plus(DAY) },
            Ancestor { branch: 7, rotated_at: Timestamp::from_millis(0) },
            Ancestor { branch: 1, rotated_at: Timestamp::from_millis(-1) },
        ],
        grant: SessionGrant {
            roles: vec!["Prüfer".to_owned(), "管理者 \"1\"\\\n".to_owned(), "🙂\u{0}".to_owned(), String::new()],
            groups: vec!["ended".to_owned()],
            status_index: i64::MAX,
            confirmation: Some(Confirmation::Certificate(Thumbprint::of([255; 32]))),
            ..grant(now)
        },
        ..record(now)
    };

    for written in [empty, full] {
        let session = session();
        assert!(position.insert(session, &written).await.unwrap());

        assert_eq!(position.load(session).await.unwrap().0, live(&written));
    }
}

async fn any_record_comes_back_as_it_was_written(position: &Position) {
    let records = any_record(position.now().await);
    let mut runner = TestRunner::default();
    for _ in 0..200 {
        let (session, record) = (session(), records.new_tree(&mut runner).unwrap().current());

        assert!(position.insert(session, &record).await.unwrap());

        assert_eq!(position.load(session).await.unwrap().0, live(&record));
    }
}

async fn the_time_of_the_store_moves_on(position: &Position) {
    let before = position.now().await;
    position.pass(Duration::from_millis(50)).await;
    let advance = position.advance(session(), Generation::default()).await.unwrap().now;
    let after = position.now().await;

    assert!(advance.since(before) >= Duration::from_millis(45));
    assert!(advance <= after);
}
