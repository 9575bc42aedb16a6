//! Where a page of the book is read: its address, worked out from file name, front matter and site.

use super::frontmatter::FrontMatter;
use super::site::{Generator, Site};

/// The address of a page: a whole address when the site is known, otherwise a path such as `/docs/intro`.
///
/// `path` is the file's path below the folder, with `/`.
pub(super) fn page_url(path: &str, front: &FrontMatter, site: &Site) -> String {
    let route = match site.generator {
        Generator::Docusaurus => slug_path(path, front).replace(' ', "%20"),
        Generator::Mkdocs { directories, .. } => mkdocs_path(path, directories),
        Generator::Mdbook => mdbook_path(path),
        Generator::Generic => encoded(path),
    };
    whole(site, &route)
}

/// The address of a file that is served as it is.
pub(super) fn file_url(path: &str, site: &Site) -> String {
    let path = match path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name)) {
        (folder, name) if matches!(name.to_lowercase().as_str(), "index.html" | "index.htm") => format!("{folder}/"),
        _ => path.to_owned(),
    };
    whole(&Site { trailing_slash: None, ..site.clone() }, &encoded(&path))
}

/// MkDocs makes a folder of each page, or an `.html` file; `index` and `README` stand for their folder.
fn mkdocs_path(path: &str, directories: bool) -> String {
    let (folder, stem) = folder_and_stem(path);
    match (stem, directories) {
        ("index" | "README", true) => encoded(&format!("/{folder}")),
        ("index" | "README", false) => encoded(&format!("{folder}index.html")),
        (_, true) => encoded(&format!("{folder}{stem}/")),
        (_, false) => encoded(&format!("{folder}{stem}.html")),
    }
}

/// mdBook makes an `.html` file of each page, and an `index` of each `README`.
fn mdbook_path(path: &str) -> String {
    let (folder, stem) = folder_and_stem(path);
    let stem = if stem.eq_ignore_ascii_case("readme") { "index" } else { stem };
    encoded(&format!("{folder}{stem}.html"))
}

/// The folder of a file, with a slash at its end unless it is the outermost, and the file's name without its ending.
fn folder_and_stem(path: &str) -> (&str, &str) {
    let begin = path.rfind('/').map_or(0, |at| at + 1);
    (&path[..begin], stem(path))
}

/// A path as it stands in an address.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter {
            ' ' | '"' | '#' | '%' | '<' | '>' | '?' | '`' | '{' | '}' | '|' | '\\' | '^' | '(' | ')' => {
                encoded.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            _ => encoded.push(letter),
        }
    }
    encoded
}

fn whole(site: &Site, route: &str) -> String {
    let route = join(&[&site.base, route]);
    let route = match site.trailing_slash {
        Some(true) if !route.ends_with('/') => route + "/",
        Some(false) if route.len() > 1 => route.trim_end_matches('/').to_owned(),
        Some(_) | None => route,
    };
    match &site.url {
        Some(url) => format!("{}{route}", url.trim_end_matches('/')),
        None => route,
    }
}

/// A file or folder name without its number prefix: `01-intro` becomes `intro`.
///
/// Names that look like a date or a version (`2024-01-foo`, `1.2.3-notes`) are left alone.
pub(super) fn without_number_prefix(name: &str) -> &str {
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &name[digits..];
    let looks_like_version =
        rest.strip_prefix(['-', '_', '.']).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    if digits == 0 || looks_like_version {
        return name;
    }
    let separator = rest.trim_start();
    let bare = separator.trim_start_matches(['-', '_', '.']);
    let suffix = bare.trim_start();
    let is_prefix = bare.len() < separator.len() && !suffix.is_empty() && !suffix.starts_with(['-', '_', '.']);
    if is_prefix { suffix } else { name }
}

/// The file's name without folder and ending.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The last segment of the address unless a slug says otherwise.
pub(super) fn base_id<'a>(path: &'a str, front: &'a FrontMatter) -> &'a str {
    match &front.id {
        Some(id) => id,
        None if front.keeps_number_prefixes() => stem(path),
        None => without_number_prefix(stem(path)),
    }
}

fn slug_path(path: &str, front: &FrontMatter) -> String {
    let slug = front.slug.as_deref().filter(|slug| !slug.is_empty());
    if let Some(absolute) = slug.filter(|slug| slug.starts_with('/')) {
        return absolute.to_owned();
    }
    let folders: Vec<&str> = path.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
    let mut segments: Vec<&str> = match front.keeps_number_prefixes() {
        true => folders.clone(),
        false => folders.iter().map(|name| without_number_prefix(name)).collect(),
    };
    let folder_url = |segments: &[&str]| format!("/{}", segments.iter().map(|s| format!("{s}/")).collect::<String>());
    let Some(slug) = slug else {
        if is_folder_page(stem(path), folders.last().copied()) {
            return folder_url(&segments);
        }
        return folder_url(&segments) + base_id(path, front);
    };
    for segment in slug.split('/') {
        match segment {
            "." | "" => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    let url = folder_url(&segments);
    let is_folder = slug.rsplit('/').next().is_some_and(|last| matches!(last, "" | "." | ".."));
    if is_folder || url.len() == 1 { url } else { url.trim_end_matches('/').to_owned() }
}

/// `index`, `README`, or the name of the folder itself stand for the folder.
fn is_folder_page(stem: &str, folder: Option<&str>) -> bool {
    let stem = stem.to_lowercase();
    stem == "index" || stem == "readme" || folder.is_some_and(|folder| folder.to_lowercase() == stem)
}

/// Joins parts of a path with single slashes, keeping a last one.
fn join(parts: &[&str]) -> String {
    let mut joined = String::from("/");
    for segment in parts.iter().flat_map(|part| part.split('/')).filter(|segment| !segment.is_empty()) {
        if !joined.ends_with('/') {
            joined.push('/');
        }
        joined.push_str(segment);
    }
    if parts.last().is_some_and(|last| last.ends_with('/')) && !joined.ends_with('/') {
        joined.push('/');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_prefixes_go_and_dates_and_versions_stay() {
        for (name, bare) in [
            ("01-intro", "intro"),
            ("01_intro", "intro"),
            ("1. intro", "intro"),
            ("003 - my doc", "my doc"),
            ("10---x", "x"),
            ("2024-01-foo", "2024-01-foo"),
            ("1.2.3-notes", "1.2.3-notes"),
            ("01-3d-printing", "01-3d-printing"),
            ("7", "7"),
            ("7-", "7-"),
            ("module-02", "module-02"),
            ("3d", "3d"),
            ("1 intro", "1 intro"),
        ] {
            assert_eq!(without_number_prefix(name), bare, "{name}");
        }
    }

    #[track_caller]
    fn check(path: &str, front: &str, expected: &str) {
        let front = super::super::frontmatter::split(&format!("---\n{front}\n---\n")).front;
        assert_eq!(page_url(path, &front, &Site::default()), expected, "{path} {front:?}");
    }

    #[test]
    fn a_page_is_read_where_the_site_serves_it() {
        check("01-intro.md", "", "/docs/intro");
        check("02-basics/01-first.mdx", "", "/docs/basics/first");
        check("module-01/03-urdf.mdx", "id: 03-urdf", "/docs/module-01/03-urdf");
        check("01-basics/index.md", "", "/docs/basics/");
        check("01-basics/index.md", "id: something", "/docs/basics/");
        check("01-basics/README.mdx", "", "/docs/basics/");
        check("Guides/guides.md", "", "/docs/Guides/");
        check("01-intro.md", "slug: /", "/docs/");
        check("a/b/c.md", "slug: /elsewhere/here", "/docs/elsewhere/here");
        check("01-a/b.md", "slug: better", "/docs/a/better");
        check("a/b/c.md", "slug: ../d", "/docs/a/d");
        check("a/b.md", "slug: deep/er", "/docs/a/deep/er");
        check("01-a/02-b.md", "parse_number_prefixes: false", "/docs/01-a/02-b");
        check("1.2.3-notes.md", "", "/docs/1.2.3-notes");
    }

    #[test]
    fn hard_names_and_slugs_are_read_as_docusaurus_reads_them() {
        for (path, front, url) in [
            ("a/index.md", "", "/docs/a/"),
            ("a/README.md", "", "/docs/a/"),
            ("a/ReadMe.mdx", "", "/docs/a/"),
            ("a/a.md", "", "/docs/a/"),
            ("01-a/a.md", "", "/docs/a/a"),
            ("01-a/01-a.md", "", "/docs/a/"),
            ("index.md", "", "/docs/"),
            ("README.md", "", "/docs/"),
            ("a/index.md", "id: x", "/docs/a/"),
            ("a/b.md", "id: x", "/docs/a/x"),
            ("a/b.md", "slug: /", "/docs/"),
            ("a/b.md", "slug: ./c", "/docs/a/c"),
            ("a/b.md", "slug: ../c", "/docs/c"),
            ("a/b.md", "slug: ../../c", "/docs/c"),
            ("a/b.md", "slug: c/", "/docs/a/c/"),
            ("a/index.md", "slug: c", "/docs/a/c"),
            ("a/b.md", "slug: /abs/", "/docs/abs/"),
            ("a/b.md", "slug: /abs//dbl", "/docs/abs/dbl"),
            ("a/b.md", "slug: .", "/docs/a/"),
            ("a/b.md", "slug: ..", "/docs/"),
            ("01 - a/02. b.md", "", "/docs/a/b"),
            ("1.0/b.md", "", "/docs/1.0/b"),
            ("2024-01-02-x.md", "", "/docs/2024-01-02-x"),
            ("a b/c d.md", "", "/docs/a%20b/c%20d"),
            ("机器人/学.md", "", "/docs/机器人/学"),
            ("a/b.md", "slug: /你好 世界", "/docs/你好%20世界"),
            ("a/b.c.md", "", "/docs/a/b.c"),
            ("01-a/index.md", "parse_number_prefixes: false", "/docs/01-a/"),
            ("a/b+c&d.md", "", "/docs/a/b+c&d"),
            ("a/b(c).md", "", "/docs/a/b(c)"),
            ("a/b'c!.md", "", "/docs/a/b'c!"),
            ("a/_b.md", "", "/docs/a/_b"),
            ("3d.md", "", "/docs/3d"),
            ("1-.md", "", "/docs/1-"),
            ("1-2.md", "", "/docs/1-2"),
            ("0_x.md", "", "/docs/x"),
            ("1--x.md", "", "/docs/x"),
            ("1 x.md", "", "/docs/1%20x"),
            ("a/01-.md", "", "/docs/a/01-"),
            ("a/b.md", "slug: 01-c", "/docs/a/01-c"),
            ("01-a/b.md", "id: 01-c", "/docs/a/01-c"),
            ("a/été.md", "", "/docs/a/été"),
            ("01-a/A.md", "", "/docs/a/A"),
            ("A/a.md", "", "/docs/A/"),
            ("01-Guides/guides.md", "", "/docs/Guides/guides"),
            ("x/y/x.md", "", "/docs/x/y/x"),
        ] {
            check(path, front, url);
        }
    }

    #[test]
    fn the_site_gives_host_base_and_trailing_slash() {
        let site = |trailing_slash| Site {
            url: Some("https://x.dev/".into()),
            base: "/book/".into(),
            trailing_slash,
            ..Site::default()
        };
        let front = FrontMatter::default();
        assert_eq!(page_url("a.md", &front, &site(None)), "https://x.dev/book/a");
        assert_eq!(page_url("a.md", &front, &site(Some(true))), "https://x.dev/book/a/");
        assert_eq!(page_url("a/index.md", &front, &site(Some(false))), "https://x.dev/book/a");
    }

    #[test]
    fn other_generators_have_other_addresses() {
        let site = |generator| Site { url: Some("https://x.dev".into()), base: "/b".into(), ..Site::of(generator) };
        let files = Generator::Mkdocs { directories: false, unicode: false };
        for (generator, path, url) in [
            (Generator::MKDOCS, "index.md", "/b/"),
            (Generator::MKDOCS, "a/README.md", "/b/a/"),
            (Generator::MKDOCS, "01-a/b c.md", "/b/01-a/b%20c/"),
            (files, "a/b.md", "/b/a/b.html"),
            (files, "a/index.md", "/b/a/index.html"),
            (Generator::Mdbook, "ch01-00.md", "/b/ch01-00.html"),
            (Generator::Mdbook, "a/README.md", "/b/a/index.html"),
            (Generator::Generic, "a/01-b.md", "/b/a/01-b.md"),
        ] {
            let found = page_url(path, &FrontMatter::default(), &site(generator));
            assert_eq!(found, format!("https://x.dev{url}"), "{generator:?} {path}");
        }
        assert_eq!(file_url("a/index.html", &site(Generator::Generic)), "https://x.dev/b/a/");
        assert_eq!(file_url("a/b.pdf", &site(Generator::Docusaurus)), "https://x.dev/b/a/b.pdf");
        assert_eq!(file_url("index.html", &Site::of(Generator::Generic)), "/");
    }
}
