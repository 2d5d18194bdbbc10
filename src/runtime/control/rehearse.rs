//! Dry runs: decide and prepare as for an act, then the server is asked what it would say.
//!
//! Nothing here holds an authorisation, so nothing here can apply. A dry run is no act and has no record: the log says
//! what was done to targets and what was refused, and a rehearsal is neither; thousands of them by a cautious script must
//! not bury one act. What they asked is in the program's own log file.

use jiff::Timestamp;

use super::{Port, moved_on, prepare, refusal};
use crate::actions::row;
use crate::domain::intent::Intent;
use crate::domain::outcome::Outcome;
use crate::domain::prepared::Prepared;
use crate::domain::rehearsal::{Rehearsal, Said};
use crate::effects::READ_DEADLINE;
use crate::model::{World, query};
use crate::policy::{self, Mandate};

/// Rehearses `intent` on the snapshot `world`.
pub(in crate::runtime) async fn rehearse(
    port: Option<&Port>,
    world: &World,
    mandate: &Mandate,
    intent: Intent,
) -> Rehearsal {
    let prepared = match ready(port, world, mandate, &intent).await {
        Ok(prepared) => prepared,
        Err(end) => return Rehearsal { intent, steps: Vec::new(), end: Some(end) },
    };
    tracing::info!(act = row(intent.action).verb, target = %intent.target, "dry run");
    let asked = match port {
        Some(port) => tokio::time::timeout(READ_DEADLINE * 2, port.effector.rehearse(&prepared)).await,
        None => Ok(Vec::new()),
    };
    let mut said = asked.unwrap_or_else(|_| vec![Said::NoAnswer("no answer in time".to_owned())]);
    said.resize(prepared.steps.len(), Said::NotAsked);
    let end = said.iter().find_map(outcome);
    Rehearsal { intent, steps: prepared.steps.into_iter().zip(said).collect(), end }
}

async fn ready(port: Option<&Port>, world: &World, mandate: &Mandate, intent: &Intent) -> Result<Prepared, Outcome> {
    if let Some(what) = moved_on(world, intent) {
        return Err(Outcome::Superseded { what });
    }
    let facts = match world.targets.get(&intent.target) {
        Some(target) => query::facts(world, target, &target.rollout, intent.action, &intent.params, None),
        None => query::facts_of_nothing(world, &intent.target),
    };
    if let Some(refused) = refusal(policy::decide(intent, &facts, mandate, Timestamp::now())) {
        return Err(refused);
    }
    let port = port.ok_or_else(|| Outcome::Failed { why: format!("context {} is not connected", intent.context) })?;
    prepare(port, intent).await
}

/// How an act would end of which the server says this.
fn outcome(said: &Said) -> Option<Outcome> {
    match said {
        Said::WouldAccept | Said::NotAsked => None,
        Said::WouldNotMatch(message) => Some(Outcome::Superseded { what: message.clone() }),
        Said::WouldReject(message) => Some(Outcome::Failed { why: message.clone() }),
        Said::NoAnswer(why) => Some(Outcome::Failed { why: format!("the dry run got no answer: {why}") }),
    }
}
