//! The cases of a run: those that travel in the program, or those of a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::case::Case;
use super::report::Report;
use super::run::{NotTested, Runner};
use super::target::Target;

/// A file with a case may be this large.
const CASE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A folder may hold so many cases.
const CASES_MAX: usize = 10_000;

#[derive(RustEmbed)]
#[folder = "protocol/conformance/cases/"]
#[include = "*.json"]
struct Bundled;

/// Cases, in the order of their files' names.
///
/// ```no_run
/// use chatkit_gateway::conformance::{Corpus, Target};
///
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// let report = Corpus::bundled()?.run(&Target::at("http://127.0.0.1:8000/chatkit")).await?;
/// assert!(report.is_good(), "{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The cases.
    pub cases: Vec<Case>,
}

/// Why there are no cases.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A folder or a file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no case.
    #[error("`{}`: {why}", path.display())]
    NoCase {
        /// The file.
        path: PathBuf,
        /// The member that is wrong, and where it is.
        why: String,
    },
    /// A folder holds nothing, or too much.
    #[error("`{}` {what}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl Corpus {
    /// The cases that travel in the program.
    ///
    /// # Errors
    /// One of them is none, which a test of this crate rules out.
    pub fn bundled() -> Result<Self, CorpusError> {
        let mut names: Vec<_> = Bundled::iter().collect();
        names.sort();
        let files = names.into_iter().filter_map(|name| Some((PathBuf::from(&*name), Bundled::get(&name)?.data)));
        let cases = files.map(|(path, data)| parse(&path, &data)).collect::<Result<_, _>>()?;
        Ok(Self { cases })
    }

    /// The cases of a folder: its files that end with `.json`.
    ///
    /// # Errors
    /// A file cannot be read or is no case, or there is none.
    pub fn read(folder: &Path) -> Result<Self, CorpusError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| CorpusError::Unreadable { path, source }
        };
        let wrong = |what: String| CorpusError::Folder { path: folder.to_owned(), what };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
            if paths.len() > CASES_MAX {
                return Err(wrong(format!("holds more than {CASES_MAX} cases")));
            }
        }
        if paths.is_empty() {
            return Err(wrong("holds no case: no file ends with `.json`".to_owned()));
        }
        paths.sort();
        let mut cases = Vec::with_capacity(paths.len());
        for path in paths {
            let bytes = fs::metadata(&path).map_err(unreadable(&path))?.len();
            if bytes > CASE_BYTES_MAX {
                return Err(CorpusError::NoCase { path, why: format!("is larger than {CASE_BYTES_MAX} bytes") });
            }
            cases.push(parse(&path, &fs::read(&path).map_err(unreadable(&path))?)?);
        }
        Ok(Self { cases })
    }

    /// The cases whose names match a pattern, in which `*` stands for any text and `?` for any character.
    #[must_use]
    pub fn only(mut self, pattern: &str) -> Self {
        self.cases.retain(|case| matches(pattern, &case.name));
        self
    }

    /// Runs all cases against a server, one after the other.
    ///
    /// # Errors
    /// There is no server to be tested.
    pub async fn run(&self, target: &Target) -> Result<Report, NotTested> {
        let runner = Runner::reach(target).await?;
        let mut report = Report::default();
        for case in &self.cases {
            report.cases.push(runner.run(case, &mut |_| {}).await);
        }
        Ok(report)
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Case, CorpusError> {
    let case = serde_json::from_slice(bytes);
    case.map_err(|error| CorpusError::NoCase { path: path.to_owned(), why: error.to_string() })
}

/// Whether a name matches a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which beginnings of the name the pattern so far can stand for.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for char in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            next[at] = match char {
                '*' => reached[at] || (at > 0 && next[at - 1]),
                '?' => at > 0 && reached[at - 1],
                char => at > 0 && reached[at - 1] && name[at - 1] == char,
            };
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
#[path = "corpus_tests.rs"]
mod tests;
