//! Plans from the command line: roll back, go on with what a dead process left, one act on several targets.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::act::said_yes;
use super::args::{ActArgs, Format, Global, PlanVerb, RollbackArgs};
use super::setup::{Ground, Session, interrupted};
use super::{act, dto_plan, output, rates, rehearse, targets};
use crate::actions::{Action, Danger, row};
use crate::domain::environment::Tier;
use crate::domain::ids::TargetId;
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState, title_of_group};
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::model::choose::{self, Said};
use crate::model::rollback::{self, Goal};
use crate::model::{Target, World};
use crate::runtime::control::Deadlines;

/// Starts a session that may write, runs `work` in it, and ends it in order.
async fn in_session<F>(global: &Global, what: &str, wait: Option<Duration>, work: F) -> Result<ExitCode, Error>
where
    F: AsyncFnOnce(&Session) -> Result<ExitCode, Error>,
{
    let ground = Ground::find(global)?;
    if let Err(why) = ground.audit_dir() {
        return Err(Error::new(Kind::Refused, format!("{what} needs a place for its record: {why}")));
    }
    ground.say_badge();
    let session = Session::start(global, &ground, Deadlines { effect: wait, ..Deadlines::default() }).await?;
    let done = tokio::select! {
        done = work(&session) => done,
        () = interrupted() => Err(Error::new(Kind::Unknown, format!("{what}: interrupted"))
            .hint("`flightdeck plan list` shows what is left of it, `flightdeck plan resume` goes on")),
    };
    session.end().await;
    done
}

/// `flightdeck rollback`
pub(super) async fn rollback(global: &Global, args: &RollbackArgs) -> Result<ExitCode, Error> {
    in_session(global, "rollback", args.wait, async |session| {
        let (world, ()) = tokio::join!(session.settled(args.timeout), session.learn_user());
        let target = targets::find(&world, &args.target)?;
        let usage = |why: String| Error::new(Kind::Usage, format!("rollback {}: {why}", target.id()));
        let wanted = match &args.to_revision {
            None => None,
            Some(said) => {
                let set = choose::revision(&target, Some(said), true).map_err(usage)?;
                Some(Goal { hash: set.pod_hash.clone(), revision: set.revision })
            }
        };
        let made = rollback::plan(&target, wanted.as_ref(), Timestamp::now()).map_err(|why| {
            // As for every act: what it needs is not so.
            Error::new(Kind::Superseded, format!("rollback {}: {why}", target.id()))
                .hint("`flightdeck history` lists the revisions; --to-revision picks one")
        })?;
        if args.output == Format::Human {
            describe(&target, &made);
            if args.plan_only {
                let world = session.rated(world.clone(), vec![target.id().clone()], args.timeout).await;
                let target = world.targets.get(target.id());
                if let Some(said) = target.and_then(|t| rates::beside(&world, t, Timestamp::now())) {
                    output::note(&format!("  {said}"));
                }
            }
        }
        if args.plan_only {
            if args.output == Format::Json {
                output::json(&dto_plan::rollback(&target, &made))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if args.dry_run.is_some() {
            let title = format!("roll back {} to {}", target.id(), made.goal.word());
            return rehearse_first(session, &world, title, &made.stages, args.output).await;
        }
        let typed = (target.environment.tier == Tier::Production).then_some(made.typed.as_str());
        let plan = Plan {
            id: new_id(),
            title: format!("roll back {}/{} to {}", target.context, target.id(), made.goal.word()),
            stages: made.stages,
            on_failure: rollback::ON_FAILURE,
            actor: session.handle.actor("verb"),
            reason: args.reason.as_deref().map(Clean::new),
            // A way back is taken whatever the rates are.
            confirmed: confirmed(if args.yes { Confirmed::Typed } else { Confirmed::No }, typed)?,
        };
        carry(session, plan, args.output).await
    })
    .await
}

fn describe(target: &Target, made: &rollback::RollBack) {
    output::note(&format!(
        "roll back {} {}/{} to {}",
        target.environment.badge(),
        target.context,
        target.id(),
        made.goal.word()
    ));
    output::note(&format!("  {}", made.way));
    for (n, stage) in made.stages.iter().enumerate() {
        output::note(&format!("  {}  {}", n + 1, stage.title));
    }
    for note in &made.notes {
        output::note(&format!("  note: {note}"));
    }
}

/// One act on several targets, in the order in which they were named.
pub(super) async fn group(
    global: &Global,
    action: &'static Action,
    args: &ActArgs,
    said: &Said,
) -> Result<ExitCode, Error> {
    if args.expect_revision.is_some() || args.expect_hash.is_some() || args.expect_step.is_some() {
        return Err(Error::new(Kind::Usage, "--expect-… speaks of one target, and several are named"));
    }
    in_session(global, action.verb, args.wait, async |session| {
        let (world, ()) = tokio::join!(session.settled(args.timeout), session.learn_user());
        let (targets, lost) = named(&world, args)?;
        let yes = said_yes(args.yes, args.over_limit);
        let (world, targets) = match action.danger {
            Danger::Stop => (world, targets),
            Danger::Forward => {
                let ids = targets.iter().map(|t| t.id().clone()).collect();
                let world = session.judged(world, ids, args.timeout).await;
                // One that went meanwhile is not left out in silence.
                let again = |t: &Arc<Target>| {
                    let gone = || Error::new(Kind::NotFound, format!("{} is gone; nothing was done", t.id()));
                    world.targets.get(t.id()).cloned().ok_or_else(gone)
                };
                let targets = targets.iter().map(again).collect::<Result<_, _>>()?;
                (world, targets)
            }
        };
        let stages = stages(action, &targets, said)?;
        if args.dry_run.is_some() {
            let mut intents: Vec<Intent> =
                stages.iter().map(|stage| rehearse::intent(session, &world, stage)).collect::<Result<_, _>>()?;
            if yes != Confirmed::No {
                for intent in &mut intents {
                    intent.confirmed = yes.clone();
                }
            }
            let title = title_of_group(action.verb, stages.len());
            return rehearse::run(session, title, intents, &[], args.output).await;
        }
        let production = targets.iter().any(|t| t.environment.tier == Tier::Production);
        announce(&world, &stages);
        let typed = format!("{} {}", action.verb, stages.len());
        let confirmed = if args.without_record {
            Confirmed::WithoutRecord
        } else {
            confirmed(yes, production.then_some(typed.as_str()))?
        };
        let plan = Plan {
            id: new_id(),
            title: title_of_group(action.verb, stages.len()),
            stages,
            on_failure: if args.keep_going { OnFailure::GoOn } else { OnFailure::Stop },
            actor: session.handle.actor("verb"),
            reason: args.reason.as_deref().map(Clean::new),
            confirmed,
        };
        let done = carry(session, plan, args.output).await?;
        // Whoever was not found was not acted on: that is no success.
        Ok(if done == ExitCode::SUCCESS && lost { ExitCode::from(Kind::NotFound.code()) } else { done })
    })
    .await
}

/// The targets that were named, and whether some are not there: with `--keep-going` that is said and stops nobody else.
fn named(world: &World, args: &ActArgs) -> Result<(Vec<Arc<Target>>, bool), Error> {
    let (mut found, mut lost) = (Vec::new(), None);
    for name in &args.target {
        match targets::find(world, name) {
            Ok(target) => found.push(target),
            Err(error) if args.keep_going => {
                output::note(&match &error.hint {
                    Some(hint) => format!("{}; {hint} (the others go on)", error.message),
                    None => format!("{} (the others go on)", error.message),
                });
                lost.get_or_insert(error);
            }
            Err(mut error) => {
                error.message.push_str("; nothing was done, to the other targets neither");
                return Err(error);
            }
        }
    }
    match lost {
        Some(error) if found.is_empty() => Err(error),
        lost => Ok((found, lost.is_some())),
    }
}

/// What is to be done, and beside what moves a release forward its error rates.
fn announce(world: &World, stages: &[Stage]) {
    for stage in stages {
        output::note(&format!("  {}", stage.title));
        let forward = row(stage.action).danger == Danger::Forward;
        let target = world.targets.get(&stage.target).filter(|_| forward);
        if let Some(said) = target.and_then(|target| rates::beside(world, target, Timestamp::now())) {
            output::note(&format!("     {said}"));
        }
    }
}

fn stages(action: &Action, targets: &[Arc<Target>], said: &Said) -> Result<Vec<Stage>, Error> {
    let now = Timestamp::now();
    targets
        .iter()
        .map(|target| {
            let params = act::params(action, target, said)?;
            let leads = (action.consequence)(&target.sight(), &params).text;
            Ok(Stage {
                title: format!("{} {}/{}: {leads}", action.verb, target.context, target.id()),
                target: target.id().clone(),
                context: target.context.clone(),
                action: action.id,
                params,
                seen: Some(Seen::of(&target.rollout, now)),
                only_on: None,
            })
        })
        .collect()
}

/// `flightdeck plan`
pub(super) async fn plans(global: &Global, verb: PlanVerb) -> Result<ExitCode, Error> {
    let (wait, timeout) = match &verb {
        PlanVerb::List { timeout, .. } => (None, *timeout),
        PlanVerb::Resume { wait, timeout, .. } => (*wait, *timeout),
    };
    in_session(global, "plan", wait, async |session| {
        let (world, ()) = tokio::join!(session.settled(timeout), session.learn_user());
        // What dead processes left is searched for at the start; the log is small beside the lists above.
        let known = session.handle.wait_for(|w| !w.open_plans.is_empty());
        let world =
            tokio::time::timeout(Duration::from_secs(2), known).await.ok().and_then(Result::ok).unwrap_or(world);
        match verb {
            PlanVerb::List { output, .. } => list(&world, output),
            PlanVerb::Resume { id, yes, over_limit, dry_run, reason, output, .. } => {
                let run = find(&world, &id)?.clone();
                let left = run.rest();
                let forward = left.iter().filter(|stage| row(stage.action).danger == Danger::Forward);
                let ids: Vec<TargetId> = forward.map(|stage| stage.target.clone()).collect();
                let world = if ids.is_empty() { world } else { session.judged(world, ids, timeout).await };
                // A way back is taken whatever the rates are; its later steps rest on those before.
                let back = run.plan.stages.iter().any(|stage| stage.only_on.is_some());
                let yes = said_yes(yes, over_limit || back);
                if dry_run.is_some() {
                    return rehearse_first(session, &world, run.plan.title.clone(), &left, output).await;
                }
                announce(&world, &left);
                let word = run.plan.id.get(..8).unwrap_or(&run.plan.id);
                let plan = Plan {
                    id: run.plan.id.clone(),
                    title: run.plan.title.clone(),
                    stages: left,
                    on_failure: run.plan.on_failure,
                    actor: session.handle.actor("verb"),
                    reason: reason.as_deref().map(Clean::new).or_else(|| run.plan.reason.clone()),
                    confirmed: confirmed(yes, Some(word))?,
                };
                carry(session, plan, output).await
            }
        }
    })
    .await
}

/// Each step of these plans rests on the one before: only the first can be rehearsed.
async fn rehearse_first(
    session: &Session,
    world: &World,
    title: String,
    stages: &[Stage],
    format: Format,
) -> Result<ExitCode, Error> {
    let (first, rest) = stages.split_first().map_or((None, stages), |(first, rest)| (Some(first), rest));
    let intents = first.map(|stage| rehearse::intent(session, world, stage)).transpose()?;
    rehearse::run(session, title, intents.into_iter().collect(), rest, format).await
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Arc<PlanRun>, Error> {
    world.open_plans.iter().find(|run| run.plan.id.starts_with(id)).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("no unfinished plan {id}")).hint("`flightdeck plan list` shows them")
    })
}

fn list(world: &World, format: Format) -> Result<ExitCode, Error> {
    if format == Format::Json {
        output::json(&dto_plan::plans(world.open_plans.iter().map(AsRef::as_ref)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if world.open_plans.is_empty() {
        output::line("no plan was left unfinished")?;
    }
    for run in &world.open_plans {
        output::line(&format!("{}  {}  {}", run.plan.id.get(..8).unwrap_or_default(), run.began, run.plan.title))?;
        for (stage, state) in run.plan.stages.iter().zip(&run.stages) {
            output::line(&format!("    {:<10} {}", word(state), stage.title))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How far a step is, in one word.
pub(super) fn word(state: &StageState) -> &'static str {
    match state {
        StageState::Waiting => "waiting",
        StageState::Running { .. } => "under way",
        StageState::Ended { outcome, .. } => outcome.word(),
        StageState::LeftOut { .. } => "left out",
    }
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// What `--yes` says, or what was typed at the terminal; the policy refuses each step of a plan that was not confirmed.
fn confirmed(yes: Confirmed, typed: Option<&str>) -> Result<Confirmed, Error> {
    if yes != Confirmed::No {
        return Ok(yes);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(Confirmed::No);
    }
    let ask = typed.unwrap_or("y");
    let mut err = std::io::stderr();
    let broken = |e: std::io::Error| Error::new(Kind::Failure, format!("terminal: {e}"));
    write!(err, "type {ask} to go on: ").and_then(|()| err.flush()).map_err(broken)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(broken)?;
    Ok(match (line.trim() == ask, typed) {
        (false, _) => Confirmed::No,
        (true, Some(_)) => Confirmed::Typed,
        (true, None) => Confirmed::Pressed,
    })
}

async fn carry(session: &Session, plan: Plan, format: Format) -> Result<ExitCode, Error> {
    let stopped = |e: crate::runtime::handle::Stopped| Error::new(Kind::Failure, e.to_string());
    if plan.confirmed == Confirmed::No {
        return Err(Error::new(Kind::Refused, format!("{}: not confirmed; nothing was sent", plan.title))
            .hint("confirm it at the terminal, or give --yes"));
    }
    let id = session.handle.plan(plan).await.map_err(stopped)?;
    let ended = session.handle.wait_plan(&id);
    tokio::pin!(ended);
    let mut handle = session.handle.clone();
    let mut said = Vec::new();
    let run = loop {
        tokio::select! {
            run = &mut ended => break run.map_err(stopped)?,
            changed = handle.changed() => if let (Ok(world), Format::Human) = (changed, format)
                && let Some(run) = world.plan(&id)
            {
                progress(run, &mut said);
            }
        }
    };
    if format == Format::Human {
        progress(&run, &mut said);
    } else {
        output::json(&dto_plan::plan(&run))?;
    }
    verdict(&run, format)
}

/// Prints each step once when it ends.
fn progress(run: &PlanRun, said: &mut Vec<usize>) {
    for (n, (stage, state)) in run.plan.stages.iter().zip(&run.stages).enumerate() {
        let detail = match state {
            StageState::Ended { outcome, .. } => outcome.detail(),
            StageState::LeftOut { why } => why,
            StageState::Waiting | StageState::Running { .. } => continue,
        };
        if !said.contains(&n) {
            said.push(n);
            output::note(&format!(
                "  {}  {} {}: {}: {detail}",
                n + 1,
                row(stage.action).verb,
                stage.target,
                word(state)
            ));
        }
    }
}

/// The exit code is that of the first step that did not end well.
fn verdict(run: &PlanRun, format: Format) -> Result<ExitCode, Error> {
    let failed = run.stages.iter().find_map(|state| match state {
        StageState::Ended { outcome, .. } if !matches!(outcome, Outcome::Done { .. }) => Some(outcome),
        _ => None,
    });
    let (kind, detail) = match (failed, &run.ended) {
        (None, Some((_, true))) => {
            if format == Format::Human {
                output::line(&format!("{}: done", run.plan.title))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        (Some(outcome), _) => (super::act::kind(outcome), format!("{}: {}", outcome.word(), outcome.detail())),
        (None, _) => {
            let why = run.stages.iter().find_map(|s| match s {
                StageState::LeftOut { why } => Some(why.clone()),
                _ => None,
            });
            (Kind::Refused, why.unwrap_or_else(|| "nothing was done".to_owned()))
        }
    };
    if format == Format::Json {
        return Ok(ExitCode::from(kind.code()));
    }
    let hint = match failed {
        Some(Outcome::Refused { hint, .. }) => hint.as_str(),
        _ => "`flightdeck get` shows where it stands",
    };
    Err(Error::new(kind, format!("{}: {detail}", run.plan.title)).hint(hint))
}
