//! The layer that admits requests with a valid token.

use std::mem;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::Answering;
use crate::bearer::bearer_token;
use crate::{AccessToken, Issuer, Rejection};

/// Admits a request whose `Authorization: Bearer` (RFC 6750 section 2.1) contains a valid token. The service finds it
/// among the request's extensions as an [`AccessToken`]. Every other request is answered as [`Rejection`] says.
#[derive(Debug, Clone)]
pub struct VerifyLayer(Issuer);

impl VerifyLayer {
    /// Makes a layer for the tokens of this issuer.
    #[must_use]
    pub fn new(issuer: Issuer) -> Self {
        Self(issuer)
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { issuer: self.0.clone(), inner }
    }
}

/// A service behind a [`VerifyLayer`].
#[derive(Debug, Clone)]
pub struct Verify<S> {
    issuer: Issuer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let issuer = self.issuer.clone();
        // The service that was polled until it was ready handles the request; the clone was not polled.
        let copy = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, copy);
        Box::pin(async move {
            match verify(&issuer, request.headers()).await {
                Ok(access) => _ = request.extensions_mut().insert(access),
                Err(rejection) => return Ok(rejection.into_response()),
            }
            inner.call(request).await
        })
    }
}

async fn verify(issuer: &Issuer, headers: &HeaderMap) -> Result<AccessToken, Rejection> {
    let token = bearer_token(headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes))?;
    Ok(issuer.verify_fresh(token).await?)
}
