//! Who has the traffic: desired and actual, and how that is known.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{basis, field, fit, revision_of, wrap};
use crate::domain::intent::ActionId;
use crate::domain::rollout::{BlueGreen, Strategy, WeightBasis};
use crate::domain::text::Clean;
use crate::model::Target;
use crate::tui::keys::Command;

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

pub(super) fn lines(ctx: &Ctx<'_>, target: &Target, width: usize, narrow: bool) -> Vec<Line<'static>> {
    let mut lines = match &target.rollout.strategy {
        Strategy::Canary(_) => canary(ctx, target, width, narrow),
        Strategy::BlueGreen(blue_green) => services(ctx, target, blue_green, width),
        Strategy::None => vec![Line::styled("– no strategy, so nothing is known of its traffic", ctx.theme.dim())],
    };
    lines.extend(going_down(ctx, target));
    lines
}

fn canary(ctx: &Ctx<'_>, target: &Target, width: usize, narrow: bool) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let Some(desired) = rollout.desired_weight() else { return Vec::new() };
    let max = rollout.max_weight();
    let wide = width.saturating_sub(26).min(if narrow { 24 } else { 40 });
    let line = |who: &str, which: &str, share: Option<i64>, style: Style| {
        let share_text = share.map_or_else(|| "    ?".to_owned(), |s| format!("{s:>3} %"));
        let drawn = share.map_or_else(String::new, |s| bar(s, max, wide));
        Line::from(vec![
            Span::raw(fit(who, 9)),
            Span::styled(fit(which, 9), theme.dim()),
            Span::styled(format!("{share_text} "), theme.strong()),
            Span::styled(drawn, style),
        ])
    };
    let actual = target.actual_weight();
    let known = actual.as_ref().filter(|a| !matches!(a.basis, WeightBasis::RouterSilent)).map(|a| a.weight);
    let mut lines = if rollout.fully_promoted() && rollout.current_step().is_none() {
        vec![line(&revision_of(target, &rollout.stable_hash), "actual", known, theme.good())]
    } else {
        let additional = rollout.weights.as_ref().map_or(0, |w| w.additional);
        let mut lines = vec![line("canary", "actual", known, theme.busy())];
        // The same number twice says nothing.
        if known != Some(desired) || !narrow {
            lines.push(line("", "desired", Some(desired), theme.dim()));
        }
        lines.push(line("stable", "actual", known.map(|weight| max - weight - additional), theme.good()));
        if additional > 0 {
            lines.push(line("others", "experiment", Some(additional), theme.warn()));
        }
        lines
    };
    let mut notes = Vec::new();
    if max != 100 {
        notes.push(format!("of a maximum of {max}"));
    }
    match &actual {
        Some(actual) => notes.push(basis(ctx, target, actual)),
        None => notes.push("nothing is known of the canary's pods: that is not zero".to_owned()),
    }
    if let Some(router) = rollout.strategy.canary().and_then(|c| c.router.as_ref()) {
        notes.push(format!("router {router}"));
    }
    if rollout.strategy.canary().is_some_and(|c| c.dynamic_stable_scale) {
        notes.push("the stable version shrinks as the canary grows: going back takes time".to_owned());
    }
    let notes = wrap(&notes.join("; "), width);
    lines.extend(notes.into_iter().map(|text| Line::styled(text, theme.dim())));
    lines
}

/// Active and preview, and which version stands behind each.
fn services(ctx: &Ctx<'_>, target: &Target, blue_green: &BlueGreen, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let status = &target.rollout.blue_green;
    let up = |hash: &Clean| {
        let set = target.set(hash);
        let text = set.map_or_else(|| "pods not known".to_owned(), |s| format!("{}/{} ready", s.available, s.desired));
        let fine = set.is_some_and(|s| s.available >= s.desired && s.available > 0);
        Span::styled(text, if fine { theme.good() } else { theme.warn() })
    };
    let line = |label: &str, hash: &Clean, service: &str, share: &str, style: Style| {
        if hash.is_empty() {
            return field(ctx, label, vec![Span::styled(format!("– nothing yet   service {service}"), theme.dim())]);
        }
        let mut spans = vec![
            Span::styled(fit(&revision_of(target, hash), 8), theme.strong()),
            Span::styled(fit(share, 16), style),
            up(hash),
        ];
        // The name of the service goes first where there is no room: the rest is what matters.
        let service = format!("   service {service}");
        if 9 + Line::from(spans.clone()).width() + Span::raw(service.as_str()).width() <= width {
            spans.push(Span::styled(service, theme.dim()));
        }
        field(ctx, label, spans)
    };
    let mut lines =
        vec![line("active", &status.active, blue_green.active_service.as_str(), "live traffic", theme.good())];
    match &blue_green.preview_service {
        None => lines.push(field(ctx, "preview", vec![Span::styled("– no preview service", theme.dim())])),
        Some(service) if status.preview == status.active => {
            let text = format!("– the same version   service {service}");
            lines.push(field(ctx, "preview", vec![Span::styled(text, theme.dim())]));
        }
        Some(service) => {
            lines.push(line("preview", &status.preview, service.as_str(), "no live traffic", theme.busy()));
        }
    }
    let unready = target.set(&status.active).is_some_and(|set| set.available == 0);
    if unready && !status.active.is_empty() {
        lines.push(Line::styled("NO pod behind the active service is ready", theme.bad()));
    }
    lines
}

/// Versions that the controller is about to scale down: until then going back is instant.
fn going_down(ctx: &Ctx<'_>, target: &Target) -> Vec<Line<'static>> {
    let due = target.sets.iter().filter(|set| set.desired > 0);
    due.filter_map(|set| {
        let deadline = set.scale_down_deadline?;
        let aborted = aborted(ctx, target, &set.pod_hash);
        let goes = if aborted { "goes " } else { "" };
        let when = if deadline > ctx.now {
            format!("{goes}down in {}", ctx.left(deadline))
        } else {
            format!("{goes}down now")
        };
        // Nobody goes back to a version that was aborted.
        let hint = if aborted { String::new() } else { format!("; press {} h to hold it", ctx.key(Command::Act)) };
        let text = format!("{}/{} ready{hint}", set.available, set.desired);
        Some(field(
            ctx,
            if aborted { "aborted" } else { "old" },
            vec![
                Span::styled(fit(&revision_of(target, &set.pod_hash), 8), ctx.theme.strong()),
                Span::styled(fit(&when, if aborted { 20 } else { 16 }), ctx.theme.warn()),
                Span::styled(text, ctx.theme.dim()),
            ],
        ))
    })
    .collect()
}

/// Whether the version was aborted: as the target stands, or by an act from here.
fn aborted(ctx: &Ctx<'_>, target: &Target, hash: &Clean) -> bool {
    let acts = ctx.world.acts.iter().filter(|act| act.intent.target == *target.id());
    let here = acts.map(|act| &act.intent).any(|i| i.action == ActionId::Abort && i.seen.pod_hash == *hash);
    here || target.rollout.abort && target.rollout.pod_hash == *hash
}
