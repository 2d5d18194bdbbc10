//! The proof that an act stands in the log.

/// Something that may be carried out: its intent is durable in the audit log.
///
/// Only this room makes one. It can be used once: there is no `Clone` and no way to read one from data.
#[derive(Debug)]
#[must_use = "an intent stands in the log: carry it out, or record why not"]
pub struct Authorized<T> {
    what: T,
    seq: u64,
}

impl<T> Authorized<T> {
    pub(super) fn new(what: T, seq: u64) -> Self {
        Self { what, seq }
    }

    /// The number of its intent record.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Gives it up, to carry it out.
    pub fn into_inner(self) -> T {
        self.what
    }
}
