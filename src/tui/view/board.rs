//! The board: one list, what needs a person first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::why::why;
use super::words::{Put as _, fit, ladder, traffic, version, wrap};
use super::{Ctx, notices, rates, words};
use crate::domain::link::LinkState;
use crate::model::query::{Band, complete, link_of_target};
use crate::model::sort::{Sort, since};
use crate::model::{Target, World};
use crate::tui::board::Line as Row;
use crate::tui::columns::{Column, Laid};
use crate::tui::state::State;

/// `2/5 ‖`, where there is no room for the boxes.
const SHORT_LADDER: usize = 9;

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let area = notices::paint(ctx, area, buffer);
    if state.board.len() == 0 {
        empty(ctx, area, buffer);
        return;
    }
    let area = filtered(ctx, state, area, buffer);
    let lay = |widest| state.columns.lay(area.width, rates::configured(ctx), widest);
    let mut columns = lay(state.board.widest());
    // Where there is no room to say which cluster it is, the name says it.
    let whose = words::several_clusters(ctx.world) && !columns.iter().any(|(column, _)| *column == Column::Context);
    if whose {
        let longest = ctx.world.clusters.keys().map(|context| context.as_str().width()).max().unwrap_or(0);
        columns = lay(state.board.widest() + longest + 1);
    }
    let sort = state.board.sort();
    let titles: String =
        columns.iter().map(|(column, wide)| fit(&head(*column, *wide, &columns, sort), *wide) + " ").collect();
    Line::styled(format!("  {titles}"), ctx.theme.dim()).put(ctx, Rect { height: 1, ..area }, buffer);
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    state.layout(usize::from(area.height), 0);
    state.list_at(area);
    if let Some(at) = state.board.turns_at() {
        ctx.wake(at);
    }
    let lines = state.board.lines();
    if lines.is_empty() {
        let text = format!("none of {} is like that: {}; esc shows all", state.board.len(), state.filter.value());
        Line::styled(format!("  {text}"), ctx.theme.dim()).put(ctx, area, buffer);
        return;
    }
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(state.offset)) {
        let place = Rect { y, height: 1, ..area };
        match line {
            Row::Title(band, count) => title(ctx, *band, *count, place, buffer),
            Row::Row(id) => {
                let selected = state.selected.as_ref() == Some(id);
                if let Some(target) = ctx.world.targets.get(id) {
                    row(ctx, &columns, state, target, selected, whose).put(ctx, place, buffer);
                } else {
                    let text = format!("{} {id}  gone", if selected { "▌" } else { " " });
                    Line::styled(text, ctx.theme.dim()).put(ctx, place, buffer);
                }
            }
        }
    }
    let quiet = !lines.iter().any(|l| matches!(l, Row::Title(Band::NeedsYou, _)));
    let below = lines.len().saturating_sub(state.offset);
    if let (true, Ok(below)) = (quiet && !state.filter.active(), u16::try_from(below))
        && area.y + below + 1 < area.bottom()
    {
        let (text, style) = if ctx.world.links.values().all(|l| !crate::model::query::lists(&l.id) || l.state.is_live())
        {
            ("nothing needs you; all links are live", ctx.theme.good())
        } else {
            ("nothing was seen to need you, but not all links are live: what stands here may be old", ctx.theme.warn())
        };
        Line::styled(format!("  {text}"), style).put(ctx, Rect { y: area.y + below + 1, height: 1, ..area }, buffer);
    }
}

fn title(ctx: &Ctx<'_>, band: Band, count: usize, area: Rect, buffer: &mut Buffer) {
    let style = match band {
        Band::NeedsYou => ctx.theme.warn().patch(ctx.theme.strong()),
        Band::Moving => ctx.theme.busy(),
        Band::Steady => ctx.theme.dim(),
    };
    let text = format!(" ─ {} ─ {count} ", band.title());
    let rule = usize::from(area.width).saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()));
    Line::styled(format!("{text}{}", "─".repeat(rule)), style).put(ctx, area, buffer);
}

/// The title of a column, with a sign where rows are sorted by it.
fn head(column: Column, wide: usize, columns: &Laid, sort: Sort) -> String {
    let title = match column {
        Column::Service => "SERVICE",
        Column::Environment => "ENV",
        Column::Context => "CONTEXT",
        Column::Version => "VERSION",
        Column::Rollout => "ROLLOUT",
        Column::Traffic if wide < 14 => "NOW (want)",
        Column::Traffic => "TRAFFIC (want)",
        Column::Errors => "ERRORS",
        Column::Curve => "CURVE",
        Column::Age => "AGE",
        Column::Why => "WHY HERE",
    };
    if column.shows(sort) {
        return format!("{title} ↓");
    }
    let elsewhere = sort != Sort::Urgency && !columns.iter().any(|(column, _)| column.shows(sort));
    if column == Column::Why && elsewhere { format!("{title}  ↓ {}", sort.name()) } else { title.to_owned() }
}

/// What is filtered, and what that hides; returns what is left of `area`.
fn filtered(ctx: &Ctx<'_>, state: &State, area: Rect, buffer: &mut Buffer) -> Rect {
    if !state.filter.active() || area.height < 4 {
        return area;
    }
    let (hidden, needs) = state.board.hidden();
    let all = state.board.len();
    let mut spans = vec![
        Span::styled(" filter ", ctx.theme.warn().patch(ctx.theme.strong())),
        Span::styled(state.filter.value().to_owned(), ctx.theme.strong()),
        Span::raw(format!("  {} of {all}", all - hidden)),
    ];
    if needs > 0 {
        let verb = if needs == 1 { "needs you is" } else { "need you are" };
        spans.push(Span::styled(format!("  ! {needs} that {verb} hidden"), ctx.theme.bad()));
    }
    if state.filter.error.is_some() {
        spans.push(Span::styled("  a part is not understood: left out", ctx.theme.warn()));
    }
    Line::from(spans).put(ctx, Rect { height: 1, ..area }, buffer);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

fn row(ctx: &Ctx<'_>, columns: &Laid, state: &State, target: &Target, selected: bool, whose: bool) -> Line<'static> {
    let theme = ctx.theme;
    let link = link_of_target(ctx.world, target);
    let marked = state.marked(target.id());
    let marker =
        Span::styled(format!("{}{}", if selected { "▌" } else { " " }, if marked { "◆" } else { " " }), theme.key());
    let mut spans = vec![marker];
    for (column, wide) in columns {
        let (text, style) = match column {
            Column::Service if whose => (format!("{}/{}", target.context, target.id()), Style::new()),
            _ => cell(ctx, *column, *wide, target, &link),
        };
        let text = fit(&text, *wide);
        let style = match column {
            // What is no longer heard of is dim as a whole.
            _ if !link.is_live() => theme.dim(),
            Column::Service if selected => theme.strong(),
            _ => style,
        };
        if *column == Column::Environment && link.is_live() {
            let badge = text.trim_end().to_owned();
            let pad = " ".repeat(text.len().saturating_sub(badge.len()));
            spans.push(Span::styled(badge, style));
            spans.push(Span::raw(pad + " "));
        } else {
            spans.push(Span::styled(text + " ", style));
        }
    }
    Line::from(spans)
}

/// What a column says of a target.
fn cell(ctx: &Ctx<'_>, column: Column, wide: usize, target: &Target, link: &LinkState) -> (String, Style) {
    let theme = ctx.theme;
    let plain = |text: String| (text, Style::new());
    match column {
        Column::Service => plain(target.id().to_string()),
        Column::Environment => (target.environment.badge().to_owned(), theme.tier(target.environment.tier)),
        Column::Context => plain(target.context.to_string()),
        Column::Version => plain(version(target)),
        Column::Rollout => plain(ladder(&target.rollout, wide > SHORT_LADDER)),
        Column::Traffic => plain(traffic(ctx, target, wide < 14)),
        Column::Errors => rates::cell(ctx, target, wide),
        Column::Curve => (rates::curve(ctx, target, wide), theme.dim()),
        Column::Age => plain(ctx.age(since(target))),
        Column::Why => (why(ctx, target, link, wide), theme.phase(target.rollout.status().0)),
    }
}

/// Nothing to list: said as what it is.
fn empty(ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) {
    let mut lines = Vec::new();
    if complete(ctx.world) {
        lines.push(Line::raw("There are no rollouts here."));
        lines.push(Line::styled("another context or namespace: flightdeck --context NAME -n NAME", ctx.theme.dim()));
        lines.push(Line::styled("a look around: flightdeck demo", ctx.theme.dim()));
    } else {
        lines.push(Line::styled(waiting(ctx.world), ctx.theme.busy()));
        for link in ctx.world.links.values().filter(|l| crate::model::query::lists(&l.id) && !l.state.is_live()) {
            let (state, style) = words::link(ctx, link);
            lines.push(Line::from(vec![Span::raw(format!("  {} ", link.id)), Span::styled(state, style)]));
            if let LinkState::Backoff { why, .. } | LinkState::Denied { why } = &link.state {
                for text in wrap(why.as_str(), usize::from(area.width).saturating_sub(8)) {
                    lines.push(Line::styled(format!("      {text}"), ctx.theme.dim()));
                }
            }
        }
        lines.push(Line::styled("`flightdeck doctor` checks the connection step by step.", ctx.theme.dim()));
    }
    let area = Rect { x: area.x + 2, y: area.y + 1, width: area.width - 2, height: area.height - 1 };
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
}

fn waiting(world: &World) -> &'static str {
    let refused = |state: &LinkState| matches!(state, LinkState::Denied { .. } | LinkState::Backoff { .. });
    if world.links.values().any(|l| l.id.what == "rollouts" && refused(&l.state)) {
        "The rollouts cannot be read:"
    } else {
        "Connecting …"
    }
}
