//! The site a book is published on: given by the operator, or read from the configuration of what generates it.
//!
//! The configuration is a program, or may hold what only its program understands; so it is only scanned for the few
//! plain values that decide an address.

/// Where the pages of a folder are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// `https://x.dev`; none when not known, then addresses are paths.
    pub url: Option<String>,
    /// The route below which the pages are, such as `/docs`.
    pub base: String,
    /// Whether addresses end with a slash; none leaves them as they are.
    pub trailing_slash: Option<bool>,
    /// What makes the site of the folder: it decides addresses and anchors.
    pub generator: Generator,
}

/// What makes a site of a folder of Markdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generator {
    /// Docusaurus.
    #[default]
    Docusaurus,
    /// MkDocs.
    Mkdocs {
        /// Whether a page is a folder of its own in its address.
        directories: bool,
        /// Whether anchors keep letters that are not ASCII.
        unicode: bool,
    },
    /// mdBook.
    Mdbook,
    /// Nothing: files are read where they lie, as on GitHub.
    Generic,
}

impl Generator {
    /// MkDocs as it comes.
    pub const MKDOCS: Self = Self::Mkdocs { directories: true, unicode: false };

    /// The route of its pages when nobody says otherwise.
    fn base(self) -> &'static str {
        match self {
            Self::Docusaurus => BASE_DEFAULT,
            Self::Mkdocs { .. } | Self::Mdbook | Self::Generic => "/",
        }
    }

    /// Whether it is the same generator, however it is configured.
    fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// The route of the pages when nobody says otherwise.
const BASE_DEFAULT: &str = "/docs";

impl Default for Site {
    fn default() -> Self {
        Self::of(Generator::default())
    }
}

impl Site {
    /// A site of which no more is known than what makes it.
    pub fn of(generator: Generator) -> Self {
        Self { url: None, base: generator.base().to_owned(), trailing_slash: None, generator }
    }
}

/// Reads the text of a configuration.
type ReadConfig = fn(&str) -> Site;

/// The names a configuration may have, in the order in which they are looked for, whose it is, and what reads it.
const CONFIGS: &[(&str, Generator, ReadConfig)] = &[
    ("docusaurus.config.ts", Generator::Docusaurus, read_config),
    ("docusaurus.config.js", Generator::Docusaurus, read_config),
    ("docusaurus.config.mjs", Generator::Docusaurus, read_config),
    ("docusaurus.config.cjs", Generator::Docusaurus, read_config),
    ("mkdocs.yml", Generator::MKDOCS, read_mkdocs),
    ("mkdocs.yaml", Generator::MKDOCS, read_mkdocs),
    ("book.toml", Generator::Mdbook, read_mdbook),
];

/// The site of a folder, from the first configuration there is: `find` gives the text of the one of a name. With
/// `generator` only the configurations of that one are looked for, and without any it is the site's default.
pub(super) fn configured(generator: Option<Generator>, mut find: impl FnMut(&str) -> Option<String>) -> Option<Site> {
    CONFIGS
        .iter()
        .filter(|(_, own, _)| generator.is_none_or(|wanted| own.is_like(wanted)))
        .find_map(|(name, _, read)| find(name).map(|source| read(&source)))
}

/// Reads an `mkdocs.yml`: the lines that decide addresses, since the rest may be for its program only.
fn read_mkdocs(source: &str) -> Site {
    let value = |key: &str| source.lines().find_map(|line| plain_value(line.strip_prefix(key)?.strip_prefix(':')?));
    let directories = value("use_directory_urls").is_none_or(|value| !value.eq_ignore_ascii_case("false"));
    let unicode = ["pymdownx.slugs", "slugify_unicode"].iter().any(|name| source.contains(name));
    let site = Site::of(Generator::Mkdocs { directories, unicode });
    with_address(site, value("site_url").unwrap_or(""))
}

/// Reads a `book.toml`.
fn read_mdbook(source: &str) -> Site {
    let html = source.split_once("[output.html]").map_or("", |(_, rest)| rest.split("\n[").next().unwrap_or(""));
    let value =
        html.lines().find_map(|line| plain_value(line.trim().strip_prefix("site-url")?.trim().strip_prefix('=')?));
    with_address(Site::of(Generator::Mdbook), value.unwrap_or(""))
}

/// What a line says, without quotes and comment.
fn plain_value(value: &str) -> Option<&str> {
    let value = value.trim();
    let quoted = value.strip_prefix(['\'', '"']).and_then(|inner| inner.split(['\'', '"']).next());
    let plain = || value.split(" #").next().unwrap_or("").trim();
    // `!ENV` and its like are for its program.
    Some(quoted.unwrap_or_else(plain)).filter(|value| !value.is_empty() && !value.starts_with('!'))
}

/// The site at an address, or below a path when it is only that.
fn with_address(site: Site, address: &str) -> Site {
    let Some((scheme, rest)) = address.split_once("://").filter(|(scheme, _)| scheme.starts_with("http")) else {
        return Site { base: format!("/{}", address.trim_matches('/')), ..site };
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    Site { url: Some(format!("{scheme}://{host}")), base: format!("/{}", path.trim_matches('/')), ..site }
}

/// Reads what can be read of a `docusaurus.config`; what is not there, or is computed, stays at its default.
fn read_config(source: &str) -> Site {
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
        generator: Generator::Docusaurus,
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
            Site {
                url: Some("https://x.dev".into()),
                base: "/book/read".into(),
                trailing_slash: Some(false),
                generator: Generator::Docusaurus,
            }
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

    #[test]
    fn mkdocs_and_mdbook_say_where_they_are() {
        let mkdocs = "site_name: Book\nsite_url: 'https://x.dev/book/' # here\nuse_directory_urls: false\nnav:\n  - site_url: no\n\
                      markdown_extensions:\n  - toc:\n      slugify: !!python/object/apply:pymdownx.slugs.slugify {}\n";
        let site = read_mkdocs(mkdocs);
        assert_eq!((site.url.as_deref(), site.base.as_str()), (Some("https://x.dev"), "/book"));
        assert_eq!(site.generator, Generator::Mkdocs { directories: false, unicode: true });
        assert_eq!(read_mkdocs("site_url: !ENV [SITE]\nsite_name: x"), read_mkdocs("site_url: !ENV [SITE]"));
        assert_eq!(read_mkdocs("docs_dir: x").generator, Generator::MKDOCS);
        let site = read_mdbook("[book]\nsite-url = \"/no\"\n[output.html]\nsite-url = \"/guide/\"\n[output.html.x]\n");
        assert_eq!((site.url, site.base.as_str(), site.generator), (None, "/guide", Generator::Mdbook));
        assert_eq!(read_mdbook("").base, "/");
    }

    #[test]
    fn the_first_configuration_counts_unless_another_generator_is_wanted() {
        let find = |name: &str| match name {
            "mkdocs.yml" => Some("site_url: https://m.dev".to_owned()),
            "book.toml" => Some("[output.html]\nsite-url = '/b/'".to_owned()),
            _ => None,
        };
        assert_eq!(configured(None, find).and_then(|site| site.url).as_deref(), Some("https://m.dev"));
        assert_eq!(configured(Some(Generator::Mdbook), find).map(|site| site.base).as_deref(), Some("/b"));
        assert_eq!(configured(Some(Generator::Docusaurus), find), None);
    }
}
