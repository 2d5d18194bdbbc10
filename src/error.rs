//! Errors of the program: a kind, which fixes the exit code, and a hint.

use std::fmt;
use std::process::ExitCode;

/// What kind of failure it was. The codes are part of the interface: README lists them, a test fixes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something that is not covered by another kind.
    Failure,
    /// The command line or the configuration is wrong.
    Usage,
    /// A policy rule, a missing confirmation or the audit log refused the act; nothing was sent.
    Refused,
    /// The target is not, or no longer, what the act needs, was seen or was expected.
    Superseded,
    /// Accepted, but the effect did not come in time.
    NoEffect,
    /// The answer was lost: it may or may not have happened.
    Unknown,
    /// Only a part of the answer could be had before the deadline.
    Partial,
    /// A system could not be reached, or refused the login.
    Unreachable,
    /// The audit log is damaged or was tampered with.
    Audit,
    /// The named thing is not there.
    NotFound,
}

impl Kind {
    /// All kinds, for help and docs.
    pub const ALL: [Self; 10] = [
        Self::Failure,
        Self::Usage,
        Self::Refused,
        Self::Superseded,
        Self::NoEffect,
        Self::Unknown,
        Self::Partial,
        Self::Unreachable,
        Self::Audit,
        Self::NotFound,
    ];

    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Superseded => 4,
            Self::NoEffect => 5,
            Self::Unknown => 6,
            Self::Partial => 7,
            Self::Unreachable => 8,
            Self::Audit => 9,
            Self::NotFound => 10,
        }
    }

    /// What the code means, in one line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Failure => "failed, or what was checked is not so; the message says what and for which target",
            Self::Usage => "wrong command line or configuration",
            Self::Refused => "refused by a policy rule, a missing confirmation or the audit log; nothing was sent",
            Self::Superseded => {
                "the target is not, or no longer, as the act needs it or as expected; nothing changed by us"
            }
            Self::NoEffect => "accepted by the server, but the effect was not seen in time",
            Self::Unknown => "the answer was lost: it may or may not have happened",
            Self::Partial => "only a part of the answer arrived before the deadline",
            Self::Unreachable => "a system could not be reached, or refused the login",
            Self::Audit => "the audit log is damaged, or was tampered with",
            Self::NotFound => "the named target, namespace or record is not there",
        }
    }
}

/// A failure, said so that a person knows what failed, for which target, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub kind: Kind,
    /// What failed, and for what.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// A failure without a hint.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  fix: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<&Error> for ExitCode {
    fn from(error: &Error) -> Self {
        Self::from(error.kind.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_fixed() {
        let codes: Vec<u8> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
}
