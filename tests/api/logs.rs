//! What the log of a busy service holds, and what it never does.

use std::collections::BTreeMap;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::program::{Serving, Workplace};
use crate::test_server::{Answer, read};

const ADDRESS: &str = "203.0.113.77";
const PASSWORDS: [&str; 4] =
    ["first long passphrase", "second long passphrase", "third wrong passphrase", "fourth passphrase typed as a name"];
const EMAIL: &str = "carol.private@example.org";
const OWN_SECRET: &str = "a-client-secret-that-was-brought-along-0123456789";

/// A service at work, and everything secret that went through its endpoints.
struct Busy {
    serving: Serving,
    _position: Workplace,
    http: Client,
    secrets: Vec<String>,
    request_ids: Vec<String>,
    admin: String,
}

#[actix_web::test]
async fn the_log_of_a_busy_service_holds_no_token_password_secret_mail_or_address() {
    let mut busy = Busy::start("trace");
    busy.work().await;
    busy.serving.stop();

    let log = busy.serving.logged();

    assert!(log.lines().count() > busy.request_ids.len());
    let mut leaks = BTreeMap::new();
    for secret in busy.secrets.iter().map(String::as_str).chain(PASSWORDS).chain([EMAIL, ADDRESS, OWN_SECRET, "carol"])
    {
        if let Some(line) = log.lines().find(|line| line.contains(secret)) {
            leaks.insert(secret.to_owned(), line.to_owned());
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[actix_web::test]
async fn each_request_has_one_line_under_the_id_that_its_answer_carries() {
    let mut busy = Busy::start("info");
    busy.work().await;
    busy.serving.stop();

    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in busy.serving.logged().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        if let Some(id) = line["request.id"].as_str() {
            lines.entry(id.to_owned()).or_default().push(line);
        }
    }
    assert_eq!(lines.len(), busy.request_ids.len());
    for id in &busy.request_ids {
        let of_it = lines.get(id).unwrap_or_else(|| panic!("no line for request {id}"));
        assert_eq!(of_it.len(), 1, "{of_it:?}");
        for field in ["method", "route", "status", "micros", "level", "timestamp"] {
            assert!(!of_it[0][field].is_null(), "{field} is missing in {}", of_it[0]);
        }
    }
}

impl Busy {
    fn start(level: &str) -> Self {
        let mut position = Workplace::fresh();
        position.set("TOKENHOUSE__LOG__LEVEL", level);
        position.set("TOKENHOUSE__TRUSTED_PROXIES", "127.0.0.1");
        position.run_with_input(&["user", "add", "root", "--admin", "--password-stdin"], PASSWORDS[0]).good();
        let serving = position.serve(&[]);
        Self {
            serving,
            _position: position,
            http: Client::new(),
            secrets: Vec::new(),
            request_ids: Vec::new(),
            admin: String::new(),
        }
    }

    async fn work(&mut self) {
        let admin = self.obtain("root", PASSWORDS[0], "tokenhouse:admin").await;
        [self.admin, _] = admin;
        let user = json!({ "username": "carol", "email": EMAIL, "password": PASSWORDS[1] });
        let id = self.admin(Method::POST, "/admin/v1/users", &user).await.body["id"].as_str().unwrap().to_owned();
        self.refresh_and_replay().await;
        self.fail_to_sign_in().await;
        self.use_a_client().await;
        self.admin(Method::POST, "/admin/v1/keys/rotate", &json!({ "now": true })).await;
        self.admin(Method::POST, "/admin/v1/users", &json!({ "username": "x", "password": [PASSWORDS[1]] })).await;
        self.admin(Method::POST, &format!("/admin/v1/users/{id}/password"), &json!({ "password": PASSWORDS[2] })).await;
        self.admin(Method::GET, "/admin/v1/users", &json!({})).await;
        self.admin(Method::DELETE, &format!("/admin/v1/users/{id}"), &json!({})).await;
    }

    async fn refresh_and_replay(&mut self) {
        let [access, first] = self.obtain(EMAIL, PASSWORDS[1], "").await;
        let second = self.refresh(&first).await.body["refresh"].as_str().unwrap().to_owned();
        let third = self.refresh(&second).await.body["refresh"].as_str().unwrap().to_owned();
        self.refresh(&third).await;
        self.refresh(&first).await;
        self.form("/api/token/verify/", &[("token", &access)]).await;
        self.form("/api/token/blacklist/", &[("refresh", &third)]).await;
        self.refresh(&third).await;
        let in_query = self.http.get(self.serving.url(&format!("/api/token/verify/?token={access}")));
        self.send(in_query).await;
        let in_path = self.http.get(self.serving.url(&format!("/callback/{access}?refresh={third}")));
        self.send(in_path).await;
    }

    async fn fail_to_sign_in(&mut self) {
        for (username, password) in
            [("carol", PASSWORDS[2]), ("nobody", PASSWORDS[2]), (PASSWORDS[3], "x"), (EMAIL, PASSWORDS[2])]
        {
            self.form("/api/token/", &[("username", username), ("password", password)]).await;
        }
        let broken = self.http.post(self.serving.url("/api/token/")).header("content-type", "application/json");
        self.send(broken.body(format!("{{\"password\": \"{}\" oops", PASSWORDS[1]))).await;
    }

    async fn use_a_client(&mut self) {
        let own = json!({
            "client_id": "own",
            "client_secret": OWN_SECRET,
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_post",
        });
        self.admin(Method::POST, "/admin/v1/clients", &own).await;
        let new =
            json!({ "client_id": "shop", "grant_types": ["client_credentials"], "scope": "tokenhouse:introspect" });
        let first = self.admin(Method::POST, "/admin/v1/clients", &new).await.body["client_secret"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = self.admin(Method::POST, "/admin/v1/clients/shop/rotate-secret", &json!({})).await;
        let second = second.body["client_secret"].as_str().unwrap().to_owned();
        let form = [("grant_type", "client_credentials"), ("client_id", "own"), ("client_secret", OWN_SECRET)];
        self.form("/oauth2/token", &form).await;
        for secret in [&first, &second] {
            let request = self.http.post(self.serving.url("/oauth2/token")).basic_auth("shop", Some(secret));
            let token = self.send(request.form(&[("grant_type", "client_credentials")])).await;
            let token = token.body["access_token"].as_str().unwrap().to_owned();
            for path in ["/oauth2/introspect", "/oauth2/revoke"] {
                let request = self.http.post(self.serving.url(path)).basic_auth("shop", Some(secret));
                self.send(request.form(&[("token", &token)])).await;
            }
        }
        let wrong = self.http.post(self.serving.url("/oauth2/token")).basic_auth("shop", Some(PASSWORDS[3]));
        self.send(wrong.form(&[("grant_type", "client_credentials")])).await;
    }

    async fn obtain(&mut self, username: &str, password: &str, scope: &str) -> [String; 2] {
        let mut body = json!({ "username": username, "password": password });
        if !scope.is_empty() {
            body["scope"] = json!(scope);
        }
        let answer = self.send(self.http.post(self.serving.url("/api/token/")).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        ["access", "refresh"].map(|name| answer.body[name].as_str().unwrap().to_owned())
    }

    async fn refresh(&mut self, token: &str) -> Answer {
        self.form("/api/token/refresh/", &[("refresh", token)]).await
    }

    async fn form(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(self.serving.url(path)).form(form)).await
    }

    async fn admin(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(self.http.request(method, self.serving.url(path)).bearer_auth(&self.admin).json(body)).await
    }

    /// Sends a request through a proxy that tells its sender's address, and notes what came back.
    async fn send(&mut self, request: RequestBuilder) -> Answer {
        let answer = read(request.header("x-forwarded-for", ADDRESS)).await;
        self.request_ids.push(answer.headers["x-request-id"].to_str().unwrap().to_owned());
        for name in ["access", "refresh", "access_token", "client_secret"] {
            let Some(secret) = answer.body[name].as_str() else { continue };
            self.secrets.push(secret.to_owned());
            // A token's claims and signature on their own are no more meant for a log than all of it.
            self.secrets.extend(secret.split('.').skip(1).map(str::to_owned));
        }
        answer
    }
}
