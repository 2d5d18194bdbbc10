//! What is drawn: pure functions from world, state and time to cells.

mod act;
mod audit;
mod board;
mod draw;
mod frame;
mod help;
mod links;
mod log;
mod notices;
mod palette;
mod rates;
mod revisions;
mod small;
mod target;
mod text;
mod why;
mod words;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keymap::Keymap;
use super::keys::{Command, Place};
use super::state::{Popup, State};
use super::theme::Theme;
use super::{Look, Skin};
use crate::domain::ids::TargetId;
use crate::domain::plan::PlanRun;
use crate::model::World;
use crate::model::query::complete;
use crate::policy::Mandate;
use words::Put as _;
pub(super) use words::fit;

/// What every view needs, and what it tells back: when the next age on the screen changes.
struct Ctx<'a> {
    world: &'a World,
    theme: Theme,
    look: Look,
    /// The word in the corner, as it is configured.
    badge: Option<&'a str>,
    /// The keys as they are configured.
    keys: Arc<Keymap>,
    /// Unfinished plans that are not told of any more.
    dismissed: Arc<BTreeSet<String>>,
    /// What the policy would say to acts; control decides for itself.
    mandate: &'a Mandate,
    /// How many records the log has, by its own account or by those that were read.
    records: u64,
    now: Timestamp,
    next: Cell<Option<Timestamp>>,
}

impl Ctx<'_> {
    /// The key of a command, as it is written.
    fn key(&self, command: Command) -> &str {
        self.keys.label(command)
    }

    /// The plans that were left unfinished: of this target, or those that still matter to any of theirs. One that was
    /// dismissed, or after which the same was done for the target, is told of no more.
    fn left_unfinished<'a>(&'a self, of: Option<&'a TargetId>) -> impl Iterator<Item = &'a Arc<PlanRun>> {
        let kept = self.world.open_plans.iter().filter(|run| !self.dismissed.contains(&run.plan.id));
        kept.filter(move |run| {
            let mut targets = run.plan.stages.iter().map(|stage| &stage.target);
            targets.any(|target| of.is_none_or(|of| of == target) && !self.done_since(run, target))
        })
    }

    /// Whether a later plan of the same title, for this target too, ended well.
    fn done_since(&self, run: &PlanRun, target: &TargetId) -> bool {
        self.world.plans.iter().any(|later| {
            later.began > run.began
                && later.plan.title == run.plan.title
                && matches!(later.ended, Some((_, true)))
                && later.plan.stages.iter().any(|stage| stage.target == *target)
        })
    }

    /// How long ago, in the largest unit that says enough; the screen is drawn again when it changes.
    fn age(&self, then: Timestamp) -> String {
        let seconds = self.now.duration_since(then).as_secs().max(0);
        let (unit, text) = match seconds {
            0..60 => (1, format!("{seconds}s")),
            60..3600 => (60, format!("{}m", seconds / 60)),
            3600..86_400 => (60, format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60)),
            _ => (3600, format!("{}d", seconds / 86_400)),
        };
        self.wake(then + SignedDuration::from_secs((seconds / unit + 1) * unit));
        text
    }

    /// The same in steps of ten seconds, and nothing below: what is as fresh as it can be need not count aloud.
    fn age_in_tens(&self, then: Timestamp) -> Option<String> {
        let seconds = self.now.duration_since(then).as_secs().max(0);
        if seconds >= 60 {
            return Some(self.age(then));
        }
        self.wake(then + SignedDuration::from_secs((seconds / 10 + 1) * 10));
        (seconds >= 10).then(|| format!("{}s", seconds / 10 * 10))
    }

    /// How long until then.
    fn left(&self, then: Timestamp) -> String {
        let seconds = then.duration_since(self.now).as_secs().max(0);
        self.wake(self.now + SignedDuration::from_secs(1));
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    /// The word in the corner with a space behind it; nothing where none is configured.
    fn corner(&self) -> Vec<Span<'static>> {
        let word = self.badge.map(|word| Span::styled(format!(" {word} "), self.theme.badge()));
        word.into_iter().flat_map(|word| [word, Span::raw(" ")]).collect()
    }

    fn wake(&self, at: Timestamp) {
        self.next.set(Some(self.next.get().map_or(at, |next| next.min(at))));
    }
}

/// Draws the whole screen; returns when it would look different with nothing else changed.
pub(super) fn paint(
    buffer: &mut Buffer,
    world: &World,
    state: &mut State,
    skin: &Skin,
    mandate: &Mandate,
    now: Timestamp,
) -> Option<Timestamp> {
    let look = skin.look;
    let (keys, dismissed) = (state.keys.clone(), state.dismissed.clone());
    // Other programs write the same log; what was read of theirs is there.
    let records = world.audit.records.max(state.newest_record);
    let badge = skin.badge.as_deref();
    let ctx =
        Ctx { world, theme: skin.theme, look, badge, keys, dismissed, mandate, records, now, next: Cell::new(None) };
    let area = buffer.area;
    if state.drawn_at(area.width, area.height) {
        small::paint(&ctx, state, area, buffer);
        if look.ascii {
            to_ascii(buffer);
        }
        ctx.theme.ground(buffer);
        return ctx.next.get();
    }
    let mut body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    // Whoever has acted here before needs no telling.
    let hinted = skin.hint && state.place == Place::Board && complete(world) && world.audit.records == 0;
    if hinted {
        body.height -= 1;
        frame::hint(&ctx, Rect { y: body.bottom(), height: 1, ..area }, buffer);
    }
    match state.place {
        Place::Board => board::paint(&ctx, state, body, buffer),
        Place::Target => target::paint(&ctx, state, body, buffer),
        Place::Log => log::paint(&ctx, state, body, buffer),
        Place::Text => text::paint(&ctx, state, body, buffer),
        Place::Events => target::events(&ctx, state, body, buffer),
        Place::History => revisions::paint(&ctx, state, body, buffer),
        Place::Audit => audit::paint(&ctx, state, body, buffer),
        Place::Links => links::paint(&ctx, state, body, buffer),
        Place::Help => help::paint(&ctx, state, body, buffer),
    }
    frame::header(&ctx, state, Rect { height: 1, ..area }, buffer);
    frame::footer(&ctx, state, Rect { y: area.bottom() - 1, height: 1, ..area }, buffer);
    match &mut state.popup {
        None => {}
        Some(Popup::Menu(_)) => act::menu(&ctx, state, body, buffer),
        Some(Popup::Palette(palette)) => palette::paint(&ctx, palette, body, buffer),
        Some(Popup::Resume(resume)) => act::resume(&ctx, resume, body, buffer),
        Some(Popup::Form(form)) => act::form(&ctx, form, body, buffer),
        Some(Popup::Confirm(confirm)) => act::confirm(&ctx, confirm, body, buffer),
        Some(Popup::Group(group)) => act::group(&ctx, group, body, buffer),
        Some(Popup::Rollback(plan)) => act::rollback(&ctx, plan, body, buffer),
        Some(Popup::Outcome(act)) => act::outcome(&ctx, act, body, buffer),
        Some(Popup::Progress(..)) => act::progress(&ctx, state, body, buffer),
    }
    if look.ascii {
        to_ascii(buffer);
    }
    ctx.theme.ground(buffer);
    ctx.next.get()
}

/// Text in lines, scrolled; what does not fit is said.
fn scrolled(ctx: &Ctx<'_>, lines: Vec<Line<'static>>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    state.layout(usize::from(area.height), lines.len());
    let lines = sought(ctx, lines, state);
    let shown = lines.into_iter().skip(state.scroll).take(usize::from(area.height));
    for (y, line) in (area.y..).zip(shown) {
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
}

/// Notes the lines for who looks for something in them, and sets apart where they have it.
fn sought(ctx: &Ctx<'_>, lines: Vec<Line<'static>>, state: &mut State) -> Vec<Line<'static>> {
    if !matches!(state.place, Place::Events | Place::History | Place::Links | Place::Help) {
        return lines;
    }
    // Also before anything is looked for: keys may come faster than frames.
    state.painted.lines = lines.iter().map(ToString::to_string).collect();
    let find = &state.painted.find;
    if !find.active() {
        return lines;
    }
    let marked = |line: Line<'static>| {
        let spans = line.spans.into_iter();
        let spans: Vec<_> = spans.flat_map(|s| log::marked(ctx, find, s.content.into_owned(), s.style)).collect();
        Line::from(spans).style(line.style)
    };
    lines.into_iter().map(marked).collect()
}

/// Every cell becomes one ASCII character: the width stays what it was.
fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let plain = match symbol {
            "─" | "–" | "┈" => "-",
            "○" => "o",
            "◆" => "@",
            "│" | "║" | "‖" => "|",
            "✓" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "╭" | "╮" | "╰" | "╯" => "+",
            "■" | "█" => "#",
            "●" => "*",
            "✗" => "x",
            "▌" | "→" | "▸" => ">",
            "←" => "<",
            "↓" => "v",
            "↑" => "^",
            "□" | "░" | "·" => ".",
            "…" => "~",
            "▏" => "_",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}
