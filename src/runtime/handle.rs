//! What the faces hold: snapshots to read, acts and questions to send.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};

pub use crate::audit::{ReadQuery, StoredRecord, VerifyReport};
pub use crate::effects::look::{
    DiffKind, DiffLine, LogLine, LogsOf, Pods, Revision, RevisionName, TemplateDiff, What, YamlOf,
};

use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::{Actor, Intent};
use crate::domain::outcome::Act;
use crate::domain::plan::{Plan, PlanRun};
use crate::domain::rehearsal::Rehearsal;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::model::World;
use crate::policy::Mandate;
use crate::runtime::settings::Settings;

/// How many lines of a log wait for their reader; then the reading waits.
const LOG_LINES: usize = 1024;

/// A question that the runtime answers; the answer goes to the asker alone and never into the world.
pub enum Query {
    /// The target as the server has it now; `Ok(None)` when it is gone.
    Read(TargetId, oneshot::Sender<Result<Option<Arc<Rollout>>, String>>),
    /// A dry run of an act: nothing is changed, and nothing recorded.
    Rehearse(Box<Intent>, oneshot::Sender<Result<Rehearsal, String>>),
    /// Logs, for as long as somebody listens.
    Logs(LogsOf, mpsc::Sender<LogLine>),
    /// An object as YAML, line by line.
    Yaml(YamlOf, oneshot::Sender<Result<Vec<Clean>, String>>),
    /// The pod template of a revision as YAML.
    Template(TargetId, RevisionName, oneshot::Sender<Result<Vec<Clean>, String>>),
    /// How the templates of two revisions differ.
    Diff(TargetId, RevisionName, Option<RevisionName>, oneshot::Sender<Result<TemplateDiff, String>>),
    /// The revisions that still have a ReplicaSet.
    Revisions(TargetId, oneshot::Sender<Result<Vec<Revision>, String>>),
    /// Records of the audit log.
    Audit(ReadQuery, oneshot::Sender<Result<Vec<StoredRecord>, String>>),
    /// Verifies the audit log.
    Verify(oneshot::Sender<Result<VerifyReport, String>>),
}

/// The runtime is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// A handle on the running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) world: watch::Receiver<Arc<World>>,
    pub(super) intents: mpsc::Sender<Intent>,
    pub(super) plans: mpsc::Sender<Plan>,
    pub(super) queries: mpsc::Sender<Query>,
    pub(super) focus: Arc<watch::Sender<Option<TargetId>>>,
    pub(super) visible: Arc<watch::Sender<Vec<TargetId>>>,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    pub(super) actor: Arc<dyn Fn(&'static str) -> Actor + Send + Sync>,
}

impl Handle {
    /// The latest snapshot.
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// Waits until there is a newer snapshot than the last one taken through this handle, or other settings hold.
    pub async fn changed(&mut self) -> Result<Arc<World>, Stopped> {
        tokio::select! {
            changed = self.world.changed() => changed.map_err(|_| Stopped)?,
            // Where nobody can change them there is nothing to wait for.
            Ok(()) = self.settings.changed() => {}
        }
        Ok(self.world.borrow_and_update().clone())
    }

    /// Waits until `is` holds of a snapshot, and returns it. The deadline is the caller's.
    pub async fn wait_for(&self, is: impl Fn(&World) -> bool) -> Result<Arc<World>, Stopped> {
        let mut world = self.world.clone();
        let found = world.wait_for(|w| is(w)).await.map_err(|_| Stopped)?;
        Ok(found.clone())
    }

    /// Sends an act on its way. Waits for room in the queue: an intent is never dropped.
    pub async fn act(&self, intent: Intent) -> Result<ActId, Stopped> {
        let id = intent.act.clone();
        self.intents.send(intent).await.map_err(|_| Stopped)?;
        Ok(id)
    }

    /// Waits until the act has ended and its outcome was recorded (or could not be).
    pub async fn wait_act(&self, id: &ActId) -> Result<Arc<Act>, Stopped> {
        let world = self
            .wait_for(|w| w.act(id).is_some_and(|act| act.ended.is_some() && act.outcome_recorded.is_some()))
            .await?;
        world.act(id).cloned().ok_or(Stopped)
    }

    /// Sends a plan on its way: its steps are acts like any other, one after another.
    pub async fn plan(&self, plan: Plan) -> Result<String, Stopped> {
        let id = plan.id.clone();
        self.plans.send(plan).await.map_err(|_| Stopped)?;
        Ok(id)
    }

    /// Waits until the plan has ended.
    pub async fn wait_plan(&self, id: &str) -> Result<Arc<PlanRun>, Stopped> {
        let world = self.wait_for(|w| w.plan(id).is_some_and(|run| run.ended.is_some())).await?;
        world.plan(id).cloned().ok_or(Stopped)
    }

    /// Reads a target afresh from its server.
    pub fn read(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Arc<Rollout>>, String>> {
        self.ask(|answer| Query::Read(target, answer))
    }

    /// Rehearses an act: decides, prepares, and asks the server what it would say. Nothing is changed, and nothing recorded.
    pub fn rehearse(&self, intent: Intent) -> BoxFuture<'static, Result<Rehearsal, String>> {
        self.ask(|answer| Query::Rehearse(Box::new(intent), answer))
    }

    /// Opens logs. The lines wait in a bounded queue; dropping the receiver ends the reading.
    pub fn logs(&self, of: LogsOf) -> mpsc::Receiver<LogLine> {
        let (lines, to) = mpsc::channel(LOG_LINES);
        let query = Query::Logs(of, lines);
        // A full queue of questions means that the runtime is stuck: the stream then ends at once.
        if let Err(error) = self.queries.try_send(query) {
            tracing::warn!(%error, "a question for logs was not taken");
        }
        to
    }

    /// Reads an object as YAML, line by line.
    pub fn yaml(&self, of: YamlOf) -> BoxFuture<'static, Result<Vec<Clean>, String>> {
        self.ask(|answer| Query::Yaml(of, answer))
    }

    /// Reads the pod template of a revision as YAML.
    pub fn template(&self, target: TargetId, revision: RevisionName) -> BoxFuture<'static, Result<Vec<Clean>, String>> {
        self.ask(|answer| Query::Template(target, revision, answer))
    }

    /// How the pod templates of two revisions differ; `to` is the current one when it is left out.
    pub fn diff(
        &self,
        target: TargetId,
        from: RevisionName,
        to: Option<RevisionName>,
    ) -> BoxFuture<'static, Result<TemplateDiff, String>> {
        self.ask(|answer| Query::Diff(target, from, to, answer))
    }

    /// The revisions of a target that still have a ReplicaSet, newest first, with their former numbers.
    pub fn revisions(&self, target: TargetId) -> BoxFuture<'static, Result<Vec<Revision>, String>> {
        self.ask(|answer| Query::Revisions(target, answer))
    }

    /// Reads records of the audit log.
    pub fn audit(&self, query: ReadQuery) -> BoxFuture<'static, Result<Vec<StoredRecord>, String>> {
        self.ask(|answer| Query::Audit(query, answer))
    }

    /// Verifies the audit log.
    pub fn verify(&self) -> BoxFuture<'static, Result<VerifyReport, String>> {
        self.ask(Query::Verify)
    }

    /// Which target's pods are wanted.
    pub fn focus(&self, target: Option<TargetId>) {
        self.focus.send_if_modified(|focus| {
            let changed = *focus != target;
            *focus = target;
            changed
        });
    }

    /// Which targets are on the screen: their error rates are read more often than those that nobody sees.
    pub fn visible(&self, targets: Vec<TargetId>) {
        self.visible.send_if_modified(|visible| {
            let changed = *visible != targets;
            *visible = targets;
            changed
        });
    }

    /// What holds now.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.borrow().clone()
    }

    /// The policy settings as they are now, for previews; the decision itself is made in control.
    pub fn mandate(&self) -> Arc<Mandate> {
        self.settings.borrow().mandate.clone()
    }

    /// Who acts through this process, by `face`.
    pub fn actor(&self, face: &'static str) -> Actor {
        (self.actor)(face)
    }

    /// A fresh name for an act.
    pub fn new_act() -> ActId {
        ActId(uuid::Uuid::new_v4().to_string())
    }

    fn ask<T: Send + 'static>(
        &self,
        query: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Query,
    ) -> BoxFuture<'static, Result<T, String>> {
        let (answer, answered) = oneshot::channel();
        let query = query(answer);
        let queries = self.queries.clone();
        Box::pin(async move {
            queries.send(query).await.map_err(|_| Stopped.to_string())?;
            answered.await.map_err(|_| Stopped.to_string())?
        })
    }
}
