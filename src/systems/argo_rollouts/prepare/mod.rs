//! From an intent and the target as it is now to the exact requests. Reads only.

mod patch;
mod release;
mod sets;

use serde_json::Value;
use serde_json::value::RawValue;

use self::patch::{AsFound, add, forward, step, stop, test};
use super::{path, read};
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Intent, Params};
use crate::domain::prepared::{PlanStep, PrepareError, Prepared};
use crate::domain::rollout::{Observed, Rollout};
use crate::domain::seen::Care;
use crate::systems::kubernetes::client::Cluster;

/// The target as the server has it now, with what must be tested to the letter.
struct Found<'a> {
    cluster: &'a Cluster,
    target: &'a TargetId,
    rollout: Rollout,
    raw: AsFound,
    path: String,
}

fn not_applicable(why: impl Into<String>) -> PrepareError {
    PrepareError::NotApplicable { why: why.into() }
}

/// Makes `intent` ready: reads the target afresh, compares it with what was seen, and builds the requests.
pub(super) async fn prepare(cluster: &Cluster, intent: &Intent) -> Result<Prepared, PrepareError> {
    let target = &intent.target;
    let body = match read::rollout_body(cluster, target).await {
        Ok(Some(body)) => body,
        Ok(None) => return Err(PrepareError::Superseded { what: "the rollout was deleted".to_owned() }),
        Err(why) => return Err(PrepareError::Unreadable { why }),
    };
    let unreadable = |why: String| PrepareError::Unreadable { why };
    let raw: &RawValue =
        serde_json::from_slice(&body).map_err(|e| unreadable(format!("{target}: not an object: {e}")))?;
    let rollout = read::decoded(raw.get(), target).map_err(unreadable)?;
    let care = intent.action.care();
    let differences = intent.seen.differences(&rollout, care);
    if !differences.is_empty() {
        let what = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return Err(PrepareError::Superseded { what });
    }
    if care == Care::Everything && rollout.observed() == Observed::Behind {
        return Err(not_applicable("the controller has not seen the latest spec yet"));
    }
    let found = Found { cluster, target, raw: AsFound::of(raw), rollout, path: path(target) };
    if care == Care::Everything {
        found.is_about_the_spec().await?;
    }
    let steps = found.steps(intent).await?;
    if steps.is_empty() {
        return Err(not_applicable(format!("there is nothing to do on {target}")));
    }
    Ok(Prepared { intent: intent.clone(), steps })
}

impl Found<'_> {
    async fn steps(&self, intent: &Intent) -> Result<Vec<PlanStep>, PrepareError> {
        Ok(match (intent.action, &intent.params) {
            (ActionId::Resume, _) => self.resume(),
            (ActionId::SkipStep, _) => self.skip_step()?,
            (ActionId::PromoteFull, _) => self.promote_full(),
            (ActionId::Pause, _) => self.pause(),
            (ActionId::Abort, _) => self.abort(),
            (ActionId::Retry, _) => self.retry(),
            (ActionId::Restart, Params::Restart { at }) => self.restart(*at),
            (ActionId::SetImage, Params::Image { container, image }) => self.set_image(container, image).await?,
            (ActionId::Undo, Params::Revision { hash, .. }) => self.undo(hash).await?,
            (ActionId::Terminate, Params::Run { name }) => self.terminate(name).await?,
            (ActionId::Hold, Params::Hold { hash, until }) => self.hold(hash, *until).await?,
            (ActionId::Forbid, Params::Revision { hash, .. }) => self.forbid(hash, intent).await?,
            (ActionId::Allow, Params::Revision { hash, .. }) => self.allow(hash).await?,
            (
                ActionId::Restart
                | ActionId::SetImage
                | ActionId::Undo
                | ActionId::Terminate
                | ActionId::Hold
                | ActionId::Forbid
                | ActionId::Allow,
                _,
            ) => return Err(not_applicable("it was not said with what")),
        })
    }

    /// One request per thing that pauses. The pause by hand first: with the conditions cleared while it stands, the
    /// controller takes its own pause back without moving on, and pauses again at the same step.
    fn resume(&self) -> Vec<PlanStep> {
        let now = &self.rollout;
        let mut steps = Vec::new();
        let mut generation = now.generation;
        if now.spec_paused {
            let mut operations = forward(now, &self.raw, generation);
            operations.push(test("/spec/paused", true));
            operations.push(add("/spec/paused", false));
            steps.push(step("end the pause by hand", &self.path, "", operations));
            generation += 1;
        }
        if !now.pause_conditions.is_empty() {
            let mut operations = forward(now, &self.raw, generation);
            operations.push(add("/status/pauseConditions", Value::Null));
            // Where a preview promotes itself after a time, the controller takes a cleared pause for none yet, and pauses
            // again (`rollout/pause.go`, CompletedBlueGreenPause; seen): only its own mark for a preview that is through
            // with its pause goes on.
            if now.strategy.blue_green().is_some_and(|strategy| strategy.promotes_itself_after().is_some()) {
                operations.push(add("/status/blueGreen/scaleUpPreviewCheckPoint", true));
            }
            // Clearing an inconclusive analysis without moving on would start the same analysis again.
            if now.step_inconclusive() && now.controller_pause && !now.steps().is_empty() {
                operations.push(add("/status/controllerPause", false));
                operations.push(add("/status/currentStepIndex", self.next_step()));
            }
            steps.push(step("clear the pause", &self.path, "/status", operations));
        }
        steps
    }

    fn next_step(&self) -> i64 {
        let last = i64::try_from(self.rollout.steps().len()).unwrap_or(i64::MAX);
        (self.rollout.step_index.unwrap_or(0) + 1).min(last)
    }

    fn skip_step(&self) -> Result<Vec<PlanStep>, PrepareError> {
        let now = &self.rollout;
        if now.current_step().is_none() || now.fully_promoted() {
            return Err(not_applicable("no step is left"));
        }
        if now.controller_pause || !now.pause_conditions.is_empty() {
            return Err(not_applicable("paused: resume does it"));
        }
        let mut operations = forward(now, &self.raw, now.generation);
        // Where the controller holds a pause it moves on by itself once that is cleared: two steps would be gone.
        operations.push(test("/status/controllerPause", self.raw.controller_pause.clone()));
        operations.push(add("/status/currentStepIndex", self.next_step()));
        Ok(vec![step(format!("go on with step {}", self.next_step() + 1), &self.path, "/status", operations)])
    }

    fn promote_full(&self) -> Vec<PlanStep> {
        let now = &self.rollout;
        if now.fully_promoted() {
            return Vec::new();
        }
        let mut operations = forward(now, &self.raw, now.generation);
        operations.push(add("/status/promoteFull", true));
        let mut steps = vec![step("promote fully", &self.path, "/status", operations)];
        // In this order: unpaused first, the ladder could move before it is told to leave it. Paused, the controller
        // clears the pause conditions and waits.
        if now.spec_paused {
            let mut operations = stop(now);
            operations.push(test("/metadata/generation", now.generation));
            operations.push(test("/status/promoteFull", true));
            operations.push(test("/spec/paused", true));
            operations.push(add("/spec/paused", false));
            steps.push(step("end the pause by hand", &self.path, "", operations));
        }
        steps
    }

    fn pause(&self) -> Vec<PlanStep> {
        if self.rollout.spec_paused {
            return Vec::new();
        }
        let mut operations = stop(&self.rollout);
        operations.push(test("/spec/paused", self.raw.spec.paused.clone()));
        operations.push(add("/spec/paused", true));
        vec![step("pause", &self.path, "", operations)]
    }

    fn abort(&self) -> Vec<PlanStep> {
        if self.rollout.abort || self.rollout.fully_promoted() {
            return Vec::new();
        }
        let mut operations = stop(&self.rollout);
        operations.push(test("/status/abort", self.raw.abort.clone()));
        operations.push(add("/status/abort", true));
        // While a full promotion is asked for, the controller takes an abort back unheard.
        operations.push(add("/status/promoteFull", false));
        let mut steps = vec![step("abort", &self.path, "/status", operations)];
        // Paused by hand, it says that it was aborted and moves neither pods nor Services. Aborted, it may be let go.
        if self.rollout.spec_paused {
            let mut operations = stop(&self.rollout);
            operations.push(test("/status/abort", true));
            operations.push(test("/spec/paused", true));
            operations.push(add("/spec/paused", false));
            steps.push(step("end the pause by hand", &self.path, "", operations));
        }
        steps
    }

    fn retry(&self) -> Vec<PlanStep> {
        if !self.rollout.abort {
            return Vec::new();
        }
        let mut operations = forward(&self.rollout, &self.raw, self.rollout.generation);
        operations.push(add("/status/abort", false));
        vec![step("start again", &self.path, "/status", operations)]
    }

    fn restart(&self, at: jiff::Timestamp) -> Vec<PlanStep> {
        let mut operations = forward(&self.rollout, &self.raw, self.rollout.generation);
        operations.push(test("/spec/restartAt", self.raw.spec.restart_at.clone()));
        operations.push(add("/spec/restartAt", at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        vec![step("restart the pods", &self.path, "", operations)]
    }
}
