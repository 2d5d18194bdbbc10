//! `watch`: a line whenever something changes, for people and for programs.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imbl::ordmap::DiffItem;
use jiff::Timestamp;

use super::args::{Format, Global, WatchArgs};
use super::setup::{Ground, Session, incomplete};
use super::targets::names;
use super::{dto, dto_watch, lost, output, rates, show};
use crate::domain::ids::TargetId;
use crate::domain::link::{Link, LinkId};
use crate::domain::text::Clean;
use crate::error::Error;
use crate::model::{Target, World, query};
use crate::runtime::control::Deadlines;

pub(super) async fn watch(global: &Global, args: &WatchArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let watching = follow(&session, args);
    let done = match args.timeout {
        Some(limit) => tokio::time::timeout(limit, watching).await.unwrap_or(Ok(())),
        None => watching.await,
    };
    let world = session.handle.world();
    session.end().await;
    done?;
    if output::gone() {
        // Whoever went away has seen what was wanted.
        return Ok(ExitCode::SUCCESS);
    }
    incomplete(&world).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// How often targets are looked at that did not change themselves: an error rate becomes old by time alone.
const SWEEP: Duration = Duration::from_secs(1);

/// What was printed, so that only changes are.
#[derive(Default)]
struct Printed {
    /// The targets as of the last look: one that is the very same need not be written out to be compared.
    taken: imbl::OrdMap<TargetId, Arc<Target>>,
    swept: Option<Instant>,
    /// Whether it was looked once for namespaces without rollouts.
    looked: bool,
    notes: imbl::Vector<Clean>,
    targets: BTreeMap<TargetId, String>,
    links: BTreeMap<LinkId, &'static str>,
}

/// The next beat; never, when none is wanted.
async fn beat(every: Option<Duration>) {
    match every {
        Some(every) => tokio::time::sleep(every).await,
        None => std::future::pending().await,
    }
}

async fn follow(session: &Session, args: &WatchArgs) -> Result<(), Error> {
    let mut handle = session.handle.clone();
    let mut printed = Printed::default();
    let mut due = Box::pin(beat(args.heartbeat));
    loop {
        let world = handle.world();
        printed.configuration(&world);
        if !printed.looked && query::complete(&world) {
            printed.looked = true;
            let lost = lost::empty(&world, &session.named);
            for name in lost {
                output::note(&format!("warning: no rollouts in {name}"));
            }
        }
        let other_links = printed.links(&world, args.output)?;
        for (id, target) in printed.changed(&world, other_links) {
            if wanted(&target, args) {
                printed.target(&world, &id, &target, args.output)?;
            }
        }
        printed.gone(&world, args.output)?;
        if output::gone() {
            return Ok(());
        }
        tokio::select! {
            changed = handle.changed() => if changed.is_err() {
                return Ok(());
            },
            () = &mut due => {
                heart(&handle.world(), args.output)?;
                due = Box::pin(beat(args.heartbeat));
            }
        }
    }
}

fn wanted(target: &Target, args: &WatchArgs) -> bool {
    let named = args.targets.is_empty() || args.targets.iter().any(|wanted| names(target, wanted));
    named && args.selector.as_ref().is_none_or(|selector| selector.fits(&target.rollout.labels))
}

fn listing(world: &World) -> impl Iterator<Item = &Link> {
    world.links.values().filter(|link| query::lists(&link.id))
}

fn heart(world: &World, format: Format) -> Result<(), Error> {
    let now = Timestamp::now();
    let live = listing(world).all(|link| link.state.is_live());
    match format {
        Format::Json => output::json_line(&dto_watch::heartbeat(now, live, world.targets.len())),
        Format::Human => {
            let word = if live { "all links live" } else { "NOT all links live" };
            output::line(&format!("{}  heartbeat: {word}", show::second(now)))
        }
    }
}

impl Printed {
    /// What is wrong with a configuration that was changed meanwhile, and when it is mended.
    fn configuration(&mut self, world: &World) {
        if world.configuration != self.notes {
            world.configuration.iter().for_each(|note| output::note(&note.to_string()));
            if world.configuration.is_empty() {
                output::note("configuration: sound again, and in force");
            }
            self.notes.clone_from(&world.configuration);
        }
    }

    /// The targets that may be told differently than before: all of them now and then, and when a link is another.
    fn changed(&mut self, world: &World, other_links: bool) -> Vec<(TargetId, Arc<Target>)> {
        let before = std::mem::replace(&mut self.taken, world.targets.clone());
        if other_links || self.swept.is_none_or(|last| last.elapsed() >= SWEEP) {
            self.swept = Some(Instant::now());
            return world.targets.iter().map(|(id, target)| (id.clone(), target.clone())).collect();
        }
        let changed = before.diff(&world.targets).filter_map(|item| match item {
            DiffItem::Add(id, target) | DiffItem::Update { new: (id, target), .. } => {
                Some((id.clone(), target.clone()))
            }
            DiffItem::Remove(..) => None,
        });
        changed.collect()
    }

    /// Prints links whose state is another one; whether there are any.
    fn links(&mut self, world: &World, format: Format) -> Result<bool, Error> {
        let mut changed = false;
        for link in listing(world) {
            if self.links.insert(link.id.clone(), link.state.word()) == Some(link.state.word()) {
                continue;
            }
            changed = true;
            if format == Format::Json {
                output::json_line(&dto_watch::link(link))?;
            }
        }
        if changed && format == Format::Human {
            let said: Vec<String> = listing(world).map(|l| format!("{} {}", l.id, l.state.word())).collect();
            output::note(&format!("links: {}", said.join(", ")));
        }
        Ok(changed)
    }

    fn target(&mut self, world: &World, id: &TargetId, target: &Target, format: Format) -> Result<(), Error> {
        let (key, line) = match format {
            Format::Human => {
                let line = format!(
                    "{id}  {}  {}  {}",
                    show::step(target, Timestamp::now()),
                    show::weight(world, target),
                    show::phase(world, target)
                );
                let key = format!("{line}  {}", rates::key(world, target));
                let line = format!("{line}  errors {}", rates::cell(world, target, Timestamp::now()));
                (key, format!("{}  {line}", show::second(Timestamp::now())))
            }
            Format::Json => {
                let mut document = serde_json::to_value(dto::target(world, target)).unwrap_or_default();
                let line = document.to_string();
                // Each new number is not a change; another word is.
                document["errors"] = rates::key(world, target).into();
                (document.to_string(), line)
            }
        };
        if self.targets.get(id) == Some(&key) {
            return Ok(());
        }
        self.targets.insert(id.clone(), key);
        match format {
            Format::Human => output::line(&line),
            Format::Json => output::json_text(&line),
        }
    }

    fn gone(&mut self, world: &World, format: Format) -> Result<(), Error> {
        let gone: Vec<TargetId> = self.targets.keys().filter(|id| !world.targets.contains_key(*id)).cloned().collect();
        for id in gone {
            self.targets.remove(&id);
            match format {
                Format::Human => output::line(&format!("{id}  gone"))?,
                Format::Json => output::json_line(&dto_watch::gone(&id))?,
            }
        }
        Ok(())
    }
}
