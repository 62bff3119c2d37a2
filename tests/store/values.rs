//! One-time values, memories and counters.

use std::time::Duration;

use tokenhouse::store::TakeOutcome;

use super::backends::{Position, every_backend};

const MINUTE: Duration = Duration::from_mins(1);

every_backend! {
    a_one_time_value_is_taken_once_and_then_remembered_as_taken
    a_look_at_a_one_time_value_does_not_take_it
    fifty_parallel_takes_give_the_value_to_one
    a_one_time_value_is_not_overwritten
    a_one_time_value_expires
    a_taken_value_is_forgotten_when_its_time_is_over
    a_one_time_value_may_hold_any_text
    a_one_time_value_is_updated_by_who_knows_it_until_it_is_taken
    an_update_does_not_prolong_a_one_time_value
    of_fifty_parallel_updates_of_one_value_one_succeeds
    a_memory_is_new_once
    fifty_parallel_memories_of_one_key_are_new_once
    a_memory_expires
    a_hundred_parallel_counts_are_all_counted
    a_count_starts_over_after_its_window
    later_counts_do_not_prolong_the_window
    what_is_forgotten_starts_over
    keys_of_different_kinds_do_not_collide
    the_store_answers_a_ping
}

fn key() -> String {
    crate::support::fresh_name("key")
}

async fn a_one_time_value_is_taken_once_and_then_remembered_as_taken(position: &Position) {
    let key = key();
    assert!(position.put_once(&key, "a code", MINUTE).await.unwrap());

    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("a code".to_owned()));
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again("a code".to_owned()));
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again("a code".to_owned()));
    assert_eq!(position.take_once(&format!("{key}x")).await.unwrap(), TakeOutcome::Absent);
}

async fn a_look_at_a_one_time_value_does_not_take_it(position: &Position) {
    let key = key();
    assert_eq!(position.peek(&key).await.unwrap(), None);
    position.put_once(&key, "a request", MINUTE).await.unwrap();

    for _ in 0..2 {
        assert_eq!(position.peek(&key).await.unwrap().as_deref(), Some("a request"));
    }
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("a request".to_owned()));
    assert_eq!(position.peek(&key).await.unwrap().as_deref(), Some("a request"), "taken, and not forgotten");

    let short = format!("{key}-short");
    position.put_once(&short, "soon gone", Duration::from_millis(50)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(position.peek(&short).await.unwrap(), None);
}

async fn fifty_parallel_takes_give_the_value_to_one(position: &Position) {
    let key = key();
    position.put_once(&key, "a code", MINUTE).await.unwrap();

    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (ephemeral, key) = (position.ephemeral(), key.clone());
        calls.spawn(async move { ephemeral.take_once(&key).await.unwrap() });
    }
    let answers = calls.join_all().await;

    let firsts = answers.iter().filter(|taken| matches!(taken, TakeOutcome::First(value) if value == "a code")).count();
    let again = answers.iter().filter(|taken| matches!(taken, TakeOutcome::Again(value) if value == "a code")).count();
    assert_eq!((firsts, again), (1, 49));
}

async fn a_one_time_value_is_not_overwritten(position: &Position) {
    let key = key();
    position.put_once(&key, "first", MINUTE).await.unwrap();

    assert!(!position.put_once(&key, "second", MINUTE).await.unwrap());
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("first".to_owned()));
    assert!(!position.put_once(&key, "third", MINUTE).await.unwrap(), "a taken one neither");
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again("first".to_owned()));
}

async fn a_one_time_value_expires(position: &Position) {
    let key = key();
    position.put_once(&key, "a code", Duration::from_millis(100)).await.unwrap();

    position.pass(Duration::from_millis(150)).await;

    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Absent);
    assert!(position.put_once(&key, "another", MINUTE).await.unwrap());
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("another".to_owned()));
}

async fn a_taken_value_is_forgotten_when_its_time_is_over(position: &Position) {
    let key = key();
    position.put_once(&key, "a code", Duration::from_millis(500)).await.unwrap();
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("a code".to_owned()));
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again("a code".to_owned()));

    position.pass(Duration::from_millis(600)).await;
    position.prune().await.unwrap();

    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Absent);
    assert!(position.put_once(&key, "another", MINUTE).await.unwrap());
}

async fn a_one_time_value_may_hold_any_text(position: &Position) {
    for value in ["", "f", "t", "ended", "{\"a\": \"ü🙂\"}\n"] {
        let key = key();
        position.put_once(&key, value, MINUTE).await.unwrap();

        assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First(value.to_owned()));
        assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again(value.to_owned()));
    }
}

async fn a_one_time_value_is_updated_by_who_knows_it_until_it_is_taken(position: &Position) {
    let key = key();
    assert!(!position.update_once(&key, "", "from nothing").await.unwrap());
    position.put_once(&key, "a request", MINUTE).await.unwrap();

    assert!(!position.update_once(&key, "another", "a choice").await.unwrap());
    assert!(!position.update_once(&key, "a reques", "a choice").await.unwrap());
    assert!(position.update_once(&key, "a request", "a choice ü🙂\n").await.unwrap());
    assert!(!position.update_once(&key, "a request", "too late").await.unwrap());
    assert_eq!(position.peek(&key).await.unwrap().as_deref(), Some("a choice ü🙂\n"));
    assert!(position.update_once(&key, "a choice ü🙂\n", "").await.unwrap());
    assert!(position.update_once(&key, "", "last").await.unwrap());

    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("last".to_owned()));
    assert!(!position.update_once(&key, "last", "after it was taken").await.unwrap());
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Again("last".to_owned()));
}

async fn an_update_does_not_prolong_a_one_time_value(position: &Position) {
    let key = key();
    position.put_once(&key, "a request", Duration::from_millis(500)).await.unwrap();

    assert!(position.update_once(&key, "a request", "a choice").await.unwrap());
    assert_eq!(position.peek(&key).await.unwrap().as_deref(), Some("a choice"));
    position.pass(Duration::from_millis(600)).await;

    assert_eq!(position.peek(&key).await.unwrap(), None);
    assert!(!position.update_once(&key, "a choice", "too late").await.unwrap());
    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::Absent);
}

async fn of_fifty_parallel_updates_of_one_value_one_succeeds(position: &Position) {
    let key = key();
    position.put_once(&key, "a request", MINUTE).await.unwrap();

    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (ephemeral, key) = (position.ephemeral(), key.clone());
        calls.spawn(async move { ephemeral.update_once(&key, "a request", &format!("{number}")).await.unwrap() });
    }

    assert_eq!(calls.join_all().await.into_iter().filter(|updated| *updated).count(), 1);
}

async fn a_memory_is_new_once(position: &Position) {
    let key = key();

    assert!(!position.remembers(&key).await.unwrap());
    assert!(position.remember(&key, MINUTE).await.unwrap());
    assert!(!position.remember(&key, MINUTE).await.unwrap());
    assert!(position.remembers(&key).await.unwrap());
}

async fn fifty_parallel_memories_of_one_key_are_new_once(position: &Position) {
    let key = key();

    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (ephemeral, key) = (position.ephemeral(), key.clone());
        calls.spawn(async move { ephemeral.remember(&key, MINUTE).await.unwrap() });
    }

    assert_eq!(calls.join_all().await.into_iter().filter(|new| *new).count(), 1);
}

async fn a_memory_expires(position: &Position) {
    let key = key();
    position.remember(&key, Duration::from_millis(100)).await.unwrap();
    assert!(!position.remember(&key, MINUTE).await.unwrap(), "known, and remembered no longer for it");

    position.pass(Duration::from_millis(150)).await;

    assert!(!position.remembers(&key).await.unwrap());
    assert!(position.remember(&key, MINUTE).await.unwrap());
}

async fn a_hundred_parallel_counts_are_all_counted(position: &Position) {
    let key = key();

    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (ephemeral, key) = (position.ephemeral(), key.clone());
        calls.spawn(async move { ephemeral.count(&key, MINUTE).await.unwrap() });
    }
    let mut counts: Vec<_> = calls.join_all().await.into_iter().map(|counted| counted.count).collect();

    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<_>>());
    let last = position.count(&key, MINUTE).await.unwrap();
    assert_eq!(last.count, 101);
    assert!(last.resets_in <= MINUTE && last.resets_in > Duration::from_secs(30));
}

async fn a_count_starts_over_after_its_window(position: &Position) {
    let key = key();
    let window = Duration::from_millis(300);
    assert_eq!(position.count(&key, window).await.unwrap().count, 1);

    position.pass(Duration::from_millis(400)).await;

    let counted = position.count(&key, window).await.unwrap();
    assert_eq!(counted.count, 1);
    assert!(counted.resets_in > Duration::ZERO && counted.resets_in <= window);
}

async fn later_counts_do_not_prolong_the_window(position: &Position) {
    let key = key();
    let window = Duration::from_millis(400);
    position.count(&key, window).await.unwrap();

    position.pass(Duration::from_millis(200)).await;
    let second = position.count(&key, window).await.unwrap();
    position.pass(Duration::from_millis(250)).await;
    let third = position.count(&key, window).await.unwrap();

    assert!(second.resets_in <= Duration::from_millis(200));
    assert_eq!(third.count, 1);
}

async fn what_is_forgotten_starts_over(position: &Position) {
    let (counted, remembered, value, other) = (key(), key(), key(), key());
    position.count(&counted, MINUTE).await.unwrap();
    position.remember(&remembered, MINUTE).await.unwrap();
    position.count(&other, MINUTE).await.unwrap();
    position.put_once(&value, "stays", MINUTE).await.unwrap();

    for key in [&counted, &remembered, &value, &key()] {
        position.forget(key).await.unwrap();
    }

    assert_eq!(position.count(&counted, MINUTE).await.unwrap().count, 1);
    assert_eq!(position.count(&other, MINUTE).await.unwrap().count, 2);
    assert!(!position.remembers(&remembered).await.unwrap());
    assert!(position.remember(&remembered, MINUTE).await.unwrap());
    assert_eq!(position.take_once(&value).await.unwrap(), TakeOutcome::First("stays".to_owned()));
}

async fn keys_of_different_kinds_do_not_collide(position: &Position) {
    let (session, _) = position.begun().await;
    let key = session.to_string();

    assert!(position.put_once(&key, "value", MINUTE).await.unwrap());
    assert!(position.remember(&key, MINUTE).await.unwrap());
    assert_eq!(position.count(&key, MINUTE).await.unwrap().count, 1);
    position.end(&[session], MINUTE).await.unwrap();

    assert_eq!(position.take_once(&key).await.unwrap(), TakeOutcome::First("value".to_owned()));
    assert!(position.remembers(&key).await.unwrap());
    assert_eq!(position.count(&key, MINUTE).await.unwrap().count, 2);
}

async fn the_store_answers_a_ping(position: &Position) {
    position.ping().await.unwrap();
    assert!(!position.needs_replay().await.unwrap(), "nothing was lost");
    position.prune().await.unwrap();
}
