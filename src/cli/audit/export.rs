//! `audit export`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;

use super::super::args::{ExportArgs, ExportFormat};
use super::super::output;
use super::broken;
use crate::audit::{AuditLog, Range};
use crate::error::{Error, Kind};

pub(super) fn run(log: &AuditLog, args: ExportArgs) -> Result<ExitCode, Error> {
    let range = Range { since: args.since, until: args.until, target: args.target };
    let export = log.export(&range, Timestamp::now()).map_err(broken)?;
    let text = match args.format {
        ExportFormat::Jsonl => export.jsonl(),
        ExportFormat::Csv => export.csv(),
    };
    let Some(file) = &args.out else {
        output::raw(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    write(file, text.as_bytes(), args.force).map_err(|e| {
        let error = Error::new(Kind::Failure, format!("{}: {e}", file.display()));
        if e.kind() == io::ErrorKind::AlreadyExists { error.hint("give another --out, or --force") } else { error }
    })?;
    let header = &export.header;
    output::note(&format!(
        "{}: {} records ({} withheld), {} to {}, head {}",
        file.display(),
        header.records,
        header.withheld,
        header.from,
        header.to,
        if header.head.is_empty() { "none" } else { &header.head },
    ));
    Ok(ExitCode::SUCCESS)
}

/// A new file for its owner alone. With `force` it takes the place of an old one, which is whole until then.
fn write(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    if force {
        name.push(format!(".new-{}", std::process::id()));
    }
    let new = Path::new(&name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| if force { std::fs::rename(new, path) } else { Ok(()) });
    if placed.is_err() {
        // Half a file would pass for an export.
        let _ = std::fs::remove_file(new);
    }
    placed
}
