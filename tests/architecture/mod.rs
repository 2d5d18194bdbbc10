//! Reads the source and holds it to the rooms and import rules that `src/lib.rs` describes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may import. `error` is everyone's.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("actions", &["domain"]),
    ("model", &["domain", "actions"]),
    ("policy", &["domain", "actions"]),
    ("audit", &["domain"]),
    ("effects", &["domain", "audit"]),
    ("systems", &["domain", "effects", "audit", "config"]),
    ("config", &["domain", "actions", "policy"]),
    ("demo", &["domain", "config"]),
    ("runtime", &["domain", "actions", "model", "policy", "audit", "effects", "systems", "config"]),
    ("tui", &["domain", "actions", "model", "policy", "runtime", "config"]),
    (
        "cli",
        &["domain", "actions", "model", "policy", "audit", "effects", "systems", "config", "demo", "runtime", "tui"],
    ),
];

/// Crates that only these rooms may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("tui_input", &["tui"]),
    ("kube", &["systems"]),
    ("k8s_openapi", &["systems"]),
    ("axum", &["demo"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("toml", &["config", "demo"]),
    ("strsim", &["domain"]),
    ("notify", &["runtime"]),
    ("tracing_subscriber", &["runtime"]),
    ("tracing_appender", &["runtime"]),
];

/// Calls that pure rooms may not make, and rooms that may not spawn.
const PURE: &[&str] = &["domain", "actions", "model", "policy"];
const IMPURE: &[&str] =
    &["Timestamp::now", "SystemTime", "Instant::now", "std::fs", "std::net", "std::env", "tokio::", "async fn"];
const MAY_SPAWN: &[&str] = &["runtime", "demo"];

/// Systems that other systems may import: the transport behind a Kubernetes API server.
const SHARED_SYSTEM: &str = "kubernetes";

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            (path.strip_prefix(&root).expect("under src").to_owned(), text)
        })
        .collect()
}

fn room(path: &Path) -> Option<String> {
    let mut parts = path.components();
    let first = parts.next()?.as_os_str().to_str()?.to_owned();
    parts.next().map(|_| first)
}

/// The code without comments and without what stands in a test module, line by line.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().enumerate().filter(|(_, line)| {
        let line = line.trim_start();
        !line.starts_with("//")
    })
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|s| s == "tests" || s == "fixture")
        || path.components().any(|c| c.as_os_str() == "tests")
}

/// Rooms that a line names with `crate::room` (also inside braces, one line at a time).
fn rooms_named(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .map(|(at, _)| {
            line[at + 7..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn rooms_import_only_what_they_may() {
    let rules: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(room, may)| (*room, may.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let Some(may) = rules.get(room.as_str()) else {
            wrong.push(format!("{}: the folder {room} has no row in MAY_IMPORT", path.display()));
            continue;
        };
        seen.insert(room.clone());
        if is_test(&path) {
            continue;
        }
        for (n, line) in code(&text) {
            if line.contains("use crate::{") {
                wrong.push(format!(
                    "{}:{}: one `use crate::room` a line, so that this test sees it",
                    path.display(),
                    n + 1
                ));
            }
            for named in rooms_named(line) {
                if named != room && named != "error" && !may.contains(named.as_str()) {
                    wrong.push(format!("{}:{}: {room} may not import {named}", path.display(), n + 1));
                }
            }
            for (krate, rooms) in ONLY_IN {
                let named = line.contains(&format!("{krate}::")) && !line.contains(&format!("_{krate}::"));
                if named && !rooms.contains(&room.as_str()) {
                    wrong.push(format!("{}:{}: {krate} belongs to {rooms:?}", path.display(), n + 1));
                }
            }
        }
    }
    assert_eq!(seen.len(), MAY_IMPORT.len(), "a row without a folder; folders: {seen:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_read_no_clock_and_do_no_io() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        if is_test(&path) {
            continue;
        }
        for (n, line) in code(&text) {
            if PURE.contains(&room.as_str()) {
                for call in IMPURE {
                    if line.contains(call) {
                        wrong.push(format!("{}:{}: {call} in the pure room {room}", path.display(), n + 1));
                    }
                }
            }
            if !MAY_SPAWN.contains(&room.as_str()) && (line.contains("tokio::spawn") || line.contains("JoinSet")) {
                wrong.push(format!("{}:{}: only {MAY_SPAWN:?} spawn tasks", path.display(), n + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn systems_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let parts: Vec<_> = path.components().filter_map(|c| c.as_os_str().to_str()).collect();
        let ["systems", system, _, ..] = parts.as_slice() else { continue };
        for (n, line) in code(&text) {
            for (at, _) in line.match_indices("crate::systems::") {
                let rest = &line[at + "crate::systems::".len()..];
                let other: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !other.is_empty() && other != *system && other != SHARED_SYSTEM {
                    wrong.push(format!("{}:{}: {system} may not import {other}", path.display(), n + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_audit_room_makes_an_authorisation() {
    for (path, text) in sources() {
        if room(&path).as_deref() == Some("audit") {
            continue;
        }
        for (n, line) in code(&text) {
            assert!(!line.contains("Authorized {") && !line.contains("Authorized("), "{}:{}", path.display(), n + 1);
        }
    }
}

/// The effector sends at two places: what is authorised, and what says of itself that it is a dry run.
#[test]
fn what_is_not_authorised_is_sent_as_a_dry_run_only() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/systems/argo_rollouts/effector.rs"));
    let text = text.expect("the effector");
    let sends: Vec<&str> =
        code(&text).map(|(_, line)| line.trim()).filter(|line| line.contains("self.send(")).collect();
    assert_eq!(sends.len(), 2, "{sends:#?}");
    assert!(sends.iter().any(|line| line.contains("self.send(DryRun::of(")), "{sends:#?}");
    assert!(sends.iter().any(|line| line.contains("plan::send_all(act, ")), "{sends:#?}");
    for (path, text) in sources() {
        let makes = code(&text).any(|(_, line)| line.contains("DryRun(") || line.contains("Self(WriteRequest"));
        assert!(!makes || path.ends_with("domain/rehearsal.rs"), "{}: only `DryRun::of` makes one", path.display());
    }
}

/// Every write to a Kubernetes API server that needs no authorisation. A new one is a decision: it stands here too.
const HOUSEKEEPING: &[(&str, &str)] = &[
    ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews"),
    ("POST", "/api/v1/namespaces/{}/configmaps?fieldManager=flightdeck"),
    ("PUT", "/api/v1/namespaces/{}/configmaps/flightdeck-witness?fieldManager=flightdeck"),
    ("POST", "/api/v1/namespaces/{}/events?fieldManager=flightdeck"),
];

#[test]
fn what_is_written_is_authorised_or_listed_housekeeping() {
    use flightdeck::systems::kubernetes::housekeeping::Write;
    let listed: Vec<(&str, &str)> = Write::ALL.iter().map(|write| (write.method(), write.path())).collect();
    assert_eq!(listed, HOUSEKEEPING);
    let mut wrong = Vec::new();
    let (mut housekeeping, mut effectors) = (0, 0);
    for (path, text) in sources() {
        if room(&path).as_deref() != Some("systems") || is_test(&path) {
            continue;
        }
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        for (n, line) in code(&text) {
            let place = format!("{}:{}", path.display(), n + 1);
            // Requests leave through one place, and are made by these three.
            // `login.rs` passes on what call.rs made, with the credential of the moment.
            if line.contains("client.send(") && !["call.rs", "login.rs"].contains(&name) {
                wrong.push(format!("{place}: only call.rs sends"));
            }
            if line.contains("call::request(") && !line.contains("request(\"GET\"") {
                match name {
                    "housekeeping.rs" => housekeeping += 1,
                    // Its only caller takes an `Authorized`.
                    "effector.rs" => effectors += 1,
                    _ => wrong.push(format!("{place}: a write that is neither an act nor housekeeping")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(housekeeping, 1, "all housekeeping passes one function");
    assert!(effectors >= 1, "the test does not see the effectors any more");
}

/// The longest a file may grow, and those that are excused, with the reason.
const LONGEST: usize = 500;
const EXCUSED: &[(&str, &str)] = &[];

#[test]
fn files_stay_small() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        let name = path.display().to_string();
        if lines > LONGEST && !EXCUSED.iter().any(|(excused, _)| *excused == name) {
            wrong.push(format!("{name}: {lines} lines; split it by meaning"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
