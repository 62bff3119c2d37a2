//! What came back, and how fast.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_mins(1);

pub(crate) struct Stats {
    latency: Histogram<u64>,
    statuses: BTreeMap<u16, u32>,
    broken_off: u32,
    rotated: u32,
    first_error: Option<String>,
}

impl Stats {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            latency: Histogram::new_with_max(nanos(LONGEST), 3).context("bounds of the histogram")?,
            statuses: BTreeMap::new(),
            broken_off: 0,
            rotated: 0,
            first_error: None,
        })
    }

    pub(crate) fn record(&mut self, latency: Duration, status: u16, body: &[u8]) {
        self.latency.saturating_record(nanos(latency));
        *self.statuses.entry(status).or_default() += 1;
        if !is_good(status) && self.first_error.is_none() {
            let cut = &body[..body.len().min(300)];
            self.first_error = Some(format!("{status}: {}", String::from_utf8_lossy(cut)));
        }
    }

    /// An answer brought another token.
    pub(crate) fn rotated(&mut self) {
        self.rotated += 1;
    }

    /// An answer was broken off.
    pub(crate) fn broken_off(&mut self) {
        self.broken_off += 1;
    }

    pub(crate) fn report(&self, measured: Duration, spent: Option<Duration>) -> Value {
        let seconds = measured.as_secs_f64();
        let requests: u32 = self.statuses.values().sum();
        let good: u32 = self.statuses.iter().filter(|(status, _)| is_good(**status)).map(|(_, count)| count).sum();
        let millis =
            |quantile| round(Duration::from_nanos(self.latency.value_at_quantile(quantile)).as_secs_f64() * 1e3);
        json!({
            "seconds": round(seconds),
            "requests": requests,
            "errors": requests - good + self.broken_off,
            "first_error": self.first_error,
            "rps": round(f64::from(good) / seconds),
            "p50_ms": millis(0.5),
            "p99_ms": millis(0.99),
            "max_ms": round(Duration::from_nanos(self.latency.max()).as_secs_f64() * 1e3),
            "rotated": self.rotated,
            "cpu_us": spent.map(|spent| round(spent.as_secs_f64() * 1e6 / f64::from(requests.max(1)))),
        })
    }
}

fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
