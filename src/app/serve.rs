//! Starts the listeners and stops them again.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::feed_follower::FeedFollower;
use super::jobs::{self, Jobs, last_uses};
use super::{Purpose, demo, open, tls};
use crate::clients;
use crate::clock::{Clock, Stopwatch};
use crate::config::Config;
use crate::ctx::{Ctx, SharedCtx};
use crate::error::with_causes;
use crate::http::ops::Operations;
use crate::http::pages::Brand;
use crate::http::{self, Listening};

const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

/// Whether demo users and clients are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Disables the demo users and clients of earlier starts.
    Production,
    /// Adds demo users and clients with published credentials. Listens on loopback only.
    Development,
}

pub struct Running {
    pub ctx: SharedCtx,
    /// The address of the public listener.
    pub address: SocketAddr,
    /// The address of the operations listener.
    pub operations: SocketAddr,
    draining: Arc<AtomicBool>,
    public: ServerHandle,
    operators: ServerHandle,
    announce: Duration,
    jobs: Jobs,
}

/// Opens stores and keys and starts serving. Returns once requests are answered.
pub async fn start(mut config: Config, clock: Clock, mode: Mode) -> Result<Running, String> {
    let watch = Stopwatch::start();
    let (listener, address) = bind("listen", &config.listen, mode)?;
    let (ops_listener, operations) = bind("ops_listen", &config.ops_listen, mode)?;
    let tls = match (&config.tls.cert, &config.tls.key) {
        (Some(cert), Some(key)) => Some(tls::load(cert, key)?),
        _ => None,
    };
    if mode == Mode::Development {
        // The applications that `--dev` is tried with run on this machine.
        config.outbound.allow.extend(LOOPBACK.iter().filter_map(|network| network.parse().ok()));
    }
    let brand = Brand::load(&config)?;
    let ctx = Arc::new(open(config, clock, Purpose::Service).await.map_err(|error| with_causes(&error))?);
    // A command skips this: it may run with other settings, and these decide what the `simplejwt` client may be
    // granted and how long tokens live.
    clients::ensure_simplejwt(&ctx).await.map_err(|error| with_causes(&error))?;
    let lifetime = ctx.config.tokens.access_lifetime.get();
    ctx.store.database.note_access_lifetime(lifetime, ctx.now()).await.map_err(|error| with_causes(&error))?;
    match mode {
        Mode::Production => demo::stop(&ctx).await.map_err(|error| with_causes(&error))?,
        Mode::Development => demo::add(&ctx).await.map_err(|error| with_causes(&error))?,
    }
    let follower = first_steps(&ctx).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let drain = ctx.config.shutdown.drain.get();
    // The recorder must exist before the first request, because workers keep the counters that they got first.
    let metrics = metrics();
    let public = http::public(&ctx, brand)
        .start(Listening { listener, tls, workers: ctx.config.workers, drain, draining: draining.clone() })
        .map_err(|error| format!("listen: {error}"))?;
    let state = Operations { ctx: ctx.clone(), draining: draining.clone(), metrics: metrics.clone() };
    let drain = Duration::from_secs(1);
    let operators = http::operations(state)
        .start(Listening { listener: ops_listener, tls: None, workers: 1, drain, draining: draining.clone() })
        .map_err(|error| format!("ops_listen: {error}"))?;
    let jobs = jobs::start(&ctx, follower, metrics);
    let running = Running {
        jobs,
        address,
        operations,
        draining,
        public: public.handle(),
        operators: operators.handle(),
        announce: ctx.config.shutdown.announce.get(),
        ctx,
    };
    tokio::spawn(public);
    tokio::spawn(operators);
    let millis = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%address, %operations, issuer = running.ctx.config.issuer, millis, "serving");
    Ok(running)
}

/// Reads what the instance needs before it answers requests.
async fn first_steps(ctx: &Ctx) -> Result<FeedFollower, String> {
    let mut follower = FeedFollower::begin(ctx).await.map_err(|error| with_causes(&error))?;
    if let Err(error) = follower.follow(ctx).await {
        tracing::warn!(error = %error, "starting although the ephemeral store does not answer; refreshes wait for it");
    }
    Ok(follower)
}

impl Running {
    /// Stops the service: reports that it is not ready, closes the event streams, waits for requests in flight, and
    /// then closes the database.
    pub async fn stop(self) {
        self.draining.store(true, Ordering::SeqCst);
        tracing::info!("stopping: not ready any more");
        tokio::time::sleep(self.announce).await;
        self.ctx.broadcast.close();
        self.public.stop(true).await;
        self.operators.stop(true).await;
        drop(self.jobs);
        if let Err(error) = last_uses::record(self.ctx.clone()).await {
            tracing::warn!(error = %error, "last uses of sessions were not recorded");
        }
        self.ctx.store.database.close().await;
        tracing::info!("stopped");
    }
}

fn bind(setting: &str, address: &str, mode: Mode) -> Result<(TcpListener, SocketAddr), String> {
    let address: SocketAddr =
        address.parse().map_err(|_| format!("{setting}: `{address}` is not an address and port"))?;
    if mode == Mode::Development && !address.ip().is_loopback() {
        return Err(format!("{setting}: --dev listens on loopback only, and {address} is not"));
    }
    let listener = TcpListener::bind(address).map_err(|error| cannot_listen(setting, address, &error))?;
    give_up_unread(&listener).map_err(|error| format!("{setting}: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("{setting}: {error}"))?;
    Ok((listener, address))
}

fn cannot_listen(setting: &str, address: SocketAddr, error: &io::Error) -> String {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("; another program has it, and TOKENHOUSE_{} sets another", setting.to_uppercase())
        }
        _ => String::new(),
    };
    format!("{setting}: cannot listen on {address}: {error}{hint}")
}

/// Gives up connections whose client reads nothing, because an unread answer or event stream stays in memory. Accepted
/// connections inherit the option from the listener (RFC 5482; `TCP_USER_TIMEOUT` in tcp(7)). Only Linux has it.
fn give_up_unread(listener: &TcpListener) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(http::UNREAD_TIME))?;
    Ok(())
}

/// Upper bounds of the duration histograms, in seconds. Buckets, unlike quantiles, can be added up over instances.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Returns the recorder of the process, which several services in one process (in tests) share.
fn metrics() -> PrometheusHandle {
    static RECORDER: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap_or_default().build_recorder();
            let handle = recorder.handle();
            drop(metrics::set_global_recorder(recorder));
            handle
        })
        .clone()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_connection_whose_other_side_reads_nothing_is_given_up() {
        let (listener, address) = bind("listen", "127.0.0.1:0", Mode::Development).unwrap();
        let _client = TcpStream::connect(address).unwrap();

        let (accepted, _) = listener.accept().unwrap();

        let given_up = socket2::SockRef::from(&accepted).tcp_user_timeout().unwrap();
        assert_eq!(given_up, Some(http::UNREAD_TIME));
    }
}
