//! What can go wrong with the log.

use std::io;
use std::path::{Path, PathBuf};

/// Why a record could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file system said no.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A record that is not the last does not fit: tampering, or a damaged disk. Nothing is written any more.
    #[error("{file}, line {line}: {why}; the log is damaged or was tampered with and is left as it is")]
    Tampered {
        /// The segment.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What does not fit.
        why: String,
    },
    /// A record is too long to be stored.
    #[error("a record of {0} bytes is longer than the log takes")]
    TooLong(usize),
    /// The folder may be written by others.
    #[error("{} may be written by others; fix: chmod go-w", .0.display())]
    OpenToOthers(PathBuf),
}

impl AuditError {
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
