//! Where configuration and state live.

use std::path::PathBuf;

use directories::ProjectDirs;

use super::env::SYSTEM;
use super::layers::LayerFile;

/// The places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The system's configuration file, for everyone on this machine; `None` = there is none.
    pub system: Option<PathBuf>,
    /// The configuration file, and whether it was asked for by name.
    pub config: (PathBuf, bool),
    /// Where state is kept: the audit log, log files. `None` when there is no home to put it in.
    pub state: Option<PathBuf>,
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "flightdeck")
}

/// The system's file; [`SYSTEM`] names another, or none when it is empty.
fn system() -> Option<PathBuf> {
    match std::env::var_os(SYSTEM) {
        Some(path) => Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty()),
        None => Some(PathBuf::from("/etc/flightdeck/config.toml")),
    }
}

/// The state directory: flag (or `FLIGHTDECK_STATE_DIR`, which clap reads), XDG state, else the platform's local data.
pub fn state_dir(asked: Option<PathBuf>) -> Option<PathBuf> {
    asked.or_else(|| {
        let dirs = project()?;
        Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
    })
}

impl Paths {
    /// The files of the configuration, the later one over the earlier.
    pub fn files(&self) -> Vec<LayerFile> {
        let system = self.system.iter().map(|path| LayerFile { path: path.clone(), asked_for: false });
        let (path, asked_for) = self.config.clone();
        system.chain([LayerFile { path, asked_for }]).filter(|file| !file.path.as_os_str().is_empty()).collect()
    }

    /// Finds them.
    pub fn find(config: Option<PathBuf>, state: Option<PathBuf>) -> Self {
        let config = match config {
            Some(path) => (path, true),
            None => (project().map(|d| d.config_dir().join("config.toml")).unwrap_or_default(), false),
        };
        Self { system: system(), config, state: state_dir(state) }
    }
}
