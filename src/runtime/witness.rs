//! Tells the clusters of recorded acts and of the log's head: afterwards, never in the way of an act.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::control::{Journal, WitnessSettings};
use super::settings::Settings;
use crate::audit::{ActNote, Head, Kept, Sink, Witness, WitnessError, Witnessed};
use crate::domain::link::LinkId;
use crate::domain::observation::{Arrived, Observation};
use crate::domain::record::{Draft, RecordKind};
use crate::domain::text::Clean;
use crate::model::Event;

/// The head of the log, and a way to ask whether a record is in it.
pub(super) type HeadNow = (Head, Box<dyn Fn(u64, &str) -> bool + Send + Sync>);

/// Room for acts that wait to be told; more than that are only in the log.
const QUEUE: usize = 64;

/// How long one act may take to be told.
const DEADLINE: Duration = Duration::from_secs(20);

/// An act to be told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    context: Clean,
    note: ActNote,
    by: String,
    /// Its record is durable, so that the head is worth telling.
    recorded: bool,
}

/// Where acts go that are to be told. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Teller(mpsc::Sender<Told>);

/// A teller, and the end that [`run`] takes.
pub(super) fn channel() -> (Teller, mpsc::Receiver<Told>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Teller(sender), receiver)
}

impl Teller {
    /// Tells an act by its record. `waiting`: why the record is not in the log. Never waits.
    pub(super) fn tell(&self, draft: &Draft, at: Timestamp, waiting: Option<&str>) {
        if let Some(told) = Told::of(draft, at, waiting)
            && self.0.try_send(told).is_err()
        {
            tracing::warn!(act = draft.act, "too many acts wait to be told to the cluster; this one is not");
        }
    }
}

impl Sink for Teller {
    fn take(&self, kept: &Kept) {
        self.tell(&kept.draft, kept.at, Some(&kept.why));
    }
}

impl Told {
    fn of(draft: &Draft, at: Timestamp, waiting: Option<&str>) -> Option<Self> {
        let target = draft.target.as_ref()?;
        let by = draft.actor.kube_user.as_ref().unwrap_or(&draft.actor.os_user).clone();
        // The Event of a degraded intent and that of its outcome must not bear one name.
        let (said, act) = match (draft.kind, &draft.outcome) {
            (RecordKind::Outcome, Some(outcome)) => {
                (format!("{}: {}", outcome.word, outcome.detail), draft.act.clone())
            }
            (RecordKind::Intent, _) => ("about to be sent".to_owned(), format!("intent.{}", draft.act)),
            _ => return None,
        };
        let why = draft.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        let waits = waiting.map_or_else(String::new, |why| format!("; not yet in the audit log: {why}"));
        let message = Clean::new(&format!("{} by {by}: {said}{why}{waits}", draft.op));
        let note = ActNote {
            act,
            op: draft.op.clone(),
            namespace: target.namespace.clone(),
            kind: target.kind.clone(),
            name: target.name.clone(),
            uid: target.uid.clone(),
            log: String::new(),
            message: message.to_string(),
            warning: waiting.is_some() || draft.outcome.as_ref().is_some_and(|o| o.word != "done"),
            at: at.to_string(),
        };
        Some(Self { context: Clean::new(&target.context), note, by, recorded: waiting.is_none() })
    }
}

/// What [`run`] needs.
pub(super) struct Witnesses {
    /// Who is told, by kube context.
    pub by_context: BTreeMap<Clean, Arc<dyn Witness>>,
    /// The log.
    pub journal: Journal,
    /// Where the heads are kept.
    pub settings: WitnessSettings,
    /// Where nothing may be written.
    pub policy: watch::Receiver<Arc<Settings>>,
    /// Where a failure is shown.
    pub events: mpsc::Sender<Event>,
}

/// Tells what arrives until `stop`, and then what is there already.
pub(super) async fn run(witnesses: Witnesses, mut told: mpsc::Receiver<Told>, mut stop: watch::Receiver<bool>) {
    loop {
        let next = tokio::select! {
            biased;
            next = told.recv() => next,
            _ = stop.wait_for(|stop| *stop) => told.try_recv().ok(),
        };
        let Some(act) = next else { return };
        let context = act.context.clone();
        if tokio::time::timeout(DEADLINE, witnesses.tell(act)).await.is_err() {
            witnesses.warn(&context, format!("no answer within {} s", DEADLINE.as_secs())).await;
        }
    }
}

impl Witnesses {
    async fn tell(&self, told: Told) {
        let Told { context, mut note, by, recorded } = told;
        let Some(witness) = self.by_context.get(&context) else { return };
        // Read-only means that nothing is written, not even that something was done.
        if self.policy.borrow().mandate.at(&context).read_only {
            return;
        }
        // Without a head (the log cannot be read) the act is told all the same.
        let head = self.journal.head(by).await.unwrap_or_else(|why| {
            tracing::warn!(why, "the audit log's head is not known");
            None
        });
        note.log = head.as_ref().map(|(head, _)| head.key()).unwrap_or_default();
        if let Err(error) = witness.act(&note).await {
            self.failed(&context, "the act's Event", error).await;
        }
        if let (Some((head, holds)), true) = (head, recorded) {
            let namespace = self.settings.by_context.get(&context).unwrap_or(&self.settings.namespace);
            let namespace = namespace.as_deref().unwrap_or(&note.namespace);
            match witness.head(namespace, &head, &*holds).await {
                Ok(Witnessed::Stands | Witnessed::Later) => {}
                Ok(Witnessed::Missing(missing)) => self.warn(&context, missing_words(namespace, &missing)).await,
                Err(error) => self.failed(&context, "the audit log's head", error).await,
            }
        }
    }

    async fn failed(&self, context: &Clean, what: &str, error: WitnessError) {
        match error {
            // `doctor` says it once; it would be said after every act here.
            WitnessError::MayNot(why) => tracing::info!(%context, what, why, "may not be told to the cluster"),
            WitnessError::Failed(why) => {
                self.warn(context, format!("{what} was not told to the cluster: {why}")).await;
            }
        }
    }

    /// One warning for each context: the latest takes the place of the one before.
    async fn warn(&self, context: &Clean, why: String) {
        tracing::warn!(%context, why, "witness");
        let id = LinkId::new(context, "witness");
        let what = Observation::Malformed { id, object: "audit witness".into(), why: Clean::new(&why) };
        let _ = self.events.send(Event::Observed(Arrived { at: Timestamp::now(), what })).await;
    }
}

fn missing_words(namespace: &str, missing: &Head) -> String {
    format!(
        "records are missing from the audit log: record {} ({}…), told to the cluster at {} by {}, is not in it; its tail was \
         cut or rewritten. The witness in {namespace} is left as it is; see `flightdeck audit verify --witness cluster`",
        missing.seq,
        missing.hash.get(..12).unwrap_or_default(),
        missing.time,
        missing.by,
    )
}

/// Tries again, more and more seldom, to write what the log did not take.
pub(super) async fn mend(journal: Journal, events: mpsc::Sender<Event>) {
    const SHORTEST: Duration = Duration::from_secs(5);
    const LONGEST: Duration = Duration::from_mins(5);
    let mut wait = SHORTEST;
    loop {
        tokio::time::sleep(wait).await;
        if !journal.ails() {
            wait = SHORTEST;
            continue;
        }
        wait = if journal.mend().await { SHORTEST } else { (wait * 2).min(LONGEST) };
        if events.send(Event::Audit(journal.view().await)).await.is_err() {
            return;
        }
    }
}
