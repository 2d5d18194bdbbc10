//! The AnalysisRuns and Experiments of the focused rollout.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::GROUP;
use super::decode::{experiments, runs};
use super::effector::RolloutEffector;
use crate::domain::analysis::{AnalysisRun, Experiment};
use crate::domain::ids::TargetId;
use crate::domain::link::LinkId;
use crate::domain::observation::{Detail, Observation};
use crate::domain::text::Clean;
use crate::effects::Reader as _;
use crate::systems::kubernetes::focused::{Aim, Kind};
use crate::systems::kubernetes::watch::Malformed;

/// Those that a rollout owns are known by its uid, which has to be read first.
fn owned(
    reader: &Arc<RolloutEffector>,
    target: TargetId,
    plural: &'static str,
) -> BoxFuture<'static, Result<Option<Aim>, String>> {
    let reader = reader.clone();
    async move {
        let path = format!("{GROUP}/namespaces/{}/{plural}", target.namespace);
        let rollout = reader.read(&target).await?;
        Ok(rollout.map(|rollout| Aim { path, owner: rollout.uid.clone(), ..Aim::default() }))
    }
    .boxed()
}

/// Its AnalysisRuns.
pub(super) struct Runs(pub(super) Arc<RolloutEffector>);

impl Kind for Runs {
    type Object = AnalysisRun;

    fn aim(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Aim>, String>> {
        owned(&self.0, target, "analysisruns")
    }

    fn decode(&self, aim: &Aim, raw: &str) -> Result<Option<AnalysisRun>, Malformed> {
        runs::of(raw, &aim.owner)
    }

    fn key(&self, run: &AnalysisRun) -> Clean {
        run.uid.clone()
    }

    fn said(&self, id: LinkId, target: TargetId, all: Option<Vec<AnalysisRun>>) -> Observation {
        let all = all.map(|mut all| {
            all.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| b.name.cmp(&a.name)));
            all
        });
        Observation::Detail { id, target, detail: Detail::Runs(all) }
    }
}

/// Its Experiments.
pub(super) struct Experiments(pub(super) Arc<RolloutEffector>);

impl Kind for Experiments {
    type Object = Experiment;

    fn aim(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Aim>, String>> {
        owned(&self.0, target, "experiments")
    }

    fn decode(&self, aim: &Aim, raw: &str) -> Result<Option<Experiment>, Malformed> {
        experiments::of(raw, &aim.owner)
    }

    fn key(&self, experiment: &Experiment) -> Clean {
        experiment.uid.clone()
    }

    fn said(&self, id: LinkId, target: TargetId, all: Option<Vec<Experiment>>) -> Observation {
        let all = all.map(|mut all| {
            all.sort_by(|a, b| b.revision.cmp(&a.revision).then_with(|| b.name.cmp(&a.name)));
            all
        });
        Observation::Detail { id, target, detail: Detail::Experiments(all) }
    }
}
