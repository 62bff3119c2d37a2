//! A histogram of times as text.

use std::fmt;
use std::time::Duration;

/// The width of the longest bar, in characters.
const WIDTH: usize = 60;

pub(crate) struct Histogram {
    times: Vec<Duration>,
    /// The width of a class.
    class: Duration,
    /// The aim for 99 of 100 times.
    aim: Duration,
}

impl Histogram {
    /// Makes a histogram of at least one time.
    pub(crate) fn new(mut times: Vec<Duration>, class: Duration, aim: Duration) -> Self {
        times.sort_unstable();
        Self { times, class, aim }
    }

    fn quantile(&self, of_100: usize) -> u128 {
        let position = (self.times.len() * of_100).div_ceil(100).max(1) - 1;
        self.times.get(position).map_or(0, Duration::as_millis)
    }

    /// Counts the times in each class.
    fn classes(&self) -> Vec<usize> {
        let mut classes = Vec::new();
        for time in &self.times {
            let class = usize::try_from(time.as_millis() / self.class.as_millis()).unwrap_or(0);
            classes.resize(classes.len().max(class + 1), 0);
            classes[class] += 1;
        }
        classes
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes();
        let most = classes.iter().copied().max().unwrap_or(1);
        for (class, count) in (0_u32..).zip(classes) {
            let bar = "#".repeat((count * WIDTH).div_ceil(most));
            writeln!(f, "  under {:>5} ms {count:>6} {bar}", (self.class * (class + 1)).as_millis())?;
        }
        let [p50, p99, longest] = [50, 99, 100].map(|of_100| self.quantile(of_100));
        let aim = self.aim.as_millis();
        let verdict = if p99 < aim { "met" } else { "MISSED" };
        writeln!(f, "  p50 {p50} ms, p99 {p99} ms, longest {longest} ms; p99 under {aim} ms: {verdict}")
    }
}
