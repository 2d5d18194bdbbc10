//! The program as a kubectl plugin: called as `kubectl-flightdeck` it is `kubectl flightdeck`, in its help and its hints.

use std::path::Path;

/// The file name by which kubectl finds a plugin.
const PLUGIN: &str = "kubectl-flightdeck";

/// The file name by which kubectl finds what completes a plugin's words.
pub(super) const COMPLETER: &str = "kubectl_complete-flightdeck";

/// Whether the program was called by this file name.
pub(super) fn called_as(name: &str) -> bool {
    let called = std::env::args_os().next();
    called.as_deref().map(Path::new).and_then(Path::file_stem).is_some_and(|stem| stem == name)
}

/// How a person calls this program.
pub(super) fn name() -> &'static str {
    if called_as(PLUGIN) { "kubectl flightdeck" } else { "flightdeck" }
}

/// Commands in a text, as a person would type them here.
pub(super) fn spoken(text: &str) -> String {
    let name = name();
    if name == "flightdeck" {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    // In hints a command stands in backticks, in examples at the beginning of a line or behind a pipe.
    for before in ["`", "  ", "| ", "<("] {
        text = text.replace(&format!("{before}flightdeck "), &format!("{before}{name} "));
    }
    text
}
