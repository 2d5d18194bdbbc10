//! `doctor`: what Flightdeck needs, checked one by one, each with its fix.

mod cluster;
mod here;
mod rights;

use std::collections::BTreeMap;
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Format, Global};
use super::setup::{Ground, not_connected};
use super::{dto, output};
use crate::config::Severity;
use crate::error::{Error, Kind};

#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// It works without, and something is missing.
    Warn,
    /// It does not work like this.
    Fail,
}

#[derive(Serialize, JsonSchema)]
struct Check {
    /// What is checked: a stable name, e.g. `audit` or `right.patch.rollouts/status`.
    id: String,
    /// The kube context, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    what: String,
    verdict: Verdict,
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// All checks, as programs read them.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DoctorDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    checks: &'a [Check],
}

#[derive(Default)]
struct Checks {
    all: Vec<Check>,
    context: Option<String>,
    unreachable: bool,
}

impl Checks {
    fn ok(&mut self, id: &str, what: &str, said: impl Into<String>) {
        self.push(Verdict::Ok, id, what, said.into(), None);
    }

    fn warn(&mut self, id: &str, what: &str, said: impl Into<String>, fix: &str) {
        self.push(Verdict::Warn, id, what, said.into(), Some(fix));
    }

    fn fail(&mut self, id: &str, what: &str, said: impl Into<String>, fix: &str) {
        self.push(Verdict::Fail, id, what, said.into(), Some(fix));
    }

    fn push(&mut self, verdict: Verdict, id: &str, what: &str, said: String, fix: Option<&str>) {
        self.all.push(Check {
            id: id.to_owned(),
            context: self.context.clone(),
            what: what.to_owned(),
            verdict,
            said,
            fix: fix.map(ToOwned::to_owned),
        });
    }
}

pub(super) async fn run(global: &Global, format: Format) -> Result<ExitCode, Error> {
    let mut checks = Checks::default();
    here::terminal(&mut checks);
    match Ground::find(global) {
        Err(e) => checks.fail("config", "configuration", e.message, e.hint.as_deref().unwrap_or("mend the file")),
        Ok(ground) => {
            configuration(&mut checks, &ground);
            here::audit(&mut checks, &ground);
            everywhere(&mut checks, &ground).await;
        }
    }
    print(&checks, format)?;
    let failed = checks.all.iter().any(|c| c.verdict == Verdict::Fail);
    Ok(match (checks.unreachable, failed) {
        (true, _) => ExitCode::from(Kind::Unreachable.code()),
        (false, true) => ExitCode::from(Kind::Failure.code()),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn configuration(checks: &mut Checks, ground: &Ground) {
    let said = super::config::closely(ground);
    if said.is_empty() {
        checks.ok("config", "configuration", "sound");
    }
    for problem in said {
        let verdict = if problem.severity == Severity::Error { Verdict::Fail } else { Verdict::Warn };
        let fix = Some("`flightdeck config check` says it all");
        checks.push(verdict, "config", "configuration", problem.to_string(), fix);
    }
}

async fn everywhere(checks: &mut Checks, ground: &Ground) {
    match ground.everywhere().map_err(|e| not_connected(&e)) {
        Err(e) => checks.fail("kubeconfig", "kubeconfig", e.message, e.hint.as_deref().unwrap_or_default()),
        Ok(contexts) => {
            let mut known = BTreeMap::new();
            for settings in &contexts {
                cluster::context(checks, ground, settings, &mut known).await;
                checks.context = None;
            }
        }
    }
}

fn print(checks: &Checks, format: Format) -> Result<(), Error> {
    if format == Format::Json {
        return output::json(&DoctorDto { api_version: dto::API_VERSION, kind: "Doctor", checks: &checks.all });
    }
    for check in &checks.all {
        // One line for all rights that are there: `rights::role` says it.
        if check.verdict == Verdict::Ok && check.id.starts_with(rights::PREFIX) {
            continue;
        }
        let word = match check.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        output::line(&format!("{word}  {}: {}", check.what, check.said))?;
        if let Some(fix) = &check.fix {
            output::line(&format!("      fix: {fix}"))?;
        }
    }
    Ok(())
}
