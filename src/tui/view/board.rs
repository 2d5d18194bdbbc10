//! The board: one list, what needs a person first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::why::why;
use super::words::{fit, ladder, traffic, version, wrap};
use super::{Ctx, errors, notices, words};
use crate::domain::link::LinkState;
use crate::model::query::{Band, complete, link_of_target};
use crate::model::{Target, World};
use crate::tui::board::Line as Row;
use crate::tui::state::State;

/// How wide the columns are; they fall away from the right in order of worth, the state, the error rate and the reason
/// never.
struct Columns {
    name: usize,
    environment: usize,
    version: usize,
    ladder: usize,
    traffic: usize,
    errors: usize,
    curve: usize,
    why: usize,
}

/// `2/5 ‖`, where there is no room for the boxes.
const SHORT_LADDER: usize = 9;

/// From this width on there is room for more than the words.
const ROOMY: u16 = 100;

impl Columns {
    fn of(width: u16, errors: bool, widest: usize) -> Self {
        let roomy = width >= ROOMY;
        let width = usize::from(width);
        let name = widest.clamp(12, (width * if errors { 23 } else { 26 } / 100).clamp(14, 42));
        let mut columns = Self { name, environment: 0, version: 0, ladder: 0, traffic: 0, errors: 0, curve: 0, why: 0 };
        let least = 14;
        let mut left = width - 2 - name - 1 - least;
        for (column, wide) in [
            (&mut columns.errors, if errors { 16 } else { 0 }),
            (&mut columns.ladder, if left > 60 { 15 } else { SHORT_LADDER }),
            (&mut columns.traffic, if roomy { 14 } else { 11 }),
            (&mut columns.environment, 5),
            (&mut columns.version, 28),
            (&mut columns.curve, if errors { 10 } else { 0 }),
        ] {
            if wide > 0 && left > wide {
                *column = wide;
                left -= wide + 1;
            }
        }
        columns.why = left + least;
        columns
    }

    fn cells(&self, texts: [&str; 8]) -> [String; 8] {
        let widths =
            [self.name, self.environment, self.version, self.ladder, self.traffic, self.errors, self.curve, self.why];
        let mut cells: [String; 8] = std::array::from_fn(|n| fit(texts[n], widths[n]));
        for (cell, width) in cells.iter_mut().zip(widths) {
            if width > 0 {
                cell.push(' ');
            }
        }
        cells
    }
}

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let area = notices::paint(ctx, area, buffer);
    if state.board.len() == 0 {
        empty(ctx, area, buffer);
        return;
    }
    let columns = Columns::of(area.width, errors::configured(ctx), state.board.widest());
    let traffic = if columns.traffic < 14 { "NOW (want)" } else { "TRAFFIC (want)" };
    let titles = columns.cells(["SERVICE", "ENV", "VERSION", "ROLLOUT", traffic, "ERRORS", "", "WHY HERE"]);
    Line::styled(format!("  {}", titles.concat()), ctx.theme.dim()).render(Rect { height: 1, ..area }, buffer);
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    state.layout(usize::from(area.height), 0);
    state.list_at(area);
    if let Some(at) = state.board.turns_at() {
        ctx.wake(at);
    }
    let lines = state.board.lines();
    if lines.is_empty() {
        let text = format!("nothing has {:?} in its name; esc shows all", state.filter.value());
        Line::styled(format!("  {text}"), ctx.theme.dim()).render(area, buffer);
        return;
    }
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(state.offset)) {
        let place = Rect { y, height: 1, ..area };
        match line {
            Row::Title(band, count) => title(ctx, *band, *count, place, buffer),
            Row::Row(id) => {
                let selected = state.selected.as_ref() == Some(id);
                if let Some(target) = ctx.world.targets.get(id) {
                    row(ctx, &columns, state, target, selected).render(place, buffer);
                } else {
                    let text = format!("{} {id}  gone", if selected { "▌" } else { " " });
                    Line::styled(text, ctx.theme.dim()).render(place, buffer);
                }
            }
        }
    }
    let quiet = !lines.iter().any(|l| matches!(l, Row::Title(Band::NeedsYou, _)));
    let below = lines.len().saturating_sub(state.offset);
    if let (true, Ok(below)) = (quiet && state.filter.value().is_empty(), u16::try_from(below))
        && area.y + below + 1 < area.bottom()
    {
        let (text, style) = if ctx
            .world
            .links
            .values()
            .all(|l| crate::model::query::FOCUSED.contains(&l.id.what) || l.state.is_live())
        {
            ("nothing needs you; all links are live", ctx.theme.good())
        } else {
            ("nothing was seen to need you, but not all links are live: what stands here may be old", ctx.theme.warn())
        };
        Line::styled(format!("  {text}"), style).render(Rect { y: area.y + below + 1, height: 1, ..area }, buffer);
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
    Line::styled(format!("{text}{}", "─".repeat(rule)), style).render(area, buffer);
}

fn row(ctx: &Ctx<'_>, columns: &Columns, state: &State, target: &Target, selected: bool) -> Line<'static> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let (phase, _) = rollout.status();
    let link = link_of_target(ctx.world, target);
    let why = why(ctx, target, &link, columns.why);
    let marked = state.marked(target.id());
    let (rate, rate_style) = if columns.errors > 0 { errors::cell(ctx, target) } else { Default::default() };
    let curve = if columns.curve > 0 { errors::curve(ctx, target, columns.curve) } else { String::new() };
    let [name, environment, version, ladder, traffic, rate, curve, why] = columns.cells([
        &target.id().to_string(),
        target.environment.badge(),
        &version(target),
        &ladder(rollout, columns.ladder > SHORT_LADDER),
        &traffic(ctx, target, columns.traffic < 14),
        &rate,
        &curve,
        &why,
    ]);
    let marker =
        Span::styled(format!("{}{}", if selected { "▌" } else { " " }, if marked { "◆" } else { " " }), theme.key());
    if !link.is_live() {
        let text = [name, environment, version, ladder, traffic, why].concat();
        return Line::from(vec![marker, Span::styled(text, theme.dim())]);
    }
    let name = if selected { Span::styled(name, theme.strong()) } else { Span::raw(name) };
    let environment = match environment.trim_end() {
        "" => vec![Span::raw(environment)],
        badge => {
            let pad = environment.len() - badge.len();
            vec![Span::styled(badge.to_owned(), theme.tier(target.environment.tier)), Span::raw(" ".repeat(pad))]
        }
    };
    let mut spans = vec![marker, name];
    spans.extend(environment);
    spans.extend([
        Span::raw(version),
        Span::raw(ladder),
        Span::raw(traffic),
        Span::styled(rate, rate_style),
        Span::styled(curve, theme.dim()),
        Span::styled(why, theme.phase(phase)),
    ]);
    Line::from(spans)
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
        for link in ctx
            .world
            .links
            .values()
            .filter(|l| !crate::model::query::FOCUSED.contains(&l.id.what) && !l.state.is_live())
        {
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
        line.render(Rect { y, height: 1, ..area }, buffer);
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
