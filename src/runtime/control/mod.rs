//! The safety page: how an intent becomes an outcome.
//!
//! decide (policy, pure) ▶ prepare (reads afresh, builds the exact requests) ▶ record (audit, durable) ▶ apply (each
//! request once) ▶ observe (the effect, on an object version newer than the write) ▶ record the outcome.
//!
//! Each stage is shown as soon as it is reached. Whatever goes wrong has a word of its own; a lost answer is *unknown*
//! and never sent again.

mod journal;
pub(super) mod leftovers;
mod observe;
mod plan_records;
pub(super) mod plans;
mod provenance;
pub(super) mod rehearse;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub use journal::Journal;
pub use provenance::{Identities, Recording, WitnessSettings};
pub(super) use provenance::{Provenance, policy_mark};

use crate::actions::{Danger, row};
use crate::audit::Authorized;
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::ids::TargetId;
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::outcome::{Act, Answer, Outcome};
use crate::domain::prepared::{PrepareError, Prepared};
use crate::domain::sight::Sight;
use crate::domain::text::Clean;
use crate::effects::{Effector, Progress, READ_DEADLINE, Reader};
use crate::model::settle::{Written, newer, settle};
use crate::model::{Event, World, query};
use crate::policy;
use crate::runtime::settings::Settings;

/// One system that acts can go to, by kube context.
#[derive(Clone)]
pub struct Port {
    /// Carries out.
    pub effector: Arc<dyn Effector>,
    /// Reads afresh.
    pub reader: Arc<dyn Reader>,
}

/// How long control waits for what it cannot force.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For the effect of an accepted write; `None` = as long as the table grants the act.
    pub effect: Option<Duration>,
    /// For a sign of a write whose answer was lost, before it is called unknown.
    pub lost: Duration,
    /// For acts under way when the program is told to end.
    pub farewell: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { effect: None, lost: Duration::from_secs(10), farewell: Duration::from_millis(1500) }
    }
}

/// Everything that an act needs on its way.
pub struct Control {
    /// Ports by kube context.
    pub ports: BTreeMap<Clean, Port>,
    /// Snapshots, to decide and to observe.
    pub world: watch::Receiver<Arc<World>>,
    /// Where the stages of acts are shown.
    pub events: mpsc::Sender<Event>,
    /// The record.
    pub journal: Journal,
    /// The policy, as it is at the time.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// How long to wait.
    pub deadlines: Deadlines,
}

/// Takes intents until `stop` (or until nobody can ask any more); then gives acts under way a moment, and records what
/// stays open as *unknown: interrupted*.
pub async fn run(control: Control, mut intents: mpsc::Receiver<Intent>, mut stop: watch::Receiver<bool>) {
    let control = Arc::new(control);
    let mut acts = JoinSet::new();
    let in_flight = InFlight::default();
    let (ending, ended) = watch::channel(false);
    loop {
        tokio::select! {
            // Closing lets what is queued already come through, and nothing more.
            () = told(&mut stop), if !intents.is_closed() => intents.close(),
            intent = intents.recv() => match intent {
                Some(intent) => {
                    let act = Act {
                        asked: Timestamp::now(),
                        recorded: None,
                        sent: None,
                        accepted: None,
                        ended: None,
                        outcome_recorded: None,
                        intent,
                    };
                    let target = act.intent.target.clone();
                    let decision = control.decide(&act.intent, in_flight.on(&target));
                    let busy = matches!(decision, Decision::Allow)
                        .then(|| in_flight.take(target, row(act.intent.action).verb));
                    let shown = Shown::new(control.clone(), act).await;
                    acts.spawn(carry_out(control.clone(), shown, decision, busy, ended.clone()));
                }
                None => break,
            },
            Some(_) = acts.join_next() => {}
        }
    }
    let grace = tokio::time::sleep(control.deadlines.farewell);
    tokio::pin!(grace);
    loop {
        tokio::select! {
            done = acts.join_next() => if done.is_none() { return },
            () = &mut grace => break,
        }
    }
    ending.send_replace(true);
    while acts.join_next().await.is_some() {}
}

/// Waits until the flag is set, or nobody can set it any more.
pub(super) async fn told(flag: &mut watch::Receiver<bool>) {
    // The guard that comes back must not live across another await.
    drop(flag.wait_for(|set| *set).await.map(|set| *set));
}

/// Which targets have an act under way.
#[derive(Clone, Default)]
struct InFlight(Arc<Mutex<HashMap<TargetId, &'static str>>>);

impl InFlight {
    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<TargetId, &'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(&self, target: &TargetId) -> Option<&'static str> {
        self.table().get(target).copied()
    }

    fn take(&self, target: TargetId, verb: &'static str) -> Busy {
        self.table().insert(target.clone(), verb);
        Busy { all: self.clone(), target }
    }
}

/// Holds a target until it is dropped, however the act ends.
struct Busy {
    all: InFlight,
    target: TargetId,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.table().remove(&self.target);
    }
}

/// An act together with the promise that every change of it is shown.
pub(super) struct Shown {
    control: Arc<Control>,
    act: Act,
}

impl Shown {
    async fn new(control: Arc<Control>, act: Act) -> Self {
        let shown = Self { control, act };
        shown.publish().await;
        shown
    }

    async fn set(&mut self, change: impl FnOnce(&mut Act)) {
        change(&mut self.act);
        self.publish().await;
    }

    async fn publish(&self) {
        // The engine outlives control; if it is gone nobody is left to look.
        let _ = self.control.events.send(Event::Act(Arc::new(self.act.clone()))).await;
    }
}

async fn carry_out(
    control: Arc<Control>,
    mut shown: Shown,
    decision: Decision,
    busy: Option<Busy>,
    ending: watch::Receiver<bool>,
) {
    let mut ending_now = ending;
    let (outcome, recorded_intent) = {
        let work = act(&control, &mut shown, decision);
        tokio::pin!(work);
        tokio::select! {
            biased;
            ended = &mut work => ended,
            () = told(&mut ending_now) => (
                Outcome::Unknown { why: "interrupted: the program ended before the outcome was seen".to_owned() },
                true,
            ),
        }
    };
    let at = Timestamp::now();
    shown.set(|act| act.ended = Some((at, outcome))).await;
    let written = control.journal.outcome(&shown.act, recorded_intent).await;
    // Before anyone can see that it is over: who acts on what was seen then must not be told that it still runs.
    drop(busy);
    shown.set(|act| act.outcome_recorded = Some(written)).await;
    let view = control.journal.view().await;
    let _ = control.events.send(Event::Audit(view)).await;
}

/// The stages. Returns the outcome, and whether an intent stands in the log that the outcome belongs to.
async fn act(control: &Arc<Control>, shown: &mut Shown, decision: Decision) -> (Outcome, bool) {
    if let Some(what) = moved_on(&control.world.borrow().clone(), &shown.act.intent) {
        return (Outcome::Superseded { what }, false);
    }
    if let Some(refused) = refusal(decision) {
        return (refused, false);
    }
    let Some(port) = control.ports.get(&shown.act.intent.context).cloned() else {
        let why = format!("context {} is not connected", shown.act.intent.context);
        return (Outcome::Failed { why }, false);
    };
    let prepared = match prepare(&port, &shown.act.intent).await {
        Ok(prepared) => prepared,
        Err(outcome) => return (outcome, false),
    };
    let steps = prepared.steps.len();
    let authorized = match authorize(control, &shown.act.intent, prepared).await {
        Ok(authorized) => authorized,
        Err(refused) => return (refused, false),
    };
    // Without a log nothing is recorded yet, and the stage is not shown as reached.
    if authorized.seq().is_some() {
        shown.set(|act| act.recorded = Some(Timestamp::now())).await;
    }
    let answers = apply(&port, shown, authorized).await;
    (judge(control, &port, shown, &answers, steps).await, true)
}

/// The record first. Where the log takes none, an act that stops harm goes on if a person confirmed just that.
async fn authorize(control: &Control, intent: &Intent, prepared: Prepared) -> Result<Authorized<Prepared>, Outcome> {
    let stops = row(intent.action).danger == Danger::Stop;
    let refused = |why: String, hint: &str| Outcome::Refused { rule: "audit".to_owned(), why, hint: hint.to_owned() };
    match control.journal.authorize(prepared.clone()).await {
        Ok(authorized) => Ok(authorized),
        Err(why) if stops && intent.confirmed == Confirmed::WithoutRecord => control
            .journal
            .authorize_degraded(prepared, &why)
            .map_err(|why| refused(why, "mend the log (`flightdeck doctor` says how)")),
        Err(why) if stops => Err(refused(why, GO_WITHOUT)),
        Err(why) => {
            Err(refused(why, "mend the log (`flightdeck doctor` says how); nothing moves forward without a record"))
        }
    }
}

/// What to do where no record can be written and the act stops harm.
const GO_WITHOUT: &str =
    "mend it, or confirm to go on without a record (`y` in the box that says so, `--without-record`)";

fn refusal(decision: Decision) -> Option<Outcome> {
    match decision {
        Decision::Allow => None,
        Decision::Deny { rule, why, hint } => Some(Outcome::Refused { rule: rule.to_owned(), why, hint }),
        Decision::Confirm(Confirmation::Press) => Some(Outcome::Refused {
            rule: "confirmation".to_owned(),
            why: "it was not confirmed".to_owned(),
            hint: "confirm it (`y` in the box, `--yes` for a verb)".to_owned(),
        }),
        Decision::Confirm(Confirmation::WithoutRecord { why }) => Some(Outcome::Refused {
            rule: "audit".to_owned(),
            why: format!("the audit log takes no records: {why}"),
            hint: GO_WITHOUT.to_owned(),
        }),
        Decision::Confirm(Confirmation::Type { text }) => Some(Outcome::Refused {
            rule: "confirmation".to_owned(),
            why: "it was not confirmed".to_owned(),
            hint: format!("type `{text}` in the box, or give `--yes` to the verb"),
        }),
    }
}

async fn prepare(port: &Port, intent: &Intent) -> Result<Prepared, Outcome> {
    match tokio::time::timeout(READ_DEADLINE, port.effector.prepare(intent)).await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(PrepareError::Superseded { what })) => Err(Outcome::Superseded { what }),
        Ok(Err(PrepareError::NotApplicable { why } | PrepareError::Unreadable { why })) => Err(Outcome::Failed { why }),
        Err(_) => Err(Outcome::Failed {
            why: format!("the target could not be read within {} s; nothing was sent", READ_DEADLINE.as_secs()),
        }),
    }
}

/// Sends, and shows each stage as it is reached.
async fn apply(port: &Port, shown: &mut Shown, authorized: Authorized<Prepared>) -> Vec<Answer> {
    let stages = Mutex::new(shown.act.clone());
    let events = shown.control.events.clone();
    let progress = |progress: Progress| {
        let mut act = stages.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Sending { .. } => act.sent = Some(Timestamp::now()),
            Progress::Answered { answer: Answer::Accepted { resource_version }, .. } => {
                act.accepted = Some((Timestamp::now(), resource_version));
            }
            Progress::Answered { .. } => {}
        }
        // A full queue only delays what the screen shows of a stage; the stage itself is published again below.
        let _ = events.try_send(Event::Act(Arc::new(act.clone())));
    };
    let answers = port.effector.apply(authorized, &progress).await;
    let reached = stages.into_inner().unwrap_or_else(PoisonError::into_inner);
    shown.set(|act| *act = reached).await;
    answers
}

/// What the answers mean, once the effect was awaited.
async fn judge(control: &Arc<Control>, port: &Port, shown: &Shown, answers: &[Answer], steps: usize) -> Outcome {
    let intent = &shown.act.intent;
    let partly = |text: String| match answers.len() {
        0 | 1 => text,
        n => format!("{text} (after {} of {steps} requests were accepted)", n - 1),
    };
    match answers.last() {
        Some(Answer::Accepted { resource_version }) => {
            let patience = control.deadlines.effect.unwrap_or(row(intent.action).patience);
            observe::effect(control, port, intent, Written::Version(resource_version), patience).await
        }
        Some(Answer::PreconditionFailed { message }) => match already_done(port, intent, answers).await {
            Some(effect) => Outcome::Done { effect: partly(effect) },
            None => Outcome::Superseded { what: partly(what_changed(port, intent, message).await) },
        },
        Some(Answer::Rejected { message }) => Outcome::Failed { why: partly(message.clone()) },
        Some(Answer::Lost { why }) => {
            let before = intent.seen.resource_version.as_str();
            let seen = observe::effect(control, port, intent, Written::After(before), control.deadlines.lost).await;
            observe::after_a_lost_answer(seen, why)
        }
        None => Outcome::Failed { why: "there was nothing to send".to_owned() },
    }
}

/// Where the first steps of a plan had the whole effect, the last one finds nothing left to do: a timed pause, say, that
/// was over as soon as the pause by hand ended.
async fn already_done(port: &Port, intent: &Intent, answers: &[Answer]) -> Option<String> {
    let Answer::Accepted { resource_version } = answers.iter().rev().nth(1)? else { return None };
    let read = tokio::time::timeout(READ_DEADLINE, port.reader.read(&intent.target)).await;
    let now = read.ok()?.ok()??;
    // A newer version than the accepted write's, or that one itself: it is read after the answer.
    let written = Written::Version(resource_version);
    let sets = observe::sets_of(port, &now).await;
    match settle(intent, written, Some(Sight { rollout: &now, sets: &sets, runs: None })) {
        Some(Outcome::Done { effect }) => Some(effect),
        _ => None,
    }
}

/// A failed `test` names no field: the object is read again to say what changed.
async fn what_changed(port: &Port, intent: &Intent, message: &str) -> String {
    match tokio::time::timeout(READ_DEADLINE, port.reader.read(&intent.target)).await {
        Ok(Ok(Some(now))) => {
            let differences = intent.seen.differences(&now, intent.action.care());
            if differences.is_empty() {
                return format!("it changed while the request was on its way ({message})");
            }
            differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        Ok(Ok(None)) => "the rollout was deleted".to_owned(),
        Ok(Err(why)) => format!("{message}; what changed could not be read: {why}"),
        Err(_) => format!("{message}; what changed could not be read in time"),
    }
}

/// What the snapshot shows that the person had not seen (invariant 6); nothing while the snapshot is the older one.
fn moved_on(world: &World, intent: &Intent) -> Option<String> {
    let Some(target) = world.targets.get(&intent.target) else {
        return query::complete(world).then(|| "the rollout is gone".to_owned());
    };
    let rollout = &target.rollout;
    if newer(intent.seen.resource_version.as_str(), rollout.resource_version.as_str()) {
        return None;
    }
    let differences = intent.seen.differences(rollout, intent.action.care());
    let said = differences.iter().map(ToString::to_string).collect::<Vec<_>>();
    (!said.is_empty()).then(|| said.join("; "))
}

impl Control {
    /// Decides on the snapshot current now (invariant 6); what is in flight is known here before any snapshot says it.
    fn decide(&self, intent: &Intent, in_flight: Option<&'static str>) -> Decision {
        let world = self.world.borrow().clone();
        let mut facts = match world.targets.get(&intent.target) {
            Some(target) => {
                query::facts(&world, target, &target.rollout, intent.action, &intent.params, Some(&intent.act))
            }
            None => query::facts_of_nothing(&world, &intent.target),
        };
        facts.in_flight = in_flight.map(ToOwned::to_owned);
        let mandate = self.settings.borrow().mandate.clone();
        policy::decide(intent, &facts, &mandate, Timestamp::now())
    }
}
