//! Acting: the menu, the confirmation, the outcome, and what was done from here.

mod confirm;
mod form;
mod group;
mod menu;
mod progress;
mod prompt;
mod resume;
mod rollback;

use std::fmt::Write as _;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

pub(super) use confirm::confirm;
pub(super) use form::form;
pub(super) use group::group;
pub(super) use menu::menu;
pub(super) use progress::progress;
pub(super) use resume::resume;
pub(super) use rollback::rollback;

use super::Ctx;
use super::words::{name, popup, popup_width, wrap};
use crate::actions::row;
use crate::domain::ids::ActId;
use crate::domain::outcome::{Act, Outcome};
use crate::domain::steps::Span as Long;
use crate::model::Target;

/// `act on PROD prod-eu/shop/payments`: nobody acts on what is not named in full.
fn title(ctx: &Ctx<'_>, what: &str, target: &Target) -> Line<'static> {
    let mut spans = vec![Span::styled(format!(" {what} "), ctx.theme.strong())];
    spans.extend(ctx.corner());
    spans.push(Span::styled(format!(" {} ", target.environment.badge()), ctx.theme.tier(target.environment.tier)));
    spans.push(Span::styled(format!(" {}/{} ", target.context, target.id()), ctx.theme.strong()));
    Line::from(spans)
}

/// `+0.09 s`.
fn after(from: Timestamp, to: Timestamp) -> String {
    let millis = to.duration_since(from).as_millis().max(0);
    if millis < 10_000 { format!("{millis} ms") } else { format!("{} s", millis / 1000) }
}

/// `asked 14:03:31 → recorded 3 ms → sent 3 ms → accepted 9 ms → done 140 ms`.
fn stages(act: &Act) -> String {
    let clock = act.asked.strftime("%H:%M:%SZ").to_string();
    let mut text = format!("asked {clock}");
    for (word, at) in
        [("recorded", act.recorded), ("sent", act.sent), ("accepted", act.accepted.as_ref().map(|(at, _)| *at))]
    {
        if let Some(at) = at {
            let _ = write!(text, " → {word} {}", after(act.asked, at));
        }
    }
    text
}

fn lines_of(ctx: &Ctx<'_>, act: &Act, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines: Vec<Line<'static>> = wrap(&stages(act), width).into_iter().map(Line::raw).collect();
    match &act.ended {
        None => {
            let waits = if act.accepted.is_some() {
                let most = i64::try_from(row(act.intent.action).patience.as_secs()).unwrap_or(i64::MAX);
                format!("waiting to see its effect … (up to {})", Long(most))
            } else {
                "on its way …".to_owned()
            };
            lines.push(Line::styled(waits, theme.busy()));
        }
        Some((at, outcome)) => {
            let took = after(act.asked, *at);
            let text = format!("{} after {took}: {}", outcome.word(), outcome.detail());
            let style = theme.outcome(outcome.word());
            lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, style)));
            let hint = match outcome {
                Outcome::Refused { hint, .. } => Some(format!("fix: {hint}")),
                Outcome::Superseded { .. } if act.accepted.is_some() => {
                    Some("only a part of it was done; look again and decide anew".to_owned())
                }
                Outcome::Superseded { .. } => Some("nothing was changed by us; look again and decide anew".to_owned()),
                Outcome::Unknown { .. } | Outcome::NoEffect { .. } => {
                    Some("it may still come: watch the target, do not send it again blindly".to_owned())
                }
                Outcome::Done { .. } | Outcome::Failed { .. } => None,
            };
            lines.extend(hint.into_iter().flat_map(|hint| wrap(&hint, width)).map(Line::raw));
        }
    }
    match &act.outcome_recorded {
        Some(Err(why)) => {
            let text = format!("the outcome is NOT in the audit log: {why}");
            lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, theme.bad())));
        }
        Some(Ok(seq)) => lines.push(Line::styled(format!("on record as number {seq}"), theme.dim())),
        None => {}
    }
    lines
}

pub(super) fn outcome(ctx: &Ctx<'_>, id: &ActId, area: Rect, buffer: &mut Buffer) {
    let Some(act) = ctx.world.act(id) else {
        popup(ctx, Line::raw(" act "), &[Line::styled("handing it over …", ctx.theme.busy())], area, buffer);
        return;
    };
    let lines = lines_of(ctx, act, popup_width(area));
    let verb = row(act.intent.action).verb;
    let title = match ctx.world.targets.get(&act.intent.target) {
        Some(target) => title(ctx, verb, target),
        None => Line::raw(format!(" {verb} {}, gone ", name(ctx.world, &act.intent.target))),
    };
    popup(ctx, title, &lines, area, buffer);
}
