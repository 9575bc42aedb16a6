//! `learn FOLDER=QUESTIONS …`: the numbers of the search by words, learned again from books with questions.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::output;
use crate::knowledge::eval;
use crate::knowledge::ingest::{self, Options};
use crate::knowledge::lexical::Index;
use crate::knowledge::lexical::learn::{self, Lesson};

#[derive(Debug, Args)]
pub(super) struct LearnArgs {
    /// Folders of Markdown pages, each with a file of questions as `eval` reads it
    #[arg(required = true, value_name = "FOLDER=QUESTIONS", value_parser = lesson_files)]
    lessons: Vec<(PathBuf, PathBuf)>,
}

pub(super) fn run(asked: &LearnArgs) -> Result<ExitCode> {
    let lessons = asked.lessons.iter().map(|(folder, file)| lesson(folder, file)).collect::<Result<Vec<_>>>()?;
    output::write(learn::learn(&lessons))?;
    Ok(ExitCode::SUCCESS)
}

fn lesson(folder: &Path, file: &Path) -> Result<Lesson> {
    let mut pages = Vec::new();
    read(folder, folder, &mut pages)?;
    let documents = ingest::read(pages, &Options::default());
    let passages = documents.into_iter().flat_map(|document| document.passages).map(Arc::new).collect();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let (questions, bad) = eval::questions(&text);
    if let Some(line) = bad.first() {
        anyhow::bail!("`{}`, {line}", file.display());
    }
    Ok(Lesson { name: folder.display().to_string(), index: Index::build(passages), questions })
}

/// The pages of a folder, in the order of their names; these are books of one's own, so nothing is refused.
fn read(folder: &Path, root: &Path, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let unreadable = || format!("cannot read `{}`", folder.display());
    let entries = std::fs::read_dir(folder).with_context(unreadable)?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().with_context(unreadable)?;
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() {
            read(&path, root, pages)?;
        } else if path.extension().is_some_and(|ending| ending == "md" || ending == "mdx") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            pages.push((name, std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?));
        }
    }
    Ok(())
}

fn lesson_files(text: &str) -> Result<(PathBuf, PathBuf), String> {
    let (folder, file) = text.split_once('=').ok_or("give FOLDER=QUESTIONS")?;
    Ok((folder.into(), file.into()))
}
