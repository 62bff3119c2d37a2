//! The answers that were received, and their latencies.

use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::http::Response;

/// The longest latency that is recorded; longer ones count as this.
const LONGEST: Duration = Duration::from_mins(1);

pub(crate) struct Stats {
    latency: Histogram<u64>,
    requests: u32,
    refused: u32,
    broken_off: u32,
    rotated: u32,
    first_error: Option<String>,
}

impl Stats {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            latency: Histogram::new_with_max(nanos(LONGEST), 3).context("bounds of the histogram")?,
            requests: 0,
            refused: 0,
            broken_off: 0,
            rotated: 0,
            first_error: None,
        })
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.latency.saturating_record(nanos(latency));
        self.requests += 1;
    }

    /// Counts an answer that was not the expected one.
    pub(crate) fn refused(&mut self, answer: &Response, body: &[u8]) {
        self.refused += 1;
        if self.first_error.is_none() {
            let cut = String::from_utf8_lossy(&body[..body.len().min(300)]);
            let location = answer.location.as_deref().map(|location| format!(" to {location}")).unwrap_or_default();
            self.first_error = Some(format!("{}{location}: {cut}", answer.status));
        }
    }

    /// Counts an answer with a new token.
    pub(crate) fn rotated(&mut self) {
        self.rotated += 1;
    }

    /// Counts an incomplete answer.
    pub(crate) fn broken_off(&mut self) {
        self.broken_off += 1;
    }

    pub(crate) fn report(&self, measured: Duration, spent: Option<Duration>) -> Value {
        let seconds = measured.as_secs_f64();
        let millis =
            |quantile| round(Duration::from_nanos(self.latency.value_at_quantile(quantile)).as_secs_f64() * 1e3);
        json!({
            "seconds": round(seconds),
            "requests": self.requests,
            "errors": self.refused + self.broken_off,
            "first_error": self.first_error,
            "rps": round(f64::from(self.requests - self.refused) / seconds),
            "p50_ms": millis(0.5),
            "p99_ms": millis(0.99),
            "max_ms": round(Duration::from_nanos(self.latency.max()).as_secs_f64() * 1e3),
            "rotated": self.rotated,
            "cpu_us": spent.map(|spent| round(spent.as_secs_f64() * 1e6 / f64::from(self.requests.max(1)))),
        })
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
