//! Printing: what fits the reader at the other end, and goes on without one.
//!
//! A reader that goes away (`flightdeck status | head -1`) ends the printing, not the verb: it keeps the exit code that
//! it would have had. Verbs that print for ever ask [`gone`] and end.

mod look;
mod table;

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

pub(super) use self::look::{ascii, prepare, to_ascii as plain};
pub(super) use self::table::{Fit, facts, fitted, headed, table};
use crate::error::{Error, Kind};

static GONE: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads standard output any more.
pub(super) fn gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

/// Writes bytes to standard output.
pub(super) fn raw(bytes: &[u8]) -> Result<(), Error> {
    if gone() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
            GONE.store(true, Ordering::Relaxed);
            Ok(())
        }
        Err(e) => Err(Error::new(Kind::Failure, format!("standard output: {e}"))),
    }
}

/// Writes text for people: in ASCII where the locale knows nothing else.
pub(super) fn text(text: &str) -> Result<(), Error> {
    if look::ascii() { raw(look::to_ascii(text).as_bytes()) } else { raw(text.as_bytes()) }
}

/// Writes a text and a line break.
pub(super) fn line(line: &str) -> Result<(), Error> {
    text(&format!("{line}\n"))
}

/// Writes one JSON document, readable.
pub(super) fn json<T: Serialize>(what: &T) -> Result<(), Error> {
    document(&serde_json::to_string_pretty(what).map_err(unprintable)?)
}

/// Writes one JSON document on one line.
pub(super) fn json_line<T: Serialize>(what: &T) -> Result<(), Error> {
    document(&serde_json::to_string(what).map_err(unprintable)?)
}

/// Writes a JSON document that is text already.
pub(super) fn json_text(json: &str) -> Result<(), Error> {
    document(json)
}

/// JSON can be ASCII without losing anything.
fn document(json: &str) -> Result<(), Error> {
    let json = if look::ascii() { look::escaped(json) } else { json.to_owned() };
    raw(format!("{json}\n").as_bytes())
}

/// Writes one YAML document.
pub(super) fn yaml<T: Serialize>(what: &T) -> Result<(), Error> {
    let text = serde_saphyr::to_string(what)
        .map_err(|e| Error::new(Kind::Failure, format!("the answer cannot be written as YAML: {e}")))?;
    raw(text.as_bytes())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn unprintable(e: serde_json::Error) -> Error {
    Error::new(Kind::Failure, format!("the answer cannot be written as JSON: {e}"))
}

/// Says something beside the result. Nobody may be listening there either.
pub(super) fn note(text: &str) {
    let text = if look::ascii() { look::to_ascii(text) } else { text.to_owned() };
    let _ = writeln!(io::stderr(), "{text}");
}
