//! A file system in memory that loses what was not synced, and breaks at a chosen call.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::audit::{Fs, Handle};

/// What goes wrong at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    KillBefore,
    KillAfter,
    Eio,
    Enospc,
    ShortWrite,
}

pub(super) const FAULTS: [Fault; 5] =
    [Fault::KillBefore, Fault::KillAfter, Fault::Eio, Fault::Enospc, Fault::ShortWrite];

#[derive(Clone, Default)]
struct File {
    data: Vec<u8>,
    durable: Vec<u8>,
    entry_durable: bool,
}

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<PathBuf, File>,
    calls: usize,
    fault: Option<(usize, Fault)>,
    dead: bool,
}

#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while held")
    }

    /// A copy that breaks at call `at`.
    pub(super) fn breaking(&self, at: usize, fault: Fault) -> Self {
        let state = State { calls: 0, fault: Some((at, fault)), dead: false, ..self.state().clone() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A whole copy.
    pub(super) fn copy(&self) -> Self {
        let state = State { calls: 0, fault: None, dead: false, ..self.state().clone() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(super) fn dead(&self) -> bool {
        self.state().dead
    }

    /// The machine after a power loss: of what was not synced only so much is left as `below` picks, of each file a
    /// beginning, and of new entries some. `|_| 0` leaves nothing of it.
    pub(super) fn after_power_loss(&self, mut below: impl FnMut(usize) -> usize) -> Self {
        let copy = self.copy();
        let mut state = copy.state();
        state.files.retain(|_, f| f.entry_durable || below(2) == 1);
        for file in state.files.values_mut() {
            let unsynced = file.data.strip_prefix(file.durable.as_slice()).map_or(0, <[u8]>::len);
            let kept = file.durable.len() + below(unsynced + 1);
            let data = if unsynced > 0 { &file.data } else { &file.durable };
            file.data = data[..kept.min(data.len())].to_vec();
            file.durable = file.data.clone();
            file.entry_durable = true;
        }
        drop(state);
        copy
    }

    pub(super) fn put(&self, path: &Path, data: &[u8]) {
        let file = File { data: data.to_vec(), durable: data.to_vec(), entry_durable: true };
        self.state().files.insert(path.to_owned(), file);
    }

    /// Runs one call of the write path, with the fault where it is due.
    fn call<T>(&self, work: impl FnOnce(&mut State, bool) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        let number = state.calls;
        state.calls += 1;
        let fault = state.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        match fault {
            Some(Fault::KillBefore) => {
                state.dead = true;
                Err(io::Error::other("killed before"))
            }
            Some(Fault::KillAfter) => {
                let _ = work(&mut state, false);
                state.dead = true;
                Err(io::Error::other("killed after"))
            }
            Some(Fault::Eio) => Err(io::Error::other("EIO")),
            Some(Fault::Enospc) => Err(io::Error::new(io::ErrorKind::StorageFull, "ENOSPC")),
            Some(Fault::ShortWrite) => work(&mut state, true),
            None => work(&mut state, false),
        }
    }
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file")
}

struct Open {
    memory: Memory,
    path: PathBuf,
}

impl Handle for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.memory.call(|state, short| {
            let file = state.files.get_mut(&self.path).ok_or_else(missing)?;
            let written = if short { bytes.len() / 2 } else { bytes.len() };
            file.data.extend_from_slice(&bytes[..written]);
            Ok(written)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.memory.call(|state, _| {
            let file = state.files.get_mut(&self.path).ok_or_else(missing)?;
            file.durable = file.data.clone();
            Ok(())
        })
    }
}

impl Fs for Memory {
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open_to_others(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send>> {
        self.call(|_, _| Ok(Box::new(()) as Box<dyn Any + Send>))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.call(|state, _| {
            let inside = state.files.keys().filter(|p| p.parent() == Some(dir));
            Ok(inside.filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect())
        })
    }

    fn read(&self, path: &Path, from: u64) -> io::Result<Vec<u8>> {
        self.call(|state, _| {
            let data = &state.files.get(path).ok_or_else(missing)?.data;
            Ok(data[usize::try_from(from).expect("small").min(data.len())..].to_vec())
        })
    }

    fn identity(&self, path: &Path) -> io::Result<(u64, u64)> {
        let length = self.state().files.get(path).ok_or_else(missing)?.data.len();
        Ok((0, length.try_into().expect("small")))
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        self.call(|state, _| {
            if state.files.contains_key(path) {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there"));
            }
            state.files.insert(path.to_owned(), File::default());
            Ok(())
        })
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        self.call(|state, _| {
            if !state.files.contains_key(path) {
                return Err(missing());
            }
            Ok(Box::new(Open { memory: self.clone(), path: path.to_owned() }) as Box<dyn Handle>)
        })
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.call(|state, _| {
            let file = state.files.get_mut(path).ok_or_else(missing)?;
            file.data.truncate(usize::try_from(len).expect("small"));
            file.durable = file.data.clone();
            Ok(())
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(|state, _| {
            for (path, file) in &mut state.files {
                if path.parent() == Some(dir) {
                    file.entry_durable = true;
                }
            }
            Ok(())
        })
    }
}
