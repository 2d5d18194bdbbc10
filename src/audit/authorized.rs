//! The proof that an act may be carried out.

/// Where the record of an act stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Durable in the log.
    Durable {
        /// The number of its intent record.
        seq: u64,
    },
    /// The log takes no records: it is kept in memory, was handed to the other sinks, and is written late. Only for
    /// acts that stop harm.
    Degraded {
        /// Why the log takes none.
        why: String,
    },
}

/// Something that may be carried out: its intent is durable in the audit log, or kept as well as it can be.
///
/// Only this room makes one. It can be used once: there is no `Clone` and no way to read one from data.
#[derive(Debug)]
#[must_use = "an intent is on record: carry it out, or record why not"]
pub struct Authorized<T> {
    what: T,
    standing: Standing,
}

impl<T> Authorized<T> {
    pub(super) fn durable(what: T, seq: u64) -> Self {
        Self { what, standing: Standing::Durable { seq } }
    }

    pub(super) fn degraded(what: T, why: String) -> Self {
        Self { what, standing: Standing::Degraded { why } }
    }

    /// Where its record stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The number of its intent record, when it is durable.
    pub fn seq(&self) -> Option<u64> {
        match self.standing {
            Standing::Durable { seq } => Some(seq),
            Standing::Degraded { .. } => None,
        }
    }

    /// Gives it up, to carry it out.
    pub fn into_inner(self) -> T {
        self.what
    }
}
