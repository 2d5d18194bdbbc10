//! Every call that the write path makes to the file system, behind a trait, so that tests can break each of them.

use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// An open file at whose end lines are put.
pub trait Handle: Send {
    /// One `write(2)`; may write less than asked.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// `fdatasync(2)`, on the very descriptor that wrote: an error is reported only there.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system.
pub trait Fs: Send + Sync {
    /// Makes the folder, for its owner alone, and refuses one that others may write.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Whether others than the owner may write the folder.
    fn open_to_others(&self, dir: &Path) -> io::Result<bool>;
    /// Takes the lock on `path`, waiting for it; it is free again when the guard is dropped.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>>;
    /// The names in a folder.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// What stands in a file from `from` on.
    fn read(&self, path: &Path, from: u64) -> io::Result<Vec<u8>>;
    /// Which file stands under this name (its inode), and how long it is.
    fn identity(&self, path: &Path) -> io::Result<(u64, u64)>;
    /// Makes an empty file for its owner alone; fails if it is there.
    fn create(&self, path: &Path) -> io::Result<()>;
    /// Opens a file to write at its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Handle>>;
    /// Cuts a file and makes that durable.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;
    /// `fsync(2)` on a folder: a new entry needs its own.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

struct OnDisk(File);

impl Handle for OnDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

impl Fs for Disk {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn open_to_others(&self, dir: &Path) -> io::Result<bool> {
        Ok(fs::metadata(dir)?.permissions().mode() & 0o022 != 0)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        let file = private().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(Box::new(file))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&self, path: &Path, from: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn identity(&self, path: &Path) -> io::Result<(u64, u64)> {
        let found = fs::metadata(path)?;
        Ok((found.ino(), found.len()))
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        private().create_new(true).write(true).open(path)?.sync_all()
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(OnDisk(OpenOptions::new().append(true).open(path)?)))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}
