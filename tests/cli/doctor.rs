//! `tokenhouse doctor`

use serde_json::Value;

use crate::support::private_redis::PrivateRedis;
use crate::support::program::Workplace;

#[test]
fn a_server_that_is_well_is_told_so() {
    let workplace = Workplace::fresh();

    let words = workplace.run(&["doctor"]).good();
    let findings = workplace.run(&["doctor", "--json"]).json();

    assert!(words.lines().all(|line| line.starts_with("ok   ")), "{words}");
    let looked_at: Vec<&str> = findings.as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(looked_at, ["configuration", "issuer", "database", "ephemeral store", "keys", "clock"]);
}

#[test]
fn a_keys_folder_that_others_can_read_is_named_with_its_fix() {
    let workplace = Workplace::fresh();
    workplace.run(&["doctor"]).good();
    let chmod = |mode: &str, name: &str| {
        let path = workplace.path(name);
        assert!(std::process::Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
    };

    chmod("644", "keys/master.key");
    let open = workplace.run(&["doctor"]).bad();
    assert!(open.contains("FIX  start: ") && open.contains("chmod 600 keys/master.key"), "{open}");

    chmod("600", "keys/master.key");
    workplace.write("keys/broken.pem", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n");
    chmod("600", "keys/broken.pem");
    let broken = workplace.run(&["doctor", "--json"]);
    assert_eq!(broken.code, Some(1));
    let findings: Value = serde_json::from_str(&broken.out).unwrap();
    let bad = findings.as_array().unwrap().iter().find(|finding| finding["good"] == false).unwrap();
    assert!(bad["says"].as_str().unwrap().contains("keys/broken.pem"), "{bad}");
    std::fs::remove_file(workplace.path("keys/broken.pem")).unwrap();

    std::fs::remove_file(workplace.path("keys/master.key")).unwrap();
    let lost = workplace.run(&["doctor"]).bad();
    assert!(lost.contains("restore it from a backup"), "{lost}");
    workplace.run(&["keys", "master"]).good();
    let wrong = workplace.run(&["doctor"]).bad();
    assert!(wrong.contains("is not the one that the database is sealed under"), "{wrong}");
}

#[test]
fn a_redis_that_is_well_is_told_from_one_that_is_not() {
    if crate::support::only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let mut workplace = Workplace::fresh();
    workplace.set("REDIS_URL", &redis.url());
    let well = workplace.run(&["doctor"]).good();
    assert!(well.contains("ok   ephemeral store: Redis answers"), "{well}");
    assert!(well.contains("ok   clock: "), "{well}");

    redis.kill();

    let away = workplace.run(&["doctor"]).bad();
    assert!(away.contains("FIX  ephemeral store: ") && away.contains("check REDIS_URL"), "{away}");
    let Some(evicts) = PrivateRedis::start(&["--maxmemory-policy", "allkeys-lru"]) else { return };
    workplace.set("REDIS_URL", &evicts.url());
    let unsafe_policy = workplace.run(&["doctor"]).bad();
    assert!(unsafe_policy.contains("set maxmemory-policy noeviction"), "{unsafe_policy}");
}

#[test]
fn a_database_that_is_away_is_named() {
    let mut workplace = Workplace::fresh();
    workplace.set("DATABASE_URL", "postgres://nobody:a-database-password@127.0.0.1:1/nothing");

    let away = workplace.run(&["doctor"]).bad();

    let says = "FIX  start: cannot reach the database at 127.0.0.1:1 (start PostgreSQL, or correct DATABASE_URL): ";
    assert!(away.contains(says), "{away}");
    assert!(!away.contains("a-database-password"), "{away}");
}
