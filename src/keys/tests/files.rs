use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::super::files::{self, WriteOutcome};
use super::super::master_key::{MasterKeys, make_master_key, write_master_key};
use super::put;
use crate::clock::Random;
use crate::config;
use crate::model::Secret;

#[test]
fn a_master_key_is_written_privately_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/master.key");
    let random = Random::default();
    let key = make_master_key(&random);

    write_master_key(&path, &key, &random).unwrap();

    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{key}\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_master_key_that_exists_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let random = Random::default();
    put(&path, "old", 0o600);

    let written = write_master_key(&path, &make_master_key(&random), &random).unwrap();

    assert_eq!(written, WriteOutcome::Existed);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn of_many_who_write_the_same_file_one_wins_and_the_others_find_it_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let texts: Vec<String> = (0..8).map(|number| number.to_string().repeat(40)).collect();

    let written: Vec<WriteOutcome> = std::thread::scope(|scope| {
        let write = |text| files::write_new(&path, text, &Random::default()).unwrap();
        let writers: Vec<_> = texts.iter().map(|text| scope.spawn(move || write(text))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });

    assert_eq!(written.iter().filter(|written| **written == WriteOutcome::New).count(), 1);
    assert!(texts.contains(&fs::read_to_string(&path).unwrap()));
}

#[test]
fn a_broken_master_key_file_is_refused_with_its_name_and_the_fix() {
    let good = make_master_key(&Random::default());
    let half = &good[..20];
    let open = "run `chmod 600 {}`";
    for (text, mode, fix) in [
        ("", 0o600, "is empty"),
        (" \n", 0o600, "is empty"),
        (half, 0o600, "holds 15 bytes (is it cut off?): a master key is 32 random bytes in base64"),
        (&good[..21], 0o600, "is not base64 (or is cut off)"),
        ("correct horse battery staple", 0o600, "is not base64"),
        ("\u{fffd}", 0o600, "is not base64"),
        (&good, 0o644, open),
        (&good, 0o640, open),
        (&good, 0o602, open),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        put(&path, text, mode);

        let error = MasterKeys::find(&settings(&path)).err().unwrap().0;

        assert!(error.starts_with(path.to_str().unwrap()), "{error}");
        assert!(error.contains(&fix.replace("{}", path.to_str().unwrap())), "{error}");
        assert!(!error.contains(half), "{error}");
    }
}

#[test]
fn a_master_key_that_is_a_directory_or_not_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = MasterKeys::find(&settings(folder.path())).err().unwrap().0;
    assert!(error.contains("is a directory where a file is expected"), "{error}");

    let path = folder.path().join("master.key");
    put(&path, [0xff, 0xfe, 0x00], 0o600);
    let error = MasterKeys::find(&settings(&path)).err().unwrap().0;
    assert!(error.contains("is not text"), "{error}");

    put(&path, vec![b'A'; 100_000], 0o600);
    let error = MasterKeys::find(&settings(&path)).err().unwrap().0;
    assert!(error.contains("too long"), "{error}");
}

#[test]
fn a_broken_master_key_in_the_environment_is_refused_by_the_name_of_its_variable() {
    let good = make_master_key(&Random::default());
    let cases = [
        (Some("a"), None, "TOKENHOUSE_MASTER_KEY is"),
        (Some("AAAA"), None, "TOKENHOUSE_MASTER_KEY holds 3 bytes"),
        (Some(&*good), Some(""), "TOKENHOUSE_MASTER_KEY_PREVIOUS is empty"),
    ];
    for (current, previous, message) in cases {
        let settings = config::Keys {
            master_key: current.map(Secret::new),
            master_key_previous: previous.map(Secret::new),
            ..config::Keys::default()
        };
        let error = MasterKeys::find(&settings).err().unwrap().0;
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_master_key_is_read_as_people_write_it() {
    let key = make_master_key(&Random::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let mut checks = Vec::new();
    for text in [key.clone(), format!("{key}\n"), format!("  {key}\r\n"), key.trim_end_matches('=').to_owned()] {
        put(&path, text, 0o400);
        checks.push(MasterKeys::find(&settings(&path)).unwrap().unwrap().current.check().to_vec());
    }
    checks.dedup();
    assert_eq!(checks.len(), 1);
}

#[test]
fn what_is_derived_depends_on_the_key_the_label_and_the_text() {
    let derive = |key: &str, label, text: &[u8]| {
        let settings = config::Keys { master_key: Some(Secret::new(key)), ..config::Keys::default() };
        MasterKeys::find(&settings).unwrap().unwrap().current.derive(label, text)
    };
    let (one, two) = (make_master_key(&Random::default()), make_master_key(&Random::default()));
    assert_eq!(derive(&one, "jti", b"text"), derive(&one, "jti", b"text"));
    let values = [
        derive(&one, "jti", b"text"),
        derive(&two, "jti", b"text"),
        derive(&one, "jt", b"itext"),
        derive(&one, "jtit", b"ext"),
        derive(&one, "jti", b""),
    ];
    for (position, value) in values.iter().enumerate() {
        assert!(!values[..position].contains(value), "{position}");
    }
}

/// Detects a change to the derivation, which would make every database unreadable.
#[test]
fn the_derivation_stays_as_it_is() {
    let settings = config::Keys {
        master_key: Some(Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")),
        ..config::Keys::default()
    };
    let key = MasterKeys::find(&settings).unwrap().unwrap().current;
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(hex(key.check()), "a757e5bcd986733bd1df6463bbb7c7c8b5b343b7c1de27934b7b96e2c5880c5c");
    assert_eq!(hex(&key.derive("jti", b"text")), "bcc36bffa57b4f2eed00fe50f501ece7");
    assert_eq!(
        key.refresh.sign(&1).unwrap(),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCIsImtpZCI6IklWN1RzS2dIIn0.MQ.m5sbD2BCpae1G2ksq8gHyJVqJxJ0XPVkJNJGIIC0yc4"
    );
}

fn settings(path: &std::path::Path) -> config::Keys {
    config::Keys { master_key_file: path.to_owned(), ..config::Keys::default() }
}

#[test]
fn what_is_no_folder_is_named_when_keys_are_looked_for_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    put(&file, "text", 0o600);

    let listed = files::pem_files(&file).unwrap_err().0;
    let read = files::read(&file.join("master.key")).unwrap_err().0;
    let written = files::write_new(&file.join("master.key"), "key", &Random::default()).unwrap_err().0;

    assert!(listed.starts_with(&format!("{} cannot be listed: ", file.display())), "{listed}");
    let key = file.join("master.key");
    assert!(read.starts_with(&format!("{} cannot be read: ", key.display())), "{read}");
    assert!(written.starts_with(&format!("{} cannot be written: ", key.display())), "{written}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
    assert_eq!(files::pem_files(&folder.path().join("nowhere")).unwrap(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_key_that_cannot_have_its_name_leaves_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    let too_long = folder.path().join("k".repeat(300));

    let error = files::write_new(&too_long, "key", &Random::default()).unwrap_err().0;

    assert!(error.contains("cannot be written"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no draft is left");
}
