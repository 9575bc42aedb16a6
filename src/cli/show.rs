//! What the program shows of itself: its settings, and what a search found.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::ConfigCommand;
use super::output::{self, Unwritten};
use crate::clock::Clock;
use crate::config::{Reader, Shown, VARIABLES, Variable, Variables};
use crate::embedding::choice::EMBEDDING_VARIABLES;
use crate::host::settings;
use crate::knowledge::Found;
use crate::llm::choice::{
    MODEL_FALLBACKS, MODEL_PROVIDER, MODEL_SEES, PROXY, TRANSCRIPTION_API_KEY, TRANSCRIPTION_BASE_URL,
    TRANSCRIPTION_MODEL, variables_of,
};
use crate::llm::presets::PRESETS;
use crate::routes;

pub(super) fn config(asked: &ConfigCommand, variables: &Variables) -> Result<ExitCode> {
    match asked {
        ConfigCommand::Markdown => {
            output::write(markdown())?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Example => {
            output::write(example())?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Show => show(variables),
    }
}

/// Shows what the doors say of themselves where no setting is given, whatever the settings are.
pub(super) fn doors() -> Result<ExitCode> {
    output::write(description())?;
    Ok(ExitCode::SUCCESS)
}

/// The file `docs/openapi.json`.
fn description() -> String {
    let settings = settings(Reader::new(&Variables::of::<String, String>([])));
    let paths = settings.map(|(settings, _)| settings.http.chatkit_paths).unwrap_or_default();
    format!("{:#}\n", routes::description(&paths, None))
}

fn show(variables: &Variables) -> Result<ExitCode> {
    let mut reader = Reader::new(variables);
    for (_, group) in groups() {
        for variable in group {
            let given = if reader.is_given(&variable) { "" } else { " (default)" };
            let value = match (variable.secret, reader.text(&variable)) {
                (true, Some(_)) => "***".to_owned(),
                (_, Some(value)) => Shown(&value).to_string(),
                (_, None) => "-".to_owned(),
            };
            output::line(format_args!("{:<24} {value}{given}\n{:<24}   {}", variable.name, "", variable.meaning))?;
        }
    }
    let (_, providers) = settings(reader)?;
    for notice in providers.retired(Clock::system().now().utc().date_naive()) {
        output::line(format_args!("\nNote: {notice}."))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every variable there is, by subject.
fn groups() -> Vec<(String, Vec<Variable>)> {
    let mut groups = vec![("The server".to_owned(), VARIABLES.to_vec())];
    groups.push(("Which model answers".to_owned(), vec![MODEL_PROVIDER, MODEL_FALLBACKS, MODEL_SEES, PROXY]));
    let hearing = vec![TRANSCRIPTION_MODEL, TRANSCRIPTION_BASE_URL, TRANSCRIPTION_API_KEY];
    groups.push(("Which model hears".to_owned(), hearing));
    groups.push(("Which model makes vectors".to_owned(), EMBEDDING_VARIABLES.to_vec()));
    for preset in PRESETS {
        groups.push((format!("Provider `{}`", preset.name), variables_of(preset).to_vec()));
    }
    groups
}

/// The page `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Made by `chatkit-gateway config markdown`; a test compares.\n\
         Settings are environment variables, or lines of a file `.env` in the working directory.\n\
         A secret may also be given as `NAME_FILE`, the path of a file that holds it.\n\
         All mistakes are reported together at start.\n",
    );
    for (title, group) in groups() {
        let _ = write!(page, "\n## {title}\n\n| variable | default | meaning |\n| --- | --- | --- |\n");
        for variable in group {
            let names: Vec<String> = variable.names().map(|name| format!("`{name}`")).collect();
            let default = variable.default.map_or("–".to_owned(), |default| format!("`{default}`"));
            let secret = if variable.secret { " Secret." } else { "" };
            let _ = writeln!(page, "| {} | {default} | {}{secret} |", names.join(", "), variable.meaning);
        }
    }
    page
}

/// The file `.env.example`: every variable, none of them set.
pub fn example() -> String {
    let mut file = String::from(
        "# Copy to `.env` and take away the `#` before what you want to set. Made by `chatkit-gateway config example`;\n\
         # a test compares. docs/configuration.md says the same as a table, with the other names of some variables.\n",
    );
    for (title, group) in groups() {
        let _ = write!(file, "\n## {title}\n");
        for variable in group {
            let default = variable.default.unwrap_or_default();
            let _ = write!(file, "\n# {}\n#{}={default}\n", variable.meaning, variable.name);
        }
    }
    file
}

/// Passages, for people or, one JSON object a line, for programs.
pub(super) fn found(found: &[Found], as_json: bool) -> Result<(), Unwritten> {
    for Found { passage, score } in found {
        if as_json {
            let line = json!({
                "path": passage.path, "heading": passage.heading, "url": passage.url, "text": passage.text, "score": score,
            });
            output::line(line)?;
        } else {
            output::line(format_args!("{score:.2}  {} › {}\n      {}\n", passage.title, passage.heading, passage.url))?;
        }
    }
    if found.is_empty() && !as_json {
        output::line("The book has nothing about this.")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kept: &str, made: &str) {
        assert_eq!(kept, made, "a setting changed and its documents did not; run `make docs`");
    }

    #[test]
    fn the_documents_name_the_settings_there_are_and_no_others() {
        check(include_str!("../../docs/configuration.md"), &markdown());
        check(include_str!("../../.env.example"), &example());
    }

    #[test]
    fn the_description_that_is_kept_is_the_one_that_the_doors_give() {
        let kept = include_str!("../../docs/openapi.json");
        assert!(kept == description(), "a door changed and its description did not; run `make docs`");
    }

    #[test]
    fn the_example_with_every_line_taken_in_is_a_complete_configuration() {
        let lines = example();
        let assignments = lines.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
        let pairs: Vec<(&str, &str)> = assignments.filter(|(name, _)| !name.contains(' ')).collect();
        assert_eq!(pairs.len(), groups().iter().map(|(_, group)| group.len()).sum::<usize>());
        let variables = Variables::of(pairs);
        let read = settings(Reader::new(&variables)).map(|_| ());
        assert!(read.is_ok(), "{read:?}");
    }
}
