//! One target: how it stands, ladder, traffic, what it owns, and what happened to it.
//!
//! Wide, the panels stand side by side, three in a row; less wide, two; else all is one column that scrolls, the essentials
//! of a bad night first.

mod happened;
mod ladder;
mod runs;
mod status;
mod traffic;
mod tree;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use super::words::{Put as _, name, panel, panel_from};
use super::{Ctx, rates, scrolled};
use crate::model::Target;
use crate::tui::state::State;

/// From this width and height on three panels stand side by side.
const WIDE: (u16, u16) = (140, 30);

/// The lines of the errors that must not be hidden: that they are old, the verdict, and both sides.
const VERDICT: usize = 4;

/// From these on, two.
const MIDDLE: (u16, u16) = (104, 26);

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let Some(id) = state.selected.clone() else { return };
    let Some(target) = ctx.world.targets.get(&id) else {
        state.layout(usize::from(area.height), 0);
        panel(ctx, "gone", vec![Line::raw(format!("{} is no longer there.", name(ctx.world, &id)))], area, buffer);
        return;
    };
    let fits = |(width, height): (u16, u16)| area.width >= width && area.height >= height;
    if fits(WIDE) {
        wide(ctx, target, state, area, buffer);
    } else if fits(MIDDLE) {
        middle(ctx, target, state, area, buffer);
    } else {
        narrow(ctx, target, state, area, buffer);
    }
}

/// What happened, in full.
pub(super) fn events(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let Some(id) = state.selected.clone() else { return };
    let area = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let lines = match ctx.world.targets.get(&id) {
        Some(target) => happened::lines(ctx, target, state.records_of(&id), usize::from(area.width), happened::WHOLE),
        None => vec![Line::raw(format!("{} is no longer there.", name(ctx.world, &id)))],
    };
    scrolled(ctx, lines, state, area, buffer);
}

fn rule(ctx: &Ctx<'_>, title: &str, width: usize) -> Line<'static> {
    let text = format!("─ {title} ");
    let rest = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()));
    Line::styled(format!("{text}{}", "─".repeat(rest)), ctx.theme.dim())
}

fn narrow(ctx: &Ctx<'_>, target: &Target, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let area = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let width = usize::from(area.width);
    let mut lines = status::head(ctx, target, width);
    lines.extend(traffic::lines(ctx, target, width, true));
    lines.extend(rates::lines(ctx, target, width));
    lines.extend(status::what_next(ctx, target, width));
    lines.extend(status::facts(ctx, target, width));
    lines.push(rule(ctx, ladder::title(target), width));
    lines.extend(ladder::lines(ctx, target));
    lines.push(rule(ctx, "revisions and pods", width));
    lines.extend(tree::lines(ctx, target, width));
    lines.push(rule(ctx, "what happened", width));
    lines.extend(happened::lines(ctx, target, state.records_of(target.id()), width, happened::SHORT));
    let more = lines.len().saturating_sub(usize::from(area.height));
    scrolled(ctx, lines, state, area, buffer);
    if more > state.scroll {
        let text = format!(" ↓ {} more ", more - state.scroll);
        let wide = u16::try_from(text.chars().count()).unwrap_or(0);
        let place = Rect { x: area.right().saturating_sub(wide), y: area.bottom() - 1, width: wide, height: 1 };
        Line::styled(text, ctx.theme.key()).put(ctx, place, buffer);
    }
}

fn height(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2)
}

/// How many columns the text of a panel has.
fn inner(panel: Rect) -> usize {
    usize::from(panel.width).saturating_sub(4)
}

/// Above what stands and comes next, in full width; then the ladder beside traffic and errors; then the tree beside what
/// happened.
fn middle(ctx: &Ctx<'_>, target: &Target, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width) - 2;
    let mut status = status::head(ctx, target, width);
    status.extend(status::what_next(ctx, target, width));
    status.extend(status::facts(ctx, target, width));
    let most = area.height / 3;
    let high = u16::try_from(status.len()).unwrap_or(most).min(most);
    for (y, line) in (area.y..area.y + high).zip(status) {
        line.put(ctx, Rect { x: area.x + 1, y, width: area.width - 2, height: 1 }, buffer);
    }
    let area = Rect { y: area.y + high, height: area.height - high, ..area };
    let columns = Layout::horizontal([Constraint::Percentage(42), Constraint::Fill(1)]);
    let [_, right] = columns.areas(area);
    let ladder = ladder::lines(ctx, target);
    let traffic = traffic::lines(ctx, target, inner(right), true);
    let errors = rates::lines(ctx, target, inner(right));
    let top = (height(traffic.len()) + height(errors.len())).max(height(ladder.len())).min(area.height * 3 / 5);
    let [top, bottom] = Layout::vertical([Constraint::Length(top), Constraint::Min(5)]).areas(area);
    let [left, right] = columns.areas(top);
    let rows = usize::from(left.height).saturating_sub(2);
    panel(ctx, ladder::title(target), around(ctx, ladder, at(target), rows), left, buffer);
    // The errors keep room for their verdict, and whether it is of now.
    let least = height(errors.len().min(VERDICT)).min(right.height);
    let one = height(traffic.len()).min(right.height - least);
    let [one, two] = Layout::vertical([Constraint::Length(one), Constraint::Fill(1)]).areas(right);
    panel(ctx, "traffic", traffic, one, buffer);
    panel(ctx, "errors", errors, two, buffer);
    lower(ctx, target, state, bottom, buffer);
}

/// The tree beside what happened; both scroll.
fn lower(ctx: &Ctx<'_>, target: &Target, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(55), Constraint::Fill(1)]).areas(area);
    let tree = tree::lines(ctx, target, inner(left));
    let happened = happened::lines(ctx, target, state.records_of(target.id()), inner(right), happened::SHORT);
    state.layout(usize::from(area.height).saturating_sub(2), tree.len().max(happened.len()));
    panel_from(ctx, "revisions and pods", tree, state.scroll, left, buffer);
    panel_from(ctx, "what happened", happened, state.scroll, right, buffer);
}

fn wide(ctx: &Ctx<'_>, target: &Target, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let mut status = status::head(ctx, target, usize::from(area.width) - 4);
    status.extend(status::facts(ctx, target, usize::from(area.width) - 4));
    status.extend(status::what_next(ctx, target, usize::from(area.width) - 4));
    let ladder = ladder::lines(ctx, target);
    let share = Layout::horizontal([Constraint::Percentage(28), Constraint::Fill(1), Constraint::Fill(1)]);
    let [_, second, third] = share.areas(area);
    let traffic = traffic::lines(ctx, target, inner(second), false);
    let errors = rates::lines(ctx, target, inner(third));
    let tallest = ladder.len().max(traffic.len()).max(errors.len());
    let top = height(tallest).clamp(7, (area.height / 2).max(7));
    let [head, middle, bottom] =
        Layout::vertical([Constraint::Length(height(status.len())), Constraint::Length(top), Constraint::Min(5)])
            .areas(area);
    panel(ctx, "status", status, head, buffer);
    let [left, right, third] = share.areas(middle);
    let rows = usize::from(left.height) - 2;
    panel(ctx, ladder::title(target), around(ctx, ladder, at(target), rows), left, buffer);
    panel(ctx, "traffic", traffic, right, buffer);
    panel(ctx, "errors", errors, third, buffer);
    lower(ctx, target, state, bottom, buffer);
}

fn at(target: &Target) -> usize {
    target.rollout.current_step().map_or(0, |(index, _)| index)
}

/// The part of a long ladder around the step it stands on.
fn around(ctx: &Ctx<'_>, lines: Vec<Line<'static>>, at: usize, rows: usize) -> Vec<Line<'static>> {
    if lines.len() <= rows || rows == 0 {
        return lines;
    }
    let from = at.saturating_sub(rows / 3).min(lines.len() - rows);
    let (before, behind) = (from, lines.len() - rows - from);
    let mut shown: Vec<Line<'static>> = lines.into_iter().skip(from).take(rows).collect();
    // What is left out is said, but never in the place of the step it stands on.
    let more = |n: usize| Line::styled(format!("… {n} more"), ctx.theme.dim());
    if before > 0 && at > from {
        shown[0] = more(before + 1);
    }
    if behind > 0 && at + 1 < from + rows {
        shown[rows - 1] = more(behind + 1);
    }
    shown
}
