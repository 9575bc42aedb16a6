//! Where settings come from: flags before the environment, the environment before `.env`, and `NAME_FILE` for secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use secrecy::SecretString;

use super::Variable;

/// A file named by a `…_FILE` variable may be this large, in bytes.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// One thing that is wrong with the settings: which variable, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The variable, as the operator spelt it.
    pub variable: String,
    /// What is wrong and the remedy, as one sentence.
    pub remedy: String,
}

/// Everything that is wrong with the settings, said at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings have {} mistake(s):", self.0.len())?;
        for Mistake { variable, remedy } in &self.0 {
            write!(f, "\n  {variable}: {remedy}")?;
        }
        Ok(())
    }
}

/// The variables there are, by name.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    /// Shows names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// The variables of this process, over those of `.env` in the working directory if there is one.
    ///
    /// # Errors
    /// A `.env` that cannot be read or has a line that is no assignment.
    pub fn of_the_process() -> Result<Self, Mistakes> {
        let mut all = Self::of_file(Path::new(".env"))?;
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let own =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        all.0.extend(own);
        Ok(all)
    }

    fn of_file(path: &Path) -> Result<Self, Mistakes> {
        let wrong = |remedy: String| Mistakes(vec![Mistake { variable: path.display().to_string(), remedy }]);
        match dotenvy::from_path_iter(path) {
            Ok(lines) => lines
                .collect::<Result<_, _>>()
                .map(Self)
                .map_err(|_| wrong("has a line that is not NAME=value; put values with spaces in quotes".to_owned())),
            Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(_) => Err(wrong("cannot be read; check its permissions".to_owned())),
        }
    }

    /// Variables given one by one; later ones win.
    pub fn of<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Sets one variable over whatever it was.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value, if there is one that is not blank.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Reads settings and remembers what is wrong with them, so that all mistakes are reported together.
#[derive(Debug)]
pub struct Reader<'a> {
    variables: &'a Variables,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// A reader of these variables.
    pub fn new(variables: &'a Variables) -> Self {
        Self { variables, mistakes: Vec::new() }
    }

    /// The name under which a variable was given, and its value.
    fn given(&mut self, variable: &Variable) -> Option<(&'static str, String)> {
        for name in variable.names() {
            if let Some(value) = self.variables.get(name) {
                return Some((name, value.to_owned()));
            }
            if !variable.secret {
                continue;
            }
            let file_name = format!("{name}_FILE");
            if let Some(path) = self.variables.get(&file_name) {
                match secret_file(Path::new(path)) {
                    Ok(value) => return Some((name, value)),
                    Err(remedy) => self.mistake(&file_name, remedy),
                }
            }
        }
        None
    }

    /// The text of a variable, or its default; `None` when it has neither.
    pub fn text(&mut self, variable: &Variable) -> Option<String> {
        self.given(variable).map(|(_, value)| value).or_else(|| variable.default.map(str::to_owned))
    }

    /// The same, kept out of logs.
    pub fn secret(&mut self, variable: &Variable) -> Option<SecretString> {
        self.text(variable).map(SecretString::from)
    }

    /// A value that must parse; a mistake is noted, and the default stands in so that reading can go on.
    ///
    /// # Panics
    /// Never with the variables of this program: each that is read so has a default that parses, and a test says so.
    pub fn parsed<T: FromStr>(&mut self, variable: &Variable, expected: &str) -> T {
        if let Some((name, value)) = self.given(variable) {
            match value.parse() {
                Ok(value) => return value,
                Err(_) => self.mistake(name, format!("must be {expected}")),
            }
        }
        let default = variable.default.unwrap_or_default();
        default.parse().ok().expect("a parsed variable has a default that parses")
    }

    /// A whole number within bounds.
    pub fn number(&mut self, variable: &Variable, bounds: std::ops::RangeInclusive<u64>) -> u64 {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let value = self.parsed::<u64>(variable, &expected);
        if bounds.contains(&value) {
            return value;
        }
        self.mistake(variable.name, format!("must be {expected}"));
        *bounds.start()
    }

    /// The values of a comma-separated list, without blank ones.
    pub fn list(&mut self, variable: &Variable) -> Vec<String> {
        let text = self.text(variable).unwrap_or_default();
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a variable was given at all, by any of its names.
    pub fn is_given(&self, variable: &Variable) -> bool {
        variable.names().any(|name| self.variables.get(name).is_some())
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, variable: &str, remedy: impl Into<String>) {
        self.mistakes.push(Mistake { variable: variable.to_owned(), remedy: remedy.into() });
    }

    /// What was read, unless something was wrong.
    ///
    /// # Errors
    /// All mistakes noted so far.
    pub fn finish<T>(self, read: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(read) } else { Err(Mistakes(self.mistakes)) }
    }
}

fn secret_file(path: &Path) -> Result<String, String> {
    let size =
        std::fs::metadata(path).map_err(|error| format!("the file it names cannot be read ({})", error.kind()))?.len();
    if size > SECRET_FILE_BYTES_MAX {
        return Err(format!("the file it names is larger than {SECRET_FILE_BYTES_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file it names cannot be read ({})", error.kind()))?;
    match text.trim() {
        "" => Err("the file it names is empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}
