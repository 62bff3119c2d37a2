//! The layer that requires a scope.

use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::Answering;
use crate::{AccessToken, Rejection};

/// Admits a request whose token has this scope. It belongs inside a [`VerifyLayer`](super::VerifyLayer): without one,
/// every request is answered with status 500.
#[derive(Debug, Clone)]
pub struct RequireScopeLayer(Arc<str>);

impl RequireScopeLayer {
    /// Makes a layer that requires this one scope. Several layers require several scopes.
    #[must_use]
    pub fn new(scope: &str) -> Self {
        Self(scope.into())
    }
}

impl<S> Layer<S> for RequireScopeLayer {
    type Service = RequireScope<S>;

    fn layer(&self, inner: S) -> RequireScope<S> {
        RequireScope { scope: Arc::clone(&self.0), inner }
    }
}

/// A service behind a [`RequireScopeLayer`].
#[derive(Debug, Clone)]
pub struct RequireScope<S> {
    scope: Arc<str>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequireScope<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let access = request.extensions().get::<AccessToken>().ok_or(Rejection::NoIssuer);
        match access.and_then(|access| Ok(access.require_scope(&self.scope)?)) {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(rejection) => Box::pin(ready(Ok(rejection.into_response()))),
        }
    }
}
