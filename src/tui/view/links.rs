//! The links to the outside, and what could not be read.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words::{fit, wrap};
use super::{Ctx, scrolled, words};
use crate::domain::link::LinkState;
use crate::model::query::{FOCUS, QUIET};
use crate::tui::state::State;

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let width = usize::from(area.width).saturating_sub(6);
    let mut lines = vec![Line::styled(" links: connections to the API servers and to Prometheus", theme.strong())];
    for link in ctx.world.links.values() {
        let (text, style) = words::link(ctx, link);
        let heard = match (&link.state, link.heard) {
            (LinkState::Backoff { .. } | LinkState::Off, _) | (_, None) => String::new(),
            (LinkState::Live, Some(_)) if ctx.world.unanswered.contains(&link.id.context) => String::new(),
            // A live link's age changes all the time and says nothing, until it has been quiet for a while.
            (LinkState::Live, Some(heard)) => match ctx.age_in_tens(heard) {
                Some(age) if ctx.now.duration_since(heard).as_secs() >= QUIET => format!("  heard {age} ago"),
                _ => String::new(),
            },
            (_, Some(heard)) => format!("  last heard {} ago", ctx.age(heard)),
        };
        let what =
            if link.id.what == FOCUS { "  the target that is open, asked by itself every few seconds" } else { "" };
        lines.push(Line::from(vec![
            Span::raw("   "),
            Span::raw(fit(&link.id.to_string(), 34)),
            Span::styled(text, style),
            Span::styled(heard, theme.dim()),
            Span::styled(what, theme.dim()),
        ]));
        if !link.notice.is_empty() {
            let notice = wrap(link.notice.as_str(), width);
            lines.extend(notice.into_iter().map(|t| Line::styled(format!("     {t}"), theme.warn())));
        }
        match &link.state {
            LinkState::Denied { why } => {
                lines.extend(
                    wrap(why.as_str(), width).into_iter().map(|t| Line::styled(format!("     {t}"), theme.bad())),
                );
            }
            LinkState::Backoff { why, tries, until } => {
                let text = format!("{why} (try {tries}, the next in {})", ctx.left(*until));
                lines.extend(wrap(&text, width).into_iter().map(|t| Line::styled(format!("     {t}"), theme.warn())));
            }
            LinkState::Live | LinkState::Off | LinkState::Connecting | LinkState::Stale { .. } => {}
        }
    }
    for (context, cluster) in &ctx.world.clusters {
        lines.push(Line::styled(format!("   {context} is cluster {}", cluster.0), theme.dim()));
    }
    for (context, ahead) in &ctx.world.clocks {
        let way = if *ahead > 0 { "ahead of" } else { "behind" };
        let text =
            format!("   the clock of {context} is {}.{} s {way} ours", ahead.abs() / 1000, ahead.abs() % 1000 / 100);
        lines.push(Line::styled(text, theme.dim()));
    }
    lines.push(Line::raw(""));
    lines.push(Line::styled(" warnings", theme.strong()));
    if ctx.world.warnings.is_empty() && ctx.world.configuration.is_empty() {
        lines.push(Line::styled("   none", theme.dim()));
    }
    for note in &ctx.world.configuration {
        lines.extend(wrap(note.as_str(), width).into_iter().map(|t| Line::styled(format!("   {t}"), theme.warn())));
    }
    for warning in ctx.world.warnings.iter().rev() {
        let text = format!("{} ago  {}: {}", ctx.age(warning.at), warning.object, warning.why);
        lines.extend(wrap(&text, width).into_iter().map(|t| Line::styled(format!("   {t}"), theme.warn())));
    }
    scrolled(ctx, lines, state, area, buffer);
}
