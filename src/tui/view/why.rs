//! Why a target stands where it stands: one line for the board, with all that is due or old in it.

use std::fmt::Write as _;

use super::Ctx;
use super::words::revision_of;
use crate::actions::row;
use crate::domain::link::LinkState;
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Phase, Rollout};
use crate::model::Target;
use crate::model::query::{BAKING, Band, LATE, baking, band, overdue, told_by};

/// Below this width words that the other columns say are left out.
const TIGHT: usize = 26;

/// From this width on the limit is called one.
const ROOMY: usize = 48;

/// The controller's reasons in a word, which stands first at every width.
const REASONS: &[(&str, &str)] = &[("RolloutAborted", "aborted"), ("ProgressDeadlineExceeded", "pods do not come")];

/// What the controller says of every abort, before it says why.
const OF_EVERY_ABORT: &str = "Rollout aborted update to revision ";

/// What is said instead, in so few words that the age beside it stays on the screen.
const SHORT: &[(&str, &str)] = &[
    ("for a person", "for a person"),
    ("the analysis is inconclusive", "inconclusive"),
    ("more replicas need to be updated", "more pods needed"),
];

/// First what must not be cut off: whether it is old, marked, or under our hands; then its own reason.
pub(super) fn why(ctx: &Ctx<'_>, target: &Target, link: &LinkState, room: usize) -> String {
    let mut text = String::new();
    if !matches!(link, LinkState::Live | LinkState::Connecting) {
        let heard = told_by(ctx.world, target).and_then(|l| l.heard);
        let since = heard.map_or_else(String::new, |heard| format!(" {}", ctx.age(heard)));
        let word = if matches!(link, LinkState::Backoff { .. }) { "down" } else { link.word() };
        let _ = write!(text, "[{word}{since}] ");
    }
    if in_flight_mark(target).is_some() && !target.rollout.abort {
        text.push_str("[do not promote] ");
    }
    ours(ctx, target, &mut text);
    let reason = reason(ctx, target, room < TIGHT);
    // Beside the column of the rates in few words: what lasts stays on the screen.
    let beside = (1..ROOMY).contains(&room);
    let reason = if beside { reason.replace("over its limit of ", "over ") } else { reason };
    // How long comes last, and must not be what is cut off.
    let tight = room > 0 && text.chars().count() + reason.chars().count() > room;
    let reason = if tight { reason.replace(" seen for ", " seen ") } else { reason };
    text.push_str(&without_limit(reason, room.saturating_sub(text.chars().count())));
    let rollout = &target.rollout;
    if rollout.restarting() && !rollout.deleting && !text.contains("restarting") {
        text.push_str(", restarting its pods");
    }
    if let Some(why) = in_flight_mark(target) {
        let _ = write!(text, "; the mark says: {why}");
    }
    text
}

/// `over 5 % seen 2m` where there is room, else `over seen 2m`: the limit is the configuration's, the time is not.
fn without_limit(reason: String, room: usize) -> String {
    let wide = reason.chars().count();
    match reason.strip_prefix("over ").and_then(|rest| rest.split_once(" % ")) {
        Some((_, lasts)) if wide > room && room > 0 => format!("over {lasts}"),
        _ => reason,
    }
}

/// The mark on the version in flight.
pub(super) fn in_flight_mark(target: &Target) -> Option<&crate::domain::text::Clean> {
    let set = target.canary_set().filter(|_| !target.rollout.fully_promoted())?;
    set.do_not_promote.as_ref()
}

/// What we are doing, left undone, or do not know the end of.
fn ours(ctx: &Ctx<'_>, target: &Target, text: &mut String) {
    let id = target.id();
    if ctx.left_unfinished(Some(id)).next().is_some() {
        text.push_str("[a plan was left unfinished] ");
    }
    // It stays until something is seen of the target again.
    if let Some(act) = ctx.world.last_act(id)
        && let Some((at, outcome @ (Outcome::Unknown { .. } | Outcome::NoEffect { .. }))) = &act.ended
        && target.changed <= *at
    {
        let _ = write!(text, "[{}: {}] ", row(act.intent.action).verb, outcome.word());
    }
    if let Some(act) = ctx.world.running_act(id) {
        let _ = write!(text, "{} … ", row(act.intent.action).progressive);
    }
}

fn reason(ctx: &Ctx<'_>, target: &Target, tight: bool) -> String {
    let rollout = &target.rollout;
    let (phase, _) = rollout.status();
    if rollout.deleting {
        return "being deleted".to_owned();
    }
    let (band, mut text) = band(target, ctx.now);
    let bakes = baking(target, ctx.now).filter(|_| phase == Phase::Healthy).map(|(since, until)| {
        ctx.wake(until);
        format!("baking {} of {}m", ctx.age(since), BAKING.as_mins())
    });
    let over = target.signals.as_ref().is_some_and(|signals| signals.over_since.is_some()) && phase != Phase::Degraded;
    // What needs a person comes before what goes on by itself.
    if let Some(bakes) = bakes {
        if band != Band::NeedsYou {
            return bakes;
        }
        text = format!("{text}, {bakes}");
    }
    if over {
        // How long it lasts is in the text.
        ctx.wake(ctx.now + jiff::SignedDuration::from_secs(1));
        return text;
    }
    text = in_a_word(&text, tight);
    if text.is_empty() {
        phase.as_str().clone_into(&mut text);
    }
    if tight && let Some((_, short)) = SHORT.iter().find(|(long, _)| text.contains(long)) {
        (*short).clone_into(&mut text);
    }
    if let Some(since) = overdue(rollout, ctx.now) {
        ctx.wake(ctx.now + jiff::SignedDuration::from_secs(1));
        // Nothing says so of a controller that one hears nothing of.
        let heard = told_by(ctx.world, target).and_then(|link| link.heard.filter(|_| link.state.is_live()));
        let heard = heard.is_some_and(|heard| heard.duration_since(since) >= LATE);
        return text
            .replace("nothing moves", if heard { "the controller does not act" } else { "nothing heard since" });
    }
    match due(ctx, rollout) {
        Some(due) if rollout.strategy.blue_green().is_some() => due,
        Some(due) => format!("{text}: {due}"),
        None => match (rollout.paused_since(), phase) {
            (Some(since), _) => format!("{text}, {}", ctx.age(since)),
            (None, Phase::Progressing) => gives_up(ctx, rollout).map_or(text.clone(), |due| format!("{text}, {due}")),
            _ => text,
        },
    }
}

/// The controller's own reason as people say it, and behind it, where there is room, what it is about.
fn in_a_word(text: &str, tight: bool) -> String {
    let known = REASONS.iter().find_map(|(reason, word)| Some((word, text.strip_prefix(reason)?)));
    let Some((word, detail)) = known else { return text.to_owned() };
    let detail = detail.trim_start_matches(": ");
    let detail = detail
        .strip_prefix(OF_EVERY_ABORT)
        .map_or(detail, |detail| detail.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(": "));
    if tight || detail.is_empty() { (*word).to_owned() } else { format!("{word}: {detail}") }
}

/// What a timed pause leads to by itself, and in how long.
pub(super) fn due(ctx: &Ctx<'_>, rollout: &Rollout) -> Option<String> {
    let at = rollout.resumes_at()?;
    let blue_green = rollout.strategy.blue_green().is_some();
    Some(match (at > ctx.now, blue_green) {
        (true, true) => format!("promotes itself in {}", ctx.left(at)),
        (true, false) => format!("{} left", ctx.left(at)),
        (false, true) => {
            ctx.wake(at + LATE);
            "promotes itself now".to_owned()
        }
        (false, false) => {
            ctx.wake(at + LATE);
            "over".to_owned()
        }
    })
}

/// When the controller gives up on pods that do not come.
pub(super) fn gives_up(ctx: &Ctx<'_>, rollout: &Rollout) -> Option<String> {
    let at = rollout.gives_up_at()?;
    let then = if rollout.progress_deadline_abort { "aborts" } else { "gives up" };
    Some(if at > ctx.now { format!("{then} in {}", ctx.left(at)) } else { format!("{then} now") })
}

/// Which version of a blue-green has the live traffic: `rev 7 live`.
pub(super) fn live(target: &Target) -> String {
    let active = &target.rollout.blue_green.active;
    if active.is_empty() { "– nobody yet".to_owned() } else { format!("{} live", revision_of(target, active)) }
}

/// How far a blue-green is, in a word.
pub(super) fn stage(rollout: &Rollout) -> &'static str {
    if rollout.abort {
        "aborted"
    } else if rollout.fully_promoted() {
        "done"
    } else if rollout.first_release() {
        "first"
    } else if rollout.cut_over() {
        "cut over"
    } else {
        "preview"
    }
}
