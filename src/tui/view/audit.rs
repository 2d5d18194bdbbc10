//! The audit log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::words::{Put as _, fit, panel, wrap};
use super::{Ctx, scrolled};
use crate::domain::facts::AuditState;
use crate::tui::audit::AuditPane;
use crate::tui::keys::Command;
use crate::tui::state::{Loaded, RecordLine, State};

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let mut head = Vec::new();
    if let AuditState::Failed { why } = &ctx.world.audit.state {
        let text = format!("takes no records: {why}");
        head.extend(wrap(&text, usize::from(area.width) - 2).into_iter().map(|text| Line::styled(text, theme.bad())));
    }
    if ctx.world.audit.late > 0 {
        let text =
            format!("{} records wait in memory; they are written late, or printed at the end", ctx.world.audit.late);
        head.extend(wrap(&text, usize::from(area.width) - 2).into_iter().map(|text| Line::styled(text, theme.bad())));
    }
    head.extend(match &state.audit.verified {
        None => vec![Line::styled(format!("{} checks the hash chain", ctx.key(Command::Verify)), theme.dim())],
        Some(Loaded::Waiting) => vec![Line::styled("checking the chain …", theme.busy())],
        Some(Loaded::Failed(why)) => vec![Line::styled(format!("could not be checked: {why}"), theme.bad())],
        Some(Loaded::Here((holds, said))) => {
            let style = if *holds { theme.good() } else { theme.bad() };
            wrap(said, usize::from(area.width) - 2).into_iter().map(|text| Line::styled(text, style)).collect()
        }
    });
    let high = u16::try_from(head.len()).unwrap_or(1).min(area.height / 2);
    for (y, line) in (area.y..area.y + high).zip(head) {
        line.put(ctx, Rect { x: area.x + 1, y, width: area.width - 1, height: 1 }, buffer);
    }
    let mut rest = Rect { y: area.y + high, height: area.height - high, ..area };
    if let Some(line) = narrowed(ctx, state) {
        line.put(ctx, Rect { height: 1, ..rest }, buffer);
        rest = Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest };
    }
    match &state.audit.records {
        Loaded::Waiting => return Line::styled(" reading …", theme.busy()).put(ctx, rest, buffer),
        Loaded::Failed(why) => {
            let text = format!(" cannot be read: {why}");
            return Line::styled(text, theme.bad()).put(ctx, rest, buffer);
        }
        Loaded::Here(records) if records.is_empty() && state.audit.about.is_none() => {
            return Line::styled(" no records yet: the first act writes the first", theme.dim()).put(ctx, rest, buffer);
        }
        Loaded::Here(_) => {}
    }
    let shown = state.audit.shown().len();
    if shown == 0 {
        return Line::styled(" no record is like that; esc shows all", theme.dim()).put(ctx, rest, buffer);
    }
    if state.audit.open {
        let width = usize::from(rest.width).saturating_sub(2);
        let lines = state.audit.selected().map(|record| detail(ctx, &state.audit, record, width)).unwrap_or_default();
        scrolled(ctx, lines, state, rest, buffer);
        return;
    }
    // The record under the cursor stands beside the list where there is room for both.
    let list = if rest.width >= BESIDE { Rect { width: rest.width - rest.width * 2 / 5, ..rest } } else { rest };
    state.layout(usize::from(list.height), shown);
    state.list_at(list);
    let records = state.audit.shown();
    let columns = Columns::of(&records, list.width);
    for (n, (y, record)) in (list.y..list.bottom()).zip(records.iter().skip(state.offset)).enumerate() {
        let selected = n + state.offset == state.audit.cursor;
        line(ctx, record, selected, &columns).put(ctx, Rect { y, height: 1, ..list }, buffer);
    }
    if let (true, Some(record)) = (rest.width >= BESIDE, state.audit.selected()) {
        let place = Rect { x: list.right() + 1, width: rest.width - list.width - 1, ..rest };
        let lines = detail(ctx, &state.audit, record, usize::from(place.width).saturating_sub(4));
        panel(ctx, &format!("record {}", record.seq), lines, place, buffer);
    }
}

/// From this width on the list and a record stand side by side.
const BESIDE: u16 = 150;

/// What the list is narrowed to.
fn narrowed(ctx: &Ctx<'_>, state: &State) -> Option<Line<'static>> {
    let pane = &state.audit;
    let mut spans = Vec::new();
    if let Some(id) = &pane.about {
        let context = ctx.world.targets.get(id).map_or_else(String::new, |target| format!("{}/", target.context));
        spans.push(Span::styled(format!(" only {context}{id}"), ctx.theme.warn().patch(ctx.theme.strong())));
    }
    if pane.filter.active() {
        spans.push(Span::styled(" filter ", ctx.theme.warn().patch(ctx.theme.strong())));
        spans.push(Span::styled(pane.filter.value().to_owned(), ctx.theme.strong()));
        spans.push(Span::raw(format!("  {} of the newest {}", pane.shown().len(), pane.all().len())));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}

/// What a record says, what belongs to it, and the whole of it.
fn detail(ctx: &Ctx<'_>, pane: &AuditPane, record: &RecordLine, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    let mut say = |name: &str, text: &str, style: Style| {
        if text.is_empty() {
            return;
        }
        for (n, text) in wrap(text, width.saturating_sub(9)).into_iter().enumerate() {
            let name = if n == 0 { name } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!(" {}", fit(name, 8)), theme.dim()),
                Span::styled(text, style),
            ]));
        }
    };
    let plain = Style::new();
    say("what", format!("{} {}", record.kind, record.op).trim(), theme.strong());
    let target = if record.target.is_empty() { String::new() } else { format!("{}/{}", record.context, record.target) };
    say("on", &target, plain);
    say("when", &record.ts, plain);
    say("who", &record.who, plain);
    say("why", &record.reason, plain);
    if record.kind != "intent" {
        say("outcome", &record.outcome, theme.outcome(record.word()));
    }
    let act: Vec<String> = pane.same_act(record).iter().map(|(seq, kind)| format!("{seq} {kind}")).collect();
    let key = ctx.key(Command::SameAct);
    let act = if act.is_empty() { String::new() } else { format!("also {} ({key} shows them)", act.join(", ")) };
    say("act", &act, plain);
    let key = ctx.key(Command::SamePlan);
    let plan = if record.plan.is_empty() { String::new() } else { format!("{} ({key} shows it)", record.plan) };
    say("plan", &plan, plain);
    lines.push(Line::raw(""));
    let whole = record.whole.lines().flat_map(|line| hard_wrap(line, width));
    lines.extend(whole.map(|line| Line::styled(format!(" {line}"), theme.dim())));
    lines
}

/// How wide the columns are: no wider than what stands in them, so that what ended it, and why, has the rest.
struct Columns {
    /// Whether there is room for the date, and for who it was.
    wide: bool,
    kind: usize,
    op: usize,
    target: usize,
    by: usize,
    outcome: usize,
    reason: usize,
}

impl Columns {
    fn of(records: &[&RecordLine], width: u16) -> Self {
        let wide = width >= 110;
        let longest = |text: fn(&RecordLine) -> &str, most: usize| {
            records.iter().map(|record| text(record).width()).max().unwrap_or(0).min(most)
        };
        let kind = longest(|r| r.kind, 10);
        let op = longest(|r| &r.op, if wide { 13 } else { 9 });
        let target = longest(|r| &r.target, if wide { 32 } else { 20 });
        let by = if wide { longest(|r| &r.by, 18) } else { 0 };
        let time = if wide { DATE } else { TIME };
        let gaps = if wide { 4 * GAP } else { 3 * GAP };
        let left = usize::from(width).saturating_sub(SEQ + time + kind + op + target + by + gaps);
        if !wide {
            // The reason stands where nothing ended yet: in the intent.
            return Self { wide, kind, op, target, by, outcome: left, reason: 0 };
        }
        // The shorter of the two is whole where it can be; else they share what is left.
        let (most, why) = (longest(|r| r.ended(), left), longest(|r| &r.reason, left));
        let half = left.saturating_sub(GAP) / 2;
        let outcome = most.min(left.saturating_sub(GAP + why).max(half));
        let reason = left.saturating_sub(outcome + if outcome > 0 { GAP } else { 0 });
        Self { wide, kind, op, target, by, outcome, reason }
    }
}

/// Between two columns.
const GAP: usize = 2;

/// The cursor, a number and a gap; a time of day with its gap, and one with its date.
const SEQ: usize = 8;
const TIME: usize = 11;
const DATE: usize = 22;

fn line(ctx: &Ctx<'_>, record: &RecordLine, selected: bool, columns: &Columns) -> Line<'static> {
    let theme = ctx.theme;
    let Columns { wide, kind, op, target, by, outcome, reason } = *columns;
    let time = if wide { record.ts.clone() } else { record.ts.get(11..).unwrap_or_default().to_owned() };
    let style = if record.kind == "segment" { theme.dim() } else { theme.outcome(record.word()) };
    let mut spans = vec![
        Span::styled(if selected { "▌" } else { " " }, theme.key()),
        Span::raw(format!("{:>5}  ", record.seq)),
        Span::styled(fit(&time, if wide { DATE } else { TIME }), theme.dim()),
        Span::raw(format!("{}  ", fit(record.kind, kind))),
        Span::raw(format!("{}  ", fit(&record.op, op))),
        Span::raw(format!("{}  ", fit(&record.target, target))),
    ];
    if wide {
        spans.push(Span::raw(format!("{}  ", fit(&record.by, by))));
        spans.push(Span::styled(fit(record.ended(), outcome), style));
        if outcome > 0 {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::raw(fit(&record.reason, reason).trim_end().to_owned()));
    } else {
        let style = if record.ended().is_empty() { Style::new() } else { style };
        spans.push(Span::styled(fit(&record.outcome, outcome).trim_end().to_owned(), style));
    }
    Line::from(spans)
}

/// Breaks a line of a document without losing its indentation.
fn hard_wrap(line: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    if chars.is_empty() {
        return vec![String::new()];
    }
    chars.chunks(width.max(1)).map(|part| part.iter().collect()).collect()
}
