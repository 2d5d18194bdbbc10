//! The way of a new version: the steps of a canary, the stages of a blue-green.

use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::revision_of;
use crate::actions::share;
use crate::domain::analysis::RunRef;
use crate::domain::intent::ActionId;
use crate::domain::rollout::{BlueGreen, Rollout, Strategy};
use crate::domain::steps::{Span as Long, Step};
use crate::model::Target;

pub(super) fn title(target: &Target) -> &'static str {
    match &target.rollout.strategy {
        Strategy::Canary(_) => "ladder",
        Strategy::BlueGreen(_) => "blue-green",
        Strategy::None => "strategy",
    }
}

pub(super) fn lines(ctx: &Ctx<'_>, target: &Target) -> Vec<Line<'static>> {
    match &target.rollout.strategy {
        Strategy::Canary(_) => steps(ctx, target),
        Strategy::BlueGreen(blue_green) => stages(ctx, target, blue_green),
        Strategy::None => vec![Line::styled("no strategy is declared", ctx.theme.bad())],
    }
}

/// Where a line of the way stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Over,
    Here,
    Waits,
    ToCome,
    Failed,
}

fn line(ctx: &Ctx<'_>, at: At, number: usize, text: String) -> Line<'static> {
    let theme = ctx.theme;
    let number = format!("{number:>2} ");
    match at {
        At::Over => Line::from(vec![Span::styled("✓ ", theme.good()), Span::raw(number), Span::raw(text)]),
        At::ToCome => Line::styled(format!("○ {number}{text}"), theme.dim()),
        At::Failed => Line::styled(format!("✗ {number}{text}"), theme.bad()),
        At::Here | At::Waits => {
            let (mark, style) = if at == At::Waits { ("‖ ", theme.warn()) } else { ("▸ ", theme.busy()) };
            Line::from(vec![
                Span::styled(mark, style.patch(theme.strong())),
                Span::styled(number, theme.strong()),
                Span::styled(text, theme.strong()),
            ])
        }
    }
}

fn steps(ctx: &Ctx<'_>, target: &Target) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let here = rollout.current_step().map(|(index, _)| index);
    if rollout.steps().is_empty() {
        return vec![Line::raw("no steps: a new version takes all at once")];
    }
    let mut lines = aborted(ctx, target);
    for (index, step) in rollout.steps().iter().enumerate() {
        let at = match here {
            _ if rollout.abort => At::ToCome,
            Some(here) if index == here && !rollout.pause_conditions.is_empty() => At::Waits,
            Some(here) if index == here => At::Here,
            Some(here) if index > here => At::ToCome,
            _ => At::Over,
        };
        let mut text = step.to_string();
        if Some(index) == here && !rollout.abort {
            text.push_str(&detail(ctx, rollout, step));
        }
        lines.push(line(ctx, at, index + 1, text));
    }
    if here.is_none() && !rollout.abort {
        lines.push(Line::styled("all steps are done", theme.good()));
    }
    if let Some(run) = &rollout.background_run {
        lines.push(Line::from(vec![Span::styled("  in the background: ", theme.dim()), phase(ctx, run)]));
    }
    lines
}

/// That it was aborted, and where it stood then as far as that was seen from here: the controller goes back to the first
/// step, and no object says more.
fn aborted(ctx: &Ctx<'_>, target: &Target) -> Vec<Line<'static>> {
    let rollout = &target.rollout;
    if !rollout.abort {
        return Vec::new();
    }
    let mut lines = vec![
        Line::styled("aborted: nothing moves", ctx.theme.bad()),
        Line::styled("until a retry or an undo", ctx.theme.bad()),
    ];
    let acts = ctx.world.acts.iter().rev().map(|act| &act.intent);
    let abort = acts.filter(|intent| intent.target == *target.id() && intent.seen.pod_hash == rollout.pod_hash);
    let seen =
        abort.into_iter().find(|intent| intent.action == ActionId::Abort).and_then(|intent| intent.seen.step_index);
    if let (Some(step), false) = (seen, rollout.steps().is_empty()) {
        lines.push(Line::raw(format!("stood on step {} when aborted here", step + 1)));
    }
    lines
}

/// What the step that it stands on is about.
fn detail(ctx: &Ctx<'_>, rollout: &Rollout, step: &Step) -> String {
    match step {
        // The controller looks at no step while it is paused by hand (`rollout/canary.go`, `completedCurrentCanaryStep`).
        _ if rollout.spec_paused => ", held by hand".to_owned(),
        Step::Pause { seconds: Some(_) } => match rollout.resumes_at() {
            Some(ends) if ends > ctx.now => format!(", {} left", ctx.left(ends)),
            Some(_) => ", over".to_owned(),
            None => String::new(),
        },
        Step::Analysis => rollout.step_run.as_ref().map_or_else(String::new, |run| format!(": {}", run.phase)),
        Step::Experiment if !rollout.experiment.is_empty() => format!(": {}", rollout.experiment),
        _ => String::new(),
    }
}

fn phase(ctx: &Ctx<'_>, run: &RunRef) -> Span<'static> {
    Span::styled(run.phase.to_string(), super::runs::style(ctx, run.phase))
}

/// How far a blue-green is; its stages in the order in which the controller takes them.
fn stages(ctx: &Ctx<'_>, target: &Target, blue_green: &BlueGreen) -> Vec<Line<'static>> {
    let rollout = &target.rollout;
    let new = revision_of(target, &rollout.pod_hash);
    let set = target.canary_set();
    let ready = set.map_or(0, |set| set.available);
    // So many until it is promoted; then it is scaled up before it gets traffic.
    let preview = blue_green.preview_replicas.filter(|preview| !rollout.cut_over() && ready <= *preview);
    let wanted = preview.unwrap_or(rollout.replicas.desired);
    let mut way: Vec<(bool, String)> = Vec::new();
    let through = rollout.fully_promoted();
    let switched = through || rollout.cut_over();
    let paused = !rollout.pause_conditions.is_empty();
    way.push((switched || ready >= wanted, format!("{new} is up behind the preview, {}", share(ready, wanted))));
    let run = |run: Option<&RunRef>| run.map_or_else(String::new, |run| format!(": {}", run.phase));
    if blue_green.pre_promotion {
        let over = switched || paused || rollout.blue_green.pre_run.as_ref().is_some_and(|r| r.phase.completed());
        way.push((over, format!("analysis before{}", run(rollout.blue_green.pre_run.as_ref()))));
    }
    match blue_green.promotes_itself_after() {
        None => way.push((switched, "a person promotes it".to_owned())),
        Some(0) => {}
        Some(seconds) => {
            let due = super::super::why::due(ctx, rollout).map_or_else(String::new, |due| format!(": {due}"));
            let held = if rollout.spec_paused { ", held by hand" } else { "" };
            way.push((switched, format!("waits {}, then is promoted by itself{held}{due}", Long(seconds))));
        }
    }
    way.push((switched, format!("live traffic moves to {new}")));
    if blue_green.post_promotion {
        way.push((through, format!("analysis after{}", run(rollout.blue_green.post_run.as_ref()))));
    }
    way.push((through, format!("{new} is the stable version")));
    let here = way.iter().position(|(over, _)| !over);
    let stages = way.into_iter().enumerate().map(|(n, (over, text))| {
        let at = match here {
            _ if over => At::Over,
            Some(here) if here == n && rollout.abort => At::Failed,
            Some(here) if here == n && (paused || rollout.spec_paused) => At::Waits,
            Some(here) if here == n => At::Here,
            _ => At::ToCome,
        };
        line(ctx, at, n + 1, text)
    });
    aborted(ctx, target).into_iter().chain(stages).collect()
}
