//! One log line and one metric per request, and the request id that the answer carries too. The line holds the route's
//! pattern, never the address itself, a query or a body: those may hold tokens.

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

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request that was asked for while it was being answered.
struct RequestId(Uuid);

/// The id of `request`, the same that its answer and its log line will carry.
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

/// Runs the rest of the service and tells of it.
///
/// # Errors
/// Those of the rest.
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

/// Where the requests for one route that had one status are counted.
struct RouteMetrics {
    route: &'static str,
    status: StatusCode,
    times: Histogram,
}

thread_local! {
    /// What this worker has counted in before: to look a histogram up by its labels costs more than to count.
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
