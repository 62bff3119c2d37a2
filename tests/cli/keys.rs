//! `tokenhouse keys …`

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::program::Workplace;

#[test]
fn a_master_key_is_made_once_and_never_overwritten() {
    let position = Workplace::fresh();
    let made = position.run(&["keys", "master"]).good();
    let key = fs::read_to_string(position.path("keys/master.key")).unwrap();

    let again = position.run(&["keys", "master"]).good();

    assert!(made.starts_with("Wrote a master key to keys/master.key."), "{made}");
    assert!(!made.contains(key.trim()));
    assert_eq!(again, "keys/master.key exists already and is left as it is.\n");
    assert_eq!(fs::read_to_string(position.path("keys/master.key")).unwrap(), key);
    assert_eq!(mode(&position, "keys/master.key"), 0o600);
    assert_eq!(position.run(&["keys", "list", "--json"]).json().as_array().unwrap().len(), 2);
}

#[test]
fn keys_are_listed_rotated_imported_and_removed() {
    let position = Workplace::fresh();
    let keys = position.run(&["keys", "list", "--json"]).json();
    let next = kid_in(&keys, "next");
    let listed = position.run(&["keys", "list"]).good();
    assert!(listed.contains(&format!("{next} ES256 next since ")) && listed.contains(", ripe at "), "{listed}");

    let unripe = position.run(&["keys", "rotate"]).bad();
    assert!(unripe.starts_with("tokenhouse: the next ES256 key is ripe at 20"), "{unripe}");
    assert!(unripe.contains("--now"), "{unripe}");
    assert_eq!(position.run(&["keys", "list", "--json"]).json(), keys, "nothing was rotated");
    let rotated = position.run(&["keys", "rotate", "--now", "--json"]).json();
    assert_eq!(kid_in(&rotated, "active"), next);

    let removed = position.run(&["keys", "remove", &next]).good();
    assert!(removed.starts_with("Removed"), "{removed}");
    let again = position.run(&["keys", "remove", &next]).bad();
    assert_eq!(again, format!("tokenhouse: there is no key `{next}`, or it was removed before\n"));
    let hyphen = position.run(&["keys", "remove", "-lUyp7T"]).bad();
    assert_eq!(hyphen, "tokenhouse: there is no key `-lUyp7T`, or it was removed before\n");

    let pem = position.write("new.pem", EC_KEY);
    let imported = position.run(&["keys", "import", pem.to_str().unwrap(), "--json"]).json();
    assert_eq!(imported["state"], "next");
    assert_eq!(
        position.run(&["keys", "import", "nowhere.pem"]).bad(),
        "tokenhouse: nowhere.pem: No such file or directory (os error 2)\n"
    );
    let nonsense = position.write("nonsense.pem", "nonsense");
    let refused = position.run(&["keys", "import", nonsense.to_str().unwrap()]).bad();
    assert!(refused.starts_with("tokenhouse: ") && !refused.contains("invalid_request"), "{refused}");
}

#[test]
fn what_a_start_leaves_on_the_disk_is_for_its_owner_alone() {
    let position = Workplace::fresh();

    position.run(&["migrate"]).good();
    position.run(&["user", "list"]).good();

    for (name, expected) in [("keys", 0o700), ("keys/master.key", 0o600), ("data/tokenhouse.db", 0o600)] {
        assert_eq!(mode(&position, name), expected, "{name}");
    }
    for name in ["data/tokenhouse.db-wal", "data/tokenhouse.db-shm"] {
        if position.path(name).exists() {
            assert_eq!(mode(&position, name), 0o600, "{name}");
        }
    }
}

fn mode(position: &Workplace, name: &str) -> u32 {
    fs::metadata(position.path(name)).unwrap().permissions().mode() & 0o777
}

fn kid_in(keys: &Value, state: &str) -> String {
    let key = keys.as_array().unwrap().iter().find(|key| key["state"] == state).unwrap();
    key["kid"].as_str().unwrap().to_owned()
}

/// Made by openssl for this test.
const EC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsggusZEhCXWbEHK7
RqrnxPWff5vGcwV056WI+JgrIdChRANCAASohkXBTQedZRa5/RglbSvvOmMAZeHJ
hx40bJHR6hyCuZb5KR6Wf8clM6JAPmL1vAZov5dPk6RCsIk8vIi6BZ7x
-----END PRIVATE KEY-----";
