//! The hasher's public functions, with hashes made by other programs (argon2-cffi 25.1, bcrypt 5.0, Django 5.2).

use std::time::Duration;

use super::*;
use crate::clock::Stopwatch;
use crate::protocol::ErrorCode;

const PASSWORD: &str = "Grüße, Welt 7";

const FROM_ELSEWHERE: [&str; 14] = [
    "$2b$04$yvidOCSc8h.1tQ8jdnlfCOrNoQiFA.D3YmDVIM2j8ZbXFtLIMQUP2",
    "$2a$04$Y40oe34K/ZxoD6IGBWnbCuaDHvFOP.To/Jp.cW4VPO4/fHdbPpvXG",
    "$2y$04$Y40oe34K/ZxoD6IGBWnbCuaDHvFOP.To/Jp.cW4VPO4/fHdbPpvXG",
    "bcrypt$$2b$04$U6ZAZz4YafM34/FMzJscvehnvJwcfqkPIx9m1yE8a3SS1lnFGUMaK",
    "bcrypt_sha256$$2b$04$Z0sx014JXJ/aW9pJbSXIt.PrBuRmoxeBOSUiepcYoOEBU6PX3KK1O",
    "pbkdf2_sha256$1000$seasalt$/thxqczRuHZb6opBu2SlIVKrEVWAoy8uUVl2+Yf1gZ8=",
    "pbkdf2_sha1$1000$seasalt$P9czb6QcnuWD1UZwnsbDEHPkbkI=",
    "argon2$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHR2YWx1ZQ$anuWLIiLif+k8luhSt2dvJB0HnXjMPg/idWgtpZRgbE",
    "$argon2id$v=16$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MKyYmu5EpPftr7P6eTN1dcZ8kw11zGgeKG/UvE6EqWU",
    "$argon2i$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$3M7040bfUPRL/4JImshwRZXWBQsEKIZwjVOkLfN6unI",
    "$argon2i$v=16$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$+VwH1aK3sNhZlo/2eVUFha/DFv2+ejDwHJJnZPLAZcg",
    "$argon2d$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$3X+C4YQS6Q6oquywkjvZoGXzOWzOybLb7ErIHrzT/XM",
    "$argon2d$v=16$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$DOmfWtgwtISAptde7BBymeGiJt16uCKkguBPNnQA+jk",
    "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Dk1t5ddbF98+CbL98YnIgg",
];

/// Made by another program with the parameters of [`small`].
const AS_HERE: &str = "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1sxstQc8kxzgiXzwSwEdKiTIvo34dKN9Wsi7jtQaGVE";

/// bcrypt of 72 times `x`.
const OF_72_BYTES: &str = "$2b$04$7YfnlTqUDNsXu6yRdmvLwORjedEhdT8Qnhn5sRWnuThhh2Zmaldxi";

fn small() -> crate::config::Passwords {
    crate::config::Passwords { memory_kib: 64, iterations: 2, parallelism: 1, threads: 1, ..Default::default() }
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

async fn verify(password: &str, stored: &str) -> Verdict {
    Hasher::start(&small()).verify(&secret(password), Some(stored)).await.unwrap()
}

#[tokio::test]
async fn a_password_is_right_for_its_own_hash_only() {
    let hasher = Hasher::start(&small());

    let hash = hasher.hash(&secret(PASSWORD)).await.unwrap();

    assert!(hash.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{hash}");
    assert!(is_known_form(&hash));
    assert_eq!(hasher.verify(&secret(PASSWORD), Some(&hash)).await.unwrap(), Verdict::Right);
    assert_eq!(hasher.verify(&secret("Grüße, Welt 8"), Some(&hash)).await.unwrap(), Verdict::Wrong);
    assert_ne!(hasher.hash(&secret(PASSWORD)).await.unwrap(), hash, "the same salt twice");
}

#[tokio::test]
async fn a_hash_made_as_here_is_current_and_any_other_is_outdated() {
    assert_eq!(verify(PASSWORD, AS_HERE).await, Verdict::Right);
    for stored in FROM_ELSEWHERE {
        assert!(is_known_form(stored), "{stored}");
        assert_eq!(verify(PASSWORD, stored).await, Verdict::RightButOutdated, "{stored}");
        assert_eq!(verify("grüße, Welt 7", stored).await, Verdict::Wrong, "{stored}");
    }
}

#[tokio::test]
async fn other_parameters_make_a_hash_outdated() {
    let before = Hasher::start(&small()).hash(&secret(PASSWORD)).await.unwrap();
    let stronger = Hasher::start(&crate::config::Passwords { iterations: 3, ..small() });
    let weaker = Hasher::start(&crate::config::Passwords { memory_kib: 32, ..small() });

    assert_eq!(stronger.verify(&secret(PASSWORD), Some(&before)).await.unwrap(), Verdict::RightButOutdated);
    assert_eq!(weaker.verify(&secret(PASSWORD), Some(&before)).await.unwrap(), Verdict::RightButOutdated);
}

#[tokio::test]
async fn every_byte_of_a_long_password_counts() {
    let hasher = Hasher::start(&small());
    let longest = "x".repeat(1024);
    let hash = hasher.hash(&secret(&longest)).await.unwrap();

    let changed = format!("{}y", "x".repeat(1023));
    let longer = "x".repeat(1025);

    assert_eq!(hasher.verify(&secret(&longest), Some(&hash)).await.unwrap(), Verdict::Right);
    assert_eq!(hasher.verify(&secret(&changed), Some(&hash)).await.unwrap(), Verdict::Wrong);
    assert_eq!(hasher.verify(&secret(&longer), Some(&hash)).await.unwrap(), Verdict::Wrong);
    let refused = hasher.hash(&secret(&longer)).await.unwrap_err();
    assert_eq!(refused.oauth_code(), Some(ErrorCode::InvalidRequest));
}

#[tokio::test]
async fn bcrypt_is_not_asked_about_what_it_would_cut_off() {
    assert_eq!(verify(&"x".repeat(72), OF_72_BYTES).await, Verdict::RightButOutdated);
    assert_eq!(verify(&"x".repeat(73), OF_72_BYTES).await, Verdict::Wrong);
}

#[tokio::test]
async fn a_hash_of_no_known_form_fits_no_password() {
    for stored in ["", "!", "plain", PASSWORD] {
        assert_eq!(verify(PASSWORD, stored).await, Verdict::Wrong);
    }
}

#[test]
fn forms_that_are_malformed_unknown_or_too_costly_are_not_known() {
    let hash = "c29tZXNhbHR2YWx1ZQ$anuWLIiLif+k8luhSt2dvJB0HnXjMPg/idWgtpZRgbE";
    let bcrypt = &OF_72_BYTES[7..];
    let django = "/thxqczRuHZb6opBu2SlIVKrEVWAoy8uUVl2+Yf1gZ8=";
    for text in [
        String::new(),
        "!".to_owned(),
        "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        format!("$argon2id$v=19$m=262145,t=2,p=1${hash}"),
        format!("$argon2id$v=19$m=64,t=11,p=1${hash}"),
        format!("$argon2id$v=19$m=1024,t=2,p=17${hash}"),
        format!("$argon2id$v=18$m=64,t=2,p=1${hash}"),
        format!("$argon2id$v=19$m=64,t=2${hash}"),
        format!("$argon2id$v=19$m=64,t=2,p=1,data=AAAA${hash}"),
        format!("$argon2x$v=19$m=64,t=2,p=1${hash}"),
        "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHR2YWx1ZQ".to_owned(),
        "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHR2YWx1ZQ$anuWLIiLif+k8lu".to_owned(),
        format!("$2b$16${bcrypt}"),
        format!("$2b$03${bcrypt}"),
        format!("$2x$04${bcrypt}"),
        format!("$2b$04${bcrypt}x"),
        format!("bcrypt_sha256$2b$04${bcrypt}"),
        format!("pbkdf2_sha256$5000001$seasalt${django}"),
        format!("pbkdf2_sha256$0$seasalt${django}"),
        format!("pbkdf2_sha256$1000$${django}"),
        format!("pbkdf2_sha256$1000$seasalt${django}$"),
        format!("pbkdf2_sha1$1000$seasalt${django}"),
        format!("pbkdf2_md5$1000$seasalt${django}"),
    ] {
        assert!(!is_known_form(&text), "{text}");
    }
}

#[test]
fn an_unknown_user_costs_as_much_as_a_wrong_password() {
    let settings = crate::config::Passwords { memory_kib: 2048, ..small() };
    let (argon, mut memory) = (Argon::new(&settings), Memory::for_hashes_of(&settings));
    let stored = StoredHash::parse(&argon.hash(&secret(PASSWORD), [7; 16], &mut memory).unwrap()).unwrap();
    let mut time = |password: &Secret, stored: Option<&StoredHash>| {
        let stopwatch = Stopwatch::start();
        assert_eq!(compare(argon, password, stored, &mut memory), Verdict::Wrong);
        stopwatch.elapsed()
    };

    let wrong = secret("wrong");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        known.push(time(&wrong, Some(&stored)));
        unknown.push(time(&wrong, None));
    }

    let (known, unknown) = (least(&known), least(&unknown));
    assert!(unknown < known * 3 / 2 && known < unknown * 3 / 2, "known {known:?}, unknown {unknown:?}");
}

/// The minimum is the cost of the work; the rest is other load on the machine.
fn least(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}
