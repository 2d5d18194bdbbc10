//! `audit verify`: the chain, an export, and what witnesses keep.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::args::{Format, Global};
use super::super::setup::{Ground, not_connected};
use super::super::{dto, output};
use super::broken;
use crate::audit::{AuditLog, ExportReport, Finding, Head, StoredRecord, VerifyReport, WitnessReport, verify_export};
use crate::domain::record::RecordKind;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::witness::ClusterWitness;

/// `audit verify`, as programs read it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct VerificationDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    holds: bool,
    report: &'a VerifyReport,
    /// With `--witness`.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<WitnessDto<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct WitnessDto<'a> {
    report: &'a WitnessReport,
    told: &'a [Told],
    /// What could not be read, and why.
    unread: &'a [String],
}

/// `audit verify --file`, as programs read it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct ExportVerificationDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    holds: bool,
    report: &'a ExportReport,
}

/// The chain alone.
pub(super) fn alone(dir: &str, report: &VerifyReport, format: Format) -> Result<ExitCode, Error> {
    if format == Format::Json {
        output::json(&VerificationDto {
            api_version: dto::API_VERSION,
            kind: "AuditVerification",
            holds: report.holds(),
            report,
            witness: None,
        })?;
    } else {
        chain(dir, report)?;
        output::line(&format!("  not proven: {}", report.not_proven))?;
    }
    Ok(code(report.holds()))
}

fn code(holds: bool) -> ExitCode {
    if holds { ExitCode::SUCCESS } else { ExitCode::from(Kind::Audit.code()) }
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "DOES NOT HOLD" }
}

fn findings(all: &[Finding]) -> Result<(), Error> {
    for finding in all {
        output::line(&format!("  {}, line {}: {}", finding.file, finding.line, Clean::new(&finding.why)))?;
    }
    Ok(())
}

fn chain(dir: &str, report: &VerifyReport) -> Result<(), Error> {
    let holds = word(report.holds());
    output::line(&match report.records {
        0 if report.holds() => format!("{dir}: {holds}: there are no records yet"),
        n => format!("{dir}: {holds}: {n} records in {} segments, head {}", report.segments, report.head),
    })?;
    findings(&report.findings)?;
    if let Some(bytes) = report.torn_tail {
        output::line(&format!("  a record of {bytes} bytes was being written when its process died; no tampering"))?;
    }
    if report.unacknowledged > 0 {
        output::line(&format!("  {} records were never acknowledged: their write failed", report.unacknowledged))?;
    }
    Ok(())
}

/// An export.
pub(super) fn file(path: &Path, format: Format) -> Result<ExitCode, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failure };
        Error::new(kind, format!("{}: {e}", path.display()))
    })?;
    let report = verify_export(&text);
    if format == Format::Json {
        output::json(&ExportVerificationDto {
            api_version: dto::API_VERSION,
            kind: "AuditExportVerification",
            holds: report.holds(),
            report: &report,
        })?;
        return Ok(code(report.holds()));
    }
    let what = report.header.as_ref().map_or_else(String::new, |header| {
        let until = if header.to == header.log_seq {
            "the end of the log then".to_owned()
        } else {
            format!("of {} that the log had", header.log_seq)
        };
        format!(
            ": {} records ({} withheld), {} to {} ({until}), of the log {} on {}, exported {}, head {}",
            report.records,
            report.withheld,
            header.from,
            header.to,
            header.log,
            header.host,
            header.exported_at,
            header.head
        )
    });
    output::line(Clean::new(&format!("{}: {}{what}", path.display(), word(report.holds()))).as_str())?;
    findings(&report.findings)?;
    output::line(&format!("  not proven: {}", report.not_proven))?;
    Ok(code(report.holds()))
}

/// A head with where it stands.
#[derive(Serialize, JsonSchema)]
struct Told {
    context: String,
    namespace: String,
    head: Head,
}

/// What the clusters said.
#[derive(Default)]
struct Asked {
    told: Vec<Told>,
    /// What could not be read, and why.
    unread: Vec<String>,
    /// Contexts that answered.
    answered: usize,
}

/// The chain, and what the clusters keep of it.
pub(super) async fn with_clusters(
    global: &Global,
    ground: &Ground,
    log: &AuditLog,
    strict: bool,
    format: Format,
) -> Result<ExitCode, Error> {
    let report = log.verify(strict).map_err(broken)?;
    // A log that does not hold is compared as far as it goes: not at all.
    let records = if report.holds() { log.all().map_err(broken)? } else { Vec::new() };
    let asked = ask(global, ground, &records).await?;
    let heads: Vec<Head> = asked.told.iter().map(|told| told.head.clone()).collect();
    let witness = if report.holds() { log.compare(&heads).map_err(broken)? } else { WitnessReport::default() };
    let holds = report.holds() && witness.holds();
    let acts = records.iter().any(|s| s.record.said.kind == RecordKind::Intent);
    let unknown = acts && witness.proven_to.is_none();
    if format == Format::Json {
        output::json(&VerificationDto {
            api_version: dto::API_VERSION,
            kind: "AuditVerification",
            holds,
            report: &report,
            witness: Some(WitnessDto { report: &witness, told: &asked.told, unread: &asked.unread }),
        })?;
    } else {
        chain(&log.dir().display().to_string(), &report)?;
        print(&report, &witness, &asked)?;
    }
    Ok(if !holds {
        code(false)
    } else if asked.answered == 0 {
        ExitCode::from(Kind::Unreachable.code())
    } else if unknown || !asked.unread.is_empty() {
        ExitCode::from(Kind::Partial.code())
    } else {
        ExitCode::SUCCESS
    })
}

/// Asks the context in use, and those that records name: the log knows acts on them.
async fn ask(global: &Global, ground: &Ground, records: &[StoredRecord]) -> Result<Asked, Error> {
    let mut asked = Asked::default();
    let first = Cluster::connect(&ground.settings).await.map_err(|e| not_connected(&e))?;
    let targets = || records.iter().filter_map(|s| s.record.said.target.as_ref());
    let mut contexts: BTreeSet<&str> = BTreeSet::new();
    if global.context.is_empty() {
        contexts.extend(targets().map(|t| t.context.as_str()).filter(|c| *c != first.context.as_str()));
    }
    let mut namespaces: BTreeSet<String> = targets().map(|t| t.namespace.clone()).collect();
    namespaces.extend(ground.config.audit.witness.namespace.clone());
    namespaces.extend(ground.config.context.iter().filter_map(|c| c.audit.witness.namespace.clone()));
    let namespaces: Vec<String> = namespaces.into_iter().collect();
    let mut clusters = vec![first];
    for context in contexts {
        let settings = ground.connect_to(Some(context.to_owned()));
        match Cluster::connect(&settings).await {
            Ok(cluster) => clusters.push(cluster),
            Err(error) => asked.unread.push(Clean::new(&format!("context {context}: {error}")).to_string()),
        }
    }
    for cluster in clusters {
        let context = cluster.context.clone();
        let heads = ClusterWitness::new(Arc::new(cluster)).heads(&namespaces).await;
        asked.answered += usize::from(heads.unread.is_empty() || !heads.standing.is_empty());
        asked.unread.extend(heads.unread.iter().map(|why| format!("context {context}: {why}")));
        asked.told.extend(heads.standing.into_iter().map(|standing| Told {
            context: context.to_string(),
            namespace: standing.namespace.to_string(),
            head: standing.head,
        }));
    }
    Ok(asked)
}

fn print(report: &VerifyReport, witness: &WitnessReport, asked: &Asked) -> Result<(), Error> {
    let say = |text: String| output::line(Clean::new(&text).as_str());
    let Asked { told, unread, .. } = asked;
    for Told { context, namespace, head } in told {
        let Head { seq, host, log, time, by, .. } = head;
        let place = format!("witness {context}/{namespace}");
        if witness.missing.contains(head) {
            say(format!(
                "  {place}: RECORD {seq} IS MISSING: log {log} on {host} had it at {time} (by {by}); the tail was cut off or \
                 the log was taken away"
            ))?;
        } else if witness.confirmed.contains(head) {
            say(format!("  {place}: record {seq}, told {time} by {by}, is in the log"))?;
        } else {
            say(format!("  {place}: another log: {log} on {host}, up to record {seq}, told {time} by {by}"))?;
        }
    }
    for why in unread {
        say(format!("  not read: {why}"))?;
    }
    match witness.proven_to {
        _ if !report.holds() => say("  the log itself does not hold: it was not compared with witnesses".to_owned()),
        _ if !witness.missing.is_empty() => say(format!(
            "  NOT WHOLE: what a witness was told of is missing; the log ends with record {}{}",
            report.records,
            witness.proven_to.map_or_else(String::new, |seq| format!(", and is as it was told up to record {seq}"))
        )),
        Some(seq) if seq >= report.records => say("  proven by a witness: nothing was cut off at the end".to_owned()),
        Some(seq) => say(format!(
            "  proven by a witness: nothing was cut off up to record {seq}; not proven: that none was cut off behind \
             record {}",
            report.records
        )),
        None => say(format!("  no witness knows this log; not proven: {}", report.not_proven)),
    }
}
