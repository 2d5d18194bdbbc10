//! Where configuration and state live.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file, and whether it was asked for by name.
    pub config: (PathBuf, bool),
    /// Where state is kept: the audit log, log files. `None` when there is no home to put it in.
    pub state: Option<PathBuf>,
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "flightdeck")
}

/// The state directory: flag (or `FLIGHTDECK_STATE_DIR`, which clap reads), XDG state, else the platform's local data.
pub fn state_dir(asked: Option<PathBuf>) -> Option<PathBuf> {
    asked.or_else(|| {
        let dirs = project()?;
        Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
    })
}

impl Paths {
    /// Finds them.
    pub fn find(config: Option<PathBuf>, state: Option<PathBuf>) -> Self {
        let config = match config {
            Some(path) => (path, true),
            None => (project().map(|d| d.config_dir().join("config.toml")).unwrap_or_default(), false),
        };
        Self { config, state: state_dir(state) }
    }
}
