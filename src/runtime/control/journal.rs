//! From acts to records, off the async threads: the log may block on the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actions::row;
use crate::audit::{AuditLog, Authorized, ReadQuery, StoredRecord, VerifyReport};
use crate::domain::facts::AuditState;
use crate::domain::intent::{Actor, Intent};
use crate::domain::outcome::{Act, Outcome};
use crate::domain::prepared::Prepared;
use crate::domain::record::{ActorRecord, Draft, OutcomeRecord, Record, RecordKind, RequestRecord, TargetRecord};
use crate::model::AuditView;

/// The audit log, or why there is none.
#[derive(Clone)]
pub struct Journal(Result<Arc<AuditLog>, String>);

impl Journal {
    /// Over this log.
    pub fn new(log: Result<Arc<AuditLog>, String>) -> Self {
        Self(log)
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AuditLog) -> Result<T, crate::audit::AuditError> + Send + 'static,
    ) -> Result<T, String> {
        let log = self.0.clone()?;
        match tokio::task::spawn_blocking(move || work(&log)).await {
            Ok(done) => done.map_err(|e| e.to_string()),
            Err(e) => Err(format!("the audit log's task failed: {e}")),
        }
    }

    /// Makes the intent durable; only then may it go.
    pub(super) async fn authorize(&self, prepared: Prepared) -> Result<Authorized<Prepared>, String> {
        let mut draft = of_intent(&prepared.intent, RecordKind::Intent);
        draft.requests = prepared
            .steps
            .iter()
            .map(|step| RequestRecord {
                method: step.request.method.to_owned(),
                path: step.request.path.clone(),
                content_type: step.request.content_type.to_owned(),
                body: step.request.body.clone(),
            })
            .collect();
        self.with(move |log| log.authorize(draft, prepared)).await
    }

    /// Records how an act ended. `after_intent`: its intent is in the log; else nothing was sent.
    pub(super) async fn outcome(&self, act: &Act, after_intent: bool) -> Result<u64, String> {
        let Some((ended, outcome)) = act.ended.clone() else { return Err("the act has not ended".to_owned()) };
        let kind = if after_intent { RecordKind::Outcome } else { RecordKind::Refusal };
        let mut draft = of_intent(&act.intent, kind);
        let mut evidence = BTreeMap::from([("asked".to_owned(), act.asked.to_string())]);
        let mut put = |key: &str, value: Option<String>| value.map(|value| evidence.insert(key.to_owned(), value));
        put("recorded", act.recorded.map(|t| t.to_string()));
        put("sent", act.sent.map(|t| t.to_string()));
        put("accepted", act.accepted.as_ref().map(|(t, _)| t.to_string()));
        put("resourceVersion", act.accepted.as_ref().map(|(_, version)| version.clone()));
        put("ended", Some(ended.to_string()));
        if let Outcome::Refused { rule, .. } = &outcome {
            put("rule", Some(rule.clone()));
        }
        draft.outcome =
            Some(OutcomeRecord { word: outcome.word().to_owned(), detail: outcome.detail().to_owned(), evidence });
        self.with(move |log| log.append(draft)).await
    }

    /// Records what was found of an act that a dead process left open.
    pub(super) async fn leftover(&self, intent: &Record, word: &str, detail: String) -> Result<u64, String> {
        let mut draft = intent.said.clone();
        draft.kind = RecordKind::Outcome;
        draft.requests.clear();
        let evidence = BTreeMap::from([("intent".to_owned(), intent.seq.to_string())]);
        draft.outcome = Some(OutcomeRecord { word: word.to_owned(), detail, evidence });
        self.with(move |log| log.append(draft)).await
    }

    /// Intents that dead processes left open.
    pub(super) async fn leftovers(&self) -> Result<Vec<Record>, String> {
        self.with(AuditLog::leftovers).await
    }

    /// The log as the screen shows it.
    pub async fn view(&self) -> AuditView {
        match self.with(AuditLog::view).await {
            Ok(view) => AuditView {
                state: AuditState::Ready,
                records: view.records,
                last: view.last.and_then(|t| t.parse().ok()),
                open_intents: view.open_intents,
                late: 0,
            },
            Err(why) => {
                AuditView { state: AuditState::Failed { why }, records: 0, last: None, open_intents: 0, late: 0 }
            }
        }
    }

    /// Records, newest first.
    pub async fn read(&self, query: ReadQuery) -> Result<Vec<StoredRecord>, String> {
        self.with(move |log| log.read(&query)).await
    }

    /// Checks the log.
    pub async fn verify(&self) -> Result<VerifyReport, String> {
        self.with(|log| log.verify(false)).await
    }
}

fn of_intent(intent: &Intent, kind: RecordKind) -> Draft {
    let mut draft = Draft::new(kind);
    draft.act = intent.act.to_string();
    row(intent.action).verb.clone_into(&mut draft.op);
    draft.actor = actor(&intent.actor);
    draft.target = Some(TargetRecord {
        cluster: intent.target.cluster.0.to_string(),
        context: intent.context.to_string(),
        namespace: intent.target.namespace.to_string(),
        kind: intent.target.kind.as_str().to_owned(),
        name: intent.target.name.to_string(),
        uid: intent.seen.uid.to_string(),
    });
    draft.seen = intent.seen.evidence();
    draft.reason = intent.reason.as_ref().map(ToString::to_string);
    draft
}

fn actor(actor: &Actor) -> ActorRecord {
    ActorRecord {
        os_user: actor.os_user.to_string(),
        kube_user: actor.kube_user.as_ref().map(ToString::to_string),
        face: actor.face.to_owned(),
    }
}
