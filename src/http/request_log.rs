//! Logs one line and records one metric per request, and sets the request id of the response. The line has the route's
//! pattern, never the address itself, a query or a body, because those may contain tokens.

use std::cell::RefCell;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use metrics::Histogram;
use uuid::Uuid;
use uuid::fmt::Simple;

use super::error;
use super::route::Pattern;
use crate::clock::{Random, Stopwatch};

/// The longest header section of a request, in bytes.
pub const MAX_HEADERS: usize = 16 * 1024;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request that was needed before the response was complete.
struct RequestId(Uuid);

/// Returns the id of `request`, which its response and its log line carry too.
#[must_use]
pub fn id_of(request: &HttpRequest) -> String {
    let id = known(request).unwrap_or_else(|| {
        let id = Random::default().uuid();
        request.extensions_mut().insert(RequestId(id));
        id
    });
    id.simple().to_string()
}

fn known(request: &HttpRequest) -> Option<Uuid> {
    request.extensions().get::<RequestId>().map(|id| id.0)
}

/// Runs the inner service and logs the request. A request with too large a header section is refused.
pub async fn log<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
    let watch = Stopwatch::start();
    let method = request.method().clone();
    let mut response = if header_size(&request) > MAX_HEADERS {
        let refusal = error::problem(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are larger than 16 KiB");
        request.into_response(refusal)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let id = known(response.request()).unwrap_or_else(|| Random::default().uuid()).simple();
    let mut id_text = [0; Simple::LENGTH];
    let id = id.encode_lower(&mut id_text);
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = response.request().app_data().map_or("none", |Pattern(path)| *path);
    tell(&LoggedRequest { id, method: method.as_str(), route, response: &response, watch });
    Ok(response)
}

struct LoggedRequest<'a> {
    id: &'a str,
    method: &'a str,
    route: &'static str,
    response: &'a ServiceResponse,
    watch: Stopwatch,
}

fn tell(told: &LoggedRequest<'_>) {
    let status = told.response.status();
    let elapsed = told.watch.elapsed();
    count(told.route, status, elapsed);
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let (id, method, route, code) = (told.id, told.method, told.route, status.as_u16());
    let cause = told.response.response().error().map(ToString::to_string);
    match cause {
        Some(cause) if status.is_server_error() => {
            tracing::error!(request.id = id, method, route, status = code, micros, cause, "request failed");
        }
        Some(cause) => tracing::info!(request.id = id, method, route, status = code, micros, cause, "request refused"),
        None => tracing::info!(request.id = id, method, route, status = code, micros, "request"),
    }
}

struct RouteMetrics {
    route: &'static str,
    status: StatusCode,
    times: Histogram,
}

thread_local! {
    /// The histograms that this worker has used. Looking one up by its labels costs more than recording a value.
    static COUNTED: RefCell<Vec<RouteMetrics>> = const { RefCell::new(Vec::new()) };
}

fn count(route: &'static str, status: StatusCode, elapsed: Duration) {
    COUNTED.with_borrow_mut(|all| {
        let known = all.iter().position(|counted| counted.status == status && counted.route == route);
        let position = known.unwrap_or_else(|| {
            let labels = [("route", route.to_owned()), ("status", status.as_str().to_owned())];
            let times = metrics::histogram!("tokenhouse_http_request_seconds", &labels);
            all.push(RouteMetrics { route, status, times });
            all.len() - 1
        });
        all[position].times.record(elapsed.as_secs_f64());
    });
}

fn header_size(request: &ServiceRequest) -> usize {
    request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
