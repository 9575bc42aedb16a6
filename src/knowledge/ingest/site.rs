//! The site a book is published on: given by the operator, or read from the `docusaurus.config` beside the folder.
//!
//! The configuration is a program, so it is only scanned for the few plain values that decide an address.

/// Where the pages of a folder are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// `https://x.dev`; none when not known, then addresses are paths.
    pub url: Option<String>,
    /// The route below which the pages are, such as `/docs`.
    pub base: String,
    /// Whether addresses end with a slash; none leaves them as they are.
    pub trailing_slash: Option<bool>,
}

/// The route of the pages when nobody says otherwise.
const BASE_DEFAULT: &str = "/docs";

impl Default for Site {
    fn default() -> Self {
        Self { url: None, base: BASE_DEFAULT.to_owned(), trailing_slash: None }
    }
}

/// The names the configuration may have.
pub(super) const CONFIG_NAMES: &[&str] =
    &["docusaurus.config.ts", "docusaurus.config.js", "docusaurus.config.mjs", "docusaurus.config.cjs"];

/// Reads what can be read of a `docusaurus.config`; what is not there, or is computed, stays at its default.
pub(super) fn read_config(source: &str) -> Site {
    let code = without_comments(source);
    let docs = ["docs", "'@docusaurus/plugin-content-docs'", "\"@docusaurus/plugin-content-docs\""]
        .iter()
        .find_map(|name| block_after(&code, name))
        .unwrap_or("");
    let base_url = values(&code, "baseUrl").find_map(first_string).unwrap_or("/");
    let route = values(docs, "routeBasePath").find_map(first_string).unwrap_or("docs");
    Site {
        url: values(&code, "url").filter_map(first_string).find(|url| url.starts_with("http")).map(str::to_owned),
        base: format!("/{}/{}", base_url.trim_matches('/'), route.trim_matches('/')).replace("//", "/"),
        trailing_slash: values(&code, "trailingSlash")
            .find_map(|v| v.split([',', '\n', '}']).next()?.trim().parse().ok()),
    }
}

/// The text after `key:`, from each place where the key stands as a key.
fn values<'a>(code: &'a str, key: &'static str) -> impl Iterator<Item = &'a str> {
    code.match_indices(key).filter_map(move |(at, _)| {
        let before = code[..at].trim_end_matches(['\'', '"']).chars().next_back();
        let free = before.is_none_or(|c| c.is_whitespace() || matches!(c, '{' | ','));
        let after = code[at + key.len()..].trim_start_matches(['\'', '"']).trim_start();
        after.strip_prefix(':').filter(|_| free)
    })
}

/// The first string of a value, on the value's own line.
fn first_string(value: &str) -> Option<&str> {
    let line = value.trim_start().lines().next()?;
    let start = line.find(['\'', '"', '`'])?;
    let quote = line[start..].chars().next()?;
    let end = line[start + 1..].find(quote)?;
    Some(&line[start + 1..start + 1 + end])
}

/// What stands between the braces that follow a key (`docs: {…}`) or a name (`'plugin', {…}`).
fn block_after<'a>(code: &'a str, name: &str) -> Option<&'a str> {
    code.match_indices(name).find_map(|(at, _)| {
        let before = code[..at].trim_end_matches(['\'', '"']).chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '/' | '-')) {
            return None;
        }
        let after = code[at + name.len()..].trim_start_matches(['\'', '"']).trim_start();
        let inside = after.strip_prefix([':', ','])?.trim_start().strip_prefix('{')?;
        let mut depth = 1;
        let end = inside.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        });
        Some(&inside[..end.unwrap_or(inside.len())])
    })
}

/// The code with its comments blanked; `//` inside a string stays.
fn without_comments(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut quote = None;
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let skipped = match quote {
            None if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            None if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            Some(_) | None => 0,
        };
        if skipped > 0 {
            kept.push(' ');
            rest = &rest[skipped..];
            continue;
        }
        match quote {
            None if matches!(letter, '\'' | '"' | '`') => quote = Some(letter),
            Some(open) if letter == open || (letter == '\n' && open != '`') => quote = None,
            Some(_) | None => {}
        }
        kept.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_configuration_gives_the_address() {
        let site = read_config(
            "// url: 'https://old.example'\nconst config: Config = {\n  title: 'A url: book',\n  url: process.env.URL || 'https://x.dev',\n  \
             /* baseUrl: '/no/' */ baseUrl: '/book/',\n  trailingSlash: false,\n  presets: [['classic', {\n    \
             blog: { routeBasePath: '/news' },\n    docs: { sidebarPath: './s.ts', routeBasePath: 'read' },\n  }]],\n  \
             themeConfig: { docs: { sidebar: {} } },\n};\n",
        );
        assert_eq!(
            site,
            Site { url: Some("https://x.dev".into()), base: "/book/read".into(), trailing_slash: Some(false) }
        );
    }

    #[test]
    fn docs_may_be_at_the_root_and_in_a_plugin() {
        let site = read_config(
            "plugins: [['@docusaurus/plugin-content-docs', {routeBasePath: '/'}]], baseUrl: '/', url: \"https://y.dev\"",
        );
        assert_eq!((site.url.as_deref(), site.base.as_str()), (Some("https://y.dev"), "/"));
    }

    #[test]
    fn what_cannot_be_read_stays_at_its_default() {
        for text in ["", "{{{", "url: computed(),", "'''", "docs: {", "/*", "url:", "baseUrl"] {
            let site = read_config(text);
            assert_eq!((site.url, site.base.as_str()), (None, "/docs"), "{text}");
        }
    }
}
