//! The extractors of access tokens.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::bearer::bearer_token;
use crate::{AccessToken, Issuer, Refusal, Rejection};

/// The verified access token of the request, from `Authorization: Bearer` (RFC 6750 section 2.1).
///
/// The application registers an [`Issuer`] with `app_data(issuer)` or `app_data(web::Data::new(issuer))`. A rejected
/// request is answered as [`Rejection`] says; a handler that takes `Result<Access, Rejection>` answers it itself.
#[derive(Debug, Clone)]
pub struct Access(pub AccessToken);

/// An [`Access`] with claims that [`AccessToken`] does not know.
///
/// ```
/// # use tokenhouse_verifier::actix::AccessWith;
/// #[derive(serde::Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// async fn greet(AccessWith(access, Tenant { tenant }): AccessWith<Tenant>) -> String {
///     format!("{} of {tenant}", access.sub)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AccessWith<C>(pub AccessToken, pub C);

impl Deref for Access {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0
    }
}

impl FromRequest for Access {
    type Error = Rejection;
    type Future = Verifying<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fresh = |issuer: Issuer, token: String| async move { issuer.verify_fresh(&token).await };
        Verifying::begin(request, Issuer::verify, fresh, Self)
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for AccessWith<C> {
    type Error = Rejection;
    type Future = Verifying<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fresh = |issuer: Issuer, token: String| async move { issuer.verify_fresh_with_claims(&token).await };
        Verifying::begin(request, Issuer::verify_with_claims, fresh, |(access, claims)| Self(access, claims))
    }
}

/// The future of an extractor. It is ready at once, unless the token's key has to be read first.
pub struct Verifying<T>(State<T>);

enum State<T> {
    Judged(Option<Result<T, Rejection>>),
    Waiting(Pin<Box<dyn Future<Output = Result<T, Rejection>>>>),
}

impl<T: 'static> Verifying<T> {
    fn begin<V: 'static, F: Future<Output = Result<V, Refusal>> + 'static>(
        request: &HttpRequest,
        verify: impl FnOnce(&Issuer, &str) -> Result<V, Refusal>,
        verify_fresh: impl FnOnce(Issuer, String) -> F,
        done: fn(V) -> T,
    ) -> Self {
        let (issuer, token) = match issuer(request).and_then(|issuer| Ok((issuer, token(request)?))) {
            Ok(found) => found,
            Err(rejection) => return Self(State::Judged(Some(Err(rejection)))),
        };
        match verify(issuer, token) {
            Err(Refusal::UnknownKey { .. }) => {
                let verified = verify_fresh(issuer.clone(), token.to_owned());
                Self(State::Waiting(Box::pin(async move { Ok(done(verified.await?)) })))
            }
            judged => Self(State::Judged(Some(judged.map(done).map_err(Rejection::Refused)))),
        }
    }
}

fn issuer(request: &HttpRequest) -> Result<&Issuer, Rejection> {
    let held = request.app_data::<web::Data<Issuer>>().map(|data| &***data);
    held.or_else(|| request.app_data::<Issuer>()).ok_or(Rejection::NoIssuer)
}

fn token(request: &HttpRequest) -> Result<&str, Rejection> {
    bearer_token(request.headers().get_all(AUTHORIZATION).map(actix_web::http::header::HeaderValue::as_bytes))
}

/// The only pinned content is the future in its box.
impl<T> Unpin for Verifying<T> {}

impl<T> Future for Verifying<T> {
    type Output = Result<T, Rejection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Judged(judged) => judged.take().map_or(Poll::Pending, Poll::Ready),
            State::Waiting(waiting) => waiting.as_mut().poll(context),
        }
    }
}
