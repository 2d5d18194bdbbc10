//! Printing: a reader that goes away ends the printing quietly.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::error::{Error, Kind};

/// Writes bytes to standard output.
pub(super) fn raw(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Error::new(Kind::Failure, format!("standard output: {e}"))),
    }
}

/// Writes a text and a line break.
pub(super) fn line(text: &str) -> Result<(), Error> {
    raw(format!("{text}\n").as_bytes())
}

/// Writes one JSON document, readable.
pub(super) fn json<T: Serialize>(what: &T) -> Result<(), Error> {
    line(&serde_json::to_string_pretty(what).map_err(unprintable)?)
}

/// Writes one JSON document on one line.
pub(super) fn json_line<T: Serialize>(what: &T) -> Result<(), Error> {
    line(&serde_json::to_string(what).map_err(unprintable)?)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn unprintable(e: serde_json::Error) -> Error {
    Error::new(Kind::Failure, format!("the answer cannot be written as JSON: {e}"))
}

/// Says something beside the result.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Sets a table: columns as wide as their widest cell, two spaces between.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width - cell.width() + 2));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}
