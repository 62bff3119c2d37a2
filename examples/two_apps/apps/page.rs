//! The pages of an application.

use std::time::SystemTime;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType};

use super::app::{App, Person};
use super::provider;

/// Renders the home page, for a signed-in user and without one.
pub(super) fn home(app: &App, person: Option<&Person>) -> HttpResponse {
    let Some(person) = person else {
        return answer(
            app,
            StatusCode::OK,
            "<p id=nobody>Nobody is signed in.</p><p><a class=button id=login href=/login>Sign in</a></p>",
        );
    };
    let scopes: Vec<String> = person.scopes.iter().map(|scope| format!("<code>{}</code>", escape(scope))).collect();
    let body = format!(
        "<p>You are signed in as <strong id=name>{name}</strong>.</p>
<dl>
<dt>sub</dt><dd><code id=sub>{sub}</code></dd>
<dt>Scopes</dt><dd>{scopes}</dd>
<dt>Access token</dt><dd>{ends}</dd>
</dl>
<form method=post action=/logout><button id=logout>Sign out</button></form>",
        name = escape(&person.name),
        sub = escape(&person.sub),
        scopes = scopes.join(" "),
        ends = ends(person.access_token_ends),
    );
    answer(app, StatusCode::OK, &body)
}

/// Renders the answer to a refusal by the user or the server.
pub(super) fn refused(app: &App, error: &str, description: &str) -> HttpResponse {
    let words = if error == "access_denied" { "You did not let this application in." } else { description };
    let body = format!(
        "<p id=refused>{} <code>{}</code></p><p><a class=button id=login href=/login>Try again</a></p>",
        escape(words),
        escape(error)
    );
    answer(app, StatusCode::OK, &body)
}

/// Renders an error.
pub(super) fn problem(app: &App, problem: &str) -> HttpResponse {
    let body = format!("<p id=problem>{}</p><p><a href=/>Back</a></p>", escape(problem));
    answer(app, StatusCode::BAD_REQUEST, &body)
}

fn ends(moment: Option<SystemTime>) -> String {
    let left = moment.map(|moment| moment.duration_since(provider::now()).map_or(0, |left| left.as_secs()));
    match left {
        None => "does not say when it ends".to_owned(),
        Some(0) => "has ended; the next sign-in brings a new one".to_owned(),
        Some(left) => format!("ends in {} min {} s", left / 60, left % 60),
    }
}

fn answer(app: &App, status: StatusCode, body: &str) -> HttpResponse {
    let name = &app.name;
    let page = format!(
        "<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content=\"width=device-width\">
<title>{name}</title>
<style>{STYLE}</style>
<main>
<h1>{name}</h1>
{body}
</main>
</html>
"
    );
    HttpResponse::build(status).content_type(ContentType::html()).insert_header((CACHE_CONTROL, "no-store")).body(page)
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 18px/1.6 system-ui, sans-serif }
body { margin: 0; background: light-dark(#f5f4f0, #16181c); color: light-dark(#22252a, #e8e6e1) }
main { max-width: 32rem; margin: 12vh auto; padding: 0 1.5rem }
h1 { font-size: 2.4rem; margin: 0 0 1rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .4rem 1.2rem; margin: 1.5rem 0 }
dt { color: light-dark(#5a5f68, #a9adb5) }
dd { margin: 0; overflow-wrap: anywhere }
code { font-size: .85em }
.button, button { display: inline-block; padding: .5rem 1.4rem; border: 0; border-radius: .5rem; font: inherit;
  background: light-dark(#1d4f91, #9cc3ff); color: light-dark(#fff, #10233d); text-decoration: none; cursor: pointer }
";

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}
