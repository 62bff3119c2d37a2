//! Every page in every state. `cargo test --lib write_every_page -- --ignored` writes them to `target/gallery` for
//! review, each with its policy.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::to_bytes;

use super::*;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{Error, Internal};
use crate::http::error::PageRefusal;
use crate::model::UserAgent;
use crate::protocol::ErrorCode;

fn page_context(language: Language) -> PageContext {
    let mut config = Config::default();
    config.branding.policy_uri = Some("https://id.example.com/privacy".to_owned());
    config.branding.terms_uri = Some("https://id.example.com/terms".to_owned());
    PageContext::new(
        Arc::new(Brand::load(&config).unwrap()),
        language,
        Some("0198c6a2f1e14c7ab1f0c2d3e4f50617".to_owned()),
    )
}

fn notes() -> Application {
    Application {
        name: "Harbour Notes".to_owned(),
        logo_uri: None,
        client_uri: Some("https://notes.example.com/about".to_owned()),
        policy_uri: Some("https://notes.example.com/privacy".to_owned()),
        tos_uri: Some("https://notes.example.com/terms".to_owned()),
        verified: true,
        redirect_uri: Some("https://notes.example.com/callback".to_owned()),
    }
}

fn stranger() -> Application {
    Application {
        name: "<img src=x onerror=alert(1)> \u{202e}reverof & Sons' Extraordinarily Long-Named Photograph Printing"
            .to_owned(),
        client_uri: Some("https://photos.example.net".to_owned()),
        redirect_uri: Some("com.example.photos:/signed-in".to_owned()),
        ..Application::default()
    }
}

fn sign_in_page() -> SignIn {
    SignIn {
        interaction: Some("t-1".to_owned()),
        csrf: "c-1".to_owned(),
        application: Some(notes()),
        ..SignIn::default()
    }
}

fn consent_page() -> Consent {
    Consent {
        interaction: Some("t-1".to_owned()),
        csrf: "c-1".to_owned(),
        application: notes(),
        user: "ada".to_owned(),
        user_id: "u-1".to_owned(),
        scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
        problem: None,
    }
}

fn account_page() -> Account {
    let now = Timestamp::from_seconds(1_790_000_000);
    let ago = |hours: u64| now.minus(Duration::from_secs(hours * 3600));
    let browser_session =
        |id: &str, user_agent: &str, address: Option<&str>, (since, used): (u64, u64), is_this| SignedInBrowser {
            id: id.to_owned(),
            user_agent: UserAgent { name: Some(user_agent.to_owned()), address: address.map(str::to_owned) },
            since: ago(since),
            last_used: ago(used),
            is_this,
        };
    let connected_application = |application: Application, scopes: &[&str], last_used| ConnectedApplication {
        id: "c".to_owned(),
        application,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        since: ago(3000),
        last_used,
    };
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
    Account {
        csrf: "c-1".to_owned(),
        user: "ada".to_owned(),
        browser_sessions: vec![
            browser_session("l-1", firefox, Some("192.0.2.17"), (26, 0), true),
            browser_session("l-2", phone, Some("2001:db8:85a3::8a2e:370:7334"), (200, 5), false),
            browser_session("l-3", "SmartFridge 3 & <friends>", None, (2000, 900), false),
        ],
        applications: vec![
            connected_application(notes(), &["openid", "profile", "email", "offline_access"], Some(ago(1))),
            connected_application(
                stranger(),
                &["openid", "phone", "address", "roles", "groups", "printing:<b>jobs</b>"],
                None,
            ),
        ],
        minimum_length: 8,
        done: None,
        problem: None,
        stopped: None,
        now,
    }
}

fn sign_in_states(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let with = |problem, hint: &str| {
        sign_in(page_context, &SignIn { problem: Some(problem), hint: Some(hint.to_owned()), ..sign_in_page() })
    };
    vec![
        ("sign-in", sign_in(page_context, &sign_in_page())),
        ("sign-in-alone", sign_in(page_context, &SignIn { csrf: "c-1".to_owned(), ..SignIn::default() })),
        ("sign-in-hint", sign_in(page_context, &SignIn { hint: Some("ada@example.com".to_owned()), ..sign_in_page() })),
        (
            "sign-in-again",
            sign_in(page_context, &SignIn { hint: Some("ada".to_owned()), again: true, ..sign_in_page() }),
        ),
        ("sign-in-stranger", sign_in(page_context, &SignIn { application: Some(stranger()), ..sign_in_page() })),
        ("sign-in-wrong", with(Problem::WrongPassword, "\"><svg onload=alert(1)>")),
        ("sign-in-missing", with(Problem::Missing, "")),
        ("sign-in-too-many", with(Problem::TooManyTries(Duration::from_secs(47)), "ada")),
        ("sign-in-too-many-minutes", with(Problem::TooManyTries(Duration::from_secs(700)), "ada")),
        ("sign-in-unavailable", with(Problem::Unavailable(Duration::from_secs(1)), "ada")),
        ("sign-in-old", with(Problem::PageWasOld, "ada")),
    ]
}

fn choose_and_consent_states(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let choose = ChooseAccount {
        interaction: Some("t-1".to_owned()),
        csrf: "c-1".to_owned(),
        application: Some(notes()),
        user: "ada".to_owned(),
        problem: None,
    };
    let every =
        ["openid", "profile", "email", "address", "phone", "offline_access", "roles", "groups", "notes:<write>"];
    let strange = Consent {
        application: stranger(),
        user: "<b>ada</b>@example.com".to_owned(),
        scopes: every.map(str::to_owned).to_vec(),
        ..consent_page()
    };
    let loopback = Application { redirect_uri: Some("http://127.0.0.1:4000/cb".to_owned()), ..notes() };
    vec![
        ("choose-account", choose_account(page_context, &choose)),
        ("choose-account-alone", choose_account(page_context, &ChooseAccount { application: None, ..choose })),
        ("consent", consent(page_context, &consent_page())),
        ("consent-stranger", consent(page_context, &strange)),
        (
            "consent-loopback",
            consent(page_context, &Consent { application: loopback, scopes: Vec::new(), ..consent_page() }),
        ),
        ("consent-old", consent(page_context, &Consent { problem: Some(Problem::PageWasOld), ..consent_page() })),
    ]
}

fn account_states(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let with = |problem| account(page_context, &Account { problem: Some(problem), ..account_page() });
    let done = |done| account(page_context, &Account { done: Some(done), ..account_page() });
    let alone = Account {
        browser_sessions: account_page().browser_sessions[..1].to_vec(),
        applications: Vec::new(),
        ..account_page()
    };
    vec![
        ("account", account(page_context, &account_page())),
        ("account-alone", account(page_context, &alone)),
        ("account-browser-session-ended", done(AccountNotice::BrowserSessionEnded)),
        ("account-others-ended", done(AccountNotice::OthersEnded)),
        ("account-withdrawn", done(AccountNotice::Withdrawn)),
        ("account-password-changed", done(AccountNotice::PasswordChanged)),
        ("account-password-wrong", with(PasswordProblem::WrongCurrent)),
        ("account-password-missing", with(PasswordProblem::Missing)),
        ("account-password-not-same", with(PasswordProblem::NotTheSame)),
        ("account-password-short", with(PasswordProblem::TooShort(8))),
        ("account-password-long", with(PasswordProblem::TooLong)),
        ("account-password-name", with(PasswordProblem::LikeTheName)),
        ("account-password-common", with(PasswordProblem::Common)),
        ("account-old", account(page_context, &Account { stopped: Some(Problem::PageWasOld), ..account_page() })),
        ("account-password-many", with(PasswordProblem::Other(Problem::TooManyTries(Duration::from_secs(9))))),
    ]
}

fn logout_states(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let question = LogoutPage {
        csrf: "c-1".to_owned(),
        user: "ada".to_owned(),
        application: Some("Harbour Notes".to_owned()),
        ..LogoutPage::default()
    };
    let end = LoggedOutPage {
        application: Some("Harbour Notes".to_owned()),
        continue_to: Some("https://notes.example.com/bye?state=a%22b&x=1".to_owned()),
        frames: vec!["https://notes.example.com/out?iss=https%3A%2F%2Fid.example.com&sid=1".to_owned()],
        is_pending: false,
    };
    let pending = LoggedOutPage { is_pending: true, ..LoggedOutPage::default() };
    let post = FormPost {
        action: "https://notes.example.com/callback".to_owned(),
        fields: vec![
            ("code".to_owned(), "abc".to_owned()),
            ("state".to_owned(), "\"><svg onload=alert(1)>".to_owned()),
        ],
        application: Some("Harbour Notes".to_owned()),
    };
    vec![
        ("sign-out", logout(page_context, &question)),
        ("sign-out-alone", logout(page_context, &LogoutPage { application: None, ..question })),
        ("signed-out", signed_out(page_context, &LoggedOutPage::default())),
        ("signed-out-pending", signed_out(page_context, &pending)),
        ("signed-out-going-on", signed_out(page_context, &end)),
        ("signed-out-to-somewhere", signed_out(page_context, &LoggedOutPage { application: None, ..end })),
        ("form-post", form_post(page_context, &post)),
        ("form-post-alone", form_post(page_context, &FormPost { application: None, ..post })),
    ]
}

fn error_page_states(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let refused = |error: Error| error_page(page_context, &PageRefusal::from(error));
    vec![
        ("error-request", refused(Error::invalid_request("redirect_uri is not one of those that are registered"))),
        ("error-not-found", refused(Error::NotFound("there is no such client".into()))),
        ("error-refused", refused(Error::oauth(ErrorCode::InsufficientScope, "not for you"))),
        ("error-too-many", refused(Error::TooManyRequests(Duration::from_secs(30)))),
        ("error-away", refused(Error::unavailable("gone"))),
        ("error-unfinished", refused(Error::unavailable("gone").unfinished())),
        ("error-ours", refused(Error::Internal(Internal::inconsistent("broken")))),
        (
            "error-expired",
            error_page(
                page_context,
                &PageRefusal::of_an_interaction(Error::invalid_request("this authorization took too long")),
            ),
        ),
        ("error-cookies", error_page(page_context, &PageRefusal::NoCookies)),
    ]
}

fn every_state(page_context: &PageContext) -> Vec<(&'static str, HttpResponse)> {
    let states = [sign_in_states, choose_and_consent_states, account_states, logout_states, error_page_states];
    states.into_iter().flat_map(|states| states(page_context)).collect()
}

async fn text(answer: HttpResponse) -> String {
    String::from_utf8(to_bytes(answer.into_body()).await.ok().unwrap().to_vec()).unwrap()
}

#[actix_web::test]
async fn every_page_can_be_written_in_every_language() {
    for language in Language::ALL {
        for (name, answer) in every_state(&page_context(language)) {
            let html = text(answer).await;
            assert!(html.starts_with("<!doctype html>"), "{name}: {html}");
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())), "{name}");
        }
    }
}

#[actix_web::test]
#[ignore = "writes every page to target/gallery, to be looked at"]
async fn write_every_page() {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    let write = |folder: &str, name: &str, content: &[u8]| {
        std::fs::create_dir_all(gallery.join(folder)).unwrap();
        std::fs::write(gallery.join(folder).join(name), content).unwrap();
    };
    for language in Language::ALL {
        let page_context = page_context(language);
        page_context.brand.assets().for_each(|asset| write("assets", &asset.name, &asset.body));
        for (name, answer) in every_state(&page_context) {
            let policy = answer.headers().get("content-security-policy").unwrap().as_bytes().to_vec();
            write(language.tag(), &format!("{name}.csp"), &policy);
            write(language.tag(), &format!("{name}.html"), text(answer).await.as_bytes());
        }
    }
}

#[actix_web::test]
async fn nothing_that_comes_from_outside_is_markup_on_any_page() {
    for (name, answer) in every_state(&page_context(Language::English)) {
        let html = text(answer).await;
        for planted in ["<img src=x", "<svg onload", "<b>", "<friends>", "notes:<write>", "a%22b&x"] {
            assert!(!html.contains(planted), "{name}: {planted}");
        }
    }
}

#[actix_web::test]
async fn every_page_forbids_frames_caches_and_foreign_resources() {
    for (name, answer) in every_state(&page_context(Language::English)) {
        let header = |header: &str| answer.headers().get(header).unwrap().to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self'"), "{name}: {policy}");
        assert!(policy.ends_with("; base-uri 'none'; frame-ancestors 'none'"), "{name}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{name}: {policy}");
        assert_eq!(policy.contains("script-src"), name.starts_with("form-post"), "{name}: {policy}");
        assert_eq!(header("x-frame-options"), "DENY", "{name}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{name}");
        assert_eq!(header("cache-control"), "no-store", "{name}");
        assert_eq!(header("content-language"), "en", "{name}");
    }
}

#[actix_web::test]
async fn a_page_says_by_its_status_what_is_the_matter() {
    let statuses: std::collections::BTreeMap<&str, u16> = every_state(&page_context(Language::English))
        .into_iter()
        .map(|(name, answer)| (name, answer.status().as_u16()))
        .collect();
    for (name, status) in [
        ("sign-in", 200),
        ("sign-in-wrong", 403),
        ("sign-in-too-many", 429),
        ("sign-in-unavailable", 503),
        ("account-password-short", 400),
        ("error-request", 400),
        ("error-away", 503),
        ("error-ours", 500),
        ("error-expired", 400),
    ] {
        assert_eq!(statuses[name], status, "{name}");
    }
}

#[actix_web::test]
async fn whoever_must_wait_is_told_for_how_long() {
    let waiting =
        [("sign-in-too-many", "47"), ("sign-in-unavailable", "1"), ("error-too-many", "30"), ("error-away", "1")];
    let states = every_state(&page_context(Language::English));
    for (name, seconds) in waiting {
        let (_, answer) = states.iter().find(|(state, _)| *state == name).unwrap();
        assert_eq!(answer.headers().get("retry-after").unwrap(), seconds, "{name}");
    }
}

#[actix_web::test]
async fn only_the_page_that_frames_applications_may_frame_them() {
    let states = every_state(&page_context(Language::English));
    let framing: Vec<&str> = states
        .iter()
        .filter(|(_, answer)| {
            answer
                .headers()
                .get("content-security-policy")
                .unwrap()
                .to_str()
                .unwrap()
                .contains("; frame-src https://notes.example.com/out;")
        })
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(framing, ["signed-out-going-on", "signed-out-to-somewhere"]);
}
