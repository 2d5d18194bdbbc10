//! What is on this machine: the terminal, the audit log, the login's helper.

use std::path::{Path, PathBuf};

use super::super::output;
use super::super::setup::Ground;
use super::Checks;
use crate::systems::kubernetes::client::{ConnectSettings, exec_plugin};

/// Below this the cockpit shows a notice instead of itself.
const LEAST: (u16, u16) = (60, 16);

pub(super) fn terminal(checks: &mut Checks) {
    use std::io::IsTerminal as _;
    let (id, what) = ("terminal", "terminal");
    if !std::io::stdout().is_terminal() {
        checks.ok(id, what, "not one: verbs work, the cockpit needs one");
        return;
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match variable("TERM").as_deref() {
        None | Some("dumb") => {
            checks.fail(id, what, "TERM names none that can be drawn on", "export TERM=xterm-256color");
        }
        Some(term) => match rustix::termios::tcgetwinsize(std::io::stdout()) {
            Ok(size) if size.ws_col < LEAST.0 || size.ws_row < LEAST.1 => {
                let said = format!("{term}, {}x{}: too small for the cockpit", size.ws_col, size.ws_row);
                checks.warn(id, what, said, &format!("make it {}x{} or larger", LEAST.0, LEAST.1));
            }
            Ok(size) => checks.ok(id, what, format!("{term}, {}x{}", size.ws_col, size.ws_row)),
            Err(_) => checks.ok(id, what, term),
        },
    }
    let colours = if variable("NO_COLOR").is_some() {
        "none wanted (NO_COLOR)"
    } else if variable("COLORTERM").is_some_and(|c| c == "truecolor" || c == "24bit") {
        "16 million"
    } else if variable("TERM").is_some_and(|t| t.contains("256color")) {
        "256"
    } else {
        "16"
    };
    checks.ok("terminal.colours", "colours", colours);
    if output::ascii() {
        let said = "the locale is not UTF-8: everything is drawn in ASCII";
        checks.warn("terminal.utf8", "characters", said, "export LC_ALL=C.UTF-8");
    } else {
        checks.ok("terminal.utf8", "characters", "UTF-8");
    }
}

pub(super) fn audit(checks: &mut Checks, ground: &Ground) {
    let (id, what) = ("audit", "audit log");
    if let Ok(dir) = ground.audit_dir() {
        writable(checks, &dir);
    }
    match ground.audit() {
        Err(why) => checks.fail(id, what, why, "give --state-dir a folder that is yours alone"),
        Ok(log) => match log.verify(false) {
            Err(e) => checks.fail(id, what, e.to_string(), "make the folder readable"),
            Ok(report) if report.holds() => {
                checks.ok(id, what, format!("{} records hold, in {}", report.records, log.dir().display()));
            }
            Ok(report) => checks.fail(
                id,
                what,
                format!("{} findings in {}", report.findings.len(), log.dir().display()),
                "`flightdeck audit verify` lists them; keep a copy as evidence, then start a new folder (--state-dir)",
            ),
        },
    }
}

/// Whether records can be written, without writing one: the folder, or the first above it that is there.
fn writable(checks: &mut Checks, dir: &Path) {
    use rustix::fs::{Access, access};
    let Some(there) = dir.ancestors().find(|above| above.exists()) else { return };
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
        checks.ok("audit.writable", "audit folder", "can be written");
    } else {
        let said = format!("{} cannot be written: no act moves forward without a record", there.display());
        let fix = format!("`chown -R $(id -un) {}`, or give --state-dir another folder", there.display());
        checks.fail("audit.writable", "audit folder", said, &fix);
    }
}

/// Whether the program is there that the kubeconfig logs in with.
pub(super) fn plugin(checks: &mut Checks, settings: &ConnectSettings) {
    let Ok(Some(plugin)) = exec_plugin(settings) else { return };
    let (id, what) = ("exec-plugin", "login helper");
    if let Some(path) = found(&plugin.command) {
        return checks.ok(id, what, path.display().to_string());
    }
    let hint = plugin.hint.unwrap_or_else(|| format!("install {} and put it into PATH", plugin.command));
    let said = format!("the kubeconfig logs in with {}, which is not in PATH", plugin.command);
    checks.fail(id, what, said, hint.trim());
}

/// Where a command is, as a shell would find it.
fn found(command: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(runs);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(command)).find(runs)
}
