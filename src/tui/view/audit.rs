//! The audit log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::words::{fit, wrap};
use super::{Ctx, scrolled};
use crate::domain::facts::AuditState;
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
        None => vec![Line::styled("v checks the hash chain", theme.dim())],
        Some(Loaded::Waiting) => vec![Line::styled("checking the chain …", theme.busy())],
        Some(Loaded::Failed(why)) => vec![Line::styled(format!("could not be checked: {why}"), theme.bad())],
        Some(Loaded::Here((holds, said))) => {
            let style = if *holds { theme.good() } else { theme.bad() };
            wrap(said, usize::from(area.width) - 2).into_iter().map(|text| Line::styled(text, style)).collect()
        }
    });
    let high = u16::try_from(head.len()).unwrap_or(1).min(area.height / 2);
    for (y, line) in (area.y..area.y + high).zip(head) {
        line.render(Rect { x: area.x + 1, y, width: area.width - 1, height: 1 }, buffer);
    }
    let rest = Rect { y: area.y + high, height: area.height - high, ..area };
    let records = match &state.audit.records {
        Loaded::Waiting => return Line::styled(" reading …", theme.busy()).render(rest, buffer),
        Loaded::Failed(why) => {
            let text = format!(" cannot be read: {why}");
            return Line::styled(text, theme.bad()).render(rest, buffer);
        }
        Loaded::Here(records) if records.is_empty() => {
            return Line::styled(" no records yet: the first act writes the first", theme.dim()).render(rest, buffer);
        }
        Loaded::Here(records) => records,
    };
    if state.audit.open {
        let text = records.get(state.audit.cursor).map_or("", |record| record.whole.as_str());
        let width = usize::from(rest.width).saturating_sub(2);
        let lines: Vec<_> =
            text.lines().flat_map(|line| hard_wrap(line, width)).map(|line| Line::raw(format!(" {line}"))).collect();
        scrolled(lines, state, rest, buffer);
        return;
    }
    let count = records.len();
    state.layout(usize::from(rest.height), count);
    state.list_at(rest);
    let Loaded::Here(records) = &state.audit.records else { return };
    for (n, (y, record)) in (rest.y..rest.bottom()).zip(records.iter().skip(state.offset)).enumerate() {
        let selected = n + state.offset == state.audit.cursor;
        line(ctx, record, selected, rest.width).render(Rect { y, height: 1, ..rest }, buffer);
    }
}

fn line(ctx: &Ctx<'_>, record: &RecordLine, selected: bool, width: u16) -> Line<'static> {
    let theme = ctx.theme;
    let wide = width >= 110;
    let time = if wide { record.ts.clone() } else { record.ts.get(11..).unwrap_or_default().to_owned() };
    let word = record.outcome.split(':').next().unwrap_or_default();
    let style = if record.kind == "intent" { ratatui::style::Style::new() } else { theme.outcome(word) };
    let style = if record.kind == "segment" { theme.dim() } else { style };
    let mut spans = vec![
        Span::styled(if selected { "▌" } else { " " }, theme.key()),
        Span::raw(format!("{:>5} ", record.seq)),
        Span::styled(fit(&time, if wide { 21 } else { 10 }), theme.dim()),
        Span::raw(fit(record.kind, 10)),
        Span::raw(fit(&record.op, 8)),
        Span::raw(fit(&record.target, if wide { 36 } else { 20 })),
        Span::raw(" "),
    ];
    if wide {
        spans.push(Span::raw(fit(&record.by, 18)));
    }
    spans.push(Span::styled(record.outcome.clone(), style));
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
