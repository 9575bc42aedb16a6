//! The server under test: where it is, what it can do, and which cases that leaves.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::exchange::Limits;

/// What a server does with a turn whose reader has gone away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// It goes on, and the whole answer is kept.
    #[default]
    Finish,
    /// It is stopped at once, and what was shown is kept.
    Cancel,
}

/// What not every server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Uploads in two phases.
    Attachments,
    /// A transcriber that says how many bytes of what it was given.
    Transcribe,
    /// Messages to locked and closed threads are refused.
    RefuseLocked,
    /// The interpreter of scripts has the step `stream_widget`.
    StreamWidget,
}

/// A set of features, written as their names with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features(BTreeSet<Feature>);

/// The server under test.
///
/// ```
/// use chatkit_gateway::conformance::{Policy, Target};
///
/// let target = Target { policy: Policy::Cancel, ..Target::at("http://127.0.0.1:8000/chatkit") };
/// assert!(!target.reference);
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    /// The address that ChatKit requests are sent to, beginning with `http://` or `https://`.
    pub url: String,
    /// What it does with a turn whose reader has gone away.
    pub policy: Policy,
    /// What it can do besides.
    pub have: Features,
    /// Whether it is the Python reference, of which other things are expected here and there.
    pub reference: bool,
    /// How much of an answer is waited for.
    pub limits: Limits,
}

/// What a case needs of a server, such as `attachments`, `!attachments` or `policy:cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Need {
    ability: Ability,
    /// False for a case about servers without it.
    wanted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ability {
    Feature(Feature),
    Policy(Policy),
}

/// A word that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} `{given}`; there are {known}")]
pub struct Unknown {
    kind: &'static str,
    given: String,
    known: String,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Finish, Self::Cancel];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Cancel => "cancel",
        }
    }
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Attachments, Self::Transcribe, Self::RefuseLocked, Self::StreamWidget];

    /// The name by which cases need it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attachments => "attachments",
            Self::Transcribe => "transcribe",
            Self::RefuseLocked => "refuse_locked",
            Self::StreamWidget => "stream_widget",
        }
    }
}

/// The one with this name.
fn named<T: Copy>(kind: &'static str, given: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Unknown> {
    let found = all.iter().copied().find(|one| name(*one) == given);
    found.ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|one| format!("`{}`", name(*one))).collect();
        Unknown { kind, given: given.to_owned(), known: known.join(", ") }
    })
}

impl FromStr for Policy {
    type Err = Unknown;

    fn from_str(given: &str) -> Result<Self, Unknown> {
        named("policy", given, &Self::ALL, Self::name)
    }
}

impl FromStr for Features {
    type Err = Unknown;

    /// Reads names with commas between; no text is no feature.
    fn from_str(given: &str) -> Result<Self, Unknown> {
        let names = given.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| named("feature", name, &Feature::ALL, Feature::name)).collect()
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<T: IntoIterator<Item = Feature>>(features: T) -> Self {
        Self(features.into_iter().collect())
    }
}

impl Default for Features {
    /// All but `stream_widget`, which a server offers only if it has something like it.
    fn default() -> Self {
        Self::from_iter([Feature::Attachments, Feature::Transcribe, Feature::RefuseLocked])
    }
}

impl fmt::Display for Features {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|feature| feature.name()).collect();
        formatter.write_str(&names.join(","))
    }
}

impl Target {
    /// A server at this address with the usual features, which lets a turn finish when its reader goes away.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            policy: Policy::default(),
            have: Features::default(),
            reference: false,
            limits: Limits::default(),
        }
    }

    /// Whether a case with this need is about this server. The reference keeps what each policy promises here.
    pub(super) fn meets(&self, need: &Need) -> bool {
        let has = match need.ability {
            Ability::Policy(policy) => self.reference || self.policy == policy,
            Ability::Feature(Feature::StreamWidget) if self.reference => true,
            Ability::Feature(feature) => self.have.0.contains(&feature),
        };
        has == need.wanted
    }
}

impl TryFrom<String> for Need {
    type Error = Unknown;

    fn try_from(written: String) -> Result<Self, Unknown> {
        let (name, wanted) = written.strip_prefix('!').map_or((written.as_str(), true), |name| (name, false));
        let ability = match name.strip_prefix("policy:") {
            Some(policy) => Ability::Policy(policy.parse()?),
            None => Ability::Feature(named("feature", name, &Feature::ALL, Feature::name)?),
        };
        Ok(Self { ability, wanted })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.wanted { "" } else { "!" };
        match self.ability {
            Ability::Feature(feature) => write!(formatter, "{not}{}", feature.name()),
            Ability::Policy(policy) => write!(formatter, "{not}policy:{}", policy.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(written: &str) -> Need {
        Need::try_from(written.to_owned()).unwrap()
    }

    #[test]
    fn a_need_is_met_by_what_the_server_has_or_lacks() {
        let target = Target { have: "attachments".parse().unwrap(), ..Target::at("") };
        for (written, met) in [
            ("attachments", true),
            ("!attachments", false),
            ("transcribe", false),
            ("!transcribe", true),
            ("stream_widget", false),
            ("policy:finish", true),
            ("policy:cancel", false),
            ("!policy:cancel", true),
        ] {
            assert_eq!(target.meets(&need(written)), met, "{written}");
            assert_eq!(need(written).to_string(), written);
        }
        let reference = Target { reference: true, ..target };
        for met in ["policy:finish", "policy:cancel", "stream_widget", "!transcribe"] {
            assert!(reference.meets(&need(met)), "{met}");
        }
    }

    #[test]
    fn an_unknown_word_is_told_with_the_known_ones() {
        let told = "attachments,uploads".parse::<Features>().unwrap_err().to_string();
        assert!(told.contains("`uploads`") && told.contains("`refuse_locked`"), "{told}");
        let told = Need::try_from("policy:stop".to_owned()).unwrap_err().to_string();
        assert!(told.contains("`stop`") && told.contains("`finish`, `cancel`"), "{told}");
        assert!(Need::try_from("!!attachments".to_owned()).is_err());
    }

    #[test]
    fn features_are_written_as_they_are_read() {
        assert_eq!(Features::default().to_string(), "attachments,transcribe,refuse_locked");
        assert_eq!("".parse::<Features>().unwrap().to_string(), "");
        assert_eq!(
            " stream_widget, attachments,".parse::<Features>().unwrap().to_string(),
            "attachments,stream_widget"
        );
    }
}
