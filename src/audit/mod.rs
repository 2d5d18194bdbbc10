//! The tamper-evident audit log.
//!
//! One canonical JSON object a line (RFC 8785 for the data used here), in segments `audit-000001.jsonl`, …; each line
//! names the hash of the one before. [`AuditLog`] is the only writer. What this proves: no record was altered,
//! reordered, inserted or cut out of the middle. What it cannot prove alone: that the tail was not cut off.

mod authorized;
mod chain;
mod error;
mod fs;
mod instance;
mod log;
mod verify;

pub use authorized::Authorized;
pub use error::AuditError;
pub use fs::{Disk, Fs, Handle};
pub use log::{AuditLog, LogView, ReadQuery, Stamp, StoredRecord};
pub use verify::{Finding, VerifyReport, verify};

#[cfg(test)]
mod tests;
