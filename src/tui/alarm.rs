//! What reaches a person who looks elsewhere: the bell and the window's title. Decided here, sounded by the loop.
//!
//! The bell rings once when a target begins to need a person for a reason that it did not have before. It does not ring
//!
//! - for what the first lists bring: that is how it stands, not news;
//! - for what is in front of somebody's eyes: the window has the focus (the terminal says so), and board or target is on
//!   the screen. Where a terminal says nothing about the focus, nobody is taken to be looking;
//! - for what was done from here a moment ago: whoever aborts knows that it is aborted;
//! - for what comes back within [`SETTLED`]: an error rate that goes to and fro about its limit is one alarm;
//! - more than once in [`BURST`]: ten targets that break together are one alarm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::TargetId;
use crate::domain::signal::text::percent;
use crate::domain::text::Clean;
use crate::model::query::{Band, band, complete, lists, overdue};
use crate::model::{Target, World};

/// A reason that was gone for less than this was not gone.
const SETTLED: SignedDuration = SignedDuration::from_mins(1);

/// The least time between two bells.
const BURST: SignedDuration = SignedDuration::from_secs(10);

/// How often every need is looked at again, changed or not.
const SWEEP: SignedDuration = SignedDuration::from_secs(1);

/// For so long after an act from here its outcome is no news.
const OURS: SignedDuration = SignedDuration::from_secs(60);

/// The longest title: a tab shows less.
const TITLE: usize = 60;

/// The word of the reason that rests on measurements.
const OVER: &str = "over its limit";

/// The word of the reason that comes with time alone.
const LATE: &str = "pause over";

/// Why a target needs a person, without what changes from one moment to the next: the same reason rings once.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    /// `RolloutAborted`, `paused for a person`, `over its limit`.
    word: String,
    /// A new version is a new reason.
    version: Clean,
    /// So is another step that waits.
    step: Option<usize>,
}

/// A target's need.
#[derive(Debug)]
struct Need {
    reason: Reason,
    /// Since when it is over; `None` = it stands.
    over: Option<Timestamp>,
}

/// Who sees what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Eyes<'a> {
    /// Whether the window has the focus; `None` = the terminal did not say.
    pub focused: Option<bool>,
    /// Whether the board is on the screen.
    pub board: bool,
    /// The target whose own screen is.
    pub target: Option<&'a TargetId>,
}

impl Eyes<'_> {
    fn see(&self, id: &TargetId) -> bool {
        self.focused == Some(true) && (self.board || self.target == Some(id))
    }
}

/// What needs a person, as far as it was heard of.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    taken: OrdMap<TargetId, Arc<Target>>,
    needs: BTreeMap<TargetId, Need>,
    /// Whether the first lists are in.
    begun: bool,
    rung: Option<Timestamp>,
    /// Those whose need may begin with nothing else changed: their pause is a timed one.
    timed: BTreeSet<TargetId>,
    /// When all needs were last looked at.
    swept: Option<Timestamp>,
    /// Whether what was heard is of now.
    live: bool,
}

/// What a snapshot leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The bell.
    pub ring: bool,
    /// The title may be another one.
    pub title: bool,
}

impl Alarm {
    /// Takes a snapshot in.
    pub(super) fn take(&mut self, world: &World, eyes: Eyes<'_>, now: Timestamp) -> Heard {
        let before = std::mem::replace(&mut self.taken, world.targets.clone());
        let changed = before.diff(&world.targets).map(|item| match item {
            DiffItem::Add(id, _) | DiffItem::Remove(id, _) | DiffItem::Update { new: (id, _), .. } => id.clone(),
        });
        let mut again: Vec<TargetId> = changed.collect();
        for id in &again {
            let timed = world.targets.get(id).is_some_and(|target| target.rollout.resumes_at().is_some());
            if timed {
                self.timed.insert(id.clone())
            } else {
                self.timed.remove(id)
            };
        }
        // A need may be over with nothing else changed: what was measured became old.
        let sweep = self.swept.is_none_or(|last| now.duration_since(last) >= SWEEP);
        if sweep {
            self.swept = Some(now);
            // Only what rests on measurements, or is over, can change so; of ten thousand that is a few.
            let unsteady = |need: &Need| need.over.is_some() || need.reason.word == OVER;
            again.extend(self.needs.iter().filter(|(_, need)| unsteady(need)).map(|(id, _)| id.clone()));
            again.extend(self.timed.iter().cloned());
        }
        let live = world.links.values().filter(|link| lists(&link.id)).all(|link| link.state.is_live());
        let mut title = std::mem::replace(&mut self.live, live) != live || sweep;
        let mut news = false;
        for id in again {
            let reason = world.targets.get(&id).and_then(|target| reason(target, now));
            // Another rate for one that is over its limit already can wait for the sweep.
            let known = self.needs.get(&id).map(|need| need.over.is_none());
            title |= reason.is_some() != (known == Some(true));
            let begins = self.put(&id, reason, now);
            title |= begins;
            news |= begins && !eyes.see(&id) && !ours(world, &id, now);
        }
        if !self.begun {
            self.begun = complete(world);
            return Heard { ring: false, title };
        }
        let ring = news && self.rung.is_none_or(|rung| now.duration_since(rung) >= BURST);
        if ring {
            self.rung = Some(now);
        }
        Heard { ring, title }
    }

    /// Returns whether this is a need that was not there.
    fn put(&mut self, id: &TargetId, reason: Option<Reason>, now: Timestamp) -> bool {
        let known = self.needs.get_mut(id);
        match (reason, known) {
            (None, None) => false,
            (None, Some(need)) => {
                let since = *need.over.get_or_insert(now);
                if now.duration_since(since) >= SETTLED {
                    self.needs.remove(id);
                }
                false
            }
            (Some(reason), Some(need)) if need.reason == reason => {
                need.over = None;
                false
            }
            (Some(reason), _) => {
                self.needs.insert(id.clone(), Need { reason, over: None });
                true
            }
        }
    }

    /// `✗ cart 7.31 %`, `‖ 2 need you`, `flightdeck prod-eu`.
    pub(super) fn title(&self, world: &World, ascii: bool, now: Timestamp) -> String {
        let standing: Vec<(&TargetId, &Need)> = self.needs.iter().filter(|(_, need)| need.over.is_none()).collect();
        let over = standing.iter().filter(|(_, need)| need.reason.word == OVER);
        let over = over.filter_map(|(id, _)| world.targets.get(*id)).filter_map(|t| Some((t, rate_over(t, now)?)));
        let worst = over.max_by(|(_, a), (_, b)| a.total_cmp(b));
        let mut title = match (worst, standing.as_slice()) {
            (Some((target, rate)), all) => {
                let others = if all.len() > 1 { format!(" +{}", all.len() - 1) } else { String::new() };
                format!("✗ {} {}{others}", target.id().name, percent(rate))
            }
            (None, []) => format!("flightdeck {}", contexts(world)).trim_end().to_owned(),
            (None, [(one, _)]) => format!("‖ {} needs you", one.name),
            (None, all) => format!("‖ {} need you", all.len()),
        };
        if !self.live {
            // Calm that is old is none.
            title = format!("? not live: {title}");
        }
        let plain = |c: char| match c {
            '✗' => 'x',
            '‖' => '|',
            c if c.is_ascii() => c,
            _ => '?',
        };
        let title: String = Clean::new(&title).as_str().chars().take(TITLE).collect();
        if ascii { title.chars().map(plain).collect() } else { title }
    }
}

fn reason(target: &Target, now: Timestamp) -> Option<Reason> {
    let (band, text) = band(target, now);
    if band != Band::NeedsYou {
        return None;
    }
    let over = rate_over(target, now).is_some() && text.contains("limit");
    let word = if over {
        OVER
    } else if overdue(&target.rollout, now).is_some() {
        LATE
    } else {
        text.split(':').next().unwrap_or_default()
    };
    let step = target.rollout.current_step().map(|(index, _)| index).filter(|_| !over);
    Some(Reason { word: word.to_owned(), version: target.rollout.pod_hash.clone(), step })
}

/// The error rate, where it is over its limit for certain.
fn rate_over(target: &Target, now: Timestamp) -> Option<f64> {
    let signals = target.signals.as_deref()?;
    // What an abort took the traffic from is still in the window for a while.
    signals
        .over_since
        .filter(|_| !target.rollout.abort && signals.is_about(&target.rollout) && !signals.is_old(now))?;
    signals.subject.long.counts()?.rate()
}

fn ours(world: &World, id: &TargetId, now: Timestamp) -> bool {
    world.last_act(id).is_some_and(|act| act.running() || now.duration_since(act.asked) < OURS)
}

fn contexts(world: &World) -> String {
    let mut all: Vec<&str> = world.links.keys().map(|link| link.context.as_str()).collect();
    all.dedup();
    all.join(" ")
}
