//! Lines, leaves and how they hang together.

use sha2::{Digest as _, Sha256};

use super::error::AuditError;
use crate::domain::record::Record;

/// The longest record, so that its length fits the two bytes that tile-based transparency logs give it.
pub(super) const LONGEST: usize = 65_535;

/// What the first record names as the one before.
pub(super) const ROOT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The leaf of a line (without its newline): SHA-256 over a zero byte and the stored bytes, as RFC 6962 has it.
pub(super) fn leaf(line: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(line);
    hex(&hash.finalize())
}

/// Plain SHA-256 in hex, for evidence.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The canonical line of a record, with its newline.
///
/// Keys are sorted because `serde_json` keeps objects in a sorted map (a test fails should a dependency switch that
/// off), numbers are integers below 2^53, and its string escapes are those of RFC 8785.
pub(super) fn line(record: &Record) -> Result<Vec<u8>, AuditError> {
    let value = serde_json::to_value(record).unwrap_or_default();
    let mut line = value.to_string().into_bytes();
    if line.len() > LONGEST {
        return Err(AuditError::TooLong(line.len()));
    }
    line.push(b'\n');
    Ok(line)
}

/// Whether a stored line is in canonical form.
pub(super) fn is_canonical(line: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|v| v.to_string().as_bytes() == line)
}
