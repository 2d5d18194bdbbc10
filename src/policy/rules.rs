//! The rules, each with a name that refusals and records carry. A new rule is one entry in [`RULES`].

use jiff::Timestamp;

use super::Mandate;
use crate::actions::{Danger, row};
use crate::domain::decision::Decision;
use crate::domain::environment::Tier;
use crate::domain::facts::{AuditState, Facts};
use crate::domain::intent::{ActionId, Confirmed, Intent};
use crate::domain::link::LinkState;

/// Why not, and what to do about it.
type Objection = (String, String);

/// A rule objects, or not.
type Rule = fn(&Intent, &Facts, &Mandate, Timestamp) -> Option<Objection>;

/// In the order in which they are asked.
const RULES: &[(&str, Rule)] = &[
    ("read-only", read_only),
    ("stop-only", stop_only),
    ("insecure", insecure),
    ("applies", applies),
    ("do-not-promote", do_not_promote),
    ("over-limit", over_limit),
    ("set-image", set_image),
    ("in-flight", in_flight),
    ("audit", audit),
    ("link", link),
    ("reason", reason),
];

pub(super) fn first_denial(intent: &Intent, facts: &Facts, mandate: &Mandate, now: Timestamp) -> Option<Decision> {
    RULES.iter().find_map(|(rule, objects)| {
        objects(intent, facts, mandate, now).map(|(why, hint)| Decision::Deny { rule, why, hint })
    })
}

fn read_only(_: &Intent, _: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let by = &mandate.read_only_by;
    let (why, hint) = if by.starts_with("--") {
        (format!("nothing is written: started with {by}"), "start without it to act")
    } else {
        (format!("nothing is written, by {by}"), "change it there to act; a change holds from the next act on")
    };
    mandate.read_only.then(|| (why, hint.to_owned()))
}

fn stop_only(intent: &Intent, _: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let refused = mandate.stop_only && row(intent.action).danger != Danger::Stop;
    refused.then(|| {
        let why = format!("only acts that stop harm go, by {}: abort, pause, hold, forbid", mandate.stop_only_by);
        let hint = if mandate.stop_only_by.starts_with("--") {
            "start without it; `flightdeck config check` says what is wrong with the configuration"
        } else {
            "change it there to act; a change holds from the next act on"
        };
        (why, hint.to_owned())
    })
}

fn insecure(intent: &Intent, _: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let refused = !mandate.act_on_insecure && mandate.insecure.contains(&intent.context);
    refused.then(|| {
        (
            format!("the server's certificate is not checked in context {}", intent.context),
            "give the cluster its certificate-authority, or set `policy.act_on_insecure = true`".to_owned(),
        )
    })
}

fn applies(intent: &Intent, facts: &Facts, _: &Mandate, _: Timestamp) -> Option<Objection> {
    facts
        .applies
        .as_ref()
        .err()
        .map(|why| (format!("cannot {}: {why}", row(intent.action).verb), "look at the target again".to_owned()))
}

fn in_flight(_: &Intent, facts: &Facts, _: &Mandate, _: Timestamp) -> Option<Objection> {
    facts
        .in_flight
        .as_ref()
        .map(|what| (format!("{what} is still under way on this target"), "wait for its outcome".to_owned()))
}

/// A revision that someone marked is not brought forward by anyone who sees the mark.
fn do_not_promote(intent: &Intent, facts: &Facts, _: &Mandate, _: Timestamp) -> Option<Objection> {
    let why = facts.do_not_promote.as_ref().filter(|_| row(intent.action).promotes)?;
    Some((
        format!("this revision is marked as not to be promoted: {why}"),
        "abort it or roll back; `allow` takes the mark back".to_owned(),
    ))
}

/// Who says yes beforehand has not seen the rates; who confirms in the box has them beside the act.
fn over_limit(intent: &Intent, facts: &Facts, _: &Mandate, _: Timestamp) -> Option<Objection> {
    let blind = matches!(intent.confirmed, Confirmed::Unseen | Confirmed::WithoutRecord);
    let rates = facts.over_limit.as_ref().filter(|_| blind && row(intent.action).promotes)?;
    Some((
        format!("its error rates speak against bringing it forward: {rates}"),
        "look at it (`flightdeck get`), abort it or roll back; `--over-limit` sends it all the same".to_owned(),
    ))
}

/// A version that no pipeline brought is in no Git history and passed no gate.
fn set_image(intent: &Intent, facts: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let refused = intent.action == ActionId::SetImage
        && facts.environment.tier == Tier::Production
        && !mandate.set_image_in_production;
    refused.then(|| {
        (
            format!("images are not set by hand in {}", facts.environment),
            "release it through its pipeline, or set `policy.set_image_in_production = true`".to_owned(),
        )
    })
}

/// Acts that stop harm go on without a log once that was confirmed; all else waits for one.
fn audit(intent: &Intent, facts: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let AuditState::Failed { why } = &facts.audit else { return None };
    if row(intent.action).danger == Danger::Stop && !mandate.audit_required {
        return None;
    }
    Some((
        format!("the audit log takes no records: {why}"),
        "mend the log (`flightdeck doctor` says how); nothing moves forward without a record".to_owned(),
    ))
}

/// A forward act rests on what is on screen; what a link said before it fell silent may be gone.
fn link(intent: &Intent, facts: &Facts, _: &Mandate, _: Timestamp) -> Option<Objection> {
    let forward = row(intent.action).danger == Danger::Forward;
    match &facts.link {
        LinkState::Live => None,
        LinkState::Denied { why } => {
            Some((format!("the cluster refuses: {why}"), "see `flightdeck doctor`".to_owned()))
        }
        other if forward => Some((
            format!("the view is not live ({})", other.word()),
            "wait until the link is live again; its effect could not be watched either".to_owned(),
        )),
        _ => None,
    }
}

fn reason(intent: &Intent, facts: &Facts, mandate: &Mandate, _: Timestamp) -> Option<Objection> {
    let missing = mandate.reason_in_production
        && facts.environment.tier == Tier::Production
        && intent.reason.as_ref().is_none_or(|r| r.as_str().trim().is_empty());
    missing.then(|| ("production asks for a reason".to_owned(), "give one (`--reason \"…\"` or in the box)".to_owned()))
}
