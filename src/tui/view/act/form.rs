//! What an act asks for before its confirmation.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{fit, popup, popup_width, tags, wrap};
use super::title;
use crate::actions::row;
use crate::domain::text::Clean;
use crate::model::Target;
use crate::tui::form::{Ask, Form, List, Purpose};

pub(in crate::tui::view) fn form(ctx: &Ctx<'_>, form: &Form, area: Rect, buffer: &mut Buffer) {
    let Some(target) = ctx.world.targets.get(&form.target) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there. esc closes.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let room = usize::from(area.height).saturating_sub(6);
    let theme = ctx.theme;
    let verb = match form.purpose {
        Purpose::Act(id) => row(id).verb,
        Purpose::Rollback => "roll back",
    };
    let mut lines = Vec::new();
    match &form.ask {
        Ask::Revision(list) => {
            lines.push(Line::styled("which revision?", theme.strong()));
            lines.extend(picker(ctx, list, room, |hash| revision(ctx, target, hash, width)));
        }
        Ask::Run(list) => {
            lines.push(Line::styled("which analysis?", theme.strong()));
            lines.extend(picker(ctx, list, room, |name| run(target, name)));
        }
        Ask::Image { container, image, on_image } => {
            let caret = |on: bool| if on { "▏" } else { "" };
            for (name, input, on) in [("container", container, !on_image), ("image", image, *on_image)] {
                let from = input.value().chars().count().saturating_sub(width.saturating_sub(13));
                let tail: String = input.value().chars().skip(from).collect();
                lines.push(Line::from(vec![
                    Span::styled(fit(name, 11), theme.dim()),
                    Span::styled(format!("{tail}{}", caret(on)), theme.field()),
                ]));
            }
            for container in &target.rollout.containers {
                let text = format!("now: {} = {}", container.name, container.image);
                lines.extend(wrap(&text, width).into_iter().map(|t| Line::styled(t, theme.dim())));
            }
            if target.rollout.workload_ref.is_some() {
                lines.push(Line::styled("its template stands in what the workloadRef names", theme.dim()));
            }
        }
        Ask::Hold { versions, long } => {
            lines.push(Line::from(vec![
                Span::styled(fit("for", 11), theme.dim()),
                Span::styled(format!("{}▏", long.value()), theme.field()),
                Span::styled("  e.g. 30m, 2h; at most 168h", theme.dim()),
            ]));
            lines.extend(picker(ctx, versions, room, |hash| revision(ctx, target, hash, width)));
        }
    }
    if let Some(notice) = &form.notice {
        lines.extend(wrap(notice, width).into_iter().map(|text| Line::styled(text, theme.warn())));
    }
    let keys = match &form.ask {
        Ask::Revision(_) | Ask::Run(_) => "↓ ↑ choose, ↵ goes on to the confirmation, esc leaves it",
        Ask::Image { .. } => "^U empties a field, tab the other, ↵ to the confirmation, esc leaves",
        Ask::Hold { .. } => "↓ ↑ which version, ↵ goes on to the confirmation, esc leaves it",
    };
    lines.push(Line::styled(keys, theme.dim()));
    popup(ctx, title(ctx, verb, target), &lines, area, buffer);
}

/// A list with its cursor on the screen.
fn picker(ctx: &Ctx<'_>, list: &List, room: usize, text: impl Fn(&Clean) -> String) -> Vec<Line<'static>> {
    let from = (list.cursor + 1).saturating_sub(room);
    let shown = list.all.iter().enumerate().skip(from).take(room);
    shown
        .map(|(n, item)| {
            let here = n == list.cursor;
            let style = if here { ctx.theme.strong() } else { ratatui::style::Style::new() };
            Line::from(vec![
                Span::styled(if here { "▌ " } else { "  " }, ctx.theme.key()),
                Span::styled(text(item), style),
            ])
        })
        .collect()
}

/// `rev 7   67c4c777c8  1f3c9d2        3d   10/10 up   stable`.
fn revision(ctx: &Ctx<'_>, target: &Target, hash: &Clean, width: usize) -> String {
    let Some(set) = target.set(hash) else { return format!("{hash}  gone") };
    let number = set.revision.map_or_else(|| "rev ?".to_owned(), |n| format!("rev {n}"));
    let age = set.created.map_or_else(|| "?".to_owned(), |at| ctx.age(at));
    let up = if set.available > 0 { format!("{}/{} up", set.available, set.desired) } else { "gone down".to_owned() };
    let role = super::super::words::role(target, set);
    let mark = set.do_not_promote.as_ref().map_or_else(String::new, |why| format!("  NOT TO BE PROMOTED: {why}"));
    let image = tags(set);
    fit(
        &format!(
            "{} {}  {} {:>5}  {} {role}{mark}",
            fit(&number, 7),
            fit(hash.as_str(), 10),
            fit(&image, 16),
            age,
            fit(&up, 10)
        ),
        width.saturating_sub(2),
    )
}

fn run(target: &Target, name: &Clean) -> String {
    let what = target.rollout.runs().find(|(_, run)| run.name == *name).map_or("analysis", |(what, _)| what);
    format!("{what}  {name}")
}
