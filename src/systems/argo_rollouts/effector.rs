//! Acts on Rollouts.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::{prepare, read};
use crate::audit::Authorized;
use crate::domain::ids::TargetId;
use crate::domain::intent::Intent;
use crate::domain::outcome::Answer;
use crate::domain::prepared::{PrepareError, Prepared, WriteRequest};
use crate::domain::rehearsal::{DryRun, Said};
use crate::domain::rollout::Rollout;
use crate::domain::workload::ReplicaSet;
use crate::effects::{Effector, OnProgress, Reader, SEND_DEADLINE, plan};
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;

/// Reads and changes the rollouts of one cluster.
pub struct RolloutEffector {
    cluster: Arc<Cluster>,
}

impl RolloutEffector {
    /// For `cluster`.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    /// Sends one request, once, and says what its answer means.
    async fn send(&self, request: WriteRequest) -> Answer {
        let WriteRequest { method, path, content_type, body } = request;
        let request = match call::request(method, &path, Some(content_type), body.into_bytes()) {
            Ok(request) => request,
            Err(e) => return Answer::Rejected { message: format!("{e}; nothing was sent") },
        };
        match call::whole(self.cluster.client(), request, SEND_DEADLINE).await {
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

/// What an answer means when it was only a rehearsal.
fn said(answer: Answer) -> Said {
    match answer {
        Answer::Accepted { .. } => Said::WouldAccept,
        Answer::PreconditionFailed { message } => Said::WouldNotMatch(message),
        Answer::Rejected { message } => Said::WouldReject(message),
        Answer::Lost { why } => Said::NoAnswer(why),
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
        prepare::prepare(&self.cluster, intent).boxed()
    }

    fn rehearse<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Vec<Said>> {
        async move {
            let Some(first) = prepared.steps.first() else { return Vec::new() };
            vec![said(self.send(DryRun::of(first).request()).await)]
        }
        .boxed()
    }

    fn apply<'a>(&'a self, act: Authorized<Prepared>, progress: OnProgress<'a>) -> BoxFuture<'a, Vec<Answer>> {
        // The outer deadline only catches what the inner one could not.
        let outer = SEND_DEADLINE + std::time::Duration::from_secs(1);
        plan::send_all(act, outer, progress, |request| self.send(request)).boxed()
    }
}

impl Reader for RolloutEffector {
    fn read<'a>(&'a self, target: &'a TargetId) -> BoxFuture<'a, Result<Option<Arc<Rollout>>, String>> {
        async move { Ok(read::rollout(&self.cluster, target).await?.map(Arc::new)) }.boxed()
    }

    fn sets<'a>(&'a self, rollout: &'a Rollout) -> BoxFuture<'a, Result<Vec<Arc<ReplicaSet>>, String>> {
        async move { Ok(read::sets(&self.cluster, rollout).await?.into_iter().map(Arc::new).collect()) }.boxed()
    }
}
