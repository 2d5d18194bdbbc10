//! The first and the last line of every screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words::Put as _;
use super::{Ctx, words};
use crate::domain::facts::AuditState;
use crate::domain::link::{Link, LinkState};
use crate::model::query::quiet;
use crate::tui::filter_line::FilterLine;
use crate::tui::keymap::Bound;
use crate::tui::keys::{Command, Place};
use crate::tui::state::guard::step_of;
use crate::tui::state::{Popup, State};

/// Where we are, what we look at, and how the links stand.
pub(super) fn header(ctx: &Ctx<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let mut left = ctx.corner();
    let target = state.selected.as_ref().and_then(|id| ctx.world.targets.get(id));
    match (state.place, target) {
        (Place::Target | Place::Log | Place::Text | Place::Events | Place::History, Some(target)) => {
            left.push(Span::styled(format!(" {} ", target.environment.badge()), theme.tier(target.environment.tier)));
            left.push(Span::styled(format!(" {}/{}", target.context, target.id()), theme.strong()));
            left.push(Span::styled(
                match state.place {
                    Place::Log => "  logs",
                    Place::Events => "  what happened",
                    Place::History => "  revisions",
                    _ => "",
                },
                theme.dim(),
            ));
        }
        (Place::Target | Place::Log | Place::Text | Place::Events | Place::History, None) => {
            left.push(Span::styled("gone", theme.bad()));
        }
        (place, _) => {
            let mut contexts: Vec<String> = ctx.world.links.keys().map(|l| l.context.to_string()).collect();
            contexts.dedup();
            left.push(Span::styled(
                if contexts.is_empty() { "flightdeck".to_owned() } else { contexts.join(", ") },
                theme.strong(),
            ));
            left.push(Span::raw(match place {
                Place::Board => format!(" ▸ {}", targets(state)),
                Place::Audit => " ▸ audit log".to_owned(),
                Place::Links => " ▸ links".to_owned(),
                _ => " ▸ keys".to_owned(),
            }));
        }
    }
    let left = Line::from(left);
    let mut right = links(ctx, state);
    let plan = under_way(ctx, state);
    let plan_width = plan.as_ref().map_or(0, Span::width);
    // What we look at comes first; `L` has the rest.
    if left.width() + 1 + right.width() + plan_width > usize::from(area.width) {
        right = short_links(ctx, state);
    }
    right.spans.splice(0..0, plan);
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let start = area.right() - width;
    left.put(ctx, Rect { width: area.width.saturating_sub(width + 1), ..area }, buffer);
    right.put(ctx, Rect { x: start, width, ..area }, buffer);
}

/// How many there are, and which of them are on the screen where that is not all.
fn targets(state: &State) -> String {
    let all = words::count(state.board.len(), "target");
    match state.rows_on_screen() {
        Some((first, last, shown)) if shown == state.board.len() => format!("{first}–{last} of {all}"),
        Some((first, last, shown)) => format!("{first}–{last} of {shown} shown"),
        None => all,
    }
}

/// A plan under way whose box is closed: leaving would cut it off.
fn under_way(ctx: &Ctx<'_>, state: &State) -> Option<Span<'static>> {
    if matches!(state.popup, Some(Popup::Progress(..))) {
        return None;
    }
    let (step, steps) = ctx.world.plans.iter().rev().find(|run| run.running()).map(|run| step_of(run))?;
    Some(Span::styled(format!("plan {step}/{steps} ({})  ", ctx.key(Command::Plan)), ctx.theme.busy()))
}

/// For the first look of all; it goes with the first key.
pub(super) fn hint(ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) {
    let mut spans = vec![Span::styled("  new here?  ", ctx.theme.dim())];
    for (key, does) in [("?", "keys"), ("a", "act"), (":", "command"), ("/", "filter")] {
        spans.push(Span::styled(key, ctx.theme.key()));
        spans.push(Span::raw(format!(" {does}   ")));
    }
    spans.push(Span::styled("a bare key only looks", ctx.theme.dim()));
    Line::from(spans).put(ctx, area, buffer);
}

/// How many are not live, where there is no room for their names.
fn short_links(ctx: &Ctx<'_>, state: &State) -> Line<'static> {
    let off: Vec<_> = watched(ctx, state).filter(|l| !l.state.is_live()).collect();
    let count = off.len();
    let key = ctx.key(Command::Links);
    if count == 0 {
        live(ctx, false)
    } else if !ctx.world.unanswered.is_empty() {
        Line::styled(format!("✗ no answer: press {key}"), ctx.theme.bad())
    } else if off.iter().all(|l| matches!(l.state, LinkState::Connecting)) {
        Line::styled(format!("○ {count} connecting: {key}"), ctx.theme.busy())
    } else {
        Line::styled(format!("✗ {count} not live: press {key}"), ctx.theme.bad())
    }
}

/// All are live, and since when nothing was heard of them where that says something.
fn live(ctx: &Ctx<'_>, wide: bool) -> Line<'static> {
    let (silent, changes) = quiet(ctx.world, ctx.now);
    if let Some(at) = changes {
        ctx.wake(at);
    }
    let theme = ctx.theme;
    let (text, style) = match silent {
        _ if !ctx.world.unanswered.is_empty() && wide => ("✗ the server does not answer".to_owned(), theme.bad()),
        _ if !ctx.world.unanswered.is_empty() => ("✗ no answer".to_owned(), theme.bad()),
        Some(seconds) if wide => (format!("● heard {seconds}s ago"), theme.dim()),
        Some(seconds) => (format!("● {seconds}s ago"), theme.dim()),
        None => (if wide { "● live" } else { "●" }.to_owned(), theme.good()),
    };
    Line::from(vec![Span::raw(if wide { "k8s " } else { "" }), Span::styled(text, style)])
}

/// The links that what is on the screen rests on.
fn watched<'a>(ctx: &'a Ctx<'_>, state: &State) -> impl Iterator<Item = &'a Link> {
    let open = state.place == Place::Target;
    let links = ctx.world.links.values().filter(|link| !matches!(link.state, LinkState::Off));
    links.filter(move |l| crate::model::query::lists(&l.id) || open)
}

/// All live in one word; else each that is not.
fn links(ctx: &Ctx<'_>, state: &State) -> Line<'static> {
    let off: Vec<_> = watched(ctx, state).filter(|l| !l.state.is_live()).collect();
    let begins = off.iter().all(|l| matches!(l.state, LinkState::Connecting));
    let mut spans = Vec::new();
    if !ctx.world.warnings.is_empty() {
        spans
            .push(Span::styled(format!("! {}  ", words::count(ctx.world.warnings.len(), "warning")), ctx.theme.warn()));
    }
    if ctx.world.links.is_empty() {
        spans.push(Span::styled("k8s ○ connecting", ctx.theme.busy()));
    } else if off.is_empty() {
        spans.extend(live(ctx, true).spans);
    } else if begins && (quiet(ctx.world, ctx.now).0.is_some() || !ctx.world.unanswered.is_empty()) {
        // What begins to connect hides no silence.
        spans.extend(live(ctx, true).spans);
        spans.push(Span::raw("  "));
    }
    for (n, link) in off.into_iter().enumerate() {
        let (text, style) = words::link(ctx, link);
        spans.push(Span::raw(format!("{}{} ", if n > 0 { "  " } else { "" }, link.id.what)));
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

/// What keys apply to, the keys that work here now, and the audit log.
pub(super) fn footer(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let finding = state.find().filter(|find| find.open).map(|find| find.input.value().to_owned());
    let state = &*state;
    let audit = audit(ctx);
    let width = u16::try_from(audit.width()).unwrap_or(u16::MAX).min(area.width);
    let mut spans = Vec::new();
    if let Some(notice) = &state.notice {
        spans.push(Span::styled(notice.clone(), theme.warn()));
    } else if let Some(text) = &finding {
        spans.push(Span::styled("/", theme.key()));
        spans.push(Span::styled(format!("{text}▏"), theme.field()));
        spans.push(Span::styled("  ↵ ↓ next  ↑ back  esc clear", theme.dim()));
    } else if let Some(line) = typing(state) {
        spans.push(Span::styled("/", theme.key()));
        spans.push(Span::styled(format!("{}▏", line.value()), theme.field()));
        spans.push(match &line.error {
            Some(why) => Span::styled(format!("  {why}"), theme.bad()),
            None => Span::styled("  ↵ keep  esc clear", theme.dim()),
        });
    } else if let Some(Popup::Palette(palette)) = &state.popup {
        spans.push(Span::styled(":", theme.key()));
        spans.push(Span::styled(format!("{}▏", palette.value()), theme.field()));
        spans.push(match &palette.error {
            Some(why) => Span::styled(format!("  {why}"), theme.bad()),
            None => Span::styled("  ↵ run  tab complete  ↑ earlier  esc close", theme.dim()),
        });
    } else if state.popup.is_none() {
        if let (Place::Board, Some(id)) = (state.place, &state.selected) {
            let marks = state.marks();
            let on = if marks > 0 { words::count(marks, "marked target") } else { words::name(ctx.world, id) };
            spans.push(Span::raw("on "));
            spans.push(Span::styled(on, theme.strong()));
            let hidden = state.marks_hidden(ctx.world);
            if hidden > 0 {
                spans.push(Span::styled(format!(" (+{hidden} hidden, not acted on)"), theme.warn()));
            }
            spans.push(Span::raw(":  "));
        }
        spans.extend(keys(ctx, state, usize::from(area.width).saturating_sub(Line::from(spans.clone()).width())));
    } else if let Some(Popup::Menu(_) | Popup::Outcome(_) | Popup::Progress(..)) = &state.popup {
        spans.push(Span::styled("esc", theme.key()));
        spans.push(Span::raw(" close"));
    }
    let line = words::spelled(ctx, Line::from(spans));
    // The keys give way to the state of the log when it is bad news only.
    let fits = line.width() + usize::from(width) < usize::from(area.width);
    let shown = fits || ctx.world.audit.state != AuditState::Ready;
    let room = if shown { area.width.saturating_sub(width + 1) } else { area.width };
    line.put(ctx, Rect { width: room, ..area }, buffer);
    if shown {
        audit.put(ctx, Rect { x: area.right() - width, width, ..area }, buffer);
    }
}

/// The line that keys go into, where a list is being filtered.
fn typing(state: &State) -> Option<&FilterLine> {
    let line = match state.place {
        Place::Board => &state.filter,
        Place::Audit => &state.audit.filter,
        _ => return None,
    };
    Some(line).filter(|line| line.open && state.popup.is_none())
}

/// The keys that work here now. What does not fit is left out, help and the way back never.
fn keys(ctx: &Ctx<'_>, state: &State, room: usize) -> Vec<Span<'static>> {
    let here = ctx.keys.rows().filter(|bound| !bound.row.brief.is_empty() && bound.row.places.contains(&state.place));
    let mut shown: Vec<&Bound> = here
        .filter(|bound| {
            let nothing = !state.filter.active() && state.marks() == 0;
            let diff = state.text.as_ref().is_some_and(crate::tui::text::Text::is_diff);
            if state.place == Place::Text && diff && matches!(bound.row.command, Command::Object | Command::Managed) {
                return false;
            }
            bound.row.command != Command::Back || state.place != Place::Board || !nothing
        })
        .collect();
    let label = |bound: &Bound| words::spelled(ctx, Line::raw(bound.label.to_string())).width();
    let wide = |bound: &Bound| label(bound) + bound.row.brief.chars().count() + 3;
    let mut all: usize = shown.iter().map(|bound| wide(bound)).sum();
    while all > room + 2 {
        let Some(at) = shown.iter().rposition(|bound| !matches!(bound.row.command, Command::Help | Command::Back))
        else {
            break;
        };
        all -= wide(shown[at]);
        shown.remove(at);
    }
    let span = |bound: &Bound| {
        [Span::styled(bound.label.to_string(), ctx.theme.key()), Span::raw(format!(" {}  ", bound.row.brief))]
    };
    shown.into_iter().flat_map(span).collect()
}

fn audit(ctx: &Ctx<'_>) -> Line<'static> {
    let view = &ctx.world.audit;
    match &view.state {
        AuditState::Failed { .. } => {
            Line::styled(format!("audit ✗ takes no records ({} says why)", ctx.key(Command::Audit)), ctx.theme.bad())
        }
        AuditState::Ready if view.open_intents > 0 => Line::styled(
            format!("audit ✓ {} records, {} without an outcome", ctx.records, view.open_intents),
            ctx.theme.warn(),
        ),
        AuditState::Ready => Line::styled(format!("audit ✓ {} records", ctx.records), ctx.theme.dim()),
    }
}
