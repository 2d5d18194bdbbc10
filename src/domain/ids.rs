//! Identity. A thing is named by cluster, namespace, kind and name; a write also names the uid (invariant 11).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Clean;

/// A cluster: the uid of its `kube-system` namespace. The kube context's name is only its label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterId(pub Clean);

/// What kind of object a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TargetKind {
    /// `argoproj.io/v1alpha1` Rollout.
    Rollout,
}

impl TargetKind {
    /// The Kubernetes kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollout => "Rollout",
        }
    }
}

/// One service in one environment on one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TargetId {
    /// The cluster it runs on.
    pub cluster: ClusterId,
    /// Its namespace.
    pub namespace: Clean,
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: Clean,
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Names one act of one process, so that intent, outcome and screen speak of the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActId(pub String);

impl fmt::Display for ActId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
