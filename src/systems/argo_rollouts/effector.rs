//! Acts on Rollouts.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::patch::{self, AsFound};
use super::{decode, path};
use crate::audit::Authorized;
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Intent};
use crate::domain::outcome::Answer;
use crate::domain::prepared::{PrepareError, Prepared, WriteRequest};
use crate::domain::rollout::{Observed, Rollout};
use crate::effects::{Effector, OnProgress, READ_DEADLINE, Reader, SEND_DEADLINE, plan};
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;

/// Reads and changes the rollouts of one cluster.
pub struct RolloutEffector {
    cluster: Arc<Cluster>,
    deadline: std::time::Duration,
}

impl RolloutEffector {
    /// For `cluster`.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, deadline: SEND_DEADLINE }
    }

    /// With another deadline for a write's answer.
    #[must_use]
    pub fn with_deadline(mut self, deadline: std::time::Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn read_now(&self, target: &TargetId) -> Result<Option<(Rollout, AsFound)>, String> {
        let id = self.cluster.id().await.map_err(|e| e.to_string())?;
        if id != target.cluster {
            return Err(format!(
                "context {} leads to another cluster now ({}, was {})",
                self.cluster.context, id.0, target.cluster.0
            ));
        }
        let body = match call::get(self.cluster.client(), &path(target), READ_DEADLINE).await {
            Ok(body) => body,
            Err(CallError::Status { code: 404, .. }) => return Ok(None),
            Err(e) => return Err(format!("{target}: {e}")),
        };
        let raw: &RawValue = serde_json::from_slice(&body).map_err(|e| format!("{target}: not an object: {e}"))?;
        match decode::rollout(raw, &id) {
            Ok(rollout) => Ok(Some((rollout, AsFound::of(raw)))),
            Err(bad) => Err(format!("{target}: {}", bad.why)),
        }
    }

    async fn make_ready(&self, intent: &Intent) -> Result<Prepared, PrepareError> {
        let (now, found) = match self.read_now(&intent.target).await {
            Ok(Some(now)) => now,
            Ok(None) => return Err(PrepareError::Superseded { what: "the rollout was deleted".to_owned() }),
            Err(why) => return Err(PrepareError::Unreadable { why }),
        };
        let differences = intent.seen.differences(&now);
        if !differences.is_empty() {
            let what = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return Err(PrepareError::Superseded { what });
        }
        if now.observed() == Observed::Behind {
            let why = "the controller has not seen the latest spec yet";
            return Err(PrepareError::NotApplicable { why: why.to_owned() });
        }
        let steps = match intent.action {
            ActionId::Resume => patch::resume(&path(&intent.target), &now, &found),
        };
        if steps.is_empty() {
            return Err(PrepareError::NotApplicable { why: format!("{} is not paused", intent.target) });
        }
        Ok(Prepared { intent: intent.clone(), steps })
    }

    /// Sends one request, once, and says what its answer means.
    async fn send(&self, request: WriteRequest) -> Answer {
        let WriteRequest { method, path, content_type, body } = request;
        let request = match call::request(method, &path, Some(content_type), body.into_bytes()) {
            Ok(request) => request,
            Err(e) => return Answer::Rejected { message: format!("{e}; nothing was sent") },
        };
        match call::whole(self.cluster.client(), request, self.deadline).await {
            Ok(body) => accepted(&body),
            Err(error) => refused(error),
        }
    }
}

/// A 2xx counts only with the object in it: a proxy can say 200 too.
fn accepted(body: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Written {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        resource_version: String,
    }
    match serde_json::from_slice::<Written>(body) {
        Ok(written) => Answer::Accepted { resource_version: written.metadata.resource_version },
        Err(e) => Answer::Lost { why: format!("the answer was a success without the object: {e}") },
    }
}

fn refused(error: CallError) -> Answer {
    match error {
        CallError::Status { code: 404 | 409, message, .. } => {
            Answer::PreconditionFailed { message: message.to_string() }
        }
        // A failed `test` names no field; a patch that the schema refuses says `Rollout.argoproj.io "x" is invalid`.
        CallError::Status { code: 422, message, .. }
            if message.as_str().contains("the server rejected our request") =>
        {
            Answer::PreconditionFailed { message: message.to_string() }
        }
        CallError::Status { code: 403, message, .. } => Answer::Rejected {
            message: format!(
                "403 Forbidden: {message}; fix: ask for the right named there (`flightdeck doctor` lists them)"
            ),
        },
        CallError::Status { code: 401, message, .. } => {
            Answer::Rejected { message: format!("401 Unauthorized: {message}; fix: log in again") }
        }
        CallError::Status { code: 429, message, .. } => Answer::Rejected {
            message: format!(
                "429: the server is busy ({message}); nothing was changed, and nothing is sent again by itself"
            ),
        },
        ref error @ CallError::Status { code: 400..500, .. } => Answer::Rejected { message: error.to_string() },
        ref error @ (CallError::NotConnected { .. } | CallError::NoLogin { .. }) => {
            Answer::Rejected { message: format!("{error}; nothing was sent") }
        }
        ref error @ (CallError::Status { .. } | CallError::Foreign { .. } | CallError::Broken { .. }) => {
            Answer::Lost { why: error.to_string() }
        }
    }
}

impl Effector for RolloutEffector {
    fn prepare<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<Prepared, PrepareError>> {
        self.make_ready(intent).boxed()
    }

    fn apply<'a>(&'a self, act: Authorized<Prepared>, progress: OnProgress<'a>) -> BoxFuture<'a, Vec<Answer>> {
        // The outer deadline only catches what the inner one could not.
        let outer = self.deadline + std::time::Duration::from_secs(1);
        plan::send_all(act, outer, progress, |request| self.send(request)).boxed()
    }
}

impl Reader for RolloutEffector {
    fn read<'a>(&'a self, target: &'a TargetId) -> BoxFuture<'a, Result<Option<Arc<Rollout>>, String>> {
        async move { Ok(self.read_now(target).await?.map(|(rollout, _)| Arc::new(rollout))) }.boxed()
    }
}
