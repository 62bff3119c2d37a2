//! A browser for tests: a jar of cookies, and forms filled in as a person would.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use url::Url;

use crate::test_server::{Answer, TestServer, USER, read};

/// A browser that follows no redirect by itself.
pub struct Browser<'a> {
    server: &'a TestServer,
    address: SocketAddr,
    http: reqwest::Client,
    jar: RefCell<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub fn of(server: &'a TestServer) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { server, address: server.running.address, http, jar: RefCell::default() }
    }

    /// The same browser, at another instance.
    pub fn at_instance(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Gets an address of this server, by its path or whole.
    pub async fn get(&self, address: &str) -> Answer {
        self.send(self.http.get(self.at(address))).await
    }

    /// Gets an address in the language that `accepted` names.
    pub async fn get_in(&self, accepted: &str, address: &str) -> Answer {
        self.send(self.http.get(self.at(address)).header(ACCEPT_LANGUAGE, accepted)).await
    }

    /// Posts a form to an address of this server.
    pub async fn post(&self, address: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.request(Method::POST, self.at(address)).form(form)).await
    }

    /// Gets an address, and where each answer sends the browser, as long as it stays in this server.
    pub async fn follow(&self, address: &str) -> Answer {
        let mut answer = self.get(address).await;
        while let Some(location) = self.own_location(&answer) {
            answer = self.get(&location).await;
        }
        answer
    }

    /// Fills in the one form of a page, and follows nothing.
    pub async fn submit_once(&self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let form = Form::in_page(&page.text);
        let mut values: Vec<(&str, &str)> = form.hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
        values.extend(fields);
        self.post(&form.action, &values).await
    }

    /// Fills in the one form of a page, and follows where that leads within this server.
    pub async fn submit(&self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let mut answer = self.submit_once(page, fields).await;
        while let Some(location) = self.own_location(&answer) {
            answer = self.get(&location).await;
        }
        answer
    }

    /// Signs the server's user in on a sign-in page.
    pub async fn sign_in(&self, page: &Answer) -> Answer {
        self.submit(page, &[("username", USER.0), ("password", USER.1)]).await
    }

    /// Whether there is a cookie whose name ends like this.
    pub fn has_cookie(&self, ending: &str) -> bool {
        self.jar.borrow().keys().any(|name| name.ends_with(ending))
    }

    /// The cookies as they are now.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.jar.borrow().clone()
    }

    /// Replaces these cookies by others.
    pub fn set_cookies(&self, cookies: BTreeMap<String, String>) {
        *self.jar.borrow_mut() = cookies;
    }

    fn at(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.server.config.issuer).unwrap_or(address);
        format!("http://{}{path}", self.address)
    }

    fn own_location(&self, answer: &Answer) -> Option<String> {
        let location = location(answer)?;
        let own = location.starts_with('/') || location.starts_with(&self.server.config.issuer);
        own.then_some(location)
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> = self.jar.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let answer = read(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.jar.borrow_mut().remove(name);
            } else {
                self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// A form in a page.
pub struct Form {
    pub action: String,
    pub hidden: Vec<(String, String)>,
}

impl Form {
    /// The first form of a page that posts.
    pub fn in_page(html: &str) -> Self {
        let start = html.find("<form").unwrap_or_else(|| panic!("a page with a form: {html}"));
        let form = &html[start..start + html[start..].find("</form>").unwrap()];
        let hidden = form.split("<input").skip(1).filter_map(|input| {
            let input = &input[..input.find('>').unwrap()];
            let is_hidden = attribute(input, "type").as_deref() == Some("hidden");
            is_hidden.then(|| (attribute(input, "name").unwrap(), attribute(input, "value").unwrap_or_default()))
        });
        let head = &form[..form.find('>').unwrap()];
        Self { action: attribute(head, "action").unwrap(), hidden: hidden.collect() }
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..start + tag[start..].find('"')?];
    let unescaped = value.replace("&quot;", "\"").replace("&#x27;", "'").replace("&#x2f;", "/");
    Some(unescaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// Where an answer sends the browser.
pub fn location(answer: &Answer) -> Option<String> {
    answer.headers.get(LOCATION).map(|location| location.to_str().unwrap().to_owned())
}

/// The parameters in the address that an answer sends the browser to.
pub fn parameters(answer: &Answer) -> BTreeMap<String, String> {
    let location = location(answer).unwrap_or_else(|| panic!("a redirect: {} {}", answer.status, answer.text));
    Url::parse(&location).unwrap().query_pairs().into_owned().collect()
}
