//! Measures the embedded knowledge base against looking through everything, in the same run; see `benches/README.md`.

#![expect(clippy::print_stdout, reason = "a measurement is read on the terminal")]

mod book;
mod brute;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use chatkit_gateway::knowledge::embedded::{EmbeddedKnowledge, Matrix};
use chatkit_gateway::knowledge::ingest::{self, Options};
use chatkit_gateway::knowledge::lexical::Index;
use chatkit_gateway::knowledge::{Document, KnowledgeBase, Passage, Search};
use chatkit_gateway::store::passages::Shelf;
use chatkit_gateway::store::sqlite::SqliteStore;
use clap::Parser;
use serde_json::json;

use self::book::Book;

/// Measures the embedded knowledge base against looking through everything.
#[derive(Debug, Parser)]
struct CommandLine {
    /// Passages of the books that are searched
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<usize>,
    /// Questions asked of each book
    #[arg(long, default_value_t = 400)]
    questions: usize,
    /// Passages of the book that is taken in
    #[arg(long, default_value_t = 20_000)]
    ingested: usize,
    /// Cargo says so; it changes nothing
    #[arg(long, hide = true)]
    bench: bool,
}

/// The numbers of a vector.
const DIMENSIONS: usize = 384;
/// How many are asked for.
const LIMIT: usize = 5;
/// How many are asked for of the vectors, since they are only one of two rankings.
const NEAR: usize = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let asked = CommandLine::parse();
    println!(
        "| passages | search p50 (ms) | p99 (ms) | every word p50 (ms) | ratio | nearest vectors p50 (ms) | plain loop p50 (ms) | ratio | index built (s) | index, a passage (kB) | its text (kB) | most memory while built (MB) |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut searched = Vec::new();
    for &size in &asked.sizes {
        searched.push(search(size, asked.questions)?);
    }
    let ingested = ingestion(asked.ingested, asked.questions).await?;
    println!("{}", json!({ "searched": searched, "ingested": ingested }));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes are far below what f64 holds exactly")]
fn search(size: usize, questions: usize) -> Result<serde_json::Value> {
    let mut book = Book::new();
    let before = memory("VmRSS")?;
    let passages: Vec<Arc<Passage>> =
        book.documents(size).into_iter().flat_map(|document| document.passages).map(Arc::new).collect();
    let text = memory("VmRSS")? - before;
    let questions = book.questions(&passages, questions);
    // Counts the most from here on.
    std::fs::write("/proc/self/clear_refs", "5").context("the most memory cannot be set back")?;
    let before = memory("VmRSS")?;
    let began = Instant::now();
    let index = Index::build(passages.clone());
    let built = began.elapsed().as_secs_f64();
    let (held, most) = (memory("VmRSS")? - before, memory("VmHWM")? - before);
    let ours =
        times(&questions, |query| index.search(&Search { query, earlier: &[], limit: LIMIT, strict: false }).len());
    // As often as takes about as long.
    let few = &questions[..questions.len().min(20)];
    let theirs = times(few, |question| brute::search(&passages, question, LIMIT).len());
    let vectors: Vec<f32> = (0..size * DIMENSIONS).map(|n| ((n * 31 % 97) as f32 - 48.0) / 500.0).collect();
    let asked: Vec<f32> = vectors[..DIMENSIONS].to_vec();
    let plain = times(few, |_| brute::nearest(&vectors, &asked, NEAR).len());
    let matrix = Matrix::of(&mut Shelf { passages: Vec::new(), vectors, dimensions: DIMENSIONS });
    let nearest = times(few, |_| matrix.nearest(&asked, NEAR).len());
    let each = |bytes: f64| bytes / size as f64 / 1e3;
    let (ratio, vector_ratio) = (theirs.0 / ours.0, plain.0 / nearest.0);
    println!(
        "| {size} | {:.3} | {:.3} | {:.1} | {ratio:.0} | {:.2} | {:.2} | {vector_ratio:.1} | {built:.2} | {:.2} | {:.2} | {:.0} |",
        ours.0,
        ours.1,
        theirs.0,
        nearest.0,
        plain.0,
        each(held),
        each(text),
        most / 1e6
    );
    Ok(json!({
        "passages": size, "p50_ms": ours.0, "p99_ms": ours.1, "brute_p50_ms": theirs.0, "ratio": ratio,
        "nearest_p50_ms": nearest.0, "nearest_brute_p50_ms": plain.0, "nearest_ratio": vector_ratio, "built_s": built, "index_kb_a_passage": each(held),
        "text_kb_a_passage": each(text), "most_mb_while_built": most / 1e6,
    }))
}

/// Reads a folder into SQLite, against cutting its pages and doing nothing with them.
#[expect(clippy::cast_precision_loss, reason = "counts are far below what f64 holds exactly")]
async fn ingestion(passages: usize, questions: usize) -> Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let mut book = Book::new();
    let pages: Vec<(String, String)> = (0..passages / 8)
        .map(|number| (format!("part-{:03}/page-{number:06}.md", number / 100), book.page()))
        .collect();
    for (path, text) in &pages {
        let path = folder.path().join("docs").join(path);
        std::fs::create_dir_all(path.parent().context("it is in a folder")?)?;
        std::fs::write(path, text)?;
    }
    let began = Instant::now();
    let cut: Vec<Document> = ingest::read(pages, &Options::default());
    let cut_s = began.elapsed().as_secs_f64();
    let cut: Vec<Arc<Passage>> = cut.into_iter().flat_map(|document| document.passages).map(Arc::new).collect();
    let questions = book.questions(&cut, questions);
    let cut = cut.len();
    let store = SqliteStore::open(&folder.path().join("rows.sqlite")).await?;
    store.migrate().await?;
    let knowledge: Box<dyn KnowledgeBase> = Box::new(EmbeddedKnowledge::open(Arc::new(store), "book", None));
    std::fs::write("/proc/self/clear_refs", "5").context("the most memory cannot be set back")?;
    let before = memory("VmRSS")?;
    let run = async || -> Result<(f64, usize)> {
        let began = Instant::now();
        let report = ingest::ingest(&folder.path().join("docs"), &Options::default(), &*knowledge, &()).await?;
        Ok((began.elapsed().as_secs_f64(), report.passages_stored))
    };
    let (first_s, stored) = run().await?;
    let most = memory("VmHWM")? - before;
    let (again_s, _) = run().await?;
    let began = Instant::now();
    knowledge.prepare().await?;
    knowledge.search(&Search { query: "What is this?", limit: LIMIT, ..Search::default() }).await?;
    let ready_s = began.elapsed().as_secs_f64();
    let mut took = Vec::new();
    for query in &questions {
        let began = Instant::now();
        knowledge.search(&Search { query, limit: LIMIT, ..Search::default() }).await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let (asked_p50, asked_p99) = p50_and_p99(took);
    let rate = |seconds: f64| cut as f64 / seconds;
    println!(
        "\n| passages | only cut (a second) | cut and stored (a second) | ratio | looked at again (a second) | most memory (MB) | ready to answer (s) | answered p50 (ms) | p99 (ms) |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    println!(
        "| {stored} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {ready_s:.2} | {asked_p50:.3} | {asked_p99:.3} |\n",
        rate(cut_s),
        rate(first_s),
        cut_s / first_s,
        rate(again_s),
        most / 1e6
    );
    Ok(json!({
        "passages": stored, "cut_a_second": rate(cut_s), "stored_a_second": rate(first_s),
        "looked_at_again_a_second": rate(again_s), "most_mb": most / 1e6,
        "ready_s": ready_s, "answered_p50_ms": asked_p50, "answered_p99_ms": asked_p99,
    }))
}

/// How long the questions take, in milliseconds: the median, and the 99th of a hundred.
fn times(questions: &[String], mut ask: impl FnMut(&str) -> usize) -> (f64, f64) {
    let took = questions.iter().map(|question| {
        let began = Instant::now();
        std::hint::black_box(ask(question));
        began.elapsed().as_secs_f64() * 1e3
    });
    p50_and_p99(took.collect())
}

fn p50_and_p99(mut took: Vec<f64>) -> (f64, f64) {
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() * 99 / 100])
}

/// A line of what the kernel says of this process, in bytes.
fn memory(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
