//! What is wrong with a request, for the person who has to mend it.

/// A request that cannot be understood: which member is wrong, and how it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` {problem}")]
pub struct Malformed {
    /// The path of the member, such as `params.input.content[0].text`; `body` for the whole.
    pub member: String,
    /// What is wrong with it, to be read after the member's name.
    pub problem: String,
}

impl Malformed {
    pub(crate) fn new(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { member: member.into(), problem: problem.into() }
    }
}
