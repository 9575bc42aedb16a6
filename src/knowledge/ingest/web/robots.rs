//! What a site asks of programs that read it: its `robots.txt`.

use std::time::Duration;

/// Most rules that are kept for one program.
const RULES_MAX: usize = 10_000;

/// A longer pause between two pages is not believed.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// What is asked of one program.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Robots {
    rules: Vec<Rule>,
    /// The pause between two pages.
    pub delay: Option<Duration>,
    /// Addresses of maps of the site, as written.
    pub sitemaps: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// The beginning of a path, in which `*` stands for anything and a last `$` for the end.
    pattern: String,
    allows: bool,
}

impl Robots {
    /// Reads a `robots.txt` for the program of this name: its own group of rules, else the one for everybody.
    pub(super) fn parse(text: &str, program: &str) -> Self {
        let (mut own, mut others) = (None, Self::default());
        let mut sitemaps = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut in_rules = false;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.split('#').next().unwrap_or("");
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "sitemap" => sitemaps.push(value.to_owned()),
                "user-agent" => {
                    if std::mem::take(&mut in_rules) {
                        names.clear();
                    }
                    names.push(value.to_ascii_lowercase());
                    if names.iter().any(|name| name == program) {
                        own.get_or_insert_with(Self::default);
                    }
                }
                _ => {
                    in_rules = true;
                    if names.iter().any(|name| name == program) {
                        own.get_or_insert_with(Self::default).hear(&key, value);
                    } else if names.iter().any(|name| name == "*") {
                        others.hear(&key, value);
                    }
                }
            }
        }
        Self { sitemaps, ..own.unwrap_or(others) }
    }

    /// Whether a page may be read: the longest rule that fits decides, and of two equal ones the kinder.
    pub(super) fn allows(&self, path_and_query: &str) -> bool {
        let fitting = self.rules.iter().filter(|rule| fits(&rule.pattern, path_and_query));
        fitting.max_by_key(|rule| (rule.pattern.len(), rule.allows)).is_none_or(|rule| rule.allows)
    }

    fn hear(&mut self, key: &str, value: &str) {
        match key {
            "allow" | "disallow" if !value.is_empty() && self.rules.len() < RULES_MAX => {
                self.rules.push(Rule { pattern: value.to_owned(), allows: key == "allow" });
            }
            "crawl-delay" => {
                let seconds = value.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
                self.delay = seconds.map(|seconds| Duration::from_secs_f64(seconds.min(DELAY_MAX.as_secs_f64())));
            }
            _ => {}
        }
    }
}

/// The pieces between the stars are found one after the other: the first place that fits is as good as any later one.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(pieces.next().unwrap_or("")) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = if to_the_end { pieces.pop() } else { None };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    match last {
        Some(piece) => rest.ends_with(piece),
        None => !to_the_end || rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_for_this_program_count_and_else_those_for_all() {
        let text = "\u{feff}Sitemap: https://x.dev/a.xml\nUser-agent: Other\nDisallow: /\n\nuser-agent: *\nDisallow: /all # no\nCrawl-delay: 2.5\n\n\
                    User-Agent: Chatkit-Gateway\nUser-agent: third\nDisallow: /own\nAllow: /own/open\nDisallow:\nSITEMAP: /b.xml\n";
        let own = Robots::parse(text, "chatkit-gateway");
        assert_eq!(own.sitemaps, ["https://x.dev/a.xml", "/b.xml"]);
        assert!(own.allows("/all") && !own.allows("/own/x") && own.allows("/own/open/x") && own.delay.is_none());
        let other = Robots::parse(text, "unknown");
        assert!(!other.allows("/all/x") && other.allows("/own") && other.allows("/"));
        assert_eq!(other.delay, Some(Duration::from_millis(2500)));
        assert!(!Robots::parse(text, "third").allows("/own"));
        assert!(!Robots::parse("User-agent: y\n\nUser-agent: *\nDisallow: /", "x").allows("/"));
        assert!(Robots::parse("", "x").allows("/"));
        assert_eq!(Robots::parse("User-agent: *\nCrawl-delay: 1e9", "x").delay, Some(DELAY_MAX));
        assert_eq!(Robots::parse("User-agent: *\nCrawl-delay: -1", "x").delay, None);
    }

    #[test]
    fn patterns_fit_as_the_standard_says() {
        for (pattern, path, fit) in [
            ("/", "/x", true),
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish/", "/fish", false),
            ("/*.php", "/folder/a.php?x", true),
            ("/*.php$", "/a.php", true),
            ("/*.php$", "/a.php?x", false),
            ("/*.php$", "/a.php.php", true),
            ("/fish*.php", "/fishheads/catfish.php?x", true),
            ("*", "/anything", true),
            ("/a$", "/a", true),
            ("/a$", "/ab", false),
            ("/*a*b", "/xxaxx", false),
            ("$", "/", false),
        ] {
            assert_eq!(fits(pattern, path), fit, "{pattern} {path}");
        }
    }
}
