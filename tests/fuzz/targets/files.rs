//! What stands in files: the audit log, exports, configuration, templates, scenarios.

use std::any::Any;
use std::io;
use std::path::Path;

use super::fixture;
use crate::audit::{AuditLog, Fs, Handle, Stamp, verify, verify_export};
use crate::domain::environment::glob;
use crate::domain::record::{Draft, OutcomeRecord, RecordKind};
use crate::model::filter::Filter;
use crate::{config, demo, systems};

/// A log of one segment that cannot be changed.
struct One<'a>(&'a [u8]);

impl Fs for One<'_> {
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn open_to_others(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(vec!["audit-000001.jsonl".to_owned()])
    }
    fn read(&self, _: &Path, from: u64) -> io::Result<Vec<u8>> {
        Ok(self.0[usize::try_from(from).unwrap_or(0).min(self.0.len())..].to_vec())
    }
    fn identity(&self, _: &Path) -> io::Result<(u64, u64)> {
        Ok((1, self.0.len() as u64))
    }
    fn create(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn append(&self, _: &Path) -> io::Result<Box<dyn Handle>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn truncate(&self, _: &Path, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

pub(super) fn grown() -> (tempfile::TempDir, AuditLog) {
    let dir = tempfile::tempdir().expect("a folder");
    let stamp = Stamp {
        host: "fuzz".to_owned(),
        pid: 1,
        instance: "fuzz".to_owned(),
        program: "0".to_owned(),
        boot_id: "b".to_owned(),
        now: std::sync::Arc::new(|| (jiff::Timestamp::UNIX_EPOCH, 1)),
    };
    let log = AuditLog::open(dir.path(), stamp).expect("a log");
    for n in 0..6 {
        let mut draft = Draft::new(if n % 2 == 0 { RecordKind::Intent } else { RecordKind::Outcome });
        draft.act = (n / 2).to_string();
        draft.op = "resume".to_owned();
        draft.outcome = (n % 2 == 1).then(|| OutcomeRecord { word: "done".to_owned(), ..OutcomeRecord::default() });
        log.append(draft).expect("appended");
    }
    (dir, log)
}

pub(super) fn audit_logs() -> Vec<Vec<u8>> {
    let (dir, _log) = grown();
    vec![std::fs::read(dir.path().join("audit-000001.jsonl")).expect("the log")]
}

/// The log that inputs are made of, so that a change of it can be told.
pub(super) fn original() -> &'static [u8] {
    static ORIGINAL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    ORIGINAL.get_or_init(|| audit_logs().remove(0))
}

pub(super) fn audit_log(input: &[u8]) {
    for strict in [false, true] {
        let report = verify(&One(input), Path::new("/log"), strict).expect("it can be read");
        if !report.holds() {
            continue;
        }
        let whole = verify(&One(original()), Path::new("/log"), strict).expect("it can be read");
        let untouched = input.starts_with(original()) && (report.torn_tail.is_some() || input == original());
        assert!(untouched || report.head != whole.head, "changed, and nobody sees it");
    }
}

pub(super) fn exports() -> Vec<Vec<u8>> {
    let (_dir, log) = grown();
    let export = log.export(&crate::audit::Range::default(), jiff::Timestamp::UNIX_EPOCH).expect("exported");
    vec![export.jsonl().into_bytes()]
}

pub(super) fn export(input: &[u8]) {
    let _ = verify_export(&String::from_utf8_lossy(input)).holds();
}

pub(super) fn configurations() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../config.example.toml").to_vec(),
        b"[ui]\nascii = true\n[log]\nlevel = \"debug\"\n".to_vec(),
    ]
}

pub(super) fn configuration(input: &[u8]) {
    if let Ok(config) = config::parse(&String::from_utf8_lossy(input)) {
        let _ = config.mandate(&config::Origins::default());
        let _ = config.environments().resolve("prod-eu", "shop", &[]);
        let _ = config.prometheus.rules("shop/payments");
        let _ = systems::prometheus::templates(&config.prometheus.template);
    }
}

pub(super) fn templates() -> Vec<Vec<u8>> {
    let folder = fixture("assets/queries");
    let files = std::fs::read_dir(folder).expect("the queries").flatten();
    files.map(|file| std::fs::read(file.path()).expect("a query")).collect()
}

pub(super) fn template(input: &[u8]) {
    // They are read as a part of the configuration.
    let text = String::from_utf8_lossy(input);
    let _ = config::parse(&format!("[[prometheus.template]]\n{text}"));
}

pub(super) fn scenarios() -> Vec<Vec<u8>> {
    let folder = fixture("demos");
    let files = std::fs::read_dir(folder).expect("the demos").flatten().map(|f| f.path());
    let scenarios = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    scenarios.map(|path| std::fs::read(path).expect("a scenario")).collect()
}

pub(super) fn scenario(input: &[u8]) {
    let _ = demo::Scenario::parse(&String::from_utf8_lossy(input));
}

pub(super) fn patterns() -> Vec<Vec<u8>> {
    [&b"prod-*\nprod-eu"[..], b"*a*b*c*\naXbXc", b"**\n", b"\nx"].map(<[u8]>::to_vec).into()
}

pub(super) fn pattern(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (pattern, text) = text.split_once('\n').unwrap_or((&text, ""));
    // A pattern of stars must not take longer than its text is worth.
    let pattern: String = pattern.chars().take(2_000).collect();
    let text: String = text.chars().take(2_000).collect();
    let begun = std::time::Instant::now();
    let _ = glob(&pattern, &text);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "it takes for ever");
    assert!(glob("*", &text) && glob(&text.replace('*', "x"), &text.replace('*', "x")));
}

pub(super) fn filters() -> Vec<Vec<u8>> {
    let seeds =
        ["state:paused env:prod !label:team=web", "\"a b\" ns:shop band:needs", "image:shop/cart:1 version:2", "!\""];
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

pub(super) fn filter(input: &[u8]) {
    let said = String::from_utf8_lossy(input);
    // Whoever types sees the same words as whoever gave them whole.
    if Filter::parse(&said).is_ok() {
        assert!(Filter::so_far(&said).1.is_none(), "{said:?}");
    }
}

pub(super) fn themes() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(fixture("assets/themes")).expect("the themes").flatten();
    files.map(|file| std::fs::read(file.path()).expect("a theme")).collect()
}

pub(super) fn theme(input: &[u8]) {
    let _ = config::theme::parse(&String::from_utf8_lossy(input));
}
