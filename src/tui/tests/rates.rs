//! Error rates, and every word for when there is none.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::screens::{Desk, look_at, text};
use super::worlds::{ago, busy, link, now, payments, world_of};
use crate::domain::fixture;
use crate::domain::link::LinkState;
use crate::domain::rollout::{Rollout, Strategy, Weights};
use crate::domain::signal::{Counts, Reading, Role, Rules, Side, Signals, Verdict, verdict};
use crate::model::{Target, World};
use crate::tui::state::{Answer, Effect};

fn side(role: Role, hash: &crate::domain::text::Clean, errors: f64, total: f64, short: f64) -> Side {
    Side {
        role,
        pod_hash: hash.clone(),
        long: Reading::Measured(Counts { errors, total }),
        short: Reading::Measured(Counts { errors: total / 5.0 * short, total: total / 5.0 }),
        age: Some(2),
        history: vec![Some(0.004), Some(0.02), None, Some(0.05), Some(0.073)],
        last: None,
    }
}

pub(super) fn signals(rollout: &Rollout, errors: f64, short: f64) -> Signals {
    let rules = Rules::default();
    let subject = side(Role::New, &rollout.pod_hash, errors, 12_480.0, short);
    let verdict = verdict::of_side(&subject, &rules);
    Signals {
        at: ago(1),
        every: 5,
        rules,
        template: Some("istio-workload".into()),
        reference: Some(side(Role::Stable, &rollout.stable_hash, 488.0, 121_900.0, 0.004)),
        subject,
        scrape: Some(15),
        verdict,
        over_since: (verdict == Verdict::Over).then(|| ago(40)),
        over_began: verdict == Verdict::Over,
        was_over: (verdict == Verdict::Over).then(|| ago(1)),
        looked_back: Some(true),
        notes: Vec::new(),
    }
}

pub(super) fn with(target: &Arc<Target>, signals: Signals) -> Arc<Target> {
    Arc::new(Target { signals: Some(Arc::new(signals)), ..(**target).clone() })
}

/// A canary that fails, its traffic split by a router, the next step due by itself.
pub(super) fn bad() -> Arc<Target> {
    let mut target = (*payments()).clone();
    let mut rollout = (*target.rollout).clone();
    rollout.id = fixture::id("cart");
    rollout.step_index = Some(3);
    rollout.pause_conditions = vec![fixture::pause("CanaryPauseStep", "2026-11-24T09:58:00Z")];
    if let Strategy::Canary(canary) = &mut rollout.strategy {
        canary.router = Some("nginx".into());
    }
    rollout.weights = Some(Weights { canary: 50, stable: 50, additional: 0, verified: None });
    target.rollout = Arc::new(rollout);
    let signals = signals(&target.rollout, 912.0, 0.112);
    with(&Arc::new(target), signals)
}

pub(super) fn night() -> World {
    let fine = with(&payments(), signals(&payments().rollout, 52.0, 0.004));
    let mut world = world_of(vec![bad(), fine]);
    let prometheus = link("prometheus", LinkState::Live);
    world.links.insert(prometheus.id.clone(), prometheus);
    world
}

fn open(world: World) -> Desk {
    let mut desk = Desk::new(world);
    desk.state.selected = Some(bad().id().clone());
    desk.draw(80, 24);
    desk.key(KeyCode::Enter);
    desk
}

#[test]
fn a_bad_night() {
    look_at("night_board", || Desk::new(night()));
    look_at("night_target", || open(night()));
    look_at("night_abort", || {
        let mut desk = open(night());
        for effect in desk.keys("ab") {
            if let Effect::Read(id) = effect {
                let rollout = desk.world.targets[&id].rollout.clone();
                desk.answer(Answer::Read(id, Ok(Some(rollout))));
            }
        }
        desk
    });
}

#[test]
fn every_word_for_no_number_is_said_and_none_is_a_zero() {
    let readings = [
        (Reading::NoTraffic, "– no requests"),
        (Reading::NoData, "– no data"),
        (Reading::NotANumber, "– not a number"),
        (Reading::Thin(Counts { errors: 0.0, total: 12.0 }), "– thin (12)"),
        (Reading::Stale { age: Some(40), scrape: 15, counts: None }, "– stale 40s"),
        (Reading::Unreachable { why: "connection refused".into() }, "– unreachable"),
        (Reading::WrongQuery { why: "parse error".into() }, "– wrong query"),
    ];
    for (reading, word) in readings {
        let mut signals = signals(&bad().rollout, 912.0, 0.112);
        signals.subject.long = reading;
        signals.verdict = Verdict::NotEnoughData;
        signals.over_since = None;
        let mut world = night();
        world.targets.insert(bad().id().clone(), with(&bad(), signals));
        let mut desk = Desk::new(world.clone());
        let row = text(&desk.draw(80, 24)).lines().find(|l| l.contains("shop/cart")).expect("its row").to_owned();
        assert!(row.contains(word), "{word}: {row}");
        assert!(!row.contains("0.00"), "{row}");
        let panel = text(&open(world).draw(200, 60));
        assert!(panel.contains("not enough data"), "{panel}");
    }
}

#[test]
fn what_was_not_read_again_is_old_and_so_is_its_alarm() {
    let mut desk = Desk::new(night());
    assert!(text(&desk.draw(200, 60)).contains("over its limit of 5 % for 40s"));
    let next = super::super::view::paint(
        &mut ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 80, 24)),
        &desk.world,
        &mut desk.state,
        &super::screens::skin(super::screens::LOOK),
        &desk.mandate,
        now(),
    );
    assert!(next.is_some_and(|next| next <= now() + jiff::SignedDuration::from_secs(1)), "it counts");
    desk.later = jiff::SignedDuration::from_secs(20);
    assert!(desk.take(), "the row moves by itself");
    let screen = text(&desk.draw(200, 60));
    assert!(screen.contains("7.31 % OLD 2") && !screen.contains("over its limit"), "{screen}");
}

#[test]
fn without_a_prometheus_there_is_no_column() {
    let mut desk = Desk::new(busy());
    assert!(!text(&desk.draw(200, 60)).contains("ERRORS"));
}

#[test]
fn after_an_abort_the_errors_are_what_they_were() {
    let mut target = (*bad()).clone();
    let mut rollout = (*target.rollout).clone();
    rollout.abort = true;
    rollout.aborted_at = Some(ago(20));
    rollout.phase = crate::domain::rollout::Phase::Degraded;
    rollout.message = "RolloutAborted: Rollout aborted update to revision 8".into();
    rollout.weights = Some(Weights { canary: 0, stable: 100, additional: 0, verified: None });
    target.rollout = Arc::new(rollout);
    let mut world = night();
    world.targets.insert(target.id().clone(), Arc::new(target.clone()));
    let screen = text(&open(world.clone()).draw(80, 24));
    assert!(screen.contains("new was   7.31 %"), "{screen}");
    assert!(screen.contains("was over its limit of 5 %, no traffic for 20s"), "{screen}");
    let board = text(&Desk::new(world.clone()).draw(120, 24));
    assert!(board.contains("was 7.31 %") && !board.contains("OVER"), "{board}");
    // The router has not confirmed it, or is not heard of: then it is not known.
    let mut rollout = (*target.rollout).clone();
    rollout.weights = Some(Weights { canary: 0, stable: 100, additional: 0, verified: Some(false) });
    world.targets.insert(target.id().clone(), Arc::new(Target { rollout: Arc::new(rollout), ..target }));
    let screen = text(&open(world).draw(80, 24));
    assert!(!screen.contains("no traffic for"), "{screen}");
}

#[test]
fn the_age_beside_not_live_is_that_of_the_link_that_is_not() {
    let mut world = night();
    let mut focus = link(crate::model::query::FOCUS, LinkState::Stale { since: ago(40) });
    focus.heard = Some(ago(40));
    world.focused.insert(focus.id.clone(), bad().id().clone());
    world.links.insert(focus.id.clone(), focus);
    let screen = text(&open(world).draw(80, 24));
    assert!(screen.contains("NOT LIVE (the server is silent): this was true 40s ago"), "{screen}");
}
