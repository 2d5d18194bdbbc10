//! Acts on a rollout that stands in a state, and what came of them.

use super::super::stands::plain_hashes;
use super::super::states::BAD;
use super::super::states::State;
use super::super::states::WORSE;
use super::Act;
use super::Matrix;
use super::again;
use super::ending;
use flightdeck::actions::Action;
use flightdeck::domain::intent::ActionId;
use flightdeck::domain::intent::Confirmed;
use flightdeck::domain::intent::Intent;
use flightdeck::domain::intent::Params;
use flightdeck::domain::plan::Plan;
use flightdeck::domain::plan::StageState;
use flightdeck::domain::seen::Seen;
use flightdeck::domain::text::Clean;
use flightdeck::model::Target;
use flightdeck::model::choose;
use flightdeck::model::choose::Said;
use flightdeck::model::rollback;
use flightdeck::runtime::handle::Handle;
use jiff::SignedDuration;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

impl Matrix<'_> {
    pub(super) fn said(target: &Target, act: &Action, state: State) -> Said {
        let tag = |tag: &str| {
            let image = format!("example/app:{tag}");
            target.sets.iter().find(|set| set.images.iter().any(|i| *i == *image.as_str()))
        };
        let other = match state.undo_to {
            Some(version) => tag(version),
            None if !target.rollout.fully_promoted() => target.stable_set(),
            None => target.sets.iter().find(|set| set.pod_hash != target.rollout.pod_hash),
        };
        Said {
            // On a real cluster the node that is not there stays in the template.
            image: Some(format!("example/app:{}", if Self::is_bad(target) { WORSE } else { "v3" })),
            container: target.rollout.workload_ref.is_some().then(|| "app".to_owned()),
            revision: other.filter(|_| act.id == ActionId::Undo).map(|set| set.pod_hash.to_string()),
            hold: Some(SignedDuration::from_mins(12)),
            run: None,
        }
    }

    pub(super) fn is_bad(target: &Target) -> bool {
        target.canary_set().is_some_and(|set| super::super::stands::tag(set) == BAD)
    }

    pub(super) fn params(target: &Target, act: &Action, state: State) -> Result<Params, String> {
        choose::params(act, target, &Self::said(target, act, state), Timestamp::now())
    }

    /// Whether an act applies and changes the rollout: then it gets one of its own.
    pub(super) fn moves(target: &Target, act: Act, state: State) -> bool {
        match act {
            Act::RollBack => rollback::plan(target, None, Timestamp::now()).is_ok(),
            Act::One(act) => {
                let marks = matches!(act.id, ActionId::Forbid | ActionId::Allow);
                let applies = |params| (act.applies)(&target.sight(), &params).is_ok();
                !marks && Self::params(target, act, state).is_ok_and(applies)
            }
        }
    }

    /// An act that leaves the rollout as it is: refused by its row, which the policy asks first, or a mark.
    pub(super) async fn still(&self, begins: &str, name: &str, act: Act, state: State) -> String {
        if let Act::One(row) = act {
            let target = self.target(name).expect("it is seen");
            let applies = |params| (row.applies)(&target.sight(), &params);
            if let Ok(Err(why)) = Self::params(&target, row, state).map(applies) {
                let said = self.without_names(&format!("refused: cannot {}: {why}", row.verb), &target);
                return format!("{begins}: {} => {said}", row.verb);
            }
        }
        let (said, _) = self.act(name, act, state).await;
        format!("{begins}: {} => {said}", act.verb())
    }

    /// An act, and where the rollout stands afterwards.
    pub(super) async fn pair(&self, begins: &str, name: &str, act: Act, state: State) -> String {
        let mut name = name.to_owned();
        let (mut said, mut after) = self.act(&name, act, state).await;
        // Under load the look for the effect may get no answer in time. That cannot be asked again; another rollout can.
        for _ in 0..3 {
            if state.stopped || !said.contains("the effect could not be seen") {
                break;
            }
            name = self.bring(state).await;
            self.rest(&name, &format!("{begins} => ")).await;
            (said, after) = self.act(&name, act, state).await;
        }
        let begins = format!("{begins}: {} => {said}", act.verb());
        if !after {
            return begins;
        }
        self.rest(&name, &format!("{begins}; ")).await.0
    }

    /// Does it. What came of it, and whether anything was sent.
    pub(super) async fn act(&self, name: &str, act: Act, state: State) -> (String, bool) {
        let target = self.target(name).expect("it is seen");
        let ended = match act {
            Act::One(act) => self.one(&target, act, state).await,
            Act::RollBack => self.roll_back(&target).await,
        };
        let sent = self.tap.take(name);
        let mut said = ended;
        if !sent.is_empty() {
            said = format!("{}: {said}", sent.join(", "));
        }
        (self.without_names(&said, &target), !sent.is_empty())
    }

    pub(super) async fn one(&self, target: &Target, act: &'static Action, state: State) -> String {
        // What ended just now is let go of a moment after it is shown.
        for _ in 0..200 {
            let ended = self.once(target, act, state).await;
            if !again(&ended) || self.tap.wrote(target.id().name.as_str()) {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} cannot be acted on", target.id());
    }

    pub(super) async fn once(&self, target: &Target, act: &'static Action, state: State) -> String {
        let params = match Self::params(target, act, state) {
            Ok(params) => params,
            Err(why) => return format!("cannot be asked: {why}"),
        };
        let intent = Intent {
            act: Handle::new_act(),
            action: act.id,
            params,
            plan: None,
            target: target.id().clone(),
            context: target.context.clone(),
            seen: Seen::of(&target.rollout, Timestamp::now()),
            actor: self.engine.handle.actor("tui"),
            reason: Some(Clean::new("parity")),
            confirmed: Confirmed::Typed,
        };
        let id = self.engine.handle.act(intent).await.expect("the engine runs");
        let ended = self.engine.ended(&id).await;
        ending(&ended.ended.as_ref().expect("an end").1)
    }

    pub(super) async fn roll_back(&self, target: &Target) -> String {
        for _ in 0..200 {
            let ended = self.roll_back_once(target).await;
            if !again(&ended) || self.tap.wrote(target.id().name.as_str()) {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} cannot be rolled back", target.id());
    }

    pub(super) async fn roll_back_once(&self, target: &Target) -> String {
        let made = match rollback::plan(target, None, Timestamp::now()) {
            Ok(made) => made,
            Err(why) => return format!("no plan: {why}"),
        };
        let plan = Plan {
            id: Handle::new_act().0,
            title: "parity".to_owned(),
            stages: made.stages,
            on_failure: rollback::ON_FAILURE,
            actor: self.engine.handle.actor("tui"),
            reason: Some(Clean::new("parity")),
            confirmed: Confirmed::Typed,
        };
        let id = self.engine.handle.plan(plan).await.expect("the engine runs");
        let wait = tokio::time::timeout(self.pace.patience * 2, self.engine.handle.wait_plan(&id));
        let run = wait.await.expect("in time").expect("the engine runs");
        let steps = run.plan.stages.iter().zip(&run.stages).map(|(stage, state)| {
            let word = match state {
                StageState::Ended { outcome, .. } => ending(outcome),
                StageState::LeftOut { why } => format!("left out ({why})"),
                StageState::Waiting | StageState::Running { .. } => "not ended".to_owned(),
            };
            format!("{} {word}", flightdeck::actions::row(stage.action).verb)
        });
        steps.collect::<Vec<_>>().join(", ")
    }

    /// Takes out what differs from run to run.
    pub(super) fn without_names(&self, text: &str, target: &Target) -> String {
        let target = self.target(target.id().name.as_str()).unwrap_or_else(|| Arc::new(target.clone()));
        let namespace = format!("{}/", self.side.namespace);
        let text = plain_hashes(text, &target).replace(&namespace, "");
        super::super::plain(&text, &[])
    }
}
