//! The tamper-evident audit log.
//!
//! One canonical JSON object a line (RFC 8785 for the data used here), in segments `audit-000001.jsonl`, …; each line
//! names the hash of the one before. [`AuditLog`] is the only writer. What this proves: no record was altered,
//! reordered, inserted or cut out of the middle. What it cannot prove alone: that the tail was not cut off. For that
//! the head is told to a [`Witness`] after each act.
//!
//! While the log takes no records, [`Late`] keeps those of acts that stop harm, hands them to every other [`Sink`],
//! and writes them as soon as the log takes records again, marked late.

mod authorized;
mod chain;
mod error;
mod export;
mod fs;
mod glance;
mod instance;
mod late;
mod link;
mod log;
mod open;
mod query;
mod reconcile;
mod verify;
mod witness;

pub use authorized::{Authorized, Standing};
pub use error::AuditError;
pub use export::{Export, ExportHeader, ExportReport, Range, verify_export};
pub use fs::{Disk, Fs, Handle};
pub use late::{Kept, Late, Sink};
pub use log::{AuditLog, Stamp};
pub use open::OpenPlan;
pub use query::{LogView, ReadQuery, StoredRecord};
pub use reconcile::{Account, Found, Side, reconcile};
pub use verify::{Finding, VerifyReport, verify};
pub use witness::{ActNote, Head, Holds, Witness, WitnessError, WitnessReport, Witnessed, compare};

#[cfg(test)]
mod tests;
