//! The log file: what happened inside, for whoever must find out why. Never on the terminal.

use std::path::Path;

use tracing_appender::non_blocking::NonBlockingBuilder;
pub use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

/// How many daily files are kept.
const KEPT: usize = 7;

/// How many lines may wait for the disk. There is room for all of them from the start: 128,000, as the library has it, are 4 MB.
const WAITING: usize = 8192;

/// Whether a filter can be read.
pub fn check(level: &str) -> Result<(), String> {
    EnvFilter::try_new(level).map(|_| ()).map_err(|e| format!("log level {level:?}: {e}"))
}

/// Starts logging into `dir`, one file a day. Keep the guard: dropping it writes out what is buffered.
///
/// `level` is a `tracing` filter, e.g. `info` or `flightdeck=debug`. Text from outside is [`Clean`] before it gets here.
///
/// [`Clean`]: crate::domain::text::Clean
pub fn start(dir: &Path, level: &str) -> Result<WorkerGuard, String> {
    let filter = EnvFilter::try_new(level).map_err(|e| format!("log level {level:?}: {e}"))?;
    std::fs::create_dir_all(dir).map_err(|e| format!("log files in {}: {e}", dir.display()))?;
    let file = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("flightdeck")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(dir)
        .map_err(|e| format!("log files in {}: {e}", dir.display()))?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(file);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .try_init()
        .map_err(|e| e.to_string())?;
    Ok(guard)
}
