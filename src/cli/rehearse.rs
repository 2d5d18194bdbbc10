//! `--dry-run`: the exact requests, and what the server would say of them. Nothing is changed, and nothing recorded.

use std::process::ExitCode;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::args::Format;
use super::dto::API_VERSION;
use super::setup::Session;
use super::{act, output};
use crate::actions::row;
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::plan::Stage;
use crate::domain::prepared::PlanStep;
use crate::domain::rehearsal::{Rehearsal, Said};
use crate::domain::seen::Seen;
use crate::error::{Error, Kind};
use crate::model::World;
use crate::runtime::handle::Handle;

/// What would come of one or several acts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RehearsalDto {
    api_version: &'static str,
    kind: &'static str,
    title: String,
    /// Whether nothing speaks against it, as far as it could be rehearsed.
    would_pass: bool,
    acts: Vec<ActDto>,
}

#[derive(Serialize, JsonSchema)]
struct ActDto {
    op: &'static str,
    context: String,
    namespace: String,
    name: String,
    /// `would be accepted`, `refused`, `superseded`, `failed`, or `not rehearsed`: it rests on what an earlier one changes.
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    requests: Vec<RequestDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RequestDto {
    title: String,
    method: &'static str,
    /// As the act would send it; the rehearsal adds `dryRun=All`.
    path: String,
    content_type: &'static str,
    /// A JSON Patch, mostly: its `test` operations are the act's preconditions.
    body: Value,
    /// `would accept`, `would not match`, `would reject`, `no answer`, or `not asked`: it rests on the request before.
    server: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// An intent of a plan's step, as it would be sent now.
pub(super) fn intent(session: &Session, world: &World, stage: &Stage) -> Result<Intent, Error> {
    let target = world.targets.get(&stage.target);
    let seen = stage.seen.clone().or_else(|| target.map(|t| Seen::of(&t.rollout, Timestamp::now())));
    Ok(Intent {
        act: Handle::new_act(),
        action: stage.action,
        params: stage.params.clone(),
        plan: None,
        target: stage.target.clone(),
        context: stage.context.clone(),
        seen: seen.ok_or_else(|| Error::new(Kind::NotFound, format!("no rollout {}", stage.target)))?,
        actor: session.handle.actor("verb"),
        reason: None,
        confirmed: Confirmed::Typed,
    })
}

/// Rehearses `intents`; `rest` are steps that cannot be rehearsed before those are done.
pub(super) async fn run(
    session: &Session,
    title: String,
    intents: Vec<Intent>,
    rest: &[Stage],
    format: Format,
) -> Result<ExitCode, Error> {
    let mut done = Vec::new();
    for intent in intents {
        let rehearsed = session.handle.rehearse(intent).await;
        done.push(rehearsed.map_err(|why| Error::new(Kind::Failure, why))?);
    }
    let failed = done.iter().find_map(|one| one.end.clone().map(|end| (one.intent.clone(), end)));
    match format {
        Format::Json => {
            let acts = done.iter().map(rehearsed).chain(rest.iter().map(not_rehearsed)).collect();
            let (api_version, kind, would_pass) = (API_VERSION, "Rehearsal", failed.is_none());
            output::json(&RehearsalDto { api_version, kind, title, would_pass, acts })?;
        }
        Format::Human => {
            output::line(&format!("{title}: DRY RUN, nothing was changed and nothing recorded"))?;
            done.iter().try_for_each(print)?;
            for stage in rest {
                output::line(&format!("  then: {} (rests on what comes before: not rehearsed)", stage.title))?;
            }
        }
    }
    let Some((intent, end)) = failed else { return Ok(ExitCode::SUCCESS) };
    let kind = act::kind(&end);
    if format == Format::Json {
        return Ok(ExitCode::from(kind.code()));
    }
    let verb = row(intent.action).verb;
    let error = Error::new(kind, format!("{verb} {}: it would end as {}: {}", intent.target, end.word(), end.detail()));
    Err(if let Outcome::Refused { hint, .. } = end { error.hint(hint) } else { error })
}

fn words(said: &Said) -> (&'static str, Option<&str>) {
    match said {
        Said::WouldAccept => ("would accept", None),
        Said::WouldNotMatch(why) => ("would not match", Some(why)),
        Said::WouldReject(why) => ("would reject", Some(why)),
        Said::NoAnswer(why) => ("no answer", Some(why)),
        Said::NotAsked => ("not asked", None),
    }
}

fn print(one: &Rehearsal) -> Result<(), Error> {
    output::line(&format!("{} {} on {}", row(one.intent.action).verb, one.intent.target, one.intent.context))?;
    for (number, (step, said)) in one.steps.iter().enumerate() {
        output::line(&format!("  {}  {}", number + 1, step.title))?;
        output::line(&format!("     {} {}", step.request.method, step.request.path))?;
        match body(step) {
            Value::Array(operations) => {
                for operation in operations {
                    let word = operation["op"].as_str().unwrap_or_default();
                    let value = operation.get("value").map_or_else(String::new, ToString::to_string);
                    let path = operation["path"].as_str().unwrap_or_default();
                    output::line(format!("       {word:<7} {path}  {value}").trim_end())?;
                }
            }
            other => output::line(&format!("       {other}"))?,
        }
        let (word, detail) = words(said);
        output::line(&match (said, detail) {
            (Said::NotAsked, _) => "     the server was not asked: it rests on the request before".to_owned(),
            (_, Some(detail)) => format!("     the server {word}: {detail}"),
            (_, None) => format!("     the server {word} it"),
        })?;
    }
    Ok(())
}

fn body(step: &PlanStep) -> Value {
    serde_json::from_str(&step.request.body).unwrap_or_else(|_| Value::from(step.request.body.as_str()))
}

fn rehearsed(one: &Rehearsal) -> ActDto {
    let (rule, hint) = match &one.end {
        Some(Outcome::Refused { rule, hint, .. }) => (Some(rule.clone()), Some(hint.clone())),
        _ => (None, None),
    };
    ActDto {
        op: row(one.intent.action).verb,
        context: one.intent.context.to_string(),
        namespace: one.intent.target.namespace.to_string(),
        name: one.intent.target.name.to_string(),
        outcome: one.end.as_ref().map_or("would be accepted", Outcome::word),
        detail: one.end.as_ref().map_or_else(String::new, |end| end.detail().to_owned()),
        rule,
        hint,
        requests: one.steps.iter().map(request).collect(),
    }
}

fn request((step, said): &(PlanStep, Said)) -> RequestDto {
    let (server, detail) = words(said);
    RequestDto {
        title: step.title.clone(),
        method: step.request.method,
        path: step.request.path.clone(),
        content_type: step.request.content_type,
        body: body(step),
        server,
        detail: detail.map(ToOwned::to_owned),
    }
}

fn not_rehearsed(stage: &Stage) -> ActDto {
    ActDto {
        op: row(stage.action).verb,
        context: stage.context.to_string(),
        namespace: stage.target.namespace.to_string(),
        name: stage.target.name.to_string(),
        outcome: "not rehearsed",
        detail: stage.title.clone(),
        rule: None,
        hint: None,
        requests: Vec::new(),
    }
}
