//! Hears of changes to a few files by their folders: editors put another file in the place of the old one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// The watch on some files. Ends when dropped.
pub(super) struct Watcher {
    files: Vec<PathBuf>,
    /// The same, and what they are links to.
    concern: Arc<Mutex<Vec<PathBuf>>>,
    watched: BTreeSet<PathBuf>,
    inner: RecommendedWatcher,
}

impl Watcher {
    /// Whatever happens to one of the files is told to `happened`, once for many times.
    pub(super) fn new(files: &[PathBuf], happened: mpsc::Sender<()>) -> Result<Self, String> {
        let files: Vec<PathBuf> = files.iter().map(|file| std::path::absolute(file).unwrap_or(file.clone())).collect();
        let concern = Arc::new(Mutex::new(files.clone()));
        let heard = concern.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error means that something was missed.
            let concern = heard.lock().unwrap_or_else(PoisonError::into_inner);
            if event.map_or(true, |event| matters(&event, &concern)) {
                // Full = it is told already.
                let _ = happened.try_send(());
            }
        });
        Ok(Self { files, concern, watched: BTreeSet::new(), inner: watcher.map_err(|e| e.to_string())? })
    }

    /// Watches the folders as they are now: one that was not there may be, and one that was put in the place of
    /// another is another.
    pub(super) fn watch(&mut self) {
        for folder in std::mem::take(&mut self.watched) {
            // It may be gone.
            let _ = self.inner.unwatch(&folder);
        }
        let ways: Vec<PathBuf> = self.files.iter().flat_map(|file| ways(file)).collect();
        let folders = ways.iter().filter_map(|file| nearest_folder(file));
        for folder in folders.collect::<BTreeSet<_>>() {
            match self.inner.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(folder);
                }
                Err(error) => tracing::warn!(folder = %folder.display(), %error, "not watched"),
            }
        }
        *self.concern.lock().unwrap_or_else(PoisonError::into_inner) = ways;
    }
}

/// The file, and the one that it is a link to.
fn ways(file: &Path) -> Vec<PathBuf> {
    let behind = std::fs::canonicalize(file).ok().filter(|behind| behind != file);
    std::iter::once(file.to_owned()).chain(behind).collect()
}

/// The folder it is in, or would be in as far as there is one.
fn nearest_folder(file: &Path) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// Whether it may have changed one of the files: itself, a folder on the way to it, or a link beside it that stands for
/// a whole folder (as Kubernetes lays ConfigMaps out). Reading is no change; else our own would be heard.
fn matters(event: &Event, files: &[PathBuf]) -> bool {
    if event.kind.is_access() && event.kind != EventKind::Access(AccessKind::Close(AccessMode::Write)) {
        return false;
    }
    let hidden_link = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
    event.need_rescan() || event.paths.iter().any(|path| hidden_link(path) || files.iter().any(|f| f.starts_with(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_of_no_concern_but_a_folder_on_the_way_is() {
        let files = [PathBuf::from("/config/flightdeck/config.toml")];
        let event = |path: &str| Event::new(EventKind::Any).add_path(path.into());
        for (path, yes) in [
            ("/config/flightdeck/config.toml", true),
            ("/config/flightdeck", true),
            ("/config", true),
            ("/config/flightdeck/..data", true),
            ("/config/flightdeck/.config.toml.swp", false),
            ("/config/other", false),
        ] {
            assert_eq!(matters(&event(path), &files), yes, "{path}");
        }
        let read = Event::new(EventKind::Access(AccessKind::Read)).add_path(files[0].clone());
        assert!(!matters(&read, &files), "reading it is no change");
    }
}
