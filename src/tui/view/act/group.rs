//! The box that confirms one act on several targets.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{count, fit, popup, popup_width, wrap};
use super::confirm::audit;
use super::prompt::{self};
use crate::domain::environment::Tier;
use crate::domain::plan::OnFailure;
use crate::tui::group::Group;

pub(in crate::tui::view) fn group(ctx: &Ctx<'_>, group: &mut Group, area: Rect, buffer: &mut Buffer) {
    let width = popup_width(area);
    let theme = ctx.theme;
    let verb = group.verb();
    let (mut rows, mut out) = (Vec::new(), 0);
    for (n, member) in group.members.iter().enumerate() {
        let (sign, text, style) = match member.leads_to() {
            Ok(text) => ("→", text, ratatui::style::Style::new()),
            Err(why) => {
                out += 1;
                ("✗", why, theme.warn())
            }
        };
        let head = format!("{:>2} {} {sign} ", n + 1, fit(&member.name, (width * 2 / 5).clamp(16, 36)));
        let room = width.saturating_sub(unicode_width::UnicodeWidthStr::width(head.as_str()));
        for (line, text) in wrap(&text, room).into_iter().enumerate() {
            let head = if line == 0 { head.clone() } else { " ".repeat(width - room) };
            rows.push(Line::styled(format!("{head}{text}"), style));
        }
    }
    let mut foot = vec![Line::raw("")];
    let then = match group.on_failure {
        OnFailure::Stop => "stop at the first that does not end well",
        OnFailure::GoOn => "go on with the rest all the same",
    };
    foot.push(Line::from(vec![
        Span::styled(fit("in turn", 8), theme.dim()),
        Span::raw(then),
        Span::styled("  ← → changes that", theme.dim()),
    ]));
    if out > 0 {
        let text = format!("{out} of {} left out: the row with ✗ says why", group.members.len());
        foot.push(Line::styled(text, theme.warn()));
    }
    audit(ctx, &mut foot);
    if !group.read_all() {
        foot.push(Line::styled("reading them afresh …", theme.busy()));
    } else if group.count() == 0 {
        foot.push(Line::styled("none of them can: nothing is sent; esc closes", theme.warn()));
    } else {
        let verb = format!("{verb} {} of {}", group.count(), group.members.len());
        prompt::lines(ctx, &group.prompt, &group.asked(), &verb, width, &mut foot);
    }
    let room = usize::from(area.height).saturating_sub(2 + foot.len()).max(1);
    group.scroll = group.scroll.min(rows.len().saturating_sub(room));
    let more = rows.len() > room;
    let mut lines: Vec<Line<'static>> = rows.into_iter().skip(group.scroll).take(room).collect();
    if more {
        foot[0] = Line::styled("PgDn PgUp: there are more", theme.dim());
    }
    lines.extend(foot);
    let mut title = vec![Span::styled(format!(" {verb} "), theme.strong())];
    title.extend(ctx.corner());
    let mut targets = group.members.iter().filter_map(|member| ctx.world.targets.get(&member.target));
    if let Some(target) = targets.find(|target| target.environment.tier == Tier::Production) {
        title.push(Span::styled(format!(" {} ", target.environment.badge()), theme.tier(Tier::Production)));
        title.push(Span::raw(" "));
    }
    title.push(Span::styled(format!("· {} ", count(group.members.len(), "marked target")), theme.strong()));
    popup(ctx, Line::from(title), &lines, area, buffer);
}
