//! Counts as text, in either of the two formats that Prometheus reads.

use std::collections::HashSet;

use prometheus_client::encoding::text;

use super::Metrics;

/// A format that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' own text, which everything reads.
    Plain,
    /// OpenMetrics, which newer readers ask for.
    OpenMetrics,
}

impl Format {
    /// The one that an `Accept` header asks for.
    pub fn accepted(header: &str) -> Self {
        let asks = |kind: &str| {
            let mut parts = kind.split(';').map(str::trim);
            parts.next() == Some("application/openmetrics-text") && !parts.any(|part| part == "q=0")
        };
        if header.split(',').any(asks) { Self::OpenMetrics } else { Self::Plain }
    }

    /// What it is called in `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Metrics {
    /// Everything that was counted.
    pub fn written(&self, format: Format) -> String {
        let mut written = String::new();
        text::encode(&mut written, &self.0.registry).expect("a string takes all that is written to it");
        match format {
            Format::Plain => plain(&written),
            Format::OpenMetrics => written,
        }
    }
}

/// OpenMetrics as Prometheus' own text: there a counter is called as its values are, with `_total`, and nothing stands
/// at the end.
fn plain(open_metrics: &str) -> String {
    let counter = |line: &'_ str| line.strip_prefix("# TYPE ")?.strip_suffix(" counter").map(str::to_owned);
    let counters: HashSet<String> = open_metrics.lines().filter_map(counter).collect();
    let mut plain = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                plain.extend(["# ", what, " ", name, "_total ", rest]);
            }
            _ => plain.push_str(line),
        }
        plain.push('\n');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_called_in_plain_text_as_its_values_are() {
        let open = "# HELP a_b Of a kind.\n# TYPE a_b counter\na_b_total{x=\"# TYPE y counter\"} 1\n# HELP c A b.\n\
                    # TYPE c gauge\nc 2\n# EOF\n";
        let expected = "# HELP a_b_total Of a kind.\n# TYPE a_b_total counter\na_b_total{x=\"# TYPE y counter\"} 1\n\
                        # HELP c A b.\n# TYPE c gauge\nc 2\n";
        assert_eq!(plain(open), expected);
    }

    #[test]
    fn the_newer_format_is_written_for_whoever_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for plain in ["", "*/*", "text/plain", "application/openmetrics-text;q=0, text/plain"] {
            assert_eq!(Format::accepted(plain), Format::Plain, "{plain}");
        }
    }
}
