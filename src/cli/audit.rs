//! `audit …`. Only `verify --witness cluster` and `reconcile` ask a cluster.

mod export;
mod reconcile;
mod verify;

use std::process::ExitCode;

pub(super) use self::reconcile::ReconciliationDto;
pub(super) use self::verify::{ExportVerificationDto, VerificationDto};

use super::args::{AuditVerb, Format, Global, WitnessKind};
use super::setup::Ground;
use super::{dto, output};
use crate::audit::{AuditError, AuditLog, ReadQuery, StoredRecord};
use crate::domain::record::RecordKind;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};

pub(super) async fn run(global: &Global, verb: AuditVerb) -> Result<ExitCode, Error> {
    if let AuditVerb::Verify { file: Some(file), output, .. } = &verb {
        return verify::file(file, *output);
    }
    let ground = Ground::find(global)?;
    let dir = ground.audit_dir().map_err(|why| Error::new(Kind::Usage, why))?;
    let log = AuditLog::open(&dir, super::setup::stamp()).map_err(broken)?;
    match verb {
        AuditVerb::List { target, limit, no_headers, output } => {
            let query = ReadQuery { limit: Some(limit), target, ..ReadQuery::default() };
            let found = log.read(&query).map_err(broken)?;
            let demo = ground.state.as_ref().map(|state| state.join("demo")).filter(|demo| holds_records(demo));
            if let (true, Some(demo)) = (found.is_empty(), demo) {
                let demo = demo.display();
                output::note(&format!(
                    "note: the demo keeps a log of its own: `flightdeck --state-dir {demo} audit list`"
                ));
            }
            list(&found, no_headers, output)
        }
        AuditVerb::Show { seq, output } => {
            let query = ReadQuery { seq: Some(seq), ..ReadQuery::default() };
            let found = log.read(&query).map_err(broken)?;
            let Some(stored) = found.first() else {
                return Err(Error::new(Kind::NotFound, format!("there is no record {seq}"))
                    .hint("`flightdeck audit list` shows the numbers"));
            };
            show(stored, output)
        }
        AuditVerb::Verify { strict, witness: None, output, .. } => {
            verify::alone(&dir.display().to_string(), &log.verify(strict).map_err(broken)?, output)
        }
        AuditVerb::Verify { strict, witness: Some(WitnessKind::Cluster), output, .. } => {
            verify::with_clusters(global, &ground, &log, strict, output).await
        }
        AuditVerb::Export(args) => export::run(&log, args),
        AuditVerb::Reconcile(args) => reconcile::run(&ground, &log, &args).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn broken(error: AuditError) -> Error {
    match &error {
        AuditError::Tampered { .. } => Error::new(Kind::Audit, error.to_string())
            .hint("`flightdeck audit verify` says what holds; keep a copy of the folder as evidence"),
        AuditError::OpenToOthers(_) => Error::new(Kind::Audit, error.to_string()),
        AuditError::Io { .. } | AuditError::TooLong(_) => Error::new(Kind::Failure, error.to_string()),
    }
}

/// To the millisecond, cut off as everywhere; what does not parse is shown as it stands.
fn short(ts: &str) -> String {
    let cut = jiff::TimestampRound::new().smallest(jiff::Unit::Millisecond).mode(jiff::RoundMode::Trunc);
    let parsed = ts.parse::<jiff::Timestamp>().and_then(|t| t.round(cut));
    parsed.map_or_else(|_| ts.to_owned(), |t| t.to_string())
}

/// What gives way in a narrow window; `audit show` has all of it.
const FIT: output::Fit<'static> = output::Fit {
    whole: &["SEQ", "TIME", "ACT", "TARGET"],
    least: &[("OUTCOME", 16), ("REASON", 10), ("BY", 8)],
    drop: &["REASON", "KIND", "BY"],
};

/// Whether there is a log in this state directory.
fn holds_records(state: &std::path::Path) -> bool {
    let files = std::fs::read_dir(state.join("audit")).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.path().extension().is_some_and(|e| e == "jsonl"))
}

fn list(found: &[StoredRecord], no_headers: bool, format: Format) -> Result<ExitCode, Error> {
    if format == Format::Json {
        output::json(&dto::records(found))?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        output::line("no records")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = Vec::new();
    for StoredRecord { record, .. } in found {
        let said = &record.said;
        let target = said.target.as_ref().map_or_else(String::new, |t| format!("{}/{}", t.namespace, t.name));
        let by = said.actor.kube_user.as_ref().unwrap_or(&said.actor.os_user);
        let outcome = said.outcome.as_ref().map_or_else(String::new, |o| {
            if o.detail.is_empty() { o.word.clone() } else { format!("{}: {}", o.word, o.detail) }
        });
        let reason = said.reason.clone().unwrap_or_default();
        // A plan's own records are told by their title; a late one by the time it was meant for.
        let outcome = match (said.kind, said.params.get("title")) {
            (RecordKind::Plan, Some(title)) => title.clone(),
            (RecordKind::PlanEnd, Some(title)) => format!("{outcome} ({title})"),
            _ => outcome,
        };
        let outcome = match &said.meant_for {
            Some(at) if said.late => format!("{outcome} (late: meant for {})", short(at)),
            _ => outcome,
        };
        rows.push(
            [
                record.seq.to_string().as_str(),
                &short(&record.ts),
                said.kind.as_str(),
                &said.op,
                &target,
                by,
                &outcome,
                &reason,
            ]
            .map(|text| Clean::new(text).to_string())
            .to_vec(),
        );
    }
    let heading = ["SEQ", "TIME", "KIND", "ACT", "TARGET", "BY", "OUTCOME", "REASON"];
    let (table, _) = output::fitted(&heading, rows, no_headers, &FIT);
    output::text(&table)?;
    Ok(ExitCode::SUCCESS)
}

fn show(stored: &StoredRecord, format: Format) -> Result<ExitCode, Error> {
    if format == Format::Json {
        output::json(&dto::records(std::slice::from_ref(stored)))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(&format!("{}, line {}, leaf {}", stored.file, stored.line, stored.leaf))?;
    let text = serde_json::to_string_pretty(&stored.record)
        .map_err(|e| Error::new(Kind::Failure, format!("record {}: {e}", stored.record.seq)))?;
    for line in text.lines() {
        output::line(Clean::new(line).as_str())?;
    }
    Ok(ExitCode::SUCCESS)
}
