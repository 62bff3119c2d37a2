//! The running service with a person and an application.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::browser::{Browser, Page};
use crate::support::program::{Serving, Workplace};

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "a difference engine";
pub const CLIENT: &str = "notes";
pub const SECRET: &str = "a-secret-of-the-notes-application-for-tests";

/// The application is the test itself: nobody listens there.
pub const APPLICATION: &str = "http://127.0.0.1:9";
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
pub const AFTER_LOGOUT: &str = "http://127.0.0.1:9/bye";

pub struct TestServer {
    pub position: Workplace,
    serving: Serving,
}

impl TestServer {
    /// A service with `ada` and the application `notes`.
    pub fn open() -> Self {
        let server = Self::empty();
        server.add_client(&[
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
        ]);
        server
    }

    /// A service with `ada`. It signs ID tokens as it does out of the box, RS256.
    pub fn empty() -> Self {
        let mut position = Workplace::fresh();
        position.set("TOKENHOUSE_LISTEN", &format!("127.0.0.1:{}", free_port()));
        position.set("TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM", "RS256");
        position.set("TOKENHOUSE__OUTBOUND__ALLOW", "127.0.0.0/8");
        let serving = position.serve(&[]);
        let user = ["user", "add", USERNAME, "--email", "ada@example.org", "--password-stdin"];
        position.run_with_input(&user, PASSWORD).good();
        Self { position, serving }
    }

    /// Adds a client with [`SECRET`].
    pub fn add_client(&self, arguments: &[&str]) {
        let arguments = [&["client", "add"], arguments, &["--secret-stdin"]].concat();
        self.position.run_with_input(&arguments, SECRET).good();
    }

    pub fn issuer(&self) -> String {
        self.serving.url("")
    }

    /// What a script needs to know.
    pub fn for_scripts(&self) -> Value {
        json!({
            "issuer": self.issuer(),
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uri": CALLBACK,
            "post_logout_redirect_uri": AFTER_LOGOUT,
            "username": USERNAME,
            "password": PASSWORD,
        })
    }
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

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
