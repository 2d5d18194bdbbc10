//! Acting: the menu, the confirmation, the outcome, and what was done from here.

use std::fmt::Write as _;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Ctx;
use super::words::{fit, popup, popup_width, wrap};
use crate::actions::{TABLE, row};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::facts::AuditState;
use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::Params;
use crate::domain::outcome::{Act, Outcome};
use crate::domain::rollout::Rollout;
use crate::model::Target;
use crate::model::settle::whereabouts;
use crate::tui::confirm::{Confirm, Field, Ready, Stage};
use crate::tui::state::State;

/// `act on PROD prod-eu/shop/payments`: nobody acts on what is not named in full.
fn title(ctx: &Ctx<'_>, what: &str, target: &Target) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!(" {what} "), ctx.theme.strong()),
        Span::styled(format!(" {} ", target.environment.badge()), ctx.theme.tier(target.environment.tier)),
        Span::styled(format!(" {}/{} ", target.context, target.id()), ctx.theme.strong()),
    ])
}

pub(super) fn menu(ctx: &Ctx<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let Some(target) = state.selected.as_ref().and_then(|id| ctx.world.targets.get(id)) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let mut lines = Vec::new();
    for action in TABLE {
        match (action.applies)(&target.sight(), &Params::None) {
            Ok(()) => {
                let leads = (action.consequence)(&target.sight(), &Params::None).text;
                for (n, text) in wrap(&leads, width.saturating_sub(20)).into_iter().enumerate() {
                    let head = if n == 0 {
                        vec![
                            Span::styled(format!("{}  ", action.key), ctx.theme.key()),
                            Span::styled(fit(action.verb, 14), ctx.theme.strong()),
                            Span::raw("→ "),
                        ]
                    } else {
                        vec![Span::raw(" ".repeat(19))]
                    };
                    lines.push(Line::from([head, vec![Span::raw(text)]].concat()));
                }
            }
            Err(why) => {
                let text = format!("{}  {}✗ {why}", action.key, fit(action.verb, 14));
                lines.push(Line::styled(text, ctx.theme.dim()));
            }
        }
        lines.push(Line::styled(format!("   {}", action.help), ctx.theme.dim()));
    }
    lines.push(Line::raw(""));
    lines.push(Line::styled("a letter opens the confirmation; esc closes", ctx.theme.dim()));
    popup(ctx, title(ctx, "act on", target), &lines, area, buffer);
}

pub(super) fn confirm(ctx: &Ctx<'_>, confirm: &Confirm, area: Rect, buffer: &mut Buffer) {
    let action = row(confirm.action);
    let Some(target) = ctx.world.targets.get(&confirm.target) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there. esc closes.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let mut lines = Vec::new();
    match &confirm.stage {
        Stage::Reading => lines.push(Line::styled("reading it afresh …", ctx.theme.busy())),
        Stage::Failed(why) => {
            lines.extend(wrap(why, width).into_iter().map(|text| Line::styled(text, ctx.theme.bad())));
            lines.push(Line::styled("nothing was sent; esc closes", ctx.theme.dim()));
        }
        Stage::Ready(ready) => ready_lines(ctx, confirm, ready, target, width, &mut lines),
    }
    popup(ctx, title(ctx, action.verb, target), &lines, area, buffer);
}

fn label(ctx: &Ctx<'_>, label: &str, text: String) -> Line<'static> {
    Line::from(vec![Span::styled(fit(label, 8), ctx.theme.dim()), Span::raw(text)])
}

fn stands(rollout: &Rollout) -> String {
    let (phase, message) = rollout.status();
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{} ({phase}{message})", whereabouts(rollout))
}

fn ready_lines(
    ctx: &Ctx<'_>,
    confirm: &Confirm,
    ready: &Ready,
    target: &Target,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = ctx.theme;
    let action = row(confirm.action);
    let seen = &ready.seen;
    for (name, text) in [("from", stands(&ready.rollout)), ("to", ready.consequence.text.clone())] {
        for (n, text) in wrap(&text, width.saturating_sub(8)).into_iter().enumerate() {
            lines.push(label(ctx, if n == 0 { name } else { "" }, text));
        }
    }
    let revision = seen.revision.map_or_else(|| "revision ?".to_owned(), |r| format!("revision {r}"));
    let age = ctx.now.duration_since(seen.read_at).as_secs();
    let read =
        if age < 2 { "read just now".to_owned() } else { format!("read {} ago, watched since", ctx.age(seen.read_at)) };
    lines.push(label(ctx, "seen", format!("{revision} ({}), {read}", seen.pod_hash)));
    lines.push(match &ctx.world.audit.state {
        AuditState::Ready => label(ctx, "audit", format!("ready, {} records", ctx.world.audit.records)),
        AuditState::Failed { why } => Line::styled(format!("audit   takes no records: {why}"), theme.bad()),
    });
    lines.push(Line::raw(""));
    if let Decision::Deny { why, hint, rule } = &ready.decision {
        for text in wrap(&format!("refused ({rule}): {why}"), width) {
            lines.push(Line::styled(text, theme.bad()));
        }
        for text in wrap(&format!("fix: {hint}"), width) {
            lines.push(Line::raw(text));
        }
        lines.push(Line::styled("esc closes", theme.dim()));
        return;
    }
    if let Some(notice) = &confirm.notice {
        lines.extend(wrap(notice, width).into_iter().map(|text| Line::styled(text, theme.warn())));
    }
    let caret = |field| if confirm.field == field { "▏" } else { "" };
    let reason = if confirm.reason.value().is_empty() && confirm.field != Field::Reason {
        Span::styled("tab to give one; it goes on record", theme.dim())
    } else {
        let from = confirm.reason.value().chars().count().saturating_sub(width.saturating_sub(10));
        let tail: String = confirm.reason.value().chars().skip(from).collect();
        Span::styled(format!("{tail}{}", caret(Field::Reason)), theme.field())
    };
    lines.push(Line::from(vec![Span::styled(fit("reason", 8), theme.dim()), reason]));
    let asked = match &ready.decision {
        Decision::Confirm(asked) => asked.clone(),
        Decision::Allow | Decision::Deny { .. } => Confirmation::Press,
    };
    let ask = match asked {
        Confirmation::Press => {
            vec![Span::raw("press "), Span::styled("y", theme.key()), Span::raw(format!(" to {}", action.verb))]
        }
        Confirmation::WithoutRecord { why } => vec![
            Span::styled(format!("NO RECORD can be written ({why}). "), theme.bad()),
            Span::raw("press "),
            Span::styled("y", theme.key()),
            Span::raw(format!(" to {} without one", action.verb)),
        ],
        Confirmation::Type { text } => vec![
            Span::raw("type "),
            Span::styled(text, theme.key()),
            Span::raw(" and "),
            Span::styled("↵", theme.key()),
            Span::raw(format!(" to {} ", action.verb)),
            Span::styled(format!("{}{}", confirm.typed.value(), caret(Field::Confirmation)), theme.field()),
        ],
    };
    let mut line = ask;
    line.push(Span::styled("    esc leaves it as it is", theme.dim()));
    lines.push(Line::from(line));
    if target.environment.named {
        return;
    }
    lines.push(Line::styled("no rule names this environment: it counts as production", theme.dim()));
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
            let waits = if act.accepted.is_some() { "waiting to see its effect …" } else { "on its way …" };
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
        None => Line::raw(format!(" {verb} {} (gone) ", act.intent.target)),
    };
    popup(ctx, title, &lines, area, buffer);
}

/// The acts on a target from this cockpit, newest first.
pub(super) fn history(ctx: &Ctx<'_>, target: &TargetId, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for act in ctx.world.acts.iter().rev().filter(|act| act.intent.target == *target) {
        let verb = row(act.intent.action).verb;
        let clock = act.asked.strftime("%H:%M:%SZ").to_string();
        let line = match &act.ended {
            None => Line::styled(format!("{clock} {verb} … {}", stages(act)), ctx.theme.busy()),
            Some((_, outcome)) => Line::from(vec![
                Span::styled(format!("{clock} "), ctx.theme.dim()),
                Span::raw(format!("{verb} ")),
                Span::styled(outcome.word(), ctx.theme.outcome(outcome.word())),
                Span::raw(fit(&format!(": {}", outcome.detail()), width.saturating_sub(20 + verb.len()))),
            ]),
        };
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(Line::styled("none yet; A shows the whole audit log", ctx.theme.dim()));
    }
    lines
}
