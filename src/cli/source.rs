//! What `ingest` reads: a folder, or the site at an address; and how.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::Settings;
use crate::knowledge::ingest::{Folder, Generator, IngestError, Options, Source, Web, WebOptions};

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// The folder with the book's pages, such as `docs` of a Docusaurus site; or the address of a site or of its
    /// sitemap, such as https://book.example.org
    #[arg(value_name = "FOLDER OR URL")]
    source: String,
    /// Leave out files, folders and pages of this name or pattern; may be given more than once
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Where the book is read, such as https://book.example.org [variable: SITE_URL]
    #[arg(long)]
    site_url: Option<String>,
    /// The path of the pages on the site [variable: SITE_BASE]
    #[arg(long)]
    base: Option<String>,
    /// What makes the site of a folder, and with it addresses and anchors; otherwise its configuration tells
    #[arg(long, value_enum)]
    site: Option<SiteKind>,
    /// Of a site, read only pages and folders of this name or pattern; may be given more than once
    #[arg(long, value_name = "NAME", help_heading = "Options for an address")]
    include: Vec<String>,
    /// Read pages of this host too when the sitemap lists them; may be given more than once
    #[arg(long, value_name = "HOST", help_heading = "Options for an address")]
    also_host: Vec<String>,
    /// The site may be on this machine or in a private network
    #[arg(long, help_heading = "Options for an address")]
    allow_private: bool,
    /// The pause between two requests, in milliseconds; the site's robots.txt may ask for more
    #[arg(long, value_name = "MS", default_value_t = 100, help_heading = "Options for an address",
          value_parser = clap::value_parser!(u64).range(0..=60_000))]
    delay_ms: u64,
}

/// What makes a site of a folder.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum SiteKind {
    Docusaurus,
    Mkdocs,
    Mdbook,
    /// Files are read where they lie, as on GitHub
    Generic,
}

impl From<SiteKind> for Generator {
    fn from(kind: SiteKind) -> Self {
        match kind {
            SiteKind::Docusaurus => Self::Docusaurus,
            SiteKind::Mkdocs => Self::MKDOCS,
            SiteKind::Mdbook => Self::Mdbook,
            SiteKind::Generic => Self::Generic,
        }
    }
}

impl SourceArgs {
    /// How it is read, as far as that depends on what is asked here.
    pub(super) fn options(&self, settings: &Settings) -> Options {
        Options {
            site_url: self.site_url.clone().or_else(|| settings.knowledge.site_url.clone()),
            base: self.base.clone().or_else(|| settings.knowledge.site_base.clone()),
            generator: self.site.map(Generator::from),
            exclude: self.exclude.clone(),
            web: WebOptions {
                allow_private: self.allow_private,
                also_hosts: self.also_host.clone(),
                include: self.include.clone(),
                delay: Duration::from_millis(self.delay_ms),
            },
            ..Options::default()
        }
    }

    /// Opens it; an address is what begins like one.
    pub(super) async fn open(&self, options: &Options) -> Result<Box<dyn Source>, IngestError> {
        let begins =
            |scheme: &str| self.source.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
        if begins("http://") || begins("https://") {
            return Ok(Box::new(Web::open(&self.source, options).await?));
        }
        Ok(Box::new(Folder::open(&PathBuf::from(&self.source), options).await?))
    }
}
