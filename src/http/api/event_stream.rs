//! `GET /status/events`: security event tokens as server-sent events (WHATWG HTML section 9.2).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use tokio::sync::mpsc;

use crate::event_stream::{Disconnect, Subscriber};
use crate::http::Ctx;
use crate::http::bearer::AuthorizedCaller;
use crate::http::error::ProblemRefusal;

/// The number of frames that may wait for a slow connection.
const WAITING: usize = 16;

/// The header with the number of the last event that the subscriber has read.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Streams revocations as they happen.
///
/// Each event is a security event token (RFC 8417); `docs/event-stream.md` lists them. A subscriber that sends
/// `Last-Event-ID` resumes after that event.
#[utoipa::path(get, path = "/status/events", tag = "Revocation",
    params(("Last-Event-ID" = Option<String>, Header, description = "the `id` of the last event that was read")),
    responses(
        (status = 200, description = "events, until the access token is over", content_type = "text/event-stream"),
        (status = 401), (status = 403), (status = 503, description = "no subscription is free, or the database is away"),
    ))]
pub async fn follow(ctx: Ctx, bearer: AuthorizedCaller, request: HttpRequest) -> Result<HttpResponse, ProblemRefusal> {
    if request.method() == Method::HEAD {
        return Ok(beginning().finish());
    }
    let last = request.headers().get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or_default());
    let listener = Subscriber::arrive(&ctx, bearer.presented().clone(), last).await?;
    let (sink, lines) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _present = SubscriberGauge::enter();
        log_disconnect(&bearer, &listener.listen(&ctx, &sink).await);
    });
    Ok(beginning().body(EventBody(lines)))
}

fn beginning() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/event-stream")).insert_header((CACHE_CONTROL, "no-store"));
    // A proxy that buffers responses would delay events.
    response.insert_header(("x-accel-buffering", "no"));
    // The connection ends with the stream, so that the service does not wait for it when it stops.
    response.force_close();
    response
}

/// The body of the response: the frames of the channel, until its sender is dropped.
struct EventBody(mpsc::Receiver<Arc<[u8]>>);

impl MessageBody for EventBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let line = self.get_mut().0.poll_recv(context);
        line.map(|line| line.map(|text| Ok(Bytes::from_owner(text))))
    }
}

/// Counts a subscriber in the metrics for as long as it exists.
struct SubscriberGauge;

impl SubscriberGauge {
    fn enter() -> Self {
        metrics::gauge!("tokenhouse_event_subscribers").increment(1);
        Self
    }
}

impl Drop for SubscriberGauge {
    fn drop(&mut self) {
        metrics::gauge!("tokenhouse_event_subscribers").decrement(1);
    }
}

/// Logs the end of a stream. The request itself was logged when the stream began.
fn log_disconnect(bearer: &AuthorizedCaller, disconnect: &Disconnect) {
    let why = disconnect.as_str();
    metrics::counter!("tokenhouse_event_subscribers_ended_total", "why" => why).increment(1);
    match disconnect {
        Disconnect::Failed(error) => {
            tracing::warn!(client.id = bearer.client(), why, error = %error, "a listener is not told events any more");
        }
        Disconnect::Left | Disconnect::Slow | Disconnect::Unauthorized | Disconnect::ShutDown => {
            tracing::info!(client.id = bearer.client(), why, "a listener is not told events any more");
        }
    }
}
