//! The figures as a table for people and as one line of JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::measure::{Figures, Measured, Plan};

/// One line of the table: its name in JSON, what it says, and the figure of a system.
struct Line {
    name: &'static str,
    says: &'static str,
    /// What a figure is multiplied by to be shown in its unit.
    scale: f64,
    /// Taken off both: what asking the model directly gives.
    base: Option<f64>,
    of: fn(&Figures) -> &Vec<f64>,
}

fn lines(measured: &Measured) -> Vec<Line> {
    let direct = &measured.direct;
    let line = |name, says, scale, of| Line { name, says, scale, base: None, of };
    let added =
        |name, says, of: fn(&Figures) -> &Vec<f64>| Line { name, says, scale: 1e3, base: Some(median(of(direct))), of };
    vec![
        added("first_single_p50_ms", "added to first delta, idle, p50 (ms)", |figures| &figures.first_single[0]),
        added("first_single_p99_ms", "added to first delta, idle, p99 (ms)", |figures| &figures.first_single[1]),
        added("first_paced_p50_ms", "added to first delta, paced, p50 (ms)", |figures| &figures.first_paced[0]),
        added("first_paced_p99_ms", "added to first delta, paced, p99 (ms)", |figures| &figures.first_paced[1]),
        line("cpu_saturated_s", "CPU per million deltas, saturated (s)", 1.0, |figures| &figures.cpu_saturated),
        line("cpu_paced_s", "CPU per million deltas, paced (s)", 1.0, |figures| &figures.cpu_paced),
        line("rate_per_s", "deltas a second, saturated (thousands)", 1e-3, |figures| &figures.rate),
        line("deltas_per_event", "deltas an event, saturated", 1.0, |figures| &figures.merged),
        line("idle_stream_kb", "memory of a waiting stream (kB)", 1e-3, |figures| &figures.idle_stream_bytes),
        line("peak_mb", "most memory (MB)", 1e-6, |figures| &figures.peak_bytes),
    ]
}

/// The table, with the ratio gateway ÷ relay in its last column.
pub fn table(plan: &Plan, measured: &Measured) -> String {
    let mut table = format!(
        "\n{} streams; {} deltas a saturated stream; paced: one every {} ms; {} s; medians of {} rounds\n\n",
        plan.streams,
        plan.deltas,
        plan.gap.as_millis(),
        plan.time.as_secs(),
        plan.rounds
    );
    let mut row = |says: &str, relay: &str, gateway: &str, ratio: &str| {
        let _ = writeln!(table, "| {says:<40} | {relay:>9} | {gateway:>9} | {ratio:>7} |");
    };
    row("", "relay", "gateway", "ratio");
    row(&"-".repeat(40), &"-".repeat(9), &"-".repeat(9), &"-".repeat(7));
    for line in lines(measured) {
        let [relay, gateway] = pair(&line, measured);
        row(line.says, &format!("{relay:.2}"), &format!("{gateway:.2}"), &format!("{:.2}", gateway / relay));
    }
    table + "\n"
}

/// The same, on one line.
pub fn json(plan: &Plan, measured: &Measured) -> Value {
    let figures = lines(measured).into_iter().map(|line| {
        let [relay, gateway] = pair(&line, measured);
        (line.name.to_owned(), json!({"relay": relay, "gateway": gateway, "ratio": gateway / relay}))
    });
    json!({
        "streams": plan.streams, "deltas": plan.deltas, "paced_ms": plan.gap.as_millis() as u64,
        "seconds": plan.time.as_secs(), "rounds": plan.rounds,
        "figures": figures.collect::<serde_json::Map<_, _>>(),
    })
}

fn pair(line: &Line, measured: &Measured) -> [f64; 2] {
    [&measured.relay, &measured.gateway]
        .map(|figures| (median((line.of)(figures)) - line.base.unwrap_or(0.0)) * line.scale)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
    }
}
