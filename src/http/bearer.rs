//! Checks bearer tokens, deny by default: a request passes only where its route in `routes.rs` names a scope that the
//! access token has (RFC 6750).

use std::future::{Ready, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::Ctx;
use super::error::{ProblemRefusal, RequestError};
use super::route::{Pattern, Table};
use crate::audit::Actor;
use crate::error::Error;
use crate::protocol::ErrorCode;
use crate::token_status::PresentedToken;

#[derive(Debug, Clone)]
pub struct AuthorizedCaller {
    subject: String,
    client: String,
    presented: PresentedToken,
}

impl AuthorizedCaller {
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Admin(self.subject.clone())
    }

    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Returns the access token, for an endpoint that checks it again while its response is streamed.
    #[must_use]
    pub fn presented(&self) -> &PresentedToken {
        &self.presented
    }
}

/// Passes a request to its endpoint or refuses it: 401 without a valid token, 403 without the scope. A refusal is a
/// response, not an error, so that the outer layers log it and add their headers.
pub async fn require<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    match admit(&request).await {
        Ok(admitted) => {
            request.extensions_mut().insert(admitted);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => Ok(request.error_response(ProblemRefusal(error)).map_into_right_body()),
    }
}

async fn admit(request: &ServiceRequest) -> Result<AuthorizedCaller, RequestError> {
    let ctx = request.app_data::<Ctx>().ok_or_else(denied)?;
    let presented = PresentedToken::extract(request.request()).await.map_err(|ProblemRefusal(error)| error)?;
    let Pattern(path) = request.app_data().ok_or_else(denied)?;
    let table = request.app_data::<Data<Table>>().ok_or_else(denied)?;
    // An endpoint that is not in the table opens to no scope.
    let scopes = table.scopes_for(request.method(), path).unwrap_or_default();
    let access = presented.admit(ctx, scopes).await?;
    Ok(AuthorizedCaller { subject: access.sub, client: access.client_id, presented })
}

fn denied() -> Error {
    Error::oauth(ErrorCode::InsufficientScope, "nobody may do this")
}

impl FromRequest for AuthorizedCaller {
    type Error = ProblemRefusal;
    type Future = Ready<Result<Self, ProblemRefusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(|| denied().into()))
    }
}
