//! One folder per outside system: client, source (reads), effector (writes), decode (wire → domain, pure).
//!
//! Systems know neither the model nor each other; `kubernetes` is the one exception: it holds the transport that
//! every system living behind a Kubernetes API server uses (client, list and watch, error words).

pub mod argo_rollouts;
pub mod kubernetes;
pub mod prometheus;

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use crate::audit::Witness;
use crate::config::prometheus::PrometheusSection;
use crate::domain::ids::TargetId;
use crate::domain::link::LinkId;
use crate::domain::observation::Arrived;
use crate::domain::signal::interest::Interest;
use crate::domain::text::Clean;
use crate::effects::look::Looker;
use crate::effects::{Effector, Reader};

/// Where sources put what they learn. Bounded: a slow engine slows the reading down, nothing is dropped.
pub type Observations = mpsc::Sender<Arrived>;

/// Which target's pods are wanted.
pub type Focus = watch::Receiver<Option<TargetId>>;

/// What is wanted of the links, as it changes.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Which target's pods.
    pub focus: Focus,
    /// Whose error rates, and how often.
    pub interest: watch::Receiver<Arc<Interest>>,
    /// By what error rates are judged, once that is other than at the start.
    pub judgement: watch::Receiver<Arc<PrometheusSection>>,
}

/// A task that keeps one link alive for as long as the program runs; `runtime` spawns and supervises it.
pub struct LinkTask {
    /// The link.
    pub id: LinkId,
    /// Makes the task's future, again after a crash.
    pub start: Box<dyn Fn(Observations, Wants) -> BoxFuture<'static, ()> + Send + Sync>,
}

/// One connected context.
pub struct Connected {
    /// The kube context's name.
    pub context: Clean,
    /// What keeps its links alive.
    pub links: Vec<LinkTask>,
    /// Carries out acts on its rollouts.
    pub effector: Arc<dyn Effector>,
    /// Reads its rollouts afresh.
    pub reader: Arc<dyn Reader>,
    /// Answers questions about them.
    pub looker: Arc<dyn Looker>,
    /// Is told of acts and of the audit log's head, where it can be.
    pub witness: Option<Arc<dyn Witness>>,
}
