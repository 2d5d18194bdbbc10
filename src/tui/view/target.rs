//! One target: ladder, traffic, revisions and pods, and what was done to it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::words::{basis, field, fit, panel, role, tag, wrap};
use super::{Ctx, act, words};
use crate::domain::intent::Params;
use crate::domain::link::LinkState;
use crate::domain::rollout::{BlueGreen, Observed, Strategy};
use crate::domain::steps::Step;
use crate::model::Target;
use crate::model::query::link_of;
use crate::tui::state::State;

/// From this width on the panels stand side by side.
const WIDE: u16 = 110;

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    state.layout(usize::from(area.height), 0);
    let Some(id) = &state.selected else { return };
    let Some(target) = ctx.world.targets.get(id) else {
        panel(ctx, "gone", vec![Line::raw(format!("{id} is no longer there."))], area, buffer);
        return;
    };
    let ladder = ladder(ctx, target);
    let height = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    if area.width >= WIDE {
        let status = status(ctx, target, usize::from(area.width) - 4);
        let top = height(ladder.len()).clamp(9, (area.height / 2).max(9));
        let [head, middle, bottom] =
            Layout::vertical([Constraint::Length(height(status.len())), Constraint::Length(top), Constraint::Min(5)])
                .areas(area);
        panel(ctx, "status", status, head, buffer);
        let [left, right] = Layout::horizontal([Constraint::Percentage(45), Constraint::Fill(1)]).areas(middle);
        panel(ctx, "ladder", around(ladder, at(target), usize::from(left.height) - 2), left, buffer);
        panel(ctx, "traffic", traffic(ctx, target, usize::from(right.width) - 4), right, buffer);
        let [left, right] = Layout::horizontal([Constraint::Percentage(45), Constraint::Fill(1)]).areas(bottom);
        panel(ctx, "revisions and pods", tree(ctx, target, usize::from(left.width) - 4), left, buffer);
        panel(ctx, "acts from here", act::history(ctx, target.id(), usize::from(right.width) - 4), right, buffer);
        return;
    }
    let status = status(ctx, target, usize::from(area.width) - 4);
    let acts = act::history(ctx, target.id(), usize::from(area.width) - 4);
    let head = height(status.len()).min(area.height / 3);
    let acts_high = if ctx.world.last_act(target.id()).is_some() { height(acts.len().min(2)) } else { 0 };
    let middle = (area.height - head - acts_high) * 3 / 5;
    let [head, middle, bottom, last] = Layout::vertical([
        Constraint::Length(head),
        Constraint::Length(middle.min(height(ladder.len()).max(8))),
        Constraint::Min(3),
        Constraint::Length(acts_high),
    ])
    .areas(area);
    panel(ctx, "status", status, head, buffer);
    let [left, right] = Layout::horizontal([Constraint::Percentage(42), Constraint::Fill(1)]).areas(middle);
    let rows = usize::from(left.height).saturating_sub(2);
    panel(ctx, "ladder", around(ladder, at(target), rows), left, buffer);
    panel(ctx, "traffic", traffic(ctx, target, usize::from(right.width).saturating_sub(4)), right, buffer);
    panel(ctx, "revisions and pods", tree(ctx, target, usize::from(bottom.width) - 4), bottom, buffer);
    panel(ctx, "acts from here", acts, last, buffer);
}

fn at(target: &Target) -> usize {
    target.rollout.current_step().map_or(0, |(index, _)| index)
}

/// The part of a long ladder around the step it stands on.
fn around(lines: Vec<Line<'static>>, at: usize, rows: usize) -> Vec<Line<'static>> {
    if lines.len() <= rows || rows == 0 {
        return lines;
    }
    let from = at.saturating_sub(rows / 3).min(lines.len() - rows);
    lines.into_iter().skip(from).take(rows).collect()
}

fn status(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let (phase, message) = rollout.status();
    let mut said = vec![Span::styled(phase.as_str(), theme.phase(phase).patch(theme.strong()))];
    if let Some(since) = rollout.paused_since() {
        said.push(Span::raw(format!(" for {}", ctx.age(since))));
    }
    let mut lines = Vec::new();
    match link_of(ctx.world, &target.link) {
        LinkState::Live => {}
        other => {
            let heard = ctx.world.links.get(&target.link).and_then(|l| l.heard);
            let since = heard.map_or_else(String::new, |heard| format!(": this was true {} ago", ctx.age(heard)));
            lines.push(Line::styled(format!("NOT LIVE ({}){since}", other.word()), theme.bad()));
        }
    }
    let (mut first, rest) = {
        let mut parts = wrap(message.as_str(), width.saturating_sub(24)).into_iter();
        (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>())
    };
    if rollout.spec_paused {
        first = format!("paused by hand (spec.paused){}{first}", if first.is_empty() { "" } else { "; " });
    }
    if !first.is_empty() {
        said.push(Span::raw("  "));
        said.push(Span::styled(first, theme.phase(phase)));
    }
    lines.push(field(ctx, "phase", said));
    lines.extend(rest.into_iter().map(|text| Line::styled(format!("         {text}"), theme.phase(phase))));
    if rollout.observed() == Observed::Behind {
        lines.push(Line::styled("the controller has not seen the latest spec yet", theme.warn()));
    }
    let mut version = vec![Span::raw(words::version(target))];
    if let Some(revision) = rollout.revision {
        version.push(Span::styled(format!("  revision {revision}, {}", rollout.pod_hash), theme.dim()));
    }
    lines.push(field(ctx, "version", version));
    let r = rollout.replicas;
    let mut pods = vec![Span::raw(format!("{} wanted", r.desired))];
    for (count, word) in [(r.current, "there"), (r.updated, "updated"), (r.ready, "ready"), (r.available, "available")]
    {
        let style = if word == "available" && count < r.desired { theme.warn() } else { ratatui::style::Style::new() };
        pods.push(Span::styled(format!(", {count} {word}"), style));
    }
    lines.push(field(ctx, "pods", pods));
    lines
}

fn ladder(ctx: &Ctx<'_>, target: &Target) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    match &rollout.strategy {
        Strategy::BlueGreen(BlueGreen { active_service, preview_service, .. }) => {
            let preview = preview_service.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            return vec![
                Line::raw("blue-green: no ladder"),
                field(ctx, "active", vec![Span::raw(active_service.to_string())]),
                field(ctx, "preview", vec![Span::raw(preview)]),
            ];
        }
        Strategy::None => return vec![Line::styled("no strategy is declared", theme.bad())],
        Strategy::Canary(_) => {}
    }
    let here = rollout.current_step().map(|(index, _)| index);
    if rollout.steps().is_empty() {
        return vec![Line::raw("no steps: a new version takes all at once")];
    }
    let mut lines = Vec::new();
    for (index, step) in rollout.steps().iter().enumerate() {
        let number = format!("{:>2} ", index + 1);
        let line = match here {
            Some(here) if index == here => {
                let waits = !rollout.pause_conditions.is_empty();
                let mark = if waits { "‖ " } else { "▸ " };
                let mut text = step.to_string();
                if let (Step::Pause { seconds: Some(all) }, Some(since)) = (step, rollout.paused_since()) {
                    let ends = since + jiff::SignedDuration::from_secs(*all);
                    text = if ends > ctx.now {
                        format!("{text}, {} left", ctx.left(ends))
                    } else {
                        format!("{text}, over")
                    };
                }
                Line::from(vec![
                    Span::styled(mark, theme.warn().patch(theme.strong())),
                    Span::styled(number, theme.strong()),
                    Span::styled(text, theme.strong()),
                ])
            }
            Some(here) if index > here => Line::styled(format!("○ {number}{step}"), theme.dim()),
            _ => Line::from(vec![Span::styled("✓ ", theme.good()), Span::raw(format!("{number}{step}"))]),
        };
        lines.push(line);
    }
    if here.is_none() {
        lines.push(Line::styled("all steps are done", theme.good()));
    }
    lines
}

/// A bar of `width` cells.
fn bar(share: i64, of: i64, width: usize) -> String {
    let of = of.max(1);
    let cells = i64::try_from(width).unwrap_or(0);
    let mut full = share.clamp(0, of) * cells / of;
    // A little traffic is not none.
    if share > 0 && full == 0 {
        full = 1;
    }
    let full = usize::try_from(full).unwrap_or(0).min(width);
    format!("{}{}", "█".repeat(full), "░".repeat(width - full))
}

fn traffic(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let Some(desired) = rollout.desired_weight() else {
        return vec![Line::styled("– the traffic of a blue-green rollout is all at its active service", theme.dim())];
    };
    let max = rollout.max_weight();
    let wide = width.saturating_sub(24).min(40);
    let line = |who: &str, which: &str, share: Option<i64>| {
        let share_text = share.map_or_else(|| "    ?".to_owned(), |s| format!("{s:>3} %"));
        let drawn = share.map_or_else(String::new, |s| bar(s, max, wide));
        Line::from(vec![
            Span::raw(fit(who, 8)),
            Span::styled(fit(which, 9), theme.dim()),
            Span::styled(format!("{share_text} "), theme.strong()),
            Span::styled(drawn, theme.busy()),
        ])
    };
    let actual = target.actual_weight();
    let known = actual.as_ref().filter(|a| !matches!(a.basis, crate::domain::rollout::WeightBasis::RouterSilent));
    let mut lines = vec![
        line("canary", "actual", known.map(|a| a.weight)),
        line("", "desired", Some(desired)),
        line("stable", "actual", known.map(|a| max - a.weight)),
    ];
    if rollout.fully_promoted() && rollout.current_step().is_none() {
        lines = vec![line("all", "actual", known.map(|a| a.weight))];
    }
    if max != 100 {
        lines.push(Line::styled(format!("of a maximum of {max}"), theme.dim()));
    }
    if let Some(actual) = &actual {
        lines.extend(wrap(&basis(ctx, target, actual), width).into_iter().map(|text| Line::styled(text, theme.dim())));
    }
    if let Some(resume) = crate::actions::by_verb("resume")
        && (resume.applies)(&target.sight(), &Params::None).is_ok()
    {
        let next = (resume.consequence)(&target.sight(), &Params::None).text;
        for (n, text) in wrap(&next, width.saturating_sub(9)).into_iter().enumerate() {
            let label = if n == 0 { "next" } else { "" };
            lines.push(field(ctx, label, vec![Span::raw(text)]));
        }
    }
    lines
}

fn tree(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    let shown = target.sets.iter().filter(|set| set.desired > 0 || set.current > 0 || !role(target, set).is_empty());
    let mut old = 0;
    for set in &target.sets {
        if set.desired == 0 && set.current == 0 && role(target, set).is_empty() {
            old += 1;
        }
    }
    for set in shown {
        let revision = set.revision.map_or_else(|| "rev ?".to_owned(), |r| format!("rev {r}"));
        let ready = format!("{}/{} ready", set.ready, set.desired);
        let fine = set.ready >= set.desired;
        let images = set.images.iter().map(|i| tag(i.as_str())).collect::<Vec<_>>().join(",");
        let mut spans = vec![
            Span::styled(fit(&revision, 8), theme.strong()),
            Span::raw(fit(set.pod_hash.as_str(), 11)),
            Span::styled(fit(role(target, set), 7), theme.busy()),
            Span::styled(fit(&ready, 12), if fine { theme.good() } else { theme.warn() }),
            Span::raw(fit(&images, width.saturating_sub(38).min(30))),
        ];
        if let Some(deadline) = set.scale_down_deadline {
            spans.push(Span::styled(format!(" down in {}", ctx.left(deadline)), theme.warn()));
        }
        lines.push(Line::from(spans));
        let pods = target.pods.iter().flat_map(|pods| pods.iter()).filter(|p| p.pod_hash == set.pod_hash);
        for pod in pods {
            let fine = pod.status == "Running" && pod.ready >= pod.containers;
            let age = pod.created.map_or_else(|| "–".to_owned(), |created| ctx.age(created));
            let restarts = if pod.restarts > 0 { format!(", {} restarts", pod.restarts) } else { String::new() };
            let name = pod.name.as_str().rsplit('-').next().unwrap_or_default().to_owned();
            lines.push(Line::from(vec![
                Span::styled("  pod ", theme.dim()),
                Span::raw(fit(&format!("…-{name}"), 10)),
                Span::styled(
                    format!("{} {}/{}", pod.status, pod.ready, pod.containers),
                    if fine { theme.good() } else { theme.warn() },
                ),
                Span::styled(format!("{restarts}  {age}"), theme.dim()),
            ]));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("– no ReplicaSet is known", theme.dim()));
    }
    let pods = ctx.world.links.values().find(|l| l.id.what == "pods" && l.id.context == target.context);
    match (&target.pods, pods) {
        (None, Some(link)) if !link.state.is_live() => {
            let (text, style) = words::link(ctx, link);
            lines.push(Line::from(vec![Span::styled("pods ", theme.dim()), Span::styled(text, style)]));
        }
        (None, _) => lines.push(Line::styled("pods ○ connecting", theme.dim())),
        (Some(_), Some(link)) if !link.state.is_live() => {
            let (text, _) = words::link(ctx, link);
            lines.insert(0, Line::styled(format!("the pods below are old: {text}"), theme.warn()));
        }
        (Some(_), _) => {}
    }
    if old > 0 {
        lines.push(Line::styled(format!("and {old} older revisions without pods"), theme.dim()));
    }
    lines
}
