//! From the address of a site to the addresses of its pages: its `robots.txt`, its map, and the maps that one lists.

use std::collections::{HashSet, VecDeque};

use reqwest::Url;

use super::fetch::{Failed, Fetcher};
use super::robots::Robots;
use super::sitemap::{self, SITEMAP_BYTES_MAX, Sitemap};
use crate::knowledge::ingest::{Problem, walk};

/// Most pages of one site.
const PAGES_MAX: usize = 50_000;

/// Most maps of one site.
const MAPS_MAX: usize = 1_000;

/// Maps that are listed by maps that are listed by maps, so deep.
const MAPS_DEPTH_MAX: usize = 3;

/// A `robots.txt` is read so far; the standard asks for no more.
const ROBOTS_BYTES_MAX: u64 = 512 * 1024;

/// The name by which a site knows this program.
const PROGRAM: &str = "chatkit-gateway";

/// The pages of a site.
#[derive(Debug, Default)]
pub(super) struct Map {
    pub pages: Vec<Url>,
    /// Whether these are all there are.
    pub whole: bool,
    pub problems: Vec<Problem>,
}

/// Reads the map of the site at an address. Fails with a sentence.
pub(super) async fn read(
    mut fetcher: Fetcher,
    site: &Url,
    include: &[String],
    exclude: &[String],
) -> Result<(Fetcher, Map), String> {
    let robots = robots(&fetcher, site).await?;
    if let Some(delay) = robots.delay {
        fetcher.slow_down(delay);
    }
    let mut wanted = Wanted { robots, include, exclude, below: None, forbidden: 0, elsewhere: 0 };
    let mut gathered =
        Gathered { map: Map { whole: true, ..Map::default() }, seen: HashSet::new(), maps: VecDeque::new() };
    if is_map(site) {
        let first = fetch(&fetcher, site).await?;
        gathered.take(&fetcher, &mut wanted, site, first, 1);
    } else {
        wanted.below = Some(folder_of(site));
        let (at, first) = found(&fetcher, &wanted.robots, site).await?;
        gathered.take(&fetcher, &mut wanted, &at, first, 1);
    }
    gathered.follow(&fetcher, &mut wanted).await;
    let mut map = gathered.map;
    for (count, why) in [
        (wanted.forbidden, "the site's robots.txt asks not to read them"),
        (wanted.elsewhere, "they are on other hosts; --also-host lets them be read"),
    ] {
        if count > 0 {
            let sentence = format!("{count} pages of its map are left out: {why}");
            map.problems.push(Problem { path: site.to_string(), line: None, sentence });
        }
    }
    Ok((fetcher, map))
}

/// What the site asks of this program. A site without a `robots.txt` asks nothing; one that cannot say it now may.
async fn robots(fetcher: &Fetcher, site: &Url) -> Result<Robots, String> {
    let address = site.join("/robots.txt").map_err(|error| format!("it is no address ({error})"))?;
    match fetcher.get(&address, |_| Some(ROBOTS_BYTES_MAX)).await {
        Ok(got) => Ok(Robots::parse(&String::from_utf8_lossy(&got.bytes), PROGRAM)),
        Err(Failed::Gone(_) | Failed::Elsewhere(_) | Failed::Circle | Failed::Status(400..500)) => {
            Ok(Robots::default())
        }
        Err(Failed::Refused(refused)) => Err(refused.to_string()),
        Err(failed) => Err(format!("its robots.txt cannot be read, so nobody knows what may be: {failed}")),
    }
}

/// The map of a site: where its `robots.txt` says, else where maps usually are.
async fn found(fetcher: &Fetcher, robots: &Robots, site: &Url) -> Result<(Url, Sitemap), String> {
    let said =
        robots.sitemaps.iter().filter_map(|written| site.join(written).ok()).filter(|url| fetcher.is_of_site(url));
    let usual = [format!("{}sitemap.xml", folder_of(site)), "/sitemap.xml".to_owned(), "/sitemap_index.xml".to_owned()];
    let usual = usual.iter().filter_map(|path| site.join(path).ok());
    let mut tried: Vec<Url> = Vec::new();
    let mut why = String::new();
    let mut maps = Vec::new();
    for address in said {
        if !tried.contains(&address) && tried.len() < MAPS_MAX {
            tried.push(address.clone());
            maps.push(address.to_string());
        }
    }
    if !maps.is_empty() {
        return Ok((site.clone(), Sitemap { maps, ..Sitemap::default() }));
    }
    for address in usual {
        if tried.contains(&address) {
            continue;
        }
        match fetch(fetcher, &address).await {
            Ok(map) => return Ok((address, map)),
            Err(sentence) => why = sentence,
        }
        tried.push(address);
    }
    let tried = tried.iter().map(|url| url.path()).collect::<Vec<_>>().join(", ");
    Err(format!("no map of the site was found at {tried} ({why}); give the address of its sitemap"))
}

async fn fetch(fetcher: &Fetcher, address: &Url) -> Result<Sitemap, String> {
    let got = fetcher.get(address, |_| Some(SITEMAP_BYTES_MAX)).await.map_err(|failed| failed.to_string())?;
    let work = tokio::task::spawn_blocking(move || sitemap::parse(&got.bytes)).await;
    work.unwrap_or_else(|_| Err("reading it failed; please report it".to_owned()))
}

/// Whether an address is of a map rather than of a site.
fn is_map(address: &Url) -> bool {
    let path = address.path().to_ascii_lowercase();
    [".xml", ".xml.gz", ".gz", ".txt"].iter().any(|ending| path.ends_with(ending))
}

/// The folder that an address stands for, with a slash at both ends.
fn folder_of(address: &Url) -> String {
    let path = address.path();
    match path.rsplit_once('/') {
        Some((folder, name)) if name.contains('.') => format!("{folder}/"),
        Some((_, "")) => path.to_owned(),
        Some(_) | None => format!("{path}/"),
    }
}

/// Which pages of a map are wanted.
struct Wanted<'a> {
    robots: Robots,
    include: &'a [String],
    exclude: &'a [String],
    /// The folder that all of them are in.
    below: Option<String>,
    forbidden: usize,
    elsewhere: usize,
}

impl Wanted<'_> {
    fn is(&mut self, fetcher: &Fetcher, url: &Url) -> bool {
        if !fetcher.is_of_site(url) {
            self.elsewhere += 1;
            return false;
        }
        let path = url.path();
        let is_below =
            self.below.as_ref().is_none_or(|folder| path.starts_with(folder) || path == folder.trim_end_matches('/'));
        if !is_below || matched(path, self.exclude) || !(self.include.is_empty() || matched(path, self.include)) {
            return false;
        }
        let allowed = match url.query() {
            Some(query) => self.robots.allows(&format!("{path}?{query}")),
            None => self.robots.allows(path),
        };
        self.forbidden += usize::from(!allowed);
        allowed
    }
}

/// Whether a pattern fits the path or a folder that it is in.
fn matched(path: &str, patterns: &[String]) -> bool {
    let path = path.trim_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    !patterns.is_empty() && ends.into_iter().any(|end| walk::excluded(&path[..end], patterns))
}

struct Gathered {
    map: Map,
    seen: HashSet<String>,
    /// Maps that are to be read, and how deep they lie.
    maps: VecDeque<(Url, usize)>,
}

impl Gathered {
    /// Reads the maps that maps list. One that cannot be read leaves the rest, and what is stored of its pages.
    async fn follow(&mut self, fetcher: &Fetcher, wanted: &mut Wanted<'_>) {
        let mut read = 0;
        while let Some((address, depth)) = self.maps.pop_front() {
            read += 1;
            if read > MAPS_MAX {
                self.give_up(&address, &format!("there are more than {MAPS_MAX} maps"));
                return;
            }
            match fetch(fetcher, &address).await {
                Ok(map) => self.take(fetcher, wanted, &address, map, depth),
                Err(sentence) => self.give_up(&address, &sentence),
            }
        }
    }

    fn take(&mut self, fetcher: &Fetcher, wanted: &mut Wanted<'_>, at: &Url, map: Sitemap, depth: usize) {
        if map.is_cut {
            self.give_up(at, "it breaks off, or lists more than a map may");
        }
        for written in map.maps {
            match at.join(&written) {
                Ok(url) if !self.seen.insert(url.to_string()) => {}
                Ok(url) if !fetcher.is_of_site(&url) => {
                    self.give_up(&url, "it is on another host; --also-host lets it be read");
                }
                Ok(url) if depth >= MAPS_DEPTH_MAX => {
                    self.give_up(&url, &format!("it lies more than {MAPS_DEPTH_MAX} maps deep"));
                }
                Ok(url) => self.maps.push_back((url, depth + 1)),
                Err(_) => {}
            }
        }
        for written in map.pages {
            let Ok(mut url) = at.join(&written) else { continue };
            url.set_fragment(None);
            if !wanted.is(fetcher, &url) || !self.seen.insert(url.to_string()) {
                continue;
            }
            if self.map.pages.len() >= PAGES_MAX {
                return self.give_up(at, &format!("the site has more than {PAGES_MAX} pages"));
            }
            self.map.pages.push(url);
        }
    }

    /// Something of the map is not known, so nothing may be forgotten.
    fn give_up(&mut self, at: &Url, sentence: &str) {
        self.map.whole = false;
        let sentence = format!("{sentence}; what is stored of its pages is kept");
        self.map.problems.push(Problem { path: at.to_string(), line: None, sentence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_the_folder_it_is_in() {
        for (address, folder, map) in [
            ("https://x.dev", "/", false),
            ("https://x.dev/book", "/book/", false),
            ("https://x.dev/book/", "/book/", false),
            ("https://x.dev/book/index.html", "/book/", false),
            ("https://x.dev/sitemap.xml", "/", true),
            ("https://x.dev/maps/1.XML.gz?x", "/maps/", true),
        ] {
            let url = Url::parse(address).expect("an address");
            assert_eq!((folder_of(&url).as_str(), is_map(&url)), (folder, map), "{address}");
        }
    }

    #[test]
    fn patterns_fit_pages_and_the_folders_they_are_in() {
        for (path, pattern, fit) in [
            ("/docs/a/b", "docs", true),
            ("/docs/a/b", "a", true),
            ("/docs/a/b/", "docs/*", true),
            ("/docs/a/b", "b*", true),
            ("/docs", "docs/**", false),
            ("/blog/a", "docs", false),
            ("/", "x", false),
        ] {
            assert_eq!(matched(path, &[pattern.to_owned()]), fit, "{path} {pattern}");
        }
    }
}
