//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value comes from. The later layer wins: default, system file, user's file, environment, flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the program.
    #[default]
    Default,
    /// It stands in a file. Line and column count from 1, in characters; line 0 is the whole file.
    File {
        /// The file.
        path: Arc<Path>,
        /// Its line.
        line: usize,
        /// The column in it.
        column: usize,
    },
    /// An environment variable of this name says it.
    Env(Arc<str>),
    /// A flag of the command line says it.
    Flag(&'static str),
}

impl Origin {
    /// A file as a whole.
    pub fn whole(path: &Path) -> Self {
        Self::File { path: path.into(), line: 0, column: 0 }
    }

    /// The kind, for scripts.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Env(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One step on the way to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a table.
    Key(String),
    /// Into a list, counted from 0.
    Index(usize),
}

/// The way to a key, written `prometheus.context[0].url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPath(pub Vec<Step>);

impl KeyPath {
    /// From `a.b.c`.
    pub fn new(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|key| !key.is_empty()).map(|key| Step::Key(key.to_owned())).collect())
    }

    /// The same, one table further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.extend(Self::new(key).0);
        Self(steps)
    }

    /// The same, with a key that is taken as it is: it may hold dots.
    #[must_use]
    pub fn verbatim(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// The same, one place of a list further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// This one, and then that one.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// Without the first steps, if they are these.
    pub fn behind(&self, first: &Self) -> Option<Self> {
        self.0.strip_prefix(first.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if n == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but it may not do what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub at: Origin,
    /// Which key; empty where it is about no key.
    pub key: KeyPath,
    /// What is wrong and what would be right. Never holds a secret.
    pub why: String,
}

impl Problem {
    /// The configuration cannot be used because of this key.
    pub fn error(key: KeyPath, why: impl Into<String>) -> Self {
        Self { severity: Severity::Error, at: Origin::Default, key, why: why.into() }
    }

    /// This key may not do what was meant.
    pub fn warning(key: KeyPath, why: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(key, why) }
    }

    /// It stands there.
    #[must_use]
    pub fn at(self, at: Origin) -> Self {
        Self { at, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at != Origin::Default {
            write!(f, "{}: ", self.at)?;
        }
        if !self.key.0.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.why)
    }
}

/// Why the configuration cannot be used: every error that was found, in the order of the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                f.write_str("\n  ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
