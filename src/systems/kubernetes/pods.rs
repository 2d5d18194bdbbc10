//! The pods of the focused target, and of no other.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::decode::pod;
use super::focused::{Aim, Kind};
use super::watch::Malformed;
use crate::domain::ids::TargetId;
use crate::domain::link::LinkId;
use crate::domain::observation::Observation;
use crate::domain::text::Clean;
use crate::domain::workload::Pod;

/// Finds the label selector of a target's pods; `Ok(None)` when the target is gone.
pub type Selector = dyn Fn(TargetId) -> BoxFuture<'static, Result<Option<String>, String>> + Send + Sync;

/// Its pods.
pub struct Pods {
    /// Finds their labels.
    pub selector: Arc<Selector>,
}

impl Kind for Pods {
    type Object = Pod;

    fn aim(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Aim>, String>> {
        let path = format!("/api/v1/namespaces/{}/pods", target.namespace);
        let labels = (self.selector)(target);
        async move {
            let labels = labels.await?.filter(|labels| !labels.is_empty());
            Ok(labels.map(|labels| Aim { path, labels, ..Aim::default() }))
        }
        .boxed()
    }

    fn decode(&self, _: &Aim, raw: &str) -> Result<Option<Pod>, Malformed> {
        pod(raw)
    }

    fn key(&self, pod: &Pod) -> Clean {
        pod.name.clone()
    }

    fn said(&self, id: LinkId, target: TargetId, all: Option<Vec<Pod>>) -> Observation {
        Observation::Pods { id, target, all }
    }
}
