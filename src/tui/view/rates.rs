//! Error rates: the word, the number that bears it, and how old it is. What is missing is said, never a zero.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Ctx;
use super::words::{fit, wrap};
use crate::domain::signal::text::{count, counts, limit, percent};
use crate::domain::signal::{Reading, Side, Signals, Verdict};
use crate::domain::steps::Span as Long;
use crate::model::Target;
use crate::model::query;

/// From so many columns on a side has its short window beside it.
const WHOLE: usize = 62;

/// Whether error rates are read anywhere: else their column is not there.
pub(super) fn configured(ctx: &Ctx<'_>) -> bool {
    ctx.world.links.values().any(|link| link.id.what == "prometheus")
}

fn style(ctx: &Ctx<'_>, verdict: Verdict) -> Style {
    match verdict {
        Verdict::Over => ctx.theme.bad(),
        Verdict::Suspect => ctx.theme.warn(),
        Verdict::NotEnoughData => ctx.theme.dim(),
        Verdict::Fine => ctx.theme.good(),
    }
}

/// How long ago its newest sample was, by the sample's own clock.
fn sample_age(ctx: &Ctx<'_>, signals: &Signals, side: &Side) -> Option<String> {
    newest(signals, side).map(|at| ctx.age(at))
}

/// When its newest sample was taken.
fn newest(signals: &Signals, side: &Side) -> Option<jiff::Timestamp> {
    Some(signals.at - jiff::SignedDuration::from_secs(i64::from(side.age?)))
}

/// For the board: `7.31 % OVER 20s old` (no age: below ten seconds, or no room), `– no requests`, `7.31 % OLD 2m`.
pub(super) fn cell(ctx: &Ctx<'_>, target: &Target, wide: usize) -> (String, Style) {
    let theme = ctx.theme;
    let signals = match (query::signals(ctx.world, target, ctx.now), target.signals.as_deref()) {
        (Ok(signals), _) => signals,
        (Err(_), Some(old)) if old.is_about(&target.rollout) => {
            let was = old.subject.long.counts().and_then(|c| c.rate()).map_or_else(|| "–".to_owned(), percent);
            return (format!("{was} OLD {}", ctx.age(old.at)), theme.dim());
        }
        (Err("of another version"), _) => return ("– not read yet".to_owned(), theme.dim()),
        (Err(why), _) => return (format!("– {why}"), theme.dim()),
    };
    wake(ctx, signals);
    let cell = signals.cell();
    if signals.subject.long.measured().is_none() {
        return (cell, theme.dim());
    }
    if query::without_traffic_since(ctx.world, target).is_some() {
        return (format!("was {cell}"), theme.dim());
    }
    let word = match signals.verdict {
        Verdict::Over => " OVER",
        Verdict::Suspect => " over?",
        Verdict::NotEnoughData => " ?",
        Verdict::Fine => "",
    };
    let age = newest(signals, &signals.subject).and_then(|at| ctx.age_in_tens(at));
    let age = age.map_or_else(String::new, |age| format!(" {age}"));
    // Without the word that says what it is an age of it would read as how long it lasts.
    let said = format!("{cell}{word}{age} old");
    if !age.is_empty() && said.chars().count() <= wide {
        return (said, style(ctx, signals.verdict));
    }
    (format!("{cell}{word}"), style(ctx, signals.verdict))
}

/// A small curve of the long window's rate.
pub(super) fn curve(ctx: &Ctx<'_>, target: &Target, width: usize) -> String {
    let signals = target.signals.as_deref().filter(|s| s.is_about(&target.rollout));
    signals.map_or_else(String::new, |s| s.subject.sparkline(width, s.rules.limit, ctx.look.ascii))
}

/// What is shown becomes old by itself.
fn wake(ctx: &Ctx<'_>, signals: &Signals) {
    ctx.wake(old_at(signals));
    if let Some(since) = signals.over_since {
        let _ = ctx.age(since);
    }
}

fn old_at(signals: &Signals) -> jiff::Timestamp {
    signals.at + jiff::SignedDuration::from_secs(3 * i64::from(signals.every) + 1)
}

/// The panel.
pub(super) fn lines(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let (signals, doubt) = match (query::signals(ctx.world, target, ctx.now), target.signals.as_deref()) {
        (Ok(signals), _) => (signals, None),
        (Err(why), Some(signals)) => (signals, Some(format!("{}: read {} ago", plainly(why), ctx.age(signals.at)))),
        (Err("not configured"), None) => {
            let text = "– no Prometheus is configured: error rates are not known";
            return vec![Line::styled(fit(text, width), theme.dim())];
        }
        (Err(why), None) => return vec![Line::styled(format!("errors   – {why}"), theme.dim())],
    };
    wake(ctx, signals);
    let mut lines = Vec::new();
    if let Some(doubt) = &doubt {
        lines.push(Line::styled(format!("NOT OF NOW ({doubt})"), theme.bad()));
    }
    // What stands in the window is how it was, once nobody is sent there any more.
    let gone = query::without_traffic_since(ctx.world, target);
    let past = doubt.is_some() || gone.is_some();
    let verdict = if past { theme.dim() } else { style(ctx, signals.verdict) };
    // The verdict first: where there is no room for all, it is what stays.
    let curve = signals.subject.sparkline(width.saturating_sub(40).min(30), signals.rules.limit, ctx.look.ascii);
    let lasts = signals.over_since.filter(|_| gone.is_none()).map_or_else(String::new, |since| {
        ctx.wake(ctx.now + jiff::SignedDuration::from_secs(1));
        let seconds = ctx.now.as_second().saturating_sub(since.as_second());
        format!(" {} {}", signals.lasting(), Long(seconds))
    });
    lines.push(Line::from(vec![
        Span::styled(fit("verdict", 9), theme.dim()),
        Span::styled(format!("{}{lasts}", said(ctx, signals, gone)), verdict),
        Span::styled(format!("  {curve}"), theme.dim()),
    ]));
    lines.extend(side(ctx, signals, &signals.subject, gone.is_some(), verdict, width));
    if let Some(reference) = &signals.reference {
        lines.extend(side(ctx, signals, reference, false, Style::new(), width));
    }
    let template = signals.template.as_ref();
    let template = template.map_or_else(|| "no query gives data".to_owned(), |name| format!("query {name}"));
    let sure = signals.sure_above().filter(|_| !past).map_or_else(String::new, |sure| format!("{sure}; "));
    let about = format!(
        "{sure}over {} and {}; limit {}; {template}",
        Long(i64::from(signals.rules.long)),
        Long(i64::from(signals.rules.short)),
        limit(signals.rules.limit)
    );
    lines.push(Line::styled(fit(&about, width), theme.dim()));
    for note in &signals.notes {
        let text = wrap(&format!("Prometheus warns: {note}"), width);
        lines.extend(text.into_iter().take(2).map(|text| Line::styled(text, theme.warn())));
    }
    lines
}

/// The verdict, or what it was before the traffic went elsewhere.
fn said(ctx: &Ctx<'_>, signals: &Signals, gone: Option<jiff::Timestamp>) -> String {
    signals.verdict_of_then(gone.map(|since| ctx.age(since)).as_deref())
}

/// `new      7.31 %       912 of 12,480   last 1m 11.20 %   3s`, the numbers under each other.
fn side(ctx: &Ctx<'_>, signals: &Signals, side: &Side, gone: bool, style: Style, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let was = if gone { format!("{} was", side.role.word()) } else { side.role.word().to_owned() };
    let head = Span::styled(fit(&was, 9), theme.dim());
    if let Some(long) = side.long.measured() {
        let short = Long(i64::from(signals.rules.short)).to_string();
        let age = sample_age(ctx, signals, side).map_or_else(String::new, |age| format!("  age {age}"));
        let mut spans = vec![
            head,
            Span::styled(format!("{:>7}", side.long.cell()), style.patch(theme.strong())),
            Span::raw(format!("  {:>6} of {:>9}", count(long.errors), count(long.total))),
        ];
        // Age before the short window, where there is no room for both.
        if width >= WHOLE {
            spans.push(Span::styled(format!("  last {short} "), theme.dim()));
            spans.push(Span::styled(format!("{:>7}", side.short.cell()), style));
        }
        spans.push(Span::styled(age, theme.dim()));
        return vec![Line::from(spans)];
    }
    let mut text = side.long.sentence(&signals.rules);
    if let Some(last) = side.last.filter(|_| !matches!(side.long, Reading::Thin(_))) {
        let rate = last.counts.rate().map(percent).unwrap_or_default();
        text = format!("{text}; was {rate}, {}, {} ago", counts(last.counts), ctx.age(last.at));
    }
    let parts = wrap(&text, width.saturating_sub(9));
    parts
        .into_iter()
        .enumerate()
        .map(|(n, text)| {
            let head = if n == 0 { head.clone() } else { Span::raw(" ".repeat(9)) };
            Line::from(vec![head, Span::styled(text, theme.warn())])
        })
        .collect()
}

/// Why there are none, for people.
fn plainly(why: &'static str) -> &'static str {
    match why {
        "of another version" => "what was read is of the version before",
        "not read yet" => "nothing was read yet",
        "unreachable" => "Prometheus cannot be reached",
        why => why,
    }
}

/// For a confirmation: both sides and the verdict in a line or two; `None` = nothing is configured.
pub(super) fn sentence(ctx: &Ctx<'_>, target: &Target) -> Option<(String, Style)> {
    let signals = match query::signals(ctx.world, target, ctx.now) {
        Ok(signals) => signals,
        Err("not configured") => return None,
        Err(why) => return Some((format!("– not known: {}", plainly(why)), ctx.theme.dim())),
    };
    wake(ctx, signals);
    let one = |side: &Side| match side.long.measured() {
        Some(c) => format!("{} of {}", side.long.cell(), count(c.total)),
        None => side.long.cell(),
    };
    let gone = query::without_traffic_since(ctx.world, target);
    let was = if gone.is_some() && signals.subject.long.measured().is_some() { " was" } else { "" };
    let mut text = format!("{}{was} {}", signals.subject.role.word(), one(&signals.subject));
    if let Some(reference) = &signals.reference {
        text = format!("{text}, {} {}", reference.role.word(), one(reference));
    }
    let style = if gone.is_some() { ctx.theme.dim() } else { style(ctx, signals.verdict) };
    Some((format!("{text}: {}", said(ctx, signals, gone)), style))
}
