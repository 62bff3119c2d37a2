//! A minimal browser, which keeps cookies and fills in the forms of the pages.

use anyhow::{Context, Result, ensure};

use crate::ask::{self, Answer};
use crate::server::{PASSWORD, Process};

/// Signs the user in for the authorization request `path`, consents to it, and returns the browser's cookies.
pub(crate) fn authorize(server: &Process, path: &str) -> Result<String> {
    let mut browser = Browser { base: &server.base, cookies: Vec::new() };
    let sign_in = browser.follow(path)?;
    let person = format!("username=ada&password={}", PASSWORD.replace(' ', "+"));
    let consent = browser.fill_in(&sign_in, "/login", &["csrf", "interaction"], &person)?;
    let agreed = browser.fill_in(&consent, "/consent", &["csrf", "interaction", "user"], "answer=accept")?;
    let again = browser.get(path)?;
    for answer in [agreed, again] {
        ensure!(answer.location().is_some_and(|location| location.contains("code=")), "no code: {answer:?}");
    }
    Ok(browser.cookies())
}

struct Browser<'a> {
    base: &'a str,
    /// Each as `name=value`.
    cookies: Vec<String>,
}

impl Browser<'_> {
    fn cookies(&self) -> String {
        self.cookies.join("; ")
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        let answer = ask::get(self.base, path, &self.cookies())?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    /// Gets a page, and follows redirects within the server.
    fn follow(&mut self, path: &str) -> Result<Answer> {
        let mut answer = self.get(path)?;
        while let Some(path) = answer.location().filter(|location| location.starts_with('/')) {
            answer = self.get(path)?;
        }
        Ok(answer)
    }

    /// Submits the form of a page with its hidden fields, and follows redirects.
    fn fill_in(&mut self, page: &Answer, path: &str, hidden: &[&str], form: &str) -> Result<Answer> {
        let mut form = form.to_owned();
        for name in hidden {
            form.extend(["&", name, "=", hidden_field(&page.body, name)?]);
        }
        let answer = ask::post(self.base, path, &self.cookies(), &form)?;
        self.keep_cookies(&answer);
        match answer.location().filter(|location| location.starts_with('/')) {
            Some(location) => self.follow(location),
            None => Ok(answer),
        }
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        self.cookies
            .extend(answer.headers("set-cookie").filter_map(|cookie| Some(cookie.split(';').next()?.to_owned())));
    }
}

/// Returns the value of a hidden field. The server's consist of letters, digits, `-` and `_`.
fn hidden_field<'a>(page: &'a str, name: &str) -> Result<&'a str> {
    let start = format!("name=\"{name}\" value=\"");
    let value = page.split_once(&*start).and_then(|(_, rest)| rest.split_once('"'));
    Ok(value.with_context(|| format!("no field {name} in {page}"))?.0)
}
