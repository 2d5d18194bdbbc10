//! What happened to a target: our acts, the records of other processes, cluster Events, and who else wrote it.

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{self, wrap};
use crate::actions::row;
use crate::domain::link::LinkState;
use crate::domain::outcome::Act;
use crate::model::Target;
use crate::tui::state::{Loaded, RecordLine};

/// The controller writes all the time; what it does stands in status and events.
const CONTROLLER: &str = "rollouts-controller";

/// Our own writes, by their field manager: they are acts.
const OURS: &str = "flightdeck";

/// So many rows for each entry beside other panels.
pub(super) const SHORT: usize = 3;

/// On a screen of its own.
pub(super) const WHOLE: usize = 40;

/// One thing that happened.
struct Entry {
    at: Option<Timestamp>,
    who: &'static str,
    text: String,
    style: Style,
}

pub(super) fn lines(
    ctx: &Ctx<'_>,
    target: &Target,
    records: Option<&Loaded<Vec<RecordLine>>>,
    width: usize,
    most: usize,
) -> Vec<Line<'static>> {
    let mut all = Vec::new();
    let acts: Vec<&Act> =
        ctx.world.acts.iter().filter(|act| act.intent.target == *target.id()).map(AsRef::as_ref).collect();
    all.extend(acts.iter().map(|act| of_act(ctx, act)));
    if let Some(Loaded::Here(records)) = records {
        all.extend(of_records(ctx, records, &acts));
    }
    all.extend(of_events(ctx, target));
    all.extend(of_managers(ctx, target));
    // What has no time comes last.
    all.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    let mut lines: Vec<Line<'static>> = all.iter().flat_map(|entry| entry.lines(ctx, width, most)).collect();
    if lines.is_empty() {
        lines.push(Line::styled("nothing is known; A shows the whole audit log", ctx.theme.dim()));
    }
    if let Some(Loaded::Failed(why)) = records {
        lines.push(Line::styled(format!("the audit log could not be read: {why}"), ctx.theme.bad()));
    }
    if let Some(denied) = denied(ctx, target) {
        lines.push(Line::styled(denied, ctx.theme.dim()));
    }
    lines
}

impl Entry {
    fn lines(&self, ctx: &Ctx<'_>, width: usize, most: usize) -> Vec<Line<'static>> {
        let clock = self.at.map_or_else(|| "       –  ".to_owned(), |at| clock(ctx, at));
        let mut text = wrap(&self.text, width.saturating_sub(18));
        if text.len() > most {
            text.truncate(most);
            if let Some(last) = text.last_mut() {
                words::fit(&format!("{last} …"), width.saturating_sub(18)).trim_end().clone_into(last);
            }
        }
        text.into_iter()
            .enumerate()
            .map(|(n, text)| {
                let head = if n == 0 { format!("{clock} {:<7}", self.who) } else { " ".repeat(18) };
                Line::from(vec![Span::styled(head, ctx.theme.dim()), Span::styled(text, self.style)])
            })
            .collect()
    }
}

/// The time of day, or the day where it is not today.
fn clock(ctx: &Ctx<'_>, at: Timestamp) -> String {
    let old = ctx.now.duration_since(at).as_hours() >= 20;
    at.strftime(if old { "%m-%d %Hh" } else { "%H:%M:%SZ" }).to_string()
}

fn of_act(ctx: &Ctx<'_>, act: &Act) -> Entry {
    let action = row(act.intent.action);
    let who = act.intent.actor.kube_user.as_ref().unwrap_or(&act.intent.actor.os_user);
    let (text, style) = match &act.ended {
        None => (format!("{who}: {} …", action.progressive), ctx.theme.busy()),
        Some((_, outcome)) => {
            let text = format!("{who}: {} {}: {}", action.verb, outcome.word(), outcome.detail());
            (text, ctx.theme.outcome(outcome.word()))
        }
    };
    Entry { at: Some(act.asked), who: "act", text, style }
}

/// Outcomes that other processes wrote down; ours are there as acts.
fn of_records<'a>(
    ctx: &'a Ctx<'_>,
    records: &'a [RecordLine],
    acts: &'a [&Act],
) -> impl Iterator<Item = Entry> + use<'a> {
    let theme = ctx.theme;
    records
        .iter()
        .filter(|record| matches!(record.kind, "outcome" | "refusal"))
        .filter(|record| acts.iter().all(|act| act.id().0 != record.act))
        .map(move |record| {
            let word = record.outcome.split(':').next().unwrap_or_default();
            Entry {
                at: record.ts.parse().ok(),
                who: "record",
                text: format!("{}: {} {}", record.by, record.op, record.outcome),
                style: theme.outcome(word),
            }
        })
}

fn of_events<'a>(ctx: &'a Ctx<'_>, target: &'a Target) -> impl Iterator<Item = Entry> + use<'a> {
    let theme = ctx.theme;
    target.events.iter().flat_map(|events| events.iter()).map(move |event| {
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        Entry {
            at: event.at,
            who: "event",
            text: format!("{}: {}{times}", event.reason, event.message),
            style: if event.warning { theme.warn() } else { Style::new() },
        }
    })
}

fn of_managers(ctx: &Ctx<'_>, target: &Target) -> impl Iterator<Item = Entry> {
    let style = ctx.theme.strong();
    let all = target.managers.iter().flat_map(|managers| managers.iter());
    all.filter(|m| m.manager != CONTROLLER && m.manager != OURS).map(move |manager| {
        let mut fields: Vec<&str> = manager.fields.iter().map(crate::domain::text::Clean::as_str).take(3).collect();
        if manager.fields.len() > 3 {
            fields.push("…");
        }
        let part = if manager.subresource.is_empty() { String::new() } else { format!(" ({})", manager.subresource) };
        let text = format!("{}{part} wrote it, not through here: {}", manager.manager, fields.join(", "));
        Entry { at: manager.time, who: "write", text, style }
    })
}

/// Why the cluster's own events are not here.
fn denied(ctx: &Ctx<'_>, target: &Target) -> Option<String> {
    let link = ctx.world.links.values().find(|l| l.id.what == "events" && l.id.context == target.context)?;
    (target.events.is_none() && !matches!(link.state, LinkState::Live | LinkState::Off))
        .then(|| format!("cluster events: {}", words::off(&link.state)))
}
