//! The verbs that act, one for each row of the table.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{ActArgs, Format, Global};
use super::setup::{Ground, Session, interrupted};
use super::{dto, output, rates, rehearse, targets};
use crate::actions::{Action, Danger, Needs};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::ids::TargetId;
use crate::domain::intent::{Confirmed, Intent, Params};
use crate::domain::outcome::{Act, Outcome};
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::model::choose::{self, Said};
use crate::model::{Target, World, query};
use crate::policy;
use crate::runtime::control::Deadlines;
use crate::runtime::handle::Handle;

pub(super) async fn run(
    global: &Global,
    action: &'static Action,
    args: ActArgs,
    said: Said,
) -> Result<ExitCode, Error> {
    let ground = Ground::find(global)?;
    if let Err(why) = ground.audit_dir() {
        return Err(Error::new(Kind::Refused, format!("{} needs a place for its record: {why}", action.verb)));
    }
    ground.say_badge();
    let session = Session::start(global, &ground, Deadlines { effect: args.wait, ..Deadlines::default() }).await?;
    let done = tokio::select! {
        done = ask(&session, action, &args, &said) => done,
        () = interrupted() => Err(Error::new(Kind::Unknown, format!("{} {}: interrupted", action.verb, args.target.join(" ")))
            .hint("if it was sent, `flightdeck audit list` says what is known")),
    };
    session.end().await;
    done
}

async fn ask(session: &Session, action: &'static Action, args: &ActArgs, said: &Said) -> Result<ExitCode, Error> {
    let (world, ()) = tokio::join!(session.settled(args.timeout), session.learn_user());
    let target = targets::find(&world, &args.target[0])?;
    let (world, target) = match action.danger {
        // What stops harm waits for no rate.
        Danger::Stop => (world, target),
        Danger::Forward => {
            let world = session.judged(world, vec![target.id().clone()], args.timeout).await;
            let target = targets::find(&world, &args.target[0])?;
            (world, target)
        }
    };
    let params = params(action, &target, said)?;
    let mut intent = Intent {
        params,
        plan: None,
        act: Handle::new_act(),
        action: action.id,
        target: target.id().clone(),
        context: target.context.clone(),
        seen: expected(&target, args),
        actor: session.handle.actor("verb"),
        reason: args.reason.as_deref().map(Clean::new),
        confirmed: if args.without_record { Confirmed::WithoutRecord } else { said_yes(args.yes, args.over_limit) },
    };
    if args.dry_run.is_some() {
        if intent.confirmed == Confirmed::No {
            intent.confirmed = Confirmed::Typed;
        }
        if action.danger == Danger::Forward && args.output == Format::Human {
            output::note(&beside(&world, &target, action, &intent));
        }
        let title = format!("{} {}", action.verb, target.id());
        return rehearse::run(session, title, vec![intent], &[], args.output).await;
    }
    if intent.confirmed == Confirmed::No && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        intent.confirmed = confirm(session, &world, &target, action, &intent)?;
    } else if action.danger == Danger::Forward && args.output == Format::Human {
        output::note(&beside(&world, &target, action, &intent));
    }
    let id = session.handle.act(intent).await.map_err(|e| Error::new(Kind::Failure, e.to_string()))?;
    let ended = session.handle.wait_act(&id);
    tokio::pin!(ended);
    let mut handle = session.handle.clone();
    let mut said = 0;
    let act = loop {
        tokio::select! {
            act = &mut ended => break act.map_err(|e| Error::new(Kind::Failure, e.to_string()))?,
            changed = handle.changed() => if let (Ok(world), Format::Human) = (changed, args.output)
                && let Some(act) = world.act(&id)
            {
                said = stages(act, said);
            }
        }
    };
    if args.output == Format::Human {
        stages(&act, said);
    }
    report(action, &act, args.output)
}

/// What `--yes` confirms; over the limit of the error rates it takes one more word.
pub(super) const fn said_yes(yes: bool, over_limit: bool) -> Confirmed {
    match (yes, over_limit) {
        (true, true) => Confirmed::Typed,
        (true, false) => Confirmed::Unseen,
        (false, _) => Confirmed::No,
    }
}

/// The parameters of an act. Where it does not apply whatever is said, it goes on without: the policy refuses it, with a
/// record.
pub(super) fn params(action: &Action, target: &Target, said: &Said) -> Result<Params, Error> {
    match choose::params(action, target, said, Timestamp::now()) {
        Ok(params) => Ok(params),
        Err(_) if (action.applies)(&target.sight(), &Params::None).is_err() => Ok(Params::None),
        Err(why) => {
            let id = target.id();
            let hint = match action.needs {
                Needs::Revision => format!("`--to-revision N` names one; `flightdeck history {id}` lists them"),
                Needs::Image => format!("write it as CONTAINER=IMAGE; `flightdeck get {id}` shows what runs"),
                Needs::Run => format!("`--analysis NAME` names one; `flightdeck get {id}` shows what runs"),
                Needs::Duration => "`--for 1h` says how long, `--to-revision N` which version".to_owned(),
                Needs::Nothing => format!("`flightdeck {} --help` says what it takes", action.verb),
            };
            Err(Error::new(Kind::Usage, format!("{} {id}: {why}", action.verb)).hint(hint))
        }
    }
}

/// What stands beside the act, asked or sent: on what, what it leads to, and the error rates.
fn beside(world: &World, target: &Target, action: &Action, intent: &Intent) -> String {
    let head = format!(
        "{} {} ({}, {} on {})",
        action.verb,
        target.id(),
        target.environment.badge(),
        target.rollout.status().0,
        target.context
    );
    let leads = (action.consequence)(&target.sight(), &intent.params).text;
    let leads = if leads.is_empty() { String::new() } else { format!("\n  {leads}") };
    let errors = match action.danger {
        Danger::Stop => None,
        Danger::Forward => rates::beside(world, target, Timestamp::now()),
    };
    let errors = errors.map_or_else(String::new, |said| format!("\n  {said}"));
    format!("{head}{leads}{errors}")
}

/// Prints the stages that were reached since; returns how many were.
fn stages(act: &Act, said: usize) -> usize {
    let accepted = act.accepted.as_ref().map(|(at, version)| (*at, format!("accepted, version {version}")));
    let reached = [
        Some((act.asked, "asked".to_owned())),
        act.recorded.map(|at| (at, "recorded".to_owned())),
        act.sent.map(|at| (at, "sent".to_owned())),
        accepted,
    ];
    let reached: Vec<_> = reached.into_iter().flatten().collect();
    for (at, what) in reached.iter().skip(said) {
        let after = at.duration_since(act.asked).as_millis();
        output::note(&format!("  +{after:>5} ms  {what}"));
    }
    reached.len().max(said)
}

/// What was read, with what the caller expects laid over it: where they differ, the act ends as superseded.
fn expected(target: &Target, args: &ActArgs) -> Seen {
    let mut seen = Seen::of(&target.rollout, Timestamp::now());
    if let Some(revision) = args.expect_revision
        && target.rollout.revision != Some(revision)
    {
        let set = target.sets.iter().find(|set| set.revision == Some(revision));
        seen.pod_hash = match set {
            Some(set) if set.pod_hash != target.rollout.pod_hash => set.pod_hash.clone(),
            _ => Clean::new(&format!("revision {revision}")),
        };
        seen.revision = Some(revision);
    }
    if let Some(hash) = &args.expect_hash {
        seen.pod_hash = Clean::new(hash);
    }
    if let Some(step) = args.expect_step {
        seen.step_index = Some(step - 1);
    }
    seen
}

/// Asks on the terminal what the cockpit's box asks.
fn confirm(
    session: &Session,
    world: &World,
    target: &Target,
    action: &Action,
    intent: &Intent,
) -> Result<Confirmed, Error> {
    let facts = query::facts(world, target, &target.rollout, action.id, &intent.params, None);
    let Decision::Confirm(asked) = policy::decide(intent, &facts, &session.handle.mandate(), Timestamp::now()) else {
        return Ok(Confirmed::No);
    };
    let mut err = std::io::stderr();
    let prompt = match &asked {
        Confirmation::Press => "type y to go on: ".to_owned(),
        Confirmation::Type { text } => format!("type {text} to go on: "),
        Confirmation::WithoutRecord { why } => {
            format!("NO RECORD can be written ({why})\ntype y to go on without one: ")
        }
    };
    let shown = write!(err, "{}\n{prompt}", beside(world, target, action, intent)).and_then(|()| err.flush());
    let mut line = String::new();
    let read = shown.and_then(|()| std::io::stdin().lock().read_line(&mut line));
    read.map_err(|e| Error::new(Kind::Failure, format!("terminal: {e}")))?;
    let typed = line.trim();
    Ok(match asked {
        Confirmation::Press if typed == "y" => Confirmed::Pressed,
        Confirmation::Type { text } if typed == text => Confirmed::Typed,
        Confirmation::WithoutRecord { .. } if typed == "y" => Confirmed::WithoutRecord,
        Confirmation::Press | Confirmation::Type { .. } | Confirmation::WithoutRecord { .. } => Confirmed::No,
    })
}

/// How a verb is confirmed.
const CONFIRM: &str = "give `--yes`, or answer the question at a terminal";

/// The kind of failure that an outcome is; `done` is none.
pub(super) fn kind(outcome: &Outcome) -> Kind {
    match outcome {
        Outcome::NoEffect { .. } => Kind::NoEffect,
        Outcome::Superseded { .. } => Kind::Superseded,
        // What the act needs is not so: as when it is so no longer.
        Outcome::Refused { rule, .. } if rule == "applies" => Kind::Superseded,
        Outcome::Refused { .. } => Kind::Refused,
        Outcome::Done { .. } | Outcome::Failed { .. } => Kind::Failure,
        Outcome::Unknown { .. } => Kind::Unknown,
    }
}

fn report(action: &Action, act: &Arc<Act>, format: Format) -> Result<ExitCode, Error> {
    let Some((_, outcome)) = &act.ended else {
        return Err(Error::new(Kind::Unknown, "the act has not ended"));
    };
    let target = &act.intent.target;
    if format == Format::Json {
        output::json(&dto::outcome(act))?;
    }
    match &act.outcome_recorded {
        Some(Err(why)) => output::note(&format!("flightdeck: the outcome is NOT in the audit log: {why}")),
        Some(Ok(number)) if format == Format::Human => output::note(&format!("  on record as number {number}")),
        Some(Ok(_)) | None => {}
    }
    let kind = match outcome {
        Outcome::Done { effect } => {
            if format == Format::Human {
                output::line(&format!("{target}: {}, done: {effect}", action.past))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        other => kind(other),
    };
    if format == Format::Json {
        return Ok(ExitCode::from(kind.code()));
    }
    Err(said(action, target, outcome))
}

/// An outcome that is not *done*, as an error of the verb.
pub(super) fn said(action: &Action, target: &TargetId, outcome: &Outcome) -> Error {
    let word = match outcome {
        Outcome::Refused { rule, .. } => format!("refused ({rule})"),
        other => other.word().to_owned(),
    };
    let error = Error::new(kind(outcome), format!("{} {target}: {word}: {}", action.verb, outcome.detail()));
    match outcome {
        Outcome::Refused { rule, .. } if rule == "confirmation" => error.hint(CONFIRM),
        Outcome::Refused { hint, .. } => error.hint(hint.clone()),
        Outcome::Superseded { .. } => error.hint("look again (`flightdeck get`) and decide anew"),
        Outcome::NoEffect { .. } | Outcome::Unknown { .. } => {
            error.hint("do not send it again blindly: `flightdeck get` shows where it stands")
        }
        Outcome::Done { .. } | Outcome::Failed { .. } => error,
    }
}
