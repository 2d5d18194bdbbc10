//! Which processes live: each that writes holds a lock on a file of its own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The folder of the lock files.
const FOLDER: &str = "instances";

/// Held for as long as the process lives; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub(super) struct Alive {
    path: PathBuf,
    _lock: File,
}

impl Drop for Alive {
    fn drop(&mut self) {
        // A file left behind is only untidy: nobody holds its lock.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn path(dir: &Path, instance: &str) -> PathBuf {
    dir.join(FOLDER).join(format!("{instance}.lock"))
}

/// Takes this instance's lock.
pub(super) fn announce(dir: &Path, instance: &str) -> io::Result<Alive> {
    let path = path(dir, instance);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
    lock.lock()?;
    Ok(Alive { path, _lock: lock })
}

/// Whether the instance is dead. In doubt it lives: its intents are its own.
pub(super) fn is_dead(dir: &Path, instance: &str) -> bool {
    let path = path(dir, instance);
    match OpenOptions::new().write(true).open(&path) {
        Err(e) => e.kind() == io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                let _ = std::fs::remove_file(&path);
                true
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
    }
}
