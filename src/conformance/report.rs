//! What came of a run: which cases passed, and what differed in those that failed.

use std::fmt;

use serde::Serialize;

/// So many differences of a step are told; the rest is counted.
pub const DIFFERENCES_TOLD_MAX: usize = 15;

/// What came of all cases of a run.
///
/// Written out, it names every case that failed with what differs, and ends with the line that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What came of each case, in their order.
    pub cases: Vec<Outcome>,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What the case is called.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Whether the server does so.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a server does what a case shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Passed,
    /// It does not.
    Failed(Failure),
    /// The case is not about this server.
    Skipped {
        /// What it would need, such as `attachments` or `!attachments`.
        needs: Vec<String>,
    },
}

/// The step at which a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its number, from 1.
    pub step: usize,
    /// What was sent: the type of the request, or what else it was.
    pub what: String,
    /// What the case says about the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What differs from what was expected, a sentence each.
    pub differences: Vec<String>,
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The server does what they show.
    pub passed: usize,
    /// It does not.
    pub failed: usize,
    /// They are not about this server.
    pub skipped: usize,
}

impl Counts {
    /// Whether something was shown, and nothing failed.
    pub fn are_good(self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl Report {
    /// How many cases came out how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in &self.cases {
            match outcome.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::Skipped { .. } => counts.skipped += 1,
            }
        }
        counts
    }

    /// Whether at least one case passed and none failed.
    pub fn is_good(&self) -> bool {
        self.counts().are_good()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in self.cases.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_))) {
            writeln!(formatter, "{outcome}")?;
        }
        self.counts().fmt(formatter)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Passed => write!(formatter, "passed {}", self.name),
            Verdict::Skipped { needs } => write!(formatter, "skipped {} (needs {})", self.name, needs.join(", ")),
            Verdict::Failed(failure) => write!(formatter, "FAIL {} — {}\n{failure}", self.name, self.about),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "     step {} ({})", self.step, self.what)?;
        if let Some(note) = &self.note {
            write!(formatter, " {note}")?;
        }
        for difference in self.differences.iter().take(DIFFERENCES_TOLD_MAX) {
            write!(formatter, "\n       {difference}")?;
        }
        match self.differences.len().saturating_sub(DIFFERENCES_TOLD_MAX) {
            0 => Ok(()),
            more => write!(formatter, "\n       … and {more} more"),
        }
    }
}
