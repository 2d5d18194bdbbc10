//! From acts to records, off the async threads: the log may block on the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::provenance::Provenance;
use crate::actions::{Danger, row};
use crate::audit::{AuditError, AuditLog, Authorized, Late, OpenPlan, ReadQuery, StoredRecord, VerifyReport};
use crate::domain::facts::AuditState;
use crate::domain::ids::TargetId;
use crate::domain::intent::Intent;
use crate::domain::outcome::{Act, Outcome};
use crate::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState};
use crate::domain::prepared::Prepared;
use crate::domain::record::{
    Draft, OutcomeRecord, PlanRecord, PlanStepRecord, Record, RecordKind, RequestRecord, TargetRecord,
};
use crate::domain::text::Clean;
use crate::model::AuditView;
use crate::runtime::witness::{HeadNow, Teller};

/// The audit log, or why there is none; what waits for it; who else is told.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    log: Result<Arc<AuditLog>, String>,
    late: Arc<Late>,
    provenance: Provenance,
    teller: Option<Teller>,
    /// Why the last append failed; the log can still be read then.
    failed: Mutex<Option<String>>,
}

impl Journal {
    /// Over this log. Records carry `provenance`; recorded acts are told to `teller`.
    pub(in crate::runtime) fn new(
        log: Result<Arc<AuditLog>, String>,
        provenance: Provenance,
        teller: Option<Teller>,
    ) -> Self {
        let late = Late::new(teller.iter().map(|t| Arc::new(t.clone()) as _).collect());
        Self(Arc::new(Inner { log, late: Arc::new(late), provenance, teller, failed: Mutex::default() }))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AuditLog) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, String> {
        let log = self.0.log.clone()?;
        match tokio::task::spawn_blocking(move || work(&log)).await {
            Ok(done) => done.map_err(|e| e.to_string()),
            Err(e) => Err(format!("the audit log's task failed: {e}")),
        }
    }

    /// The same for what appends: whether the log takes records is remembered, and once it does, those that wait are
    /// written behind.
    async fn append_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AuditLog) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, String> {
        let inner = self.0.clone();
        let done = self
            .with(move |log| {
                let done = work(log);
                let failed = match &done {
                    // The record is at fault, not the log.
                    Ok(_) | Err(AuditError::TooLong(_)) => inner.late.write(log).err().map(|e| e.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                *inner.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
                done
            })
            .await;
        if let Err(why) = &done {
            tracing::error!(why, "the audit log did not take a record");
        }
        done
    }

    /// Makes the intent durable; only then may it go.
    pub(super) async fn authorize(&self, prepared: Prepared) -> Result<Authorized<Prepared>, String> {
        let draft = self.of_prepared(&prepared);
        self.append_with(move |log| log.authorize(draft, prepared)).await
    }

    /// Lets an act that stops harm go although the log took no record of it, because of `why`. Its record waits in
    /// memory, is told to every other sink, and is written late. The policy has asked for one more confirmation.
    pub(super) fn authorize_degraded(&self, prepared: Prepared, why: &str) -> Result<Authorized<Prepared>, String> {
        if self.0.provenance.required(&prepared.intent.context) {
            return Err(format!("the audit log takes no records ({why}), and `audit.required` refuses all acts then"));
        }
        if row(prepared.intent.action).danger != Danger::Stop {
            return Err(format!("the audit log takes no records ({why}); only acts that stop harm go without"));
        }
        let draft = self.of_prepared(&prepared);
        self.0.late.authorize(draft, prepared, Timestamp::now(), why)
    }

    fn of_prepared(&self, prepared: &Prepared) -> Draft {
        let mut draft = self.of_intent(&prepared.intent, RecordKind::Intent);
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
        draft
    }

    /// Records how an act ended. `after_intent`: its intent is on record; else nothing was sent. A record that the log
    /// does not take waits and is written late; that is an error all the same, and says so.
    pub(super) async fn outcome(&self, act: &Act, after_intent: bool) -> Result<u64, String> {
        let Some((ended, outcome)) = act.ended.clone() else { return Err("the act has not ended".to_owned()) };
        let kind = if after_intent { RecordKind::Outcome } else { RecordKind::Refusal };
        let mut draft = self.of_intent(&act.intent, kind);
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
        if self.0.late.has_intent(&draft.act) {
            return self.behind_its_intent(draft, ended).await;
        }
        let written = draft.clone();
        match self.append_with(move |log| log.append(written)).await {
            Ok(seq) => {
                if let (Some(teller), true) = (&self.0.teller, after_intent) {
                    teller.tell(&draft, ended, None);
                }
                Ok(seq)
            }
            Err(why) if self.0.late.keep(draft, ended, &why) => Err(format!("{why}; it waits and is written late")),
            Err(why) => Err(why),
        }
    }

    /// The intent is still to be written: the outcome follows it, never the other way round.
    async fn behind_its_intent(&self, draft: Draft, ended: Timestamp) -> Result<u64, String> {
        let failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let why = failed.or_else(|| self.0.log.as_ref().err().cloned()).unwrap_or_default();
        if !self.0.late.keep(draft, ended, &why) {
            return Err(format!("{why}; too many records wait already, and this one is lost"));
        }
        let waiting = |why: String| format!("{why}; it waits and is written late");
        match self.write_late().await {
            Ok(Some(seq)) => Ok(seq),
            Ok(None) => Err(waiting(why)),
            Err(why) => Err(waiting(why)),
        }
    }

    /// Tries to write what waits; returns the number of the last record that was written.
    async fn write_late(&self) -> Result<Option<u64>, String> {
        let inner = self.0.clone();
        self.with(move |log| {
            let written = log.has_room().and_then(|()| inner.late.write(log));
            *inner.failed.lock().unwrap_or_else(PoisonError::into_inner) =
                written.as_ref().err().map(ToString::to_string);
            written
        })
        .await
    }

    /// How many records wait for the log.
    pub(in crate::runtime) fn late(&self) -> u64 {
        self.0.late.count()
    }

    /// Whether it is worth a try to write again: records wait, or the last append failed.
    pub(in crate::runtime) fn ails(&self) -> bool {
        self.late() > 0 || self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Tries again; true when nothing ails any more.
    pub(in crate::runtime) async fn mend(&self) -> bool {
        if let Err(why) = self.write_late().await {
            tracing::warn!(why, waiting = self.late(), "the audit log still takes no records");
        }
        !self.ails()
    }

    /// One last try to write what waits; what is left is taken out, one line of JSON each.
    pub(in crate::runtime) async fn farewell(&self) -> Vec<String> {
        if self.late() == 0 {
            return Vec::new();
        }
        self.mend().await;
        let lines = self.0.late.unwritten();
        for line in &lines {
            tracing::error!(record = line, "this record never reached the audit log");
        }
        lines
    }

    /// Records that a plan begins, or is taken up again: its steps as data, so that it can be gone on with.
    pub(super) async fn plan_began(&self, plan: &Plan) -> Result<u64, String> {
        let mut draft = self.of_plan(plan, RecordKind::Plan);
        draft.steps = plan.stages.iter().map(step).collect();
        self.append_with(move |log| log.append(draft)).await
    }

    /// Records how a plan ended. Where the log takes none, it waits and is written late, as outcomes do.
    pub(super) async fn plan_ended(&self, run: &PlanRun) -> Result<u64, String> {
        let Some((ended, well)) = run.ended else { return Err("the plan has not ended".to_owned()) };
        let mut draft = self.of_plan(&run.plan, RecordKind::PlanEnd);
        let said = |stage: &StageState| match stage {
            StageState::Waiting => "not begun".to_owned(),
            StageState::Running { act } => format!("under way as {act}"),
            StageState::Ended { act, outcome } => format!("{}: {} ({act})", outcome.word(), outcome.detail()),
            StageState::LeftOut { why } => format!("left out: {why}"),
        };
        let evidence = run.stages.iter().enumerate().map(|(n, stage)| (format!("step{:03}", n + 1), said(stage)));
        let done = run.stages.iter().filter(|s| matches!(s, StageState::Ended { outcome: Outcome::Done { .. }, .. }));
        draft.outcome = Some(OutcomeRecord {
            word: if well { "done" } else { "failed" }.to_owned(),
            detail: format!("{} of {} steps done", done.count(), run.stages.len()),
            evidence: evidence.collect(),
        });
        let written = draft.clone();
        match self.append_with(move |log| log.append(written)).await {
            Err(why) if self.0.late.keep(draft, ended, &why) => Err(format!("{why}; it waits and is written late")),
            done => done,
        }
    }

    /// Plans that dead processes left without an end, each with the records of its acts.
    pub(super) async fn open_plans(&self) -> Result<Vec<OpenPlan>, String> {
        self.with(AuditLog::open_plans).await
    }

    fn of_plan(&self, plan: &Plan, kind: RecordKind) -> Draft {
        let mut draft = Draft::new(kind);
        let of = u32::try_from(plan.stages.len()).unwrap_or(u32::MAX);
        draft.plan = Some(PlanRecord { id: plan.id.clone(), step: 0, of });
        "plan".clone_into(&mut draft.op);
        draft.policy = Some(self.0.provenance.policy());
        draft.reason = plan.reason.as_ref().map(ToString::to_string);
        let on_failure = match plan.on_failure {
            OnFailure::Stop => "stop",
            OnFailure::GoOn => "go-on",
        };
        draft.params =
            BTreeMap::from([("title".to_owned(), plan.title.clone()), ("onFailure".to_owned(), on_failure.to_owned())]);
        let first = plan.stages.first();
        draft.actor = self.0.provenance.actor(&plan.actor, first.map_or(&Clean::default(), |stage| &stage.context));
        // A plan for a group of targets is about none of them in particular.
        draft.target = first.filter(|f| plan.stages.iter().all(|s| s.target == f.target)).map(stage_target);
        draft
    }

    /// Records what was found of an act that a dead process left open.
    pub(super) async fn leftover(&self, intent: &Record, word: &str, detail: String) -> Result<u64, String> {
        let mut draft = intent.said.clone();
        draft.kind = RecordKind::Outcome;
        draft.requests.clear();
        let evidence = BTreeMap::from([("intent".to_owned(), intent.seq.to_string())]);
        draft.outcome = Some(OutcomeRecord { word: word.to_owned(), detail, evidence });
        self.append_with(move |log| log.append(draft)).await
    }

    /// Intents that dead processes left open.
    pub(super) async fn leftovers(&self) -> Result<Vec<Record>, String> {
        self.with(AuditLog::leftovers).await
    }

    /// The log as the screen shows it.
    pub async fn view(&self) -> AuditView {
        let late = self.late();
        let failed = self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.with(AuditLog::view).await {
            Ok(view) => AuditView {
                state: failed.map_or(AuditState::Ready, |why| AuditState::Failed { why }),
                records: view.records,
                last: view.last.and_then(|t| t.parse().ok()),
                open_intents: view.open_intents,
                late,
            },
            Err(why) => AuditView { state: AuditState::Failed { why }, records: 0, last: None, open_intents: 0, late },
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

    /// The head of the log, for a witness; `None` while there is none.
    pub(in crate::runtime) async fn head(&self, by: String) -> Result<Option<HeadNow>, String> {
        self.with(move |log| log.head(&Timestamp::now().to_string(), &by)).await
    }

    fn of_intent(&self, intent: &Intent, kind: RecordKind) -> Draft {
        let mut draft = Draft::new(kind);
        draft.act = intent.act.to_string();
        row(intent.action).verb.clone_into(&mut draft.op);
        draft.actor = self.0.provenance.actor(&intent.actor, &intent.context);
        draft.policy = Some(self.0.provenance.policy());
        draft.target = Some(target_record(&intent.target, &intent.context, &intent.seen.uid));
        draft.seen = intent.seen.evidence();
        draft.reason = intent.reason.as_ref().map(ToString::to_string);
        draft.params = intent.params.evidence();
        draft.plan = intent.plan.as_ref().map(|p| PlanRecord { id: p.id.clone(), step: p.step, of: p.of });
        draft
    }
}

fn target_record(target: &TargetId, context: &Clean, uid: &Clean) -> TargetRecord {
    TargetRecord {
        cluster: target.cluster.0.to_string(),
        context: context.to_string(),
        namespace: target.namespace.to_string(),
        kind: target.kind.as_str().to_owned(),
        name: target.name.to_string(),
        uid: uid.to_string(),
    }
}

fn stage_target(stage: &Stage) -> TargetRecord {
    let unseen = Clean::default();
    target_record(&stage.target, &stage.context, stage.seen.as_ref().map_or(&unseen, |seen| &seen.uid))
}

fn step(stage: &Stage) -> PlanStepRecord {
    PlanStepRecord {
        title: stage.title.clone(),
        op: row(stage.action).verb.to_owned(),
        target: Some(stage_target(stage)),
        params: stage.params.evidence(),
        only_on: stage.only_on.as_ref().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests;
