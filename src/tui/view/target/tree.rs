//! What a target owns: revisions, their pods, analyses and experiments.

use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{self, fit, role, tags};
use super::runs;
use crate::domain::link::{Link, LinkState};
use crate::domain::workload::{Pod, ReplicaSet};
use crate::model::Target;

/// The most analyses written out for one revision.
const RUNS: usize = 4;

/// The most experiments.
const EXPERIMENTS: usize = 3;

pub(super) fn lines(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    let is_up = |set: &ReplicaSet| set.desired > 0 || set.current > 0 || !role(target, set).is_empty();
    for set in target.sets.iter().filter(|set| is_up(set)) {
        lines.extend(revision(ctx, target, set, width));
        let pods = target.pods.iter().flat_map(|pods| pods.iter()).filter(|p| p.pod_hash == set.pod_hash);
        lines.extend(pods.map(|one| pod(ctx, one)));
        let all = target.runs.iter().flat_map(|runs| runs.iter()).filter(|run| run.pod_hash == set.pod_hash);
        lines.extend(all.take(RUNS).flat_map(|run| runs::run(ctx, run, width)));
    }
    if lines.is_empty() {
        lines.push(Line::styled("– no ReplicaSet is known", theme.dim()));
    }
    if target.runs.is_none() {
        for (what, run) in target.rollout.runs() {
            lines.push(Line::from(vec![
                Span::styled(format!("  {what} "), theme.dim()),
                Span::styled(format!("{} ", run.phase), runs::style(ctx, run.phase)),
                Span::raw(format!("{} {}", run.name, run.message)),
            ]));
        }
    }
    let experiments = target.experiments.iter().flat_map(|all| all.iter()).take(EXPERIMENTS);
    lines.extend(experiments.flat_map(|one| runs::experiment(ctx, one, width)));
    about_links(ctx, target, &mut lines);
    let old = target.sets.iter().filter(|set| !is_up(set)).count();
    if old > 0 {
        let text = format!("and {} without pods", words::count(old, "older revision"));
        lines.push(Line::styled(text, theme.dim()));
    }
    lines
}

fn revision(ctx: &Ctx<'_>, target: &Target, set: &ReplicaSet, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let number = set.revision.map_or_else(|| "rev ?".to_owned(), |r| format!("rev {r}"));
    let ready = if set.desired == 0 && set.current == 0 {
        "gone down".to_owned()
    } else {
        format!("{}/{} ready", set.ready, set.desired)
    };
    let fine = set.ready >= set.desired && set.desired > 0;
    let age = set.created.map_or_else(String::new, |at| format!(" {}", ctx.age(at)));
    let mut lines = vec![Line::from(vec![
        Span::styled(fit(&number, 8), theme.strong()),
        Span::raw(fit(set.pod_hash.as_str(), 11)),
        Span::styled(fit(role(target, set), 8), theme.busy()),
        Span::styled(fit(&ready, 12), if fine { theme.good() } else { theme.warn() }),
        Span::raw(fit(&tags(set), width.saturating_sub(45).min(30))),
        Span::styled(age, theme.dim()),
    ])];
    if let Some(why) = &set.do_not_promote {
        lines.push(Line::styled(format!("  ✗ NOT TO BE PROMOTED: {why}"), theme.bad()));
    }
    lines
}

fn pod(ctx: &Ctx<'_>, pod: &Pod) -> Line<'static> {
    let theme = ctx.theme;
    let fine = pod.status == "Running" && pod.ready >= pod.containers;
    let age = pod.created.map_or_else(|| "–".to_owned(), |created| ctx.age(created));
    let restarts = if pod.restarts > 0 { format!(", {} restarts", pod.restarts) } else { String::new() };
    let name = pod.name.as_str().rsplit('-').next().unwrap_or_default().to_owned();
    Line::from(vec![
        Span::styled("  pod ", theme.dim()),
        Span::raw(fit(&format!("…-{name}"), 10)),
        Span::styled(
            format!("{} {}/{}", pod.status, pod.ready, pod.containers),
            if fine { theme.good() } else { theme.warn() },
        ),
        Span::styled(format!("{restarts}  {age}"), theme.dim()),
    ])
}

/// What is watched only while a target is open: not there yet, not allowed, or old.
fn about_links(ctx: &Ctx<'_>, target: &Target, lines: &mut Vec<Line<'static>>) {
    let of = |what: &str| -> Option<&Link> {
        ctx.world.links.values().find(|link| link.id.what == what && link.id.context == target.context)
    };
    let kinds = [
        ("pods", target.pods.is_some()),
        ("analysisruns", target.runs.is_some()),
        ("experiments", target.experiments.is_some()),
    ];
    for (what, there) in kinds {
        match (there, of(what)) {
            (true, Some(link)) if !link.state.is_live() => {
                let (text, _) = words::link(ctx, link);
                lines.insert(0, Line::styled(format!("the {what} below are old: {text}"), ctx.theme.warn()));
            }
            (false, Some(link)) if !matches!(link.state, LinkState::Live | LinkState::Off) => {
                let (text, style) = words::link(ctx, link);
                lines.push(Line::from(vec![
                    Span::styled(format!("{what} "), ctx.theme.dim()),
                    Span::styled(text, style),
                ]));
            }
            (false, None) if what == "pods" => lines.push(Line::styled("pods ○ connecting", ctx.theme.dim())),
            (false, Some(_)) => lines.push(Line::styled(format!("{what} ○ connecting"), ctx.theme.dim())),
            _ => {}
        }
    }
}
