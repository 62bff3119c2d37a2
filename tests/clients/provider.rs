//! The provider that the clients of these tests use: its user, its application, and a sign-in in the browser.

use serde_json::{Value, json};
use test_support::provider::Provider;

use crate::support::browser::{Browser, Page};

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "a difference engine";
pub const CLIENT: &str = "notes";
pub const SECRET: &str = "a-secret-of-the-notes-application-for-tests";

/// The application is the test itself: no program listens there.
pub const APPLICATION: &str = "http://127.0.0.1:9";
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
pub const AFTER_LOGOUT: &str = "http://127.0.0.1:9/bye";

/// A provider with `ada` and the application `notes`.
pub fn with_application() -> Provider {
    let server = with_user();
    let arguments = [
        CLIENT,
        "--redirect-uri",
        CALLBACK,
        "--post-logout-redirect-uri",
        AFTER_LOGOUT,
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--scope",
        "openid profile email offline_access",
    ];
    server.add_client(&arguments, SECRET);
    server
}

/// A provider with `ada`. It signs ID tokens as it does out of the box, RS256.
pub fn with_user() -> Provider {
    let algorithm = [("TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM", "RS256")];
    Provider::start(&algorithm, (USERNAME, PASSWORD), &["--email", "ada@example.org"])
}

/// What a script needs to know.
pub fn for_scripts(server: &Provider) -> Value {
    json!({
        "issuer": server.issuer(),
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": AFTER_LOGOUT,
        "username": USERNAME,
        "password": PASSWORD,
    })
}

/// Signs in and consents where the service asks for it, until the application is reached.
pub async fn sign_in(browser: &mut Browser, mut page: Page) -> Page {
    if page.has("login-submit") {
        page = browser.press(&page, "login-submit", &[("username", USERNAME), ("password", PASSWORD)]).await;
        assert!(!page.has("login-submit"), "not signed in: {}", page.html);
    }
    if page.has("consent-accept") {
        page = browser.press(&page, "consent-accept", &[]).await;
    }
    page
}
