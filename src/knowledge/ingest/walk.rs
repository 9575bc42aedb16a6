//! Lists the pages of a folder, within limits, and says of each that is left out why. Only the labels of folders are read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::{IngestError, Problem};

/// Most pages in one folder. Only their names are held at once.
pub const FILES_MAX: usize = 500_000;
/// Most entries looked at, pages or not.
const ENTRIES_MAX: usize = 5_000_000;
/// Largest file with the label of a folder that is read, in bytes.
const LABEL_BYTES_MAX: u64 = 64 * 1024;
/// Deepest folder below the one that is read.
pub const DEPTH_MAX: usize = 16;
/// The files in which a folder of the site keeps its label.
const CATEGORY_NAMES: &[&str] = &["_category_.json", "_category_.yml", "_category_.yaml"];

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The folder itself, without links in its path.
    pub root: PathBuf,
    /// Paths of pages below the folder, with `/`, in order.
    pub pages: Vec<String>,
    /// Labels of folders, by the folder's path.
    pub labels: BTreeMap<String, String>,
    /// Pages that are there but cannot be read, and folders (with `/` at the end); what is stored of them is kept.
    pub unread: Vec<String>,
    /// What is left out, and why.
    pub problems: Vec<Problem>,
}

/// Walks the folder. `exclude` are names or patterns (`*`, `**`, `?`) of paths that are left out.
pub(super) fn walk(folder: &Path, exclude: &[String]) -> Result<Listing, IngestError> {
    let shown = folder.display();
    let root = folder.canonicalize().map_err(|_| IngestError::Source(format!("there is no folder {shown}")))?;
    if !root.is_dir() {
        return Err(IngestError::Source(format!("{shown} is a file; give the folder it is in")));
    }
    let mut walk = Walk { root: &root, exclude, listing: Listing::default(), entries: 0 };
    walk.folder(&root, "", 0)?;
    let mut listing = Listing { root: PathBuf::new(), ..walk.listing };
    if listing.pages.is_empty() {
        // Going on would forget everything that is stored.
        let why = listing.problems.first().map_or(String::new(), |problem| format!(" that can be read ({problem})"));
        return Err(IngestError::Source(format!("there is no page (.md, .mdx, .html or .pdf) in {shown}{why}")));
    }
    listing.pages.sort();
    listing.root = root;
    Ok(listing)
}

/// Whether a path is of a page, by the rules of the site: partials and hidden files are none.
pub(super) fn is_page(path: &str) -> bool {
    let ignored =
        |segment: &str| segment.starts_with(['.', '_']) || segment == "node_modules" || segment == "__tests__";
    Kind::of(path).is_some() && !path.split('/').any(ignored)
}

/// The label in a `_category_` file.
pub(super) fn category_label(name: &str, content: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Category {
        label: Option<String>,
    }
    let text = std::str::from_utf8(content).ok()?;
    let category: Category =
        if name.ends_with(".json") { serde_json::from_str(text).ok()? } else { serde_saphyr::from_str(text).ok()? };
    category.label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty())
}

/// Whether a name or path is left out by one of the patterns.
pub(super) fn excluded(path: &str, exclude: &[String]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    exclude.iter().any(|pattern| {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        matches(pattern, path) || (!pattern.contains('/') && matches(pattern, name))
    })
}

/// `*` stands for anything inside a name, `**` for anything at all, `?` for one letter.
fn matches(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**/") {
        return matches(rest, path) || path.match_indices('/').any(|(at, _)| matches(rest, &path[at + 1..]));
    }
    if pattern == "**" {
        return true;
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let name_end = path.find('/').unwrap_or(path.len());
        return (0..=name_end).filter(|&at| path.is_char_boundary(at)).any(|at| matches(rest, &path[at..]));
    }
    let (Some(wanted), Some(letter)) = (pattern.chars().next(), path.chars().next()) else {
        return pattern.is_empty() && path.is_empty();
    };
    (wanted == letter || (wanted == '?' && letter != '/'))
        && matches(&pattern[wanted.len_utf8()..], &path[letter.len_utf8()..])
}

struct Walk<'a> {
    root: &'a Path,
    exclude: &'a [String],
    listing: Listing,
    entries: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, path: &str, depth: usize) -> Result<(), IngestError> {
        let room = (ENTRIES_MAX - self.entries) + 1;
        let entries = fs::read_dir(folder).and_then(|entries| entries.take(room).collect::<Result<Vec<_>, _>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.listing.unread.push(format!("{path}/"));
                self.problem(path, format!("the folder cannot be read ({})", error.kind()));
                return Ok(());
            }
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.entries += 1;
            if self.entries > ENTRIES_MAX || self.listing.pages.len() >= FILES_MAX {
                return Err(IngestError::Source(format!(
                    "there are more than {FILES_MAX} pages or {ENTRIES_MAX} files in {}; give a smaller folder",
                    self.root.display()
                )));
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.problem(path, format!("the name of {} is not UTF-8; it is left out", name.to_string_lossy()));
                continue;
            };
            let below = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if !excluded(&below, self.exclude) {
                self.entry(&entry, name, &below, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, name: &str, path: &str, depth: usize) -> Result<(), IngestError> {
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let is_category = CATEGORY_NAMES.contains(&name);
        if is_link {
            let Ok(target) = entry.path().canonicalize() else {
                self.unread(path, "it is a link that leads nowhere; it is left out".to_owned());
                return Ok(());
            };
            if !target.starts_with(self.root) {
                self.unread(path, "it is a link that leaves the folder; it is left out".to_owned());
                return Ok(());
            }
            if target.is_dir() {
                self.problem(path, "it is a link to a folder that is read anyway; it is left out".to_owned());
                return Ok(());
            }
        }
        let Ok(metadata) = fs::metadata(entry.path()) else {
            self.unread(path, "it cannot be read".to_owned());
            return Ok(());
        };
        if metadata.is_dir() {
            if name.starts_with(['.', '_']) || name == "node_modules" {
                return Ok(());
            }
            if depth >= DEPTH_MAX {
                self.problem(path, format!("the folder is more than {DEPTH_MAX} folders deep; it is left out"));
                return Ok(());
            }
            return self.folder(&entry.path(), path, depth + 1);
        }
        if metadata.is_file() && is_category {
            self.label(&entry.path(), name, path);
        } else if metadata.is_file() && is_page(path) {
            self.listing.pages.push(path.to_owned());
        }
        Ok(())
    }

    fn label(&mut self, file: &Path, name: &str, path: &str) {
        let mut content = Vec::new();
        let read = fs::File::open(file).and_then(|file| file.take(LABEL_BYTES_MAX + 1).read_to_end(&mut content));
        match read {
            Err(error) => self.problem(path, format!("it cannot be read ({})", error.kind())),
            Ok(bytes) if bytes as u64 > LABEL_BYTES_MAX => {
                self.problem(path, format!("it is larger than {} KiB; it is left out", LABEL_BYTES_MAX / 1024));
            }
            Ok(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if let Some(label) = category_label(name, &content) {
                    self.listing.labels.insert(folder.to_owned(), label);
                }
            }
        }
    }

    fn problem(&mut self, path: &str, sentence: String) {
        let path = if path.is_empty() { "." } else { path };
        self.listing.problems.push(Problem { path: path.to_owned(), line: None, sentence });
    }

    fn unread(&mut self, path: &str, sentence: String) {
        if is_page(path) {
            self.listing.unread.push(path.to_owned());
        }
        self.problem(path, sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_out_names_and_paths() {
        for (pattern, path, out) in [
            ("README.md", "README.md", true),
            ("README.md", "a/b/README.md", true),
            ("a/README.md", "README.md", false),
            ("drafts", "drafts", true),
            ("drafts/", "drafts", true),
            ("*.md", "a/b.md", true),
            ("a/*.md", "a/b/c.md", false),
            ("a/**/c.md", "a/b/x/c.md", true),
            ("a/**", "a/b/x/c.md", true),
            ("**/x?.md", "a/x1.md", true),
            ("x?.md", "xé.md", true),
            ("", "a.md", false),
        ] {
            assert_eq!(excluded(path, &[pattern.to_owned()]), out, "{pattern} {path}");
        }
    }

    #[test]
    fn partials_and_hidden_files_are_no_pages() {
        for (path, page) in [
            ("a.md", true),
            ("A.MDX", true),
            ("_a.md", false),
            ("_b/a.md", false),
            (".a.md", false),
            ("a.txt", false),
            ("md", false),
            ("node_modules/a.md", false),
        ] {
            assert_eq!(is_page(path), page, "{path}");
        }
    }
}
