//! The language of the pages.

use super::{first_page, stranger};
use crate::authorization::request;
use crate::browser::Browser;
use crate::test_server::on_each_backend;

#[actix_web::test]
async fn a_page_speaks_the_language_of_the_browser() {
    on_each_backend(async |server| {
        for (accepted, tag, says) in [
            ("de-CH, de;q=0.9, en;q=0.8", "de", "Anmelden"),
            ("en-GB", "en", "Sign in"),
            ("fr, de;q=0.5", "de", "Anmelden"),
            ("fr", "en", "Sign in"),
        ] {
            let page = Browser::of(server).get_in(accepted, "/login").await;
            assert!(page.text.contains(&format!("<html lang=\"{tag}\">")), "{accepted}: {}", page.text);
            assert!(page.text.contains(says), "{accepted}: {}", page.text);
            assert_eq!(page.headers["content-language"], tag, "{accepted}");
        }
    })
    .await;
}

#[actix_web::test]
async fn the_language_that_an_application_asks_for_comes_first() {
    on_each_backend(async |server| {
        server.add_new_client(stranger("app")).await;

        let german = first_page(&Browser::of(server), "app", &[("ui_locales", "fr de-AT")]).await;
        let unknown = first_page(&Browser::of(server), "app", &[("ui_locales", "fr")]).await;

        assert_eq!(german.headers["content-language"], "de");
        assert_eq!(unknown.headers["content-language"], "en");
    })
    .await;
}

#[actix_web::test]
async fn an_error_is_told_in_the_language_of_the_browser() {
    on_each_backend(async |server| {
        let page = Browser::of(server).get_in("de", &request("nobody", &[])).await;
        assert_eq!((page.status, page.headers["content-language"].to_str().unwrap()), (400, "de"));
        assert!(page.text.contains("Dieser Link funktioniert nicht"), "{}", page.text);
    })
    .await;
}
