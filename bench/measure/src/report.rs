//! The table of results.

use crate::ceilings::Part;
use crate::load::Load;

#[derive(Default)]
pub(crate) struct Report {
    parts: Vec<(Part, f64)>,
    rows: Vec<Row>,
    figures: Vec<Figure>,
}

/// The row of a scenario.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) server: Load,
    /// The indispensable microseconds of one core, where they are known.
    pub(crate) ceiling: Option<f64>,
    /// The required share of the ceiling.
    pub(crate) aim: Option<f64>,
}

struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    most: f64,
}

impl Report {
    pub(crate) fn part(&mut self, part: Part, micros: f64) {
        self.parts.push((part, micros));
    }

    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn figure(&mut self, name: &'static str, value: f64, unit: &'static str, most: f64) {
        self.figures.push(Figure { name, value, unit, most });
    }

    pub(crate) fn print(&self) {
        println!("\n{:<28}{:>10}", "part alone", "us");
        for part in Part::ALL {
            let mut all: Vec<f64> = self.parts.iter().filter(|(of, _)| of == part).map(|(_, micros)| *micros).collect();
            all.sort_by(f64::total_cmp);
            if let Some(middle) = all.get(all.len() / 2) {
                println!("{:<28}{middle:>10.1}", part.name());
            }
        }
        println!(
            "\n{:<28}{:>10}{:>10}{:>10}{:>10}{:>12}{:>8}{:>7}",
            "scenario", "req/s", "p50 ms", "p99 ms", "us/req", "ceiling us", "ratio", "aim"
        );
        for row in &self.rows {
            println!("{}", row.line());
        }
        println!("\n{:<52}{:>10}{:>7}{:>12}", "figure", "measured", "", "at most");
        for figure in &self.figures {
            let Figure { name, value, unit, most } = figure;
            println!("{name:<52}{value:>10.1} {unit:<6}{most:>12.0}  {}", verdict(value <= most));
        }
    }
}

impl Row {
    fn line(&self) -> String {
        let Load { requests_a_second, p50_millis, p99_millis, micros } = self.server;
        let start =
            format!("{:<28}{requests_a_second:>10.0}{p50_millis:>10.2}{p99_millis:>10.2}{micros:>10.1}", self.name);
        let Some(ceiling) = self.ceiling else { return start };
        let ratio = ceiling / micros;
        let bounded = format!("{start}{ceiling:>12.1}{ratio:>8.2}");
        let Some(aim) = self.aim else { return bounded };
        format!("{bounded}{aim:>7.2}  {}", verdict(ratio >= aim))
    }

    /// The sort key: the share of the ceiling that is reached; without a ceiling, the speed.
    pub(crate) fn rank(&self) -> f64 {
        self.ceiling.unwrap_or(1.0) / self.server.micros
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}
