//! Where pages are read that were not ingested here: addresses made of nothing but the file's path.

use super::frontmatter::FrontMatter;
use super::route;
use super::site::Site;
use super::slug::Slugger;

/// Makes addresses of paths.
#[derive(Clone, Debug, Default)]
pub struct Addresses(Site);

impl Addresses {
    /// Addresses on this site; paths when it is not known. Pages lie below `base`, or `/docs`.
    pub fn new(site_url: Option<&str>, base: Option<&str>) -> Self {
        let site = Site::default();
        Self(Site { url: site_url.map(str::to_owned), base: base.map_or(site.base, str::to_owned), ..site })
    }

    /// The address of the page made of a file, at one of its headings if that is known.
    pub fn of(&self, path: &str, heading: Option<&str>) -> String {
        let page = route::page_url(path, &FrontMatter::default(), &self.0);
        match heading.map(|heading| Slugger::default().anchor(heading)).filter(|anchor| !anchor.is_empty()) {
            Some(anchor) => format!("{page}#{anchor}"),
            None => page,
        }
    }
}
