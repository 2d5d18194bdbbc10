//! The revisions of a target: number, hash, role, age, whether it is up, mark, and the numbers that it had before.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words::{Put as _, fit, role, tags, wrap};
use super::{Ctx, sought};
use crate::domain::workload::ReplicaSet;
use crate::model::Target;
use crate::tui::state::{Loaded, State};

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let Some(target) = state.selected.as_ref().and_then(|id| ctx.world.targets.get(id)) else {
        Line::styled(" it is no longer there", theme.bad()).put(ctx, area, buffer);
        return;
    };
    let here = state.past.cursor.as_ref().and_then(|hash| target.sets.iter().position(|set| set.pod_hash == *hash));
    let at = here.unwrap_or(0);
    state.past.cursor = target.sets.get(at).map(|set| set.pod_hash.clone());
    let foot = 2;
    let rows = usize::from(area.height).saturating_sub(1 + foot).max(1);
    state.layout(rows, 0);
    let wide = area.width >= 110;
    let titles = format!("  {}", row_text(["REV", "HASH", "ROLE", "PODS", "AGE", "IMAGE"], wide, area.width));
    Line::styled(titles, theme.dim()).put(ctx, Rect { height: 1, ..area }, buffer);
    if target.sets.is_empty() {
        let rest = Rect { y: area.y + 1, height: area.height - 1, ..area };
        Line::styled("  – no ReplicaSet is known", theme.dim()).put(ctx, rest, buffer);
        return;
    }
    let from = (at + 1).saturating_sub(rows);
    let lines = target.sets.iter().enumerate().map(|(n, set)| line(ctx, target, set, n == at, wide, area.width));
    let lines = sought(ctx, lines.collect(), state);
    state.past.rows = target.sets.iter().map(|set| set.pod_hash.clone()).collect();
    for (y, line) in (area.y + 1..).zip(lines.into_iter().skip(from).take(rows)) {
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
    let Some(set) = target.sets.get(at) else { return };
    let said = about(state, set);
    let room = usize::from(area.width).saturating_sub(3);
    for (y, text) in (area.bottom().saturating_sub(2)..area.bottom()).zip(wrap(&said, room)) {
        Line::styled(format!("  {text}"), theme.dim()).put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
}

fn row_text(texts: [&str; 6], wide: bool, width: u16) -> String {
    let image = usize::from(width).saturating_sub(56).max(10);
    let hash = if wide { 14 } else { 11 };
    let widths = [7, hash, 9, 12, 6, image];
    let cells: Vec<String> = texts.iter().zip(widths).map(|(text, width)| fit(text, width)).collect();
    cells.join(" ")
}

fn line(ctx: &Ctx<'_>, target: &Target, set: &ReplicaSet, selected: bool, wide: bool, width: u16) -> Line<'static> {
    let theme = ctx.theme;
    let number = set.revision.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let up = if set.available > 0 || set.desired > 0 {
        format!("{}/{} ready", set.available, set.desired)
    } else {
        "gone down".to_owned()
    };
    let age = set.created.map_or_else(|| "?".to_owned(), |at| ctx.age(at));
    let mark = if set.do_not_promote.is_some() { "✗ " } else { "" };
    let image = format!("{mark}{}", tags(set));
    let text = row_text([&number, set.pod_hash.as_str(), role(target, set), &up, &age, &image], wide, width);
    let style = if selected {
        theme.strong()
    } else if set.do_not_promote.is_some() {
        theme.warn()
    } else {
        ratatui::style::Style::new()
    };
    Line::from(vec![Span::styled(if selected { "▌ " } else { "  " }, theme.key()), Span::styled(text, style)])
}

/// What else is known of the revision under the cursor.
fn about(state: &State, set: &ReplicaSet) -> String {
    let mut said = Vec::new();
    if let Some(why) = &set.do_not_promote {
        said.push(format!("NOT TO BE PROMOTED: {why}"));
    }
    match &state.past.answer {
        Some(Loaded::Waiting) => said.push("reading its former numbers …".to_owned()),
        Some(Loaded::Failed(why)) => said.push(format!("its former numbers cannot be read: {why}")),
        Some(Loaded::Here(all)) => {
            let former = all.iter().find(|r| r.set.pod_hash == set.pod_hash).map(|r| &r.former);
            if let Some(former) = former.filter(|former| !former.is_empty()) {
                let numbers: Vec<String> = former.iter().map(ToString::to_string).collect();
                said.push(format!("it was revision {} before", numbers.join(", ")));
            }
        }
        None => {}
    }
    said.push(set.images.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    said.join("; ")
}
