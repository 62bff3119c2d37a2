//! The URLs of an application.

use actix_web::http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge};
use serde::Deserialize;

use super::app::{App, Begun};
use super::{page, provider, sign_out_notice};

pub(super) fn all(config: &mut web::ServiceConfig) {
    config.service(home).service(login).service(callback).service(logout).service(backchannel_logout);
}

/// Shows the signed-in user.
#[get("/")]
async fn home(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let person = session_of(&app, &request).and_then(|session| app.memory().people.get(&session).cloned());
    page::home(&app, person.as_ref())
}

/// Begins a sign-in: stores `state`, nonce and PKCE verifier, and redirects the browser to Tokenhouse.
#[get("/login")]
async fn login(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let provider = match provider::discover(&app).await {
        Ok(provider) => provider,
        Err(problem) => return page::problem(&app, &problem),
    };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (state, nonce) = (CsrfToken::new_random(), Nonce::new_random());
    let browser = cookie(&app, &request, "browser").unwrap_or_else(random);
    let url = provider.authorize_url(&state, &nonce, challenge);
    let begun = Begun { browser: browser.clone(), nonce, verifier };
    app.memory().begun.insert(state.into_secret(), begun);
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url.as_str()))
        .insert_header((SET_COOKIE, new_cookie(&app, "browser", &browser)))
        .finish()
}

#[derive(Deserialize)]
struct Answer {
    state: String,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Finishes a sign-in when Tokenhouse redirects the browser back.
#[get("/callback")]
async fn callback(app: web::Data<App>, request: HttpRequest, answer: web::Query<Answer>) -> HttpResponse {
    let answer = answer.into_inner();
    let begun = app.memory().begun.remove(&answer.state);
    let Some(begun) = begun.filter(|begun| cookie(&app, &request, "browser").as_ref() == Some(&begun.browser)) else {
        return page::problem(&app, "This sign-in was not begun here, or it has been used already.");
    };
    if answer.iss.is_some_and(|iss| iss != app.issuer) {
        return page::problem(&app, "This answer comes from another issuer (RFC 9207).");
    }
    let Some(code) = answer.code else {
        let error = answer.error.unwrap_or_else(|| "no code and no error".to_owned());
        return page::refused(&app, &error, &answer.error_description.unwrap_or_default());
    };
    let finished = match provider::discover(&app).await {
        Ok(provider) => provider.finish(code, begun).await,
        Err(problem) => Err(problem),
    };
    let person = match finished {
        Ok(person) => person,
        Err(problem) => return page::problem(&app, &problem),
    };
    let session = random(); // a new one at each sign-in, so that nobody can have planted it
    app.memory().people.insert(session.clone(), person);
    let cookie = new_cookie(&app, "session", &session);
    HttpResponse::SeeOther().insert_header((LOCATION, "/")).insert_header((SET_COOKIE, cookie)).finish()
}

/// Signs out here, and redirects the browser to Tokenhouse, which signs out everywhere.
#[post("/logout")]
async fn logout(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let person = session_of(&app, &request).and_then(|session| app.memory().people.remove(&session));
    let url = match person {
        None => None,
        Some(person) => match provider::discover(&app).await {
            Ok(provider) => provider.logout_url(&person.id_token),
            Err(problem) => return page::problem(&app, &problem),
        },
    };
    let url = url.map_or_else(|| "/".to_owned(), String::from);
    HttpResponse::SeeOther().insert_header((LOCATION, url)).finish()
}

#[derive(Deserialize)]
struct Notice {
    logout_token: String,
}

/// Receives a logout token when a user has signed out somewhere else.
#[post("/backchannel-logout")]
async fn backchannel_logout(app: web::Data<App>, notice: web::Form<Notice>) -> HttpResponse {
    let mut answer = match provider::discover(&app).await {
        Ok(provider) => match sign_out_notice::heed(&app, &provider.keys(), &notice.logout_token) {
            Ok(()) => HttpResponse::Ok(),
            Err(_) => HttpResponse::BadRequest(),
        },
        Err(_) => HttpResponse::ServiceUnavailable(),
    };
    answer.insert_header((CACHE_CONTROL, "no-store")).finish()
}

fn session_of(app: &App, request: &HttpRequest) -> Option<String> {
    cookie(app, request, "session")
}

/// Reads a cookie. Cookies ignore ports and both applications are at 127.0.0.1, so their cookie names differ.
fn cookie(app: &App, request: &HttpRequest, what: &str) -> Option<String> {
    let name = format!("{}-{what}", app.client_id);
    let sent = request.headers().get(COOKIE)?.to_str().ok()?;
    let mut pairs = sent.split("; ").filter_map(|pair| pair.split_once('='));
    pairs.find(|(called, _)| *called == name).map(|(_, value)| value.to_owned())
}

/// Makes a cookie. (On a real host it is `Secure` too, and its name begins with `__Host-`.)
fn new_cookie(app: &App, what: &str, value: &str) -> String {
    format!("{}-{what}={value}; Path=/; HttpOnly; SameSite=Lax", app.client_id)
}

fn random() -> String {
    CsrfToken::new_random_len(32).into_secret()
}
