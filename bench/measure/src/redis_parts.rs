//! The cost of Redis alone: many concurrent requests over one connection, as the server makes them.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Cmd, Script};

use crate::times::{micros_each, now, thread_time};

/// The number of concurrent requests.
const AT_ONCE: u32 = 32;

/// A grant like that of a user with three scopes.
const GRANT: &str = r#"{"c":"simplejwt","u":"AZal0mwffTqdVw5MH4sqYw","s":"openid profile email","a":["http://127.0.0.1:8080"],"i":1,"n":1795300000000,"t":1795300000,"m":["pwd"]}"#;

/// The value of an authorization code, as in the scenario.
const CODE: &str = r#"f{"session":"0196a5d2-6c1f-7d3a-9d57-2a63f8b21f0e","client_id":"app","redirect_uri":"https://app.example.com/callback","challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","nonce":"n-0S6_WzA2Mj","scope":"openid profile email","audience":["http://127.0.0.1:8080"],"claims":{},"user":"0196a5d2-6c1f-7d3a-9d57-0e4c1f8b2a63","browser_session":"0196a5d2-6c1f-7d3a-9d57-1b2c3d4e5f60","browser_session_ends_at":"2026-11-22T03:36:36.123Z","auth_time":"2026-11-21T03:36:36.123Z","amr":["pwd"],"user_agent":{"user_agent":"loadgen","address":"127.0.0.1"},"issued_at":"2026-11-21T03:36:36.123Z"}"#;

/// The key of an authorization code, without a number of ten characters at its end.
const CODE_NAME: &str = "th:o:code:E9Melhoa2OwvFrEMTJguCHaoeK1t8URWb";

/// Microseconds for one request.
pub(crate) struct RedisParts {
    /// The share of the driver.
    pub(crate) client: f64,
    /// The share of Redis.
    pub(crate) server: f64,
}

pub(crate) fn measure(url: &str, seconds: f64) -> Result<RedisParts> {
    // A task for each session, all on this thread, as in a worker of the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut line = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        let (client_before, server_before) = (thread_time()?, server_micros(&mut line).await?);
        let start = |number| tokio::spawn(rotate_again_and_again(line.clone(), number, seconds));
        let tasks: Vec<_> = (0..AT_ONCE).map(start).collect();
        let mut count = 0;
        for task in tasks {
            count += task.await??;
        }
        let client = micros_each(thread_time()?.saturating_sub(client_before), count);
        let server = (server_micros(&mut line).await? - server_before) / f64::from(count.max(1));
        Ok(RedisParts { client, server })
    })
}

async fn rotate_again_and_again(mut line: MultiplexedConnection, number: u32, seconds: f64) -> Result<u32> {
    let script = Script::new(include_str!("../../../src/store/redis/advance.lua"));
    let key = format!("bench:s:{number}");
    let _: () = line.set(&key, format!("0 0 1795300000000 86400 9999999999 86400 0 0 \n{GRANT}")).await?;
    let since = now();
    let mut generation = 0;
    while since.elapsed().as_secs_f64() < seconds {
        let mut call = script.key(&key);
        call.arg(generation).arg(0).arg(120);
        let (_, _, advanced): (Option<Vec<u8>>, i64, bool) = call.invoke_async(&mut line).await?;
        ensure!(advanced, "the script did not rotate");
        generation += 1;
    }
    let _: () = line.del(&key).await?;
    Ok(generation)
}

/// Returns the command that stores a code under a unique key. It expires soon, so that a run does not fill the memory.
pub(crate) fn keep_code() -> Cmd {
    static KEPT: AtomicU64 = AtomicU64::new(0);
    let mut set = redis::cmd("SET");
    set.arg(format!("{CODE_NAME}{:010}", KEPT.fetch_add(1, Ordering::Relaxed))).arg(CODE).arg("PX").arg(1000).arg("NX");
    set
}

async fn server_micros(line: &mut MultiplexedConnection) -> Result<f64> {
    let info: String = redis::cmd("INFO").arg("cpu").query_async(line).await?;
    let seconds = |name: &str| -> Option<f64> { info.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()) };
    let total = seconds("used_cpu_user:").zip(seconds("used_cpu_sys:")).map(|(user, system)| user + system);
    Ok(total.context("INFO cpu tells no times")? * 1e6)
}

/// Returns the bytes of the largest of up to 1000 sessions in Redis.
pub(crate) fn bytes_a_session(url: &str) -> Result<u32> {
    let mut line = redis::Client::open(url)?.get_connection()?;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*s:*").query(&mut line)?;
    let mut most = 0;
    for key in keys.iter().take(1000) {
        most = most.max(redis::cmd("MEMORY").arg("USAGE").arg(key).query::<Option<u32>>(&mut line)?.unwrap_or(0));
    }
    Ok(most)
}
