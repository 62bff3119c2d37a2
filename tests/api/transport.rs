//! What reaches the endpoints in odd ways: too large, too slow, ambiguous, at no address.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::test_server::{TestServer, USER, on_each_backend, read};

#[actix_web::test]
async fn headers_beyond_16_kib_are_refused() {
    on_each_backend(async |server| {
        for size in [17 * 1024, 40 * 1024] {
            let request = server.request(Method::GET, "/.well-known/jwks.json").header("x-filler", "a".repeat(size));
            let answer = read(request).await;
            assert_eq!(answer.status, 431, "{size}");
        }
        let many = (0..90).fold(server.request(Method::GET, "/.well-known/jwks.json"), |request, number| {
            request.header(format!("x-filler-{number}"), "a".repeat(200))
        });
        assert_eq!(read(many).await.status, 431);
        let fits = server.request(Method::GET, "/.well-known/jwks.json").header("x-filler", "a".repeat(15 * 1024));
        assert_eq!(read(fits).await.status, 200);
    })
    .await;
}

/// What each answer says to browsers, whatever was asked and came of it.
const FOR_BROWSERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
];

#[actix_web::test]
async fn every_answer_of_both_listeners_guards_browsers_and_has_an_id() {
    on_each_backend(async |server| {
        let [public, operations] = [server.running.address, server.running.operations];
        let get = |address, path| server.request_to(address, Method::GET, path);
        let post = |path| server.request(Method::POST, path);
        let tag = server.get("/.well-known/jwks.json").await.headers["etag"].clone();
        let (large, huge) = ("a".repeat(17 * 1024), "a".repeat(65 * 1024));
        for (status, request) in [
            (200, get(public, "/.well-known/jwks.json")),
            (200, server.request(Method::HEAD, "/.well-known/jwks.json")),
            (200, post("/api/token/").json(&json!({ "username": USER.0, "password": USER.1 }))),
            (304, get(public, "/.well-known/jwks.json").header("if-none-match", tag)),
            (400, post("/api/token/").header("content-type", "application/json").body("{")),
            (401, get(public, "/admin/v1/users")),
            (401, post("/oauth2/token")),
            (401, post("/api/token/verify/").form(&[("token", "none")])),
            (404, get(public, "/nothing")),
            (405, get(public, "/oauth2/token")),
            (413, post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded").body(huge.clone())),
            (413, post("/api/token/").header("content-type", "application/json").body(huge)),
            (415, post("/api/token/").header("content-type", "text/plain").body("username=ada")),
            (431, get(public, "/.well-known/jwks.json").header("x-filler", large.clone())),
            (200, get(operations, "/health/live")),
            (200, get(operations, "/metrics")),
            (404, get(operations, "/nothing")),
            (405, server.request_to(operations, Method::POST, "/metrics")),
            (431, get(operations, "/metrics").header("x-filler", large)),
        ] {
            let answer = read(request).await;
            assert_eq!(answer.status, status, "{answer:?}");
            for (name, value) in FOR_BROWSERS {
                assert_eq!(answer.headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{answer:?}");
            }
            assert_eq!(answer.headers.get("x-request-id").map(HeaderValue::len), Some(32), "{answer:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn an_address_that_leads_nowhere_is_a_problem_in_json() {
    on_each_backend(async |server| {
        for path in
            ["/", "/nothing", "/api/token/nothing", "/oauth2", "/api//token/", "/.well-known/", "/%00", "/..%2fkeys"]
        {
            let answer = server.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
            assert_eq!(answer.body["status"], 404);
            assert!(answer.headers.contains_key("x-request-id"));
        }
    })
    .await;
}

#[actix_web::test]
async fn a_method_that_an_endpoint_does_not_know_is_told_which_it_knows() {
    on_each_backend(async |server| {
        for (method, path, allowed) in [
            (Method::GET, "/api/token/", "POST"),
            (Method::PUT, "/oauth2/token", "POST"),
            (Method::POST, "/.well-known/jwks.json", "GET"),
            (Method::TRACE, "/oauth2/token", "POST"),
        ] {
            let answer = read(server.request(method, path)).await;
            assert_eq!(answer.status, 405, "{path}");
            assert_eq!(answer.headers["allow"], allowed);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_body_beyond_64_kib_is_refused_however_it_is_announced() {
    on_each_backend(async |server| {
        let form = format!("username={}&password=x", "a".repeat(65 * 1024));
        for path in ["/api/token/", "/oauth2/token"] {
            let request =
                server.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(read(request.body(form.clone())).await.status, 413, "{path}");
            let chunked = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 transfer-encoding: chunked\r\n\r\n{:x}\r\n{form}\r\n0\r\n\r\n",
                form.len()
            );
            assert!(raw(server, &[chunked.as_bytes()]).await.starts_with("HTTP/1.1 413"), "{path}");
        }
    })
    .await;
}

#[actix_web::test]
async fn requests_that_two_servers_could_read_differently_are_refused() {
    on_each_backend(async |server| {
        let smuggled = "GET /.well-known/jwks.json HTTP/1.1\r\nhost: x\r\n\r\n";
        for headers in [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
            "content-length: 5\r\ncontent-length: 6\r\n",
            "content-length: +5\r\n",
            "content-length: -1\r\n",
            "content-length: 5, 5\r\n",
            "transfer-encoding: xchunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            "transfer-encoding : chunked\r\n",
            "transfer-encoding: identity, chunked, x\r\n",
            "content-length: 5\r\n folded: x\r\n",
        ] {
            let request = format!("POST /api/token/verify/ HTTP/1.1\r\nhost: x\r\n{headers}\r\n0\r\n\r\n{smuggled}");
            let answer = raw(server, &[request.as_bytes()]).await;
            assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{headers:?}: {answer}");
            assert!(!answer.contains("\"keys\""), "{headers:?}: the smuggled request was answered: {answer}");
        }
    })
    .await;
}

#[actix_web::test]
async fn what_is_no_http_is_refused_and_the_server_goes_on() {
    on_each_backend(async |server| {
        for nonsense in [
            &b"\x16\x03\x01\x02\x00\x01"[..],
            b"\0\0\0\0\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET\r\n\r\n",
            b"\r\n\r\n\r\n",
        ] {
            let answer = raw(server, &[nonsense]).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{nonsense:?}: {answer}");
        }
        assert_eq!(server.obtain(USER).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn slow_headers_and_slow_bodies_are_cut_off() {
    if !crate::support::long() {
        return;
    }
    on_each_backend(async |server| {
        let slow_head = tokio::task::spawn_blocking({
            let address = server.running.address;
            move || drip(address, "GET /.well-known/jwks.json HTTP/1.1\r\nx-slow: ")
        });
        let slow_body = tokio::task::spawn_blocking({
            let address = server.running.address;
            move || {
                drip(
                    address,
                    "POST /api/token/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n",
                )
            }
        });
        let (head, body) = (slow_head.await.unwrap(), slow_body.await.unwrap());
        assert!(head.1.starts_with("HTTP/1.1 408") || head.1.is_empty(), "{}", head.1);
        assert!(head.0 < Duration::from_secs(9), "{:?}", head.0);
        assert!(body.1.starts_with("HTTP/1.1 40"), "{}", body.1);
        assert!(body.0 < Duration::from_secs(14), "{:?}", body.0);
    })
    .await;
}

/// Sends a byte a second until it is answered or cut off; says after how long, and what was answered.
fn drip(address: std::net::SocketAddr, start: &str) -> (Duration, String) {
    let watch = tokenhouse::clock::Stopwatch::start();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(start.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut answer = [0; 1024];
    while watch.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut answer) {
            Ok(read) => return (watch.elapsed(), String::from_utf8_lossy(&answer[..read]).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return (watch.elapsed(), String::new()),
        }
        if stream.write_all(b"a").is_err() {
            return (watch.elapsed(), String::new());
        }
    }
    panic!("the connection was not cut");
}

/// Writes the parts to a connection of its own and reads what comes back until it is quiet.
async fn raw(server: &TestServer, parts: &[&[u8]]) -> String {
    let address = server.running.address;
    let bytes = parts.concat();
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        // The server may hang up before it has read everything.
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut part) {
            answer.extend_from_slice(&part[..read]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap()
}
