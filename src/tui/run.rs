//! The loop: waits for a key, a snapshot, an answer, a signal or the next visible change of an age, and draws once
//! for all that was there.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::alarm::{Alarm, Eyes};
use super::confirm::Ground;
use super::keys::Place;
use super::records::{Verbs, record, verified};
use super::state::{Answer, Effect, Look as Looked, RecordLine, State};
use super::terminal::{Modes, Terminal};
use super::{Look, Skin, view};
use crate::config::Face;
use crate::domain::ids::TargetId;
use crate::domain::link::Link;
use crate::model::World;
use crate::model::query::quiet;
use crate::runtime::handle::{Handle, LogLine, LogsOf, ReadQuery, RevisionName, StoredRecord};
use crate::runtime::settings::Settings;

/// The most records asked for about one target.
const RECORDS: usize = 100;

/// The most lines of a log taken in for one frame, and the least time between two such frames.
const LOG_BATCH: usize = 2048;
const LOG_PACE: Duration = Duration::from_millis(50);

type Plans = imbl::Vector<Arc<crate::domain::plan::PlanRun>>;

type Answers = FuturesUnordered<BoxFuture<'static, Option<Answer>>>;

/// Runs the cockpit until the person leaves it, or the system wants the program to end.
pub async fn run(mut handle: Handle, look: Look, face: Face, verbs: Verbs) -> io::Result<()> {
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
    let state = State::configured(&face).map_err(bad)?;
    let mut ends = Ends::listen()?;
    let skin = Skin::of(look, &face)?;
    let mut terminal = Terminal::enter(modes(&face))?;
    let mut cockpit = Cockpit::new(&handle, state, skin, face);
    let mut events = EventStream::new();
    let mut typed = Typed::default();
    let mut answers = Answers::new();
    let mut log = LogFeed::default();
    let _ = cockpit.snapshot();
    let (mut wake, mut draw) = (None, true);
    loop {
        if std::mem::replace(&mut draw, true) {
            let now = Timestamp::now();
            cockpit.state.tick(Instant::now());
            let mut ages = None;
            terminal.draw(|buffer| ages = cockpit.paint(buffer, now))?;
            let drawn = Instant::now();
            cockpit.state.drawn(drawn);
            handle.visible(cockpit.state.on_screen());
            wake = [ages.map(|at| drawn + until(now, at)), cockpit.state.wakes(drawn)].into_iter().flatten().min();
        }
        let woken = if typed.0.is_empty() {
            Woken::wait(&mut events, &mut handle, &mut answers, &mut log, &mut ends, wake).await
        } else {
            Woken::Typed
        };
        let effects = match woken {
            Woken::Time => {
                // What is over may have moved a row.
                let _ = cockpit.snapshot();
                cockpit.alarm(&mut terminal)?;
                Vec::new()
            }
            Woken::End => return Ok(()),
            Woken::World(world) => {
                let before = std::mem::replace(&mut cockpit.world, world);
                let other = cockpit.reconfigure();
                if other {
                    terminal.change(modes(&cockpit.face))?;
                }
                draw = cockpit.snapshot() || other || frame_differs(&before, &cockpit.world);
                cockpit.alarm(&mut terminal)?;
                Vec::new()
            }
            Woken::Log(Some(lines)) => {
                cockpit.state.log_lines(lines);
                Vec::new()
            }
            Woken::Log(None) => {
                log.end();
                cockpit.state.log_ended();
                Vec::new()
            }
            Woken::Answer(answer) => {
                cockpit.answer(answer);
                Vec::new()
            }
            Woken::Event(event) => {
                if !typed.gather(event?, &mut events).await? {
                    return Ok(());
                }
                cockpit.events(&mut terminal, &mut typed)?
            }
            Woken::Typed => cockpit.events(&mut terminal, &mut typed)?,
        };
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Suspend => terminal.suspend()?,
                Effect::Copy(text) => terminal.copy(&text)?,
                Effect::Focus(target) => handle.focus(target),
                // In the queue before the next key is looked at: leaving right after Enter must not lose the act.
                Effect::Act(intent) => {
                    if let Err(stopped) = handle.act(*intent).await {
                        cockpit.answer(Answer::Lost(format!("not handed over: {stopped}")));
                    }
                }
                Effect::Plan(plan) => {
                    if let Err(stopped) = handle.plan(*plan).await {
                        cockpit.answer(Answer::Lost(format!("not handed over: {stopped}")));
                    }
                }
                Effect::Logs(of) => log = LogFeed::open(&handle, of.map(|of| *of)),
                question => answers.push(ask(&handle, &verbs, question)),
            }
        }
    }
}

/// What the terminal sent and nobody looked at yet, and whether it came all at once with other keys.
#[derive(Default)]
struct Typed(VecDeque<(Event, bool)>);

impl Typed {
    /// The most that is taken in before something is drawn.
    const MOST: usize = 4096;

    /// Takes in what has come by now; returns whether there may be more.
    async fn gather(&mut self, first: Event, events: &mut EventStream) -> io::Result<bool> {
        let mut come = vec![first];
        while come.len() < Self::MOST {
            // Polled with this task's own waker: the stream keeps the first one it is given.
            let more = tokio::select! {
                biased;
                event = events.next() => event,
                () = std::future::ready(()) => break,
            };
            match more {
                Some(event) => come.push(event?),
                None => return Ok(false),
            }
        }
        let pressed = |event: &Event| matches!(event, Event::Key(key) if key.kind != KeyEventKind::Release);
        let crowded = come.iter().filter(|event| pressed(event)).count() > 1;
        self.0.extend(come.into_iter().map(|event| (event, crowded)));
        Ok(true)
    }
}

/// What of the terminal is used.
fn modes(face: &Face) -> Modes {
    Modes::of(face.ui.mouse, face.ui.title, std::env::var("TERM").ok().as_deref())
}

/// Whether anything but the targets looks different: most snapshots bring changes of targets that are not on the screen.
fn frame_differs(before: &World, now: &World) -> bool {
    // What was heard when is shown only of a link that is not live, and of a context that is quiet for long.
    let at = Timestamp::now();
    let same_link = |(a, b): (&Link, &Link)| {
        a.id == b.id
            && a.state == b.state
            && a.listed == b.listed
            && a.notice == b.notice
            && (b.state.is_live() || a.heard == b.heard)
    };
    let links = before.links.len() == now.links.len() && before.links.values().zip(now.links.values()).all(same_link);
    let acts = before.acts.len() == now.acts.len() && before.acts.iter().zip(&now.acts).all(|(a, b)| Arc::ptr_eq(a, b));
    let same_plans = |a: &Plans, b: &Plans| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b));
    let plans = same_plans(&before.plans, &now.plans) && same_plans(&before.open_plans, &now.open_plans);
    let server =
        before.clocks == now.clocks && before.permissions == now.permissions && before.unanswered == now.unanswered;
    !(links
        && quiet(before, at).0 == quiet(now, at).0
        && acts
        && plans
        && server
        && before.warnings == now.warnings
        && before.audit == now.audit
        && before.configuration == now.configuration)
}

/// How long until `then`, a little longer rather than shorter.
fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default() + Duration::from_millis(2)
}

enum Woken {
    Event(io::Result<Event>),
    /// Not all that was typed is looked at yet.
    Typed,
    World(Arc<World>),
    Answer(Answer),
    /// Lines of the log that is open; `None` = there are no more.
    Log(Option<Vec<LogLine>>),
    Time,
    End,
}

impl Woken {
    async fn wait(
        events: &mut EventStream,
        handle: &mut Handle,
        answers: &mut Answers,
        log: &mut LogFeed,
        ends: &mut Ends,
        wake: Option<Instant>,
    ) -> Self {
        let time = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ends.any() => Self::End,
            event = events.next() => event.map_or(Self::End, Self::Event),
            Some(answer) = answers.next() => answer.map_or(Self::Time, Self::Answer),
            lines = log.next() => Self::Log(lines),
            world = handle.changed() => world.map_or(Self::End, Self::World),
            () = time => Self::Time,
        }
    }
}

/// The signals that end the program; the keyboard's own arrive as keys, these come from outside.
struct Ends {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Ends {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

/// The log that is open.
#[derive(Default)]
struct LogFeed {
    lines: Option<mpsc::Receiver<LogLine>>,
    /// When it is looked at again: a program that says much is not drawn line by line.
    from: Option<tokio::time::Instant>,
}

impl LogFeed {
    fn open(handle: &Handle, of: Option<LogsOf>) -> Self {
        Self { lines: of.map(|of| handle.logs(of)), from: None }
    }

    fn end(&mut self) {
        self.lines = None;
    }

    /// What has come. Nothing is lost when this is given up while it waits.
    async fn next(&mut self) -> Option<Vec<LogLine>> {
        let Some(lines) = &mut self.lines else { return std::future::pending().await };
        if let Some(from) = self.from {
            tokio::time::sleep_until(from).await;
        }
        let mut all = Vec::new();
        let come = lines.recv_many(&mut all, LOG_BATCH).await;
        self.from = Some(tokio::time::Instant::now() + LOG_PACE);
        (come > 0).then_some(all)
    }
}

struct Cockpit {
    world: Arc<World>,
    state: State,
    handle: Handle,
    skin: Skin,
    face: Face,
    /// The settings that they are from.
    settings: Arc<Settings>,
    alarm: Alarm,
    /// Whether the window has the focus; `None` = the terminal did not say.
    focused: Option<bool>,
}

impl Cockpit {
    fn new(handle: &Handle, state: State, skin: Skin, face: Face) -> Self {
        Self {
            world: handle.world(),
            state,
            handle: handle.clone(),
            skin,
            face,
            settings: handle.settings(),
            alarm: Alarm::default(),
            focused: None,
        }
    }

    /// Rings and names the window, as far as that is wanted.
    fn alarm(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        let now = Timestamp::now();
        let target = self.state.selected.as_ref().filter(|_| self.state.place == Place::Target);
        let eyes = Eyes { focused: self.focused, board: self.state.place == Place::Board, target };
        let heard = self.alarm.take(&self.world, eyes, now);
        if heard.ring && self.face.ui.bell {
            terminal.bell()?;
        }
        if heard.title && self.face.ui.title {
            terminal.title(&self.alarm.title(&self.world, self.skin.look.ascii, now))?;
        }
        Ok(())
    }

    /// What was typed, as far as it leads to nothing that has to be done first: that is handled before the next frame.
    fn events(&mut self, terminal: &mut Terminal, typed: &mut Typed) -> io::Result<Vec<Effect>> {
        while let Some((event, crowded)) = typed.0.pop_front() {
            self.state.crowd(crowded);
            let effects = self.event(terminal, &event)?;
            if !effects.is_empty() {
                return Ok(effects);
            }
        }
        Ok(Vec::new())
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut State, &World, &Ground<'_>) -> T) -> T {
        let actor = || self.handle.actor("tui");
        let mandate = self.handle.mandate();
        let ground = Ground { mandate: &mandate, actor: &actor, now: Timestamp::now() };
        work(&mut self.state, &self.world, &ground)
    }

    /// Takes the settings as they are now; true when they are others.
    fn reconfigure(&mut self) -> bool {
        let settings = self.handle.settings();
        if Arc::ptr_eq(&settings, &self.settings) {
            return false;
        }
        let face = settings.face.clone();
        let base = self.skin.look;
        let look = Look { color: !face.ui.no_color, ascii: face.ui.ascii || base.only_ascii, ..base };
        match Skin::of(look, &face) {
            Ok(new) => self.skin = Skin { hint: self.skin.hint, ..new },
            Err(why) => tracing::warn!(%why, "the looks stay as they were"),
        }
        if let Err(why) = self.state.configure(&face) {
            tracing::warn!(why, "keys and columns stay as they were");
        }
        self.face = face;
        self.settings = settings;
        true
    }

    fn snapshot(&mut self) -> bool {
        self.with(State::take)
    }

    fn answer(&mut self, answer: Answer) {
        self.with(|state, world, ground| state.answer(answer, world, ground));
    }

    fn event(&mut self, terminal: &mut Terminal, event: &Event) -> io::Result<Vec<Effect>> {
        if matches!(event, Event::Resize(..)) {
            terminal.resize()?;
        }
        match event {
            Event::FocusGained => self.focused = Some(true),
            Event::FocusLost => self.focused = Some(false),
            Event::Key(_) => self.skin.hint = false,
            _ => {}
        }
        let at = Instant::now();
        Ok(self.with(|state, world, ground| state.event(event, at, world, ground)))
    }

    fn paint(&mut self, buffer: &mut ratatui::buffer::Buffer, now: Timestamp) -> Option<Timestamp> {
        view::paint(buffer, &self.world, &mut self.state, &self.skin, &self.handle.mandate(), now)
    }
}

/// Asks the runtime; the answer comes back through the loop.
fn ask(handle: &Handle, verbs: &Verbs, effect: Effect) -> BoxFuture<'static, Option<Answer>> {
    match effect {
        Effect::Read(target) => {
            let read = handle.read(target.clone());
            async move { Some(Answer::Read(target, read.await)) }.boxed()
        }
        Effect::Audit(limit, None) => {
            let read = handle.audit(ReadQuery { limit: Some(limit), ..ReadQuery::default() });
            async move { Some(Answer::Audit(None, read.await.map(|all| all.iter().map(record).collect()))) }.boxed()
        }
        Effect::Audit(limit, Some(target)) => {
            let read = records(handle, target.clone(), limit);
            async move { Some(Answer::Audit(Some(target), read.await)) }.boxed()
        }
        Effect::Records(target) => {
            let read = records(handle, target.clone(), RECORDS);
            async move { Some(Answer::Records(target, read.await)) }.boxed()
        }
        Effect::Yaml(of) => {
            let read = handle.yaml((*of).clone());
            async move { Some(Answer::Look(Looked::Yaml(*of, read.await))) }.boxed()
        }
        Effect::Diff(target, from) => {
            let read = handle.diff(target.clone(), RevisionName::Hash(from.clone()), None);
            async move { Some(Answer::Look(Looked::Diff(target, from, read.await))) }.boxed()
        }
        Effect::Revisions(target) => {
            let read = handle.revisions(target.clone());
            async move { Some(Answer::Look(Looked::Revisions(target, read.await))) }.boxed()
        }
        Effect::Verify => {
            let (verify, verbs) = (handle.verify(), verbs.clone());
            async move { Some(Answer::Verify(verify.await.map(|report| verified(&report, Timestamp::now(), &verbs)))) }
                .boxed()
        }
        Effect::Act(_)
        | Effect::Plan(_)
        | Effect::Logs(_)
        | Effect::Focus(_)
        | Effect::Copy(_)
        | Effect::Suspend
        | Effect::Quit => std::future::ready(None).boxed(),
    }
}

/// The newest records about a target: of its name, and of its cluster.
fn records(handle: &Handle, target: TargetId, limit: usize) -> BoxFuture<'static, Result<Vec<RecordLine>, String>> {
    let query = ReadQuery { limit: Some(limit), target: Some(target.to_string()), ..ReadQuery::default() };
    let read = handle.audit(query);
    async move {
        let here = |stored: &&StoredRecord| {
            stored.record.said.target.as_ref().is_some_and(|t| t.cluster == target.cluster.0.as_str())
        };
        Ok(read.await?.iter().filter(here).map(record).collect())
    }
    .boxed()
}
