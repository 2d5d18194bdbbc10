//! Every screen at 80x24 and at 200x60.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::worlds::{act, busy, doubtful, now, payments, with_pods, world_of};
use crate::config::Face;
use crate::domain::facts::AuditState;
use crate::domain::intent::Actor;
use crate::domain::link::LinkState;
use crate::domain::outcome::Outcome;
use crate::model::World;
use crate::policy::Mandate;
use crate::tui::confirm::Ground;
use crate::tui::state::{Answer, Effect, Popup, RecordLine, State};
use crate::tui::theme::{Depth, Theme};
use crate::tui::{Look, Skin, view};

pub(super) const LOOK: Look = Look { color: true, ascii: false, only_ascii: false };

/// The usual theme, where there are colours.
pub(super) fn skin(look: Look) -> Skin {
    let theme = if look.color { Theme::of(&Face::default(), Depth::True).expect("a theme") } else { Theme::plain() };
    Skin { look, theme, badge: None, hint: false }
}

pub(super) fn actor() -> Actor {
    Actor { os_user: "anna".into(), kube_user: None, face: "tui" }
}

/// A cockpit without a terminal.
pub(super) struct Desk {
    pub world: World,
    pub state: State,
    pub mandate: Mandate,
    pub at: Instant,
    /// How much later than usual it is.
    pub later: jiff::SignedDuration,
    /// The word in the corner.
    pub badge: Option<std::sync::Arc<str>>,
}

impl Desk {
    pub(super) fn new(world: World) -> Self {
        let mut desk = Self {
            world,
            state: State::new(),
            mandate: Mandate::default(),
            at: Instant::now(),
            later: jiff::SignedDuration::ZERO,
            badge: None,
        };
        desk.take();
        desk
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut State, &World, &Ground<'_>) -> T) -> T {
        let ground = Ground { mandate: &self.mandate, actor: &actor, now: now() + self.later };
        work(&mut self.state, &self.world, &ground)
    }

    pub(super) fn take(&mut self) -> bool {
        self.with(State::take)
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        self.with(|state, world, ground| state.answer(answer, world, ground));
    }

    pub(super) fn event(&mut self, event: &Event) -> Vec<Effect> {
        let at = self.at;
        self.with(|state, world, ground| state.event(event, at, world, ground))
    }

    pub(super) fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.event(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub(super) fn keys(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|c| self.key(KeyCode::Char(c))).collect()
    }

    /// Draws, and lets half a second go by: what is drawn may be answered.
    pub(super) fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let buffer = self.paint(width, height, LOOK);
        self.at += Duration::from_millis(500);
        buffer
    }

    pub(super) fn paint(&mut self, width: u16, height: u16, look: Look) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.state.tick(self.at);
        let skin = Skin { badge: self.badge.clone(), ..skin(look) };
        view::paint(&mut buffer, &self.world, &mut self.state, &skin, &self.mandate, now() + self.later);
        self.state.drawn(self.at);
        buffer
    }

    /// Opens the confirmation on `payments`, the fresh read answered, and drawn.
    pub(super) fn confirmation(world: World) -> Self {
        let mut desk = Self::new(world);
        desk.state.selected = Some(payments().id().clone());
        desk.keys("a");
        let effects = desk.keys("p");
        assert!(matches!(effects.as_slice(), [Effect::Read(_)]), "{effects:?}");
        let rollout = desk.world.targets[payments().id()].rollout.clone();
        desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
        desk.draw(80, 24);
        desk
    }
}

pub(super) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width).map(|row| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// Both sizes, under one name.
pub(super) fn look_at(name: &str, desk: impl FnMut() -> Desk) {
    look_at_sizes(name, &[(80, 24), (200, 60)], desk);
}

pub(super) fn look_at_sizes(name: &str, sizes: &[(u16, u16)], mut desk: impl FnMut() -> Desk) {
    for &(width, height) in sizes {
        let mut desk = desk();
        let screen = text(&desk.draw(width, height));
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen);
        });
    }
}

pub(super) fn on(world: World, keys: &str) -> Desk {
    let mut desk = Desk::new(world);
    desk.state.selected = Some(payments().id().clone());
    desk.draw(80, 24);
    for c in keys.chars() {
        if c == '\n' {
            desk.key(KeyCode::Enter);
        } else {
            desk.keys(&c.to_string());
        }
    }
    desk
}

#[test]
fn board() {
    look_at("board", || Desk::new(busy()));
    look_at("board_doubtful", || Desk::new(doubtful()));
    look_at("board_filtered", || on(busy(), "/ma"));
    look_at("board_empty", || Desk::new(world_of(Vec::new())));
    look_at("board_connecting", || Desk::new(World::default()));
    look_at("board_denied", || {
        let mut world = world_of(Vec::new());
        for id in world.links.keys().cloned().collect::<Vec<_>>() {
            let mut denied = super::worlds::link(
                id.what,
                LinkState::Denied {
                    why: "403 Forbidden: rollouts.argoproj.io is forbidden: User \"anna\" cannot list resource \"rollouts\""
                        .into(),
                },
            );
            denied.listed = false;
            world.links.insert(id, denied);
        }
        Desk::new(world)
    });
}

#[test]
fn target() {
    look_at("target", || {
        let mut world = busy();
        with_pods(&mut world);
        world.acts.push_back(act(Some(Outcome::Superseded { what: "step was 2, is 4".to_owned() })));
        on(world, "\n")
    });
    look_at("target_stale", || on(doubtful(), "\n"));
    look_at("target_gone", || {
        let mut desk = on(busy(), "\n");
        desk.world.targets.remove(payments().id());
        desk.take();
        desk
    });
}

#[test]
fn acting() {
    look_at("menu", || on(busy(), "a"));
    look_at("reading", || on(busy(), "ap"));
    look_at("confirm", || Desk::confirmation(busy()));
    look_at("confirm_typed_wrong", || {
        let mut desk = Desk::confirmation(busy());
        desk.keys("60");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("confirm_refused", || {
        let mut desk = Desk::new(busy());
        desk.mandate = Mandate { read_only: true, read_only_by: "--read-only".into(), ..Mandate::default() };
        desk.state.selected = Some(payments().id().clone());
        desk.keys("ap");
        let rollout = payments().rollout.clone();
        desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
        desk
    });
    look_at("confirm_without_a_log", || {
        let mut world = busy();
        world.audit.state = AuditState::Failed { why: "No space left on device".to_owned() };
        Desk::confirmation(world)
    });
}

#[test]
fn outcomes() {
    let shown = |name: &str, ended: Option<Outcome>| {
        look_at(name, || {
            let mut world = busy();
            let act = act(ended.clone());
            world.acts.push_back(act.clone());
            let mut desk = Desk::new(world);
            desk.state.popup = Some(Popup::Outcome(act.id().clone()));
            desk
        });
    };
    shown("outcome_open", None);
    shown("outcome_done", Some(Outcome::Done { effect: "step 3/5, weight 50 %".to_owned() }));
    shown(
        "outcome_unknown",
        Some(Outcome::Unknown { why: "the answer was lost: connection broke; it stands at step 2/5".to_owned() }),
    );
}

#[test]
fn audit() {
    let records = || {
        let line = |seq, kind, outcome: &str| RecordLine {
            seq,
            act: "act-9".to_owned(),
            ts: "2026-11-24T10:06:10Z".to_owned(),
            kind,
            op: "resume".to_owned(),
            target: "shop/payments".to_owned(),
            cluster: "cluster-1".to_owned(),
            context: "prod-eu".to_owned(),
            by: "anna".to_owned(),
            who: "anna (API server), as anna (claimed), by tui".to_owned(),
            plan: String::new(),
            reason: "canary quiet for 10 minutes".to_owned(),
            outcome: outcome.to_owned(),
            whole: "{\n  \"seq\": 3\n}".to_owned(),
        };
        vec![
            line(4, "refusal", "superseded: step was 2, is 4"),
            line(3, "outcome", "done: step 3/5, weight 50 %"),
            line(2, "intent", "canary quiet for 10 minutes"),
        ]
    };
    look_at("audit", || {
        let mut desk = on(busy(), "A");
        desk.answer(Answer::Audit(None, Ok(records())));
        desk.keys("v");
        desk.answer(Answer::Verify(Ok((true, "holds at 14:00:00Z: 4 records".to_owned()))));
        desk
    });
    look_at("audit_tampered", || {
        let mut desk = on(busy(), "A");
        desk.answer(Answer::Audit(None, Err("audit-000001.jsonl line 2: the chain is broken".to_owned())));
        desk.keys("v");
        desk.answer(Answer::Verify(Ok((
            false,
            "DOES NOT HOLD at 14:00:00Z: 1 places, the first in segment-1.jsonl line 2".to_owned(),
        ))));
        desk
    });
    look_at("audit_record", || {
        let mut desk = on(busy(), "A");
        desk.answer(Answer::Audit(None, Ok(records())));
        desk.key(KeyCode::Enter);
        desk
    });
}

#[test]
fn why_an_act_was_done_has_the_room_that_other_columns_do_not_need() {
    let why = "the error rate was flat for half an hour and support saw nothing of it either";
    let record = |seq, kind, outcome: &str| RecordLine {
        seq,
        ts: "2026-11-24T10:06:10Z".to_owned(),
        kind,
        op: "resume".to_owned(),
        target: "shop/payments".to_owned(),
        by: "anna".to_owned(),
        reason: why.to_owned(),
        outcome: outcome.to_owned(),
        ..RecordLine::default()
    };
    let mut desk = on(busy(), "A");
    desk.answer(Answer::Audit(None, Ok(vec![record(3, "outcome", "done: step 3/5"), record(2, "intent", why)])));
    let screen = text(&desk.draw(120, 30));
    let lines: Vec<&str> = screen.lines().filter(|line| line.contains("shop/payments")).collect();
    assert!(lines[0].ends_with("anna  done: step 3/5  the error rate was flat for half an…"), "{screen}");
    let at = |line: &str| line.split_once("the error").map(|(before, _)| before.chars().count());
    assert!(at(lines[0]).is_some() && at(lines[0]) == at(lines[1]), "{screen}");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(120, 30)).contains(why), "whole in the detail");
}

#[test]
fn the_word_that_is_configured_stands_on_every_screen_and_in_every_box() {
    let mut desk = Desk::confirmation(busy());
    desk.badge = Some("DEMO".into());
    let screen = text(&desk.draw(120, 30));
    assert!(screen.starts_with(" DEMO  prod-eu"), "{screen}");
    assert!(screen.contains("┌ resume  DEMO   PROD "), "{screen}");
    for keys in ["A", "L", "?", "\n"] {
        let mut desk = on(busy(), keys);
        desk.badge = Some("DEMO".into());
        let screen = text(&desk.draw(120, 30));
        assert!(screen.starts_with(" DEMO  "), "{keys}: {screen}");
    }
}

#[test]
fn links_and_help() {
    look_at("links", || on(doubtful(), "L"));
    look_at("help", || on(busy(), "?"));
}

#[test]
fn ascii_means_ascii_and_no_colour_means_none() {
    let mut desk = Desk::confirmation(busy());
    let buffer = desk.paint(120, 30, Look { color: false, ascii: true, ..LOOK });
    for cell in &buffer.content {
        assert!(cell.symbol().is_ascii(), "{:?}", cell.symbol());
        let plain = ratatui::style::Color::Reset;
        assert!(cell.fg == plain && cell.bg == plain, "{cell:?}");
    }
}

#[test]
fn two_clusters_are_told_apart() {
    let mut world = world_of(vec![payments()]);
    assert!(text(&Desk::new(world.clone()).draw(80, 24)).contains("on shop/payments:"));
    let mut there = (*payments()).clone();
    let mut rollout = (*there.rollout).clone();
    rollout.id.cluster = crate::domain::ids::ClusterId("cluster-2".into());
    there.rollout = std::sync::Arc::new(rollout);
    there.context = "prod-us".into();
    world.clusters.insert("prod-us".into(), there.id().cluster.clone());
    world.targets.insert(there.id().clone(), std::sync::Arc::new(there));
    let mut desk = Desk::new(world);
    for width in [60, 80, 120, 200] {
        let board = text(&desk.draw(width, 24));
        let rows: Vec<&str> =
            board.lines().filter(|line| line.contains("shop/p") && !line.starts_with("on ")).collect();
        let [here, there] = rows.as_slice() else { panic!("two rows\n{board}") };
        assert!(here.contains("prod-eu") && there.contains("prod-us"), "{width}\n{board}");
    }
    assert!(text(&desk.draw(80, 24)).contains("on shop/payments (prod-eu):"));
    desk.key(KeyCode::Down);
    assert!(text(&desk.draw(80, 24)).contains("on shop/payments (prod-us):"));
    assert!(text(&desk.draw(30, 5)).contains("(prod-"));
    desk.draw(80, 24);
    desk.keys("a");
    assert!(text(&desk.draw(80, 24)).contains("prod-us/shop/payments"));
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("prod-us/shop/payments"));
}

#[test]
fn hostile_names_stay_in_their_cells() {
    let mut world = busy();
    let mut rollout = (*payments().rollout).clone();
    rollout.message = "\u{1b}[2Jgone\u{202e}\u{7}".into();
    rollout.phase = crate::domain::rollout::Phase::Degraded;
    let mut target = (*payments()).clone();
    target.rollout = std::sync::Arc::new(rollout);
    world.targets.insert(target.id().clone(), std::sync::Arc::new(target));
    let mut desk = on(world, "\n");
    for cell in &desk.draw(80, 24).content {
        assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
    }
}
