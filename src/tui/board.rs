//! The order of the board, kept up to date change by change: sorting ten thousand targets for each frame would cost
//! more than drawing them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use crate::domain::ids::TargetId;
use crate::model::query::{Band, Rank, baking, rank};
use crate::model::{Target, World};

/// One line of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A band's title, and how many targets stand under it.
    Title(Band, usize),
    /// A target.
    Row(TargetId),
}

/// Targets by rank and name.
#[derive(Debug, Default)]
pub(super) struct Board {
    taken: OrdMap<TargetId, Arc<Target>>,
    ranks: BTreeMap<TargetId, Rank>,
    order: BTreeSet<(Rank, TargetId)>,
    /// When bands change with nothing else changed.
    turns: BTreeSet<(Timestamp, TargetId)>,
    turning: BTreeMap<TargetId, Timestamp>,
    filter: String,
    /// What the screen shows, made anew only when the order changed: most changes move nothing.
    lines: Vec<Line>,
    moved: bool,
    /// The width of the widest name on it, as of the last arrangement: columns do not jump while rows scroll.
    widest: usize,
}

impl Board {
    /// Takes in what changed since the last snapshot. Returns whether a line changed that is on the screen: `page`
    /// lines from `offset` on.
    pub(super) fn take(&mut self, world: &World, at: Timestamp, offset: usize, page: usize) -> bool {
        let mut touched = false;
        let before = std::mem::replace(&mut self.taken, world.targets.clone());
        for item in before.diff(&world.targets) {
            match item {
                DiffItem::Add(id, target) | DiffItem::Update { new: (id, target), .. } => {
                    touched = touched
                        || self.lines.iter().skip(offset).take(page).any(|l| matches!(l, Line::Row(on) if on == id));
                    self.put(id, target, at);
                }
                DiffItem::Remove(id, _) => {
                    self.turn(id, None);
                    if let Some(rank) = self.ranks.remove(id) {
                        self.order.remove(&(rank, id.clone()));
                        self.moved = true;
                    }
                }
            }
        }
        while let Some((_, id)) = self.turns.first().filter(|(turns, _)| *turns <= at).cloned() {
            match world.targets.get(&id) {
                Some(target) => self.put(&id, target, at),
                None => self.turn(&id, None),
            }
        }
        if std::mem::take(&mut self.moved) {
            self.rearrange();
            return true;
        }
        touched
    }

    fn put(&mut self, id: &TargetId, target: &Target, at: Timestamp) {
        let now = rank(target, at);
        self.turn(id, turns_at(target, at));
        let before = self.ranks.insert(id.clone(), now);
        if before != Some(now) {
            self.moved = true;
            if let Some(before) = before {
                self.order.remove(&(before, id.clone()));
            }
            self.order.insert((now, id.clone()));
        }
    }

    fn turn(&mut self, id: &TargetId, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.turning.insert(id.clone(), at),
            None => self.turning.remove(id),
        };
        if let Some(before) = before {
            self.turns.remove(&(before, id.clone()));
        }
        if let Some(at) = at {
            self.turns.insert((at, id.clone()));
        }
    }

    /// When a target changes its band with nothing else changed.
    pub(super) fn turns_at(&self) -> Option<Timestamp> {
        self.turns.first().map(|(at, _)| *at)
    }

    /// Shows only targets whose `namespace/name` holds this.
    pub(super) fn set_filter(&mut self, filter: &str) {
        self.filter = filter.to_lowercase();
        self.rearrange();
    }

    fn shows(&self, id: &TargetId) -> bool {
        self.filter.is_empty() || id.to_string().to_lowercase().contains(&self.filter)
    }

    /// Whether this target has a line.
    pub(super) fn has(&self, id: &TargetId) -> bool {
        self.ranks.contains_key(id) && self.shows(id)
    }

    /// The targets in the order of the screen.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &TargetId> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(id) => Some(id),
            Line::Title(..) => None,
        })
    }

    /// The lines of the screen: each band with its title.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn rearrange(&mut self) {
        self.lines = self.arrange();
        let wide = |id: &TargetId| id.namespace.as_str().width() + 1 + id.name.as_str().width();
        self.widest = self.rows().map(wide).max().unwrap_or(0);
    }

    /// How wide names are.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    fn arrange(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.order.len() + 3);
        let mut title: Option<(Band, usize)> = None;
        for ((band, ..), id) in self.order.iter().filter(|(_, id)| self.shows(id)) {
            match title {
                Some((open, at)) if open == *band => {
                    if let Line::Title(_, count) = &mut lines[at] {
                        *count += 1;
                    }
                }
                _ => {
                    title = Some((*band, lines.len()));
                    lines.push(Line::Title(*band, 1));
                }
            }
            lines.push(Line::Row(id.clone()));
        }
        lines
    }

    /// How many targets there are, shown or not.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

/// When a target changes its band with nothing else changed: the watch after a release ends, or what was measured of a
/// version that is over its limit is too old to say so.
fn turns_at(target: &Target, at: Timestamp) -> Option<Timestamp> {
    let watched = baking(target, at).map(|(_, until)| until);
    let signals = target.signals.as_deref().filter(|signals| signals.over_since.is_some() && !signals.is_old(at));
    let old = signals.map(|s| s.at + jiff::SignedDuration::from_secs(3 * i64::from(s.every) + 1));
    [watched, old].into_iter().flatten().min()
}
