//! A context that cannot be connected, among others that can: its link says why, and every question to it too.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use crate::audit::Authorized;
use crate::domain::ids::TargetId;
use crate::domain::intent::Intent;
use crate::domain::link::{LinkId, LinkState};
use crate::domain::outcome::Answer;
use crate::domain::prepared::{PrepareError, Prepared};
use crate::domain::rehearsal::Said;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;
use crate::effects::look::{LogLine, LogsOf, Looker, Revision, RevisionName, TemplateDiff, YamlOf};
use crate::effects::{Effector, OnProgress, Reader};
use crate::systems::kubernetes::client::ConnectError;
use crate::systems::kubernetes::feed::Outlet;
use crate::systems::{Connected, LinkTask};

struct Unusable(String);

/// Stands in its place.
pub(super) fn connected(context: &str, error: &ConnectError) -> Connected {
    let why = format!("{error}; mend the kubeconfig, or leave this context out");
    let context = Clean::new(context);
    let id = LinkId::new(&context, "rollouts");
    let (of_link, text) = (id.clone(), Clean::new(&why));
    let start = move |to, _| {
        let (outlet, why) = (Outlet { id: of_link.clone(), to }, text.clone());
        async move {
            outlet.link(LinkState::Denied { why }).await;
            std::future::pending::<()>().await;
        }
        .boxed()
    };
    let unusable = Arc::new(Unusable(why));
    Connected {
        context,
        links: vec![LinkTask { id, start: Box::new(start) }],
        effector: unusable.clone(),
        reader: unusable.clone(),
        looker: unusable,
        witness: None,
    }
}

impl Unusable {
    fn no<T: Send + 'static>(&self) -> BoxFuture<'_, Result<T, String>> {
        std::future::ready(Err(self.0.clone())).boxed()
    }
}

impl Effector for Unusable {
    fn prepare<'a>(&'a self, _: &'a Intent) -> BoxFuture<'a, Result<Prepared, PrepareError>> {
        std::future::ready(Err(PrepareError::Unreadable { why: self.0.clone() })).boxed()
    }

    fn rehearse<'a>(&'a self, _: &'a Prepared) -> BoxFuture<'a, Vec<Said>> {
        std::future::ready(vec![Said::WouldReject(self.0.clone())]).boxed()
    }

    fn apply<'a>(&'a self, _: Authorized<Prepared>, _: OnProgress<'a>) -> BoxFuture<'a, Vec<Answer>> {
        std::future::ready(Vec::new()).boxed()
    }
}

impl Reader for Unusable {
    fn read<'a>(&'a self, _: &'a TargetId) -> BoxFuture<'a, Result<Option<Arc<Rollout>>, String>> {
        self.no()
    }

    fn sets<'a>(&'a self, _: &'a Rollout) -> BoxFuture<'a, Result<Vec<Arc<ReplicaSet>>, String>> {
        self.no()
    }
}

impl Looker for Unusable {
    fn logs(&self, _: LogsOf, _: mpsc::Sender<LogLine>) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    fn yaml(&self, _: YamlOf) -> BoxFuture<'_, Result<Vec<Clean>, String>> {
        self.no()
    }

    fn template(&self, _: TargetId, _: RevisionName) -> BoxFuture<'_, Result<Vec<Clean>, String>> {
        self.no()
    }

    fn diff(
        &self,
        _: TargetId,
        _: RevisionName,
        _: Option<RevisionName>,
    ) -> BoxFuture<'_, Result<TemplateDiff, String>> {
        self.no()
    }

    fn revisions(&self, _: TargetId) -> BoxFuture<'_, Result<Vec<Revision>, String>> {
        self.no()
    }
}
