//! `tokenhouse keys …`

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::program::Workplace;

#[test]
fn a_master_key_is_made_once_and_never_overwritten() {
    let workplace = Workplace::fresh();
    let made = workplace.run(&["keys", "master"]).good();
    let key = fs::read_to_string(workplace.path("keys/master.key")).unwrap();

    let again = workplace.run(&["keys", "master"]).good();

    assert!(made.starts_with("Wrote a master key to keys/master.key."), "{made}");
    assert!(!made.contains(key.trim()));
    assert_eq!(again, "keys/master.key exists already and is left as it is.\n");
    assert_eq!(fs::read_to_string(workplace.path("keys/master.key")).unwrap(), key);
    assert_eq!(mode(&workplace, "keys/master.key"), 0o600);
    assert_eq!(workplace.run(&["keys", "list", "--json"]).json().as_array().unwrap().len(), 2);
}

#[test]
fn keys_are_listed_rotated_imported_and_removed() {
    let workplace = Workplace::fresh();
    let keys = workplace.run(&["keys", "list", "--json"]).json();
    let next = kid_in(&keys, "next");
    let listed = workplace.run(&["keys", "list"]).good();
    assert!(listed.contains(&format!("{next} ES256 next since ")) && listed.contains(", ripe at "), "{listed}");

    let unripe = workplace.run(&["keys", "rotate"]).bad();
    assert!(unripe.starts_with("tokenhouse: the next ES256 key is ripe at 20"), "{unripe}");
    assert!(unripe.contains("--now"), "{unripe}");
    assert_eq!(workplace.run(&["keys", "list", "--json"]).json(), keys, "nothing was rotated");
    let rotated = workplace.run(&["keys", "rotate", "--now", "--json"]).json();
    assert_eq!(kid_in(&rotated, "active"), next);

    let removed = workplace.run(&["keys", "remove", &next]).good();
    assert!(removed.starts_with("Removed"), "{removed}");
    let again = workplace.run(&["keys", "remove", &next]).bad();
    assert_eq!(again, format!("tokenhouse: there is no key `{next}`, or it was removed before\n"));
    let hyphen = workplace.run(&["keys", "remove", "-lUyp7T"]).bad();
    assert_eq!(hyphen, "tokenhouse: there is no key `-lUyp7T`, or it was removed before\n");

    let pem = workplace.write("new.pem", EC_KEY);
    let imported = workplace.run(&["keys", "import", pem.to_str().unwrap(), "--json"]).json();
    assert_eq!(imported["state"], "next");
    assert_eq!(
        workplace.run(&["keys", "import", "nowhere.pem"]).bad(),
        "tokenhouse: nowhere.pem: No such file or directory (os error 2)\n"
    );
    let nonsense = workplace.write("nonsense.pem", "nonsense");
    let refused = workplace.run(&["keys", "import", nonsense.to_str().unwrap()]).bad();
    assert!(refused.starts_with("tokenhouse: ") && !refused.contains("invalid_request"), "{refused}");
}

#[test]
fn what_a_start_leaves_on_the_disk_is_for_its_owner_alone() {
    let workplace = Workplace::fresh();

    workplace.run(&["migrate"]).good();
    workplace.run(&["user", "list"]).good();

    for (name, expected) in [("keys", 0o700), ("keys/master.key", 0o600), ("data/tokenhouse.db", 0o600)] {
        assert_eq!(mode(&workplace, name), expected, "{name}");
    }
    for name in ["data/tokenhouse.db-wal", "data/tokenhouse.db-shm"] {
        if workplace.path(name).exists() {
            assert_eq!(mode(&workplace, name), 0o600, "{name}");
        }
    }
}

fn mode(workplace: &Workplace, name: &str) -> u32 {
    fs::metadata(workplace.path(name)).unwrap().permissions().mode() & 0o777
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
