//! The order of the board, kept up to date change by change: sorting ten thousand targets for each frame would cost
//! more than drawing them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use crate::domain::ids::TargetId;
use crate::model::filter::Filter;
use crate::model::query::{Band, TOO_LATE, baking};
use crate::model::sort::{Order, Sort};
use crate::model::{Target, World};

/// One line of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A band's title, and how many targets stand under it.
    Title(Band, usize),
    /// A target.
    Row(TargetId),
}

/// Targets by band, by what they are sorted by, and by name.
#[derive(Debug, Default)]
pub(super) struct Board {
    taken: OrdMap<TargetId, Arc<Target>>,
    /// When it was taken.
    at: Timestamp,
    orders: BTreeMap<TargetId, Order>,
    order: BTreeSet<(Order, TargetId)>,
    /// When bands change with nothing else changed.
    turns: BTreeSet<(Timestamp, TargetId)>,
    turning: BTreeMap<TargetId, Timestamp>,
    sort: Sort,
    filter: Filter,
    /// Those that the filter leaves out.
    hidden: BTreeSet<TargetId>,
    /// What the screen shows, made anew only when the order changed: most changes move nothing.
    lines: Vec<Line>,
    /// Where the titles stand among them.
    titles: Vec<usize>,
    moved: bool,
    /// The width of the widest name on it, as of the last arrangement: columns do not jump while rows scroll.
    widest: usize,
}

impl Board {
    /// Takes in what changed since the last snapshot. Returns whether a line changed that is on the screen: `page`
    /// lines from `offset` on.
    pub(super) fn take(&mut self, world: &World, at: Timestamp, offset: usize, page: usize) -> bool {
        let mut touched = false;
        self.at = at;
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
                    self.hidden.remove(id);
                    if let Some(order) = self.orders.remove(id) {
                        self.order.remove(&(order, id.clone()));
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
        let now = self.sort.order(target, at);
        self.turn(id, turns_at(self.sort, target, at));
        let hidden = !self.filter.matches(target, at);
        if hidden != self.hidden.contains(id) {
            self.moved = true;
            if hidden {
                self.hidden.insert(id.clone());
            } else {
                self.hidden.remove(id);
            }
        }
        let before = self.orders.insert(id.clone(), now.clone());
        if before.as_ref() != Some(&now) {
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

    /// Shows only targets that it lets through.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.again();
    }

    /// Sorts within the bands by something else.
    pub(super) fn set_sort(&mut self, sort: Sort) {
        self.sort = sort;
        self.again();
    }

    /// What rows are sorted by.
    pub(super) fn sort(&self) -> Sort {
        self.sort
    }

    /// Puts every target in its place anew.
    fn again(&mut self) {
        let (all, at) = (self.taken.clone(), self.at);
        for (id, target) in &all {
            self.put(id, target, at);
        }
        self.moved = false;
        self.rearrange();
    }

    /// Whether this target has a line.
    pub(super) fn has(&self, id: &TargetId) -> bool {
        self.orders.contains_key(id) && !self.hidden.contains(id)
    }

    /// How many targets the filter leaves out, and how many of these need a person.
    pub(super) fn hidden(&self) -> (usize, usize) {
        let needs = |id: &&TargetId| self.orders.get(*id).is_some_and(|order| order.band == Band::NeedsYou);
        (self.hidden.len(), self.hidden.iter().filter(needs).count())
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
        let titles = self.lines.iter().enumerate().filter(|(_, line)| matches!(line, Line::Title(..)));
        self.titles = titles.map(|(n, _)| n).collect();
        let wide = |id: &TargetId| id.namespace.as_str().width() + 1 + id.name.as_str().width();
        self.widest = self.rows().map(wide).max().unwrap_or(0);
    }

    /// How many rows stand among the first `lines`.
    pub(super) fn rows_before(&self, lines: usize) -> usize {
        lines - self.titles.partition_point(|title| *title < lines)
    }

    /// How wide names are.
    pub(super) fn widest(&self) -> usize {
        self.widest
    }

    fn arrange(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.order.len() + 3);
        let mut title: Option<(Band, usize)> = None;
        for (Order { band, .. }, id) in self.order.iter().filter(|(_, id)| !self.hidden.contains(id)) {
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

/// When a target changes its place with nothing else changed: the watch after a release ends, what was measured of
/// its version is too old to count, or its pause is over and nobody ended it.
fn turns_at(sort: Sort, target: &Target, at: Timestamp) -> Option<Timestamp> {
    let watched = baking(target, at).map(|(_, until)| until);
    let signals = target.signals.as_deref().filter(|signals| sort.rests_on(signals) && !signals.is_old(at));
    let old = signals.map(|s| s.at + jiff::SignedDuration::from_secs(3 * i64::from(s.every) + 1));
    let late = target.rollout.resumes_at().and_then(|over| over.checked_add(TOO_LATE).ok()).filter(|late| *late > at);
    [watched, old, late].into_iter().flatten().min()
}
