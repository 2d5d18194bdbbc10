//! The figures behind the promises: `cargo bench --bench proof [-- --quick] [-- ROW …]`, see README.md beside this file.

mod acts;
mod fleet;
mod ledger;
mod machine;
mod patch;
mod rates;
mod secrets;
mod speed;
mod table;
mod terminal;

#[path = "../support/engine.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod engine;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/screen.rs"]
#[expect(dead_code, reason = "shared with the tests behind a terminal")]
mod screen;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "shared with the tests of the wire")]
mod scripted;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

// Files shared with the crate's own tests name it as they do there.
use flightdeck::{audit, domain};

use fleet::Fleet;
use screen::Screen;
use table::{HEAD, Row, Verdict};

const WIDE: (u16, u16) = (200, 60);

/// How thorough a run is.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Minutes, for CI: fewer of everything.
    pub quick: bool,
}

impl Mode {
    /// One of the two.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// The program that is measured: the one built beside this, or another build of it (`PROOF_PROGRAM`).
fn program() -> PathBuf {
    let named = std::env::var_os("PROOF_PROGRAM").map(PathBuf::from);
    // Terminals start programs from another folder.
    named.map_or_else(|| env!("CARGO_BIN_EXE_flightdeck").into(), |path| std::path::absolute(&path).unwrap_or(path))
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: fleet\n\
         contexts: [{{name: fleet, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    )
}

fn cockpit(fleet: &Fleet) -> Screen {
    let (kubeconfig, state) = (fleet.kubeconfig(), fleet.state());
    let env: [(&str, &Path); 2] = [("KUBECONFIG", &kubeconfig), ("FLIGHTDECK_STATE_DIR", &state)];
    Screen::start(&program(), &[], &env, WIDE.0, WIDE.1)
}

/// A measurement, and the rows that it gives.
type Measure = (&'static [&'static str], fn(Mode) -> Vec<Row>);

const MEASURES: &[Measure] = &[
    (&["P0"], machine::today),
    (&["R1"], ledger::crashes),
    (&["R2"], ledger::lost_pages),
    (&["R3"], ledger::flips),
    (&["R4"], ledger::writers),
    (&["R5"], acts::sent_once),
    (&["R6"], acts::stale_acts),
    (&["R7"], rates::blind_states),
    (&["R8"], rates::alarms),
    (&["R9"], not_built_guard),
    (&["R10"], terminal::half_open),
    (&["R11"], terminal::hostile),
    (&["R12"], terminal::exits),
    (&["R13"], secrets::planted),
    (&["R14"], providers),
    (&["P1", "P2", "P9"], speed::keys),
    (&["P3", "P9"], speed::events),
    (&["P3"], patch::rows),
    (&["P4", "P5"], speed::load),
    (&["P6"], speed::memory),
    (&["P7"], speed::growth),
    (&["P8", "P9"], speed::first_frame),
    (&["P10", "P11"], not_built_github),
    (&["P12"], speed::server_cost),
    (&["P13"], ledger::speed),
    (&["P14"], speed::size),
    (&["P15"], not_built_guard_cost),
];

fn not_built_guard(_: Mode) -> Vec<Row> {
    let why = "not built yet: there is no guard and no Lease";
    vec![Row::open("R9", "two leaders, paused leader: double or late actions", why, "0")]
}

fn not_built_guard_cost(_: Mode) -> Vec<Row> {
    let why = "not built yet: there is no guard";
    vec![Row::open("P15", "guard with 200 rollouts: memory, CPU", why, "≤ 25 MB / ≤ 0.5 %")]
}

fn not_built_github(_: Mode) -> Vec<Row> {
    let why = "not built yet: there is no GitHub source";
    vec![
        Row::open("P10", "charged GitHub requests, 20 live runs", why, "≤ 20/min"),
        Row::open("P11", "run status change → screen", why, "p95 ≤ 6 s"),
    ]
}

/// R14: TLS providers by the lock file; advisories need a database that is not here.
fn providers(_: Mode) -> Vec<Row> {
    let lock = include_str!("../../Cargo.lock");
    let all = ["ring", "aws-lc-rs", "openssl", "rustls-openssl", "graviola", "mbedtls"];
    let found: Vec<&str> = all.into_iter().filter(|name| lock.contains(&format!("name = \"{name}\"\n"))).collect();
    let tree =
        std::process::Command::new("cargo").args(["tree", "--locked", "-e", "normal", "--prefix", "none"]).output();
    let used: Vec<&str> = match &tree {
        Ok(out) if out.status.success() => {
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            found.iter().copied().filter(|n| text.lines().any(|l| l.starts_with(&format!("{n} ")))).collect()
        }
        _ => found.clone(),
    };
    vec![
        Row::judged(
            "R14",
            "TLS providers in the program",
            format!("{}: {}", used.len(), used.join(", ")),
            "1",
            "`cargo tree -e normal`",
            used.len() == 1,
        ),
        Row::open("R14", "open advisories", "needs the advisory database: `cargo deny check advisories`", "0"),
    ]
}

/// Takes one measurement. One that breaks is a miss, and says so.
fn take(measure: &Measure, mode: Mode) -> Vec<Row> {
    let (ids, work) = measure;
    let begun = Instant::now();
    eprintln!("{} …", ids.join(" "));
    let rows = std::panic::catch_unwind(|| work(mode)).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        let why = why.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
        let why: String = why.chars().take(300).collect();
        vec![Row::judged(ids[0], "the measurement broke", why, "–", "–", false)]
    });
    for row in &rows {
        eprintln!("  {} {}: {} [{}]", row.id, row.what, row.figure, row.verdict);
    }
    eprintln!("  took {:.1} s", begun.elapsed().as_secs_f64());
    rows
}

/// R before P, and by number.
fn order(id: &str) -> (bool, u32) {
    (id.starts_with('P'), id[1..].parse().unwrap_or(0))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, name, times] = args.as_slice()
        && word == "child"
    {
        ledger::child(Path::new(dir), name, times.parse().unwrap_or(0));
        return ExitCode::SUCCESS;
    }
    let mode = Mode { quick: args.iter().any(|a| a == "--quick") };
    let asked: Vec<String> = args.into_iter().filter(|a| !a.starts_with('-')).map(|a| a.to_uppercase()).collect();
    let known = |id: &str| MEASURES.iter().any(|(ids, _)| ids.contains(&id));
    if let Some(unknown) = asked.iter().find(|a| !known(a)) {
        eprintln!("there is no row {unknown}; rows are R1 to R14 and P1 to P15");
        return ExitCode::from(2);
    }
    let begun = Instant::now();
    // What broke stands in its row.
    std::panic::set_hook(Box::new(|_| {}));
    let wanted = |ids: &[&str]| asked.is_empty() || ids.iter().any(|id| asked.iter().any(|a| a == id));
    let mut rows: Vec<Row> = Vec::new();
    for measure in MEASURES.iter().filter(|(ids, _)| wanted(ids)) {
        rows.extend(take(measure, mode));
    }
    rows.sort_by_key(|row| order(row.id));
    println!("{HEAD}");
    for row in &rows {
        println!("{row}");
    }
    let count = |verdict| rows.iter().filter(|r| r.verdict == verdict).count();
    println!(
        "\n{} met, {} missed, {} not measured; {} run, {:.0} min, {} processors.",
        count(Verdict::Met),
        count(Verdict::Missed),
        count(Verdict::Open),
        if mode.quick { "quick" } else { "full" },
        (begun.elapsed().as_secs_f64() / 60.0).ceil(),
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    if count(Verdict::Missed) > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
