//! Every act in every state: what the server answers to each request, how the act ends, and where the rollout stands
//! then. One line per pair.

mod acting;
mod bring;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flightdeck::actions::{Action, TABLE};
use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::rollout::Observed;
use flightdeck::runtime::control::Deadlines;
use futures::FutureExt;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::states::{self, BAD, Do, State};
use super::tap::Tap;
use super::{Side, Transcript};
use crate::engine::Engine;

/// Pairs in which the demo world differs from the real cluster on purpose, by the beginning of their lines, and why.
pub const EXCEPTIONS: &[(&str, &str)] = &[(
    "canary: pods not ready: set-image",
    "the real controller compares the new version's pods with the number that there is room for now, not with the one \
     that the step asks for: while the version that is given up still takes the room, that is none, and the step passes \
     without a pod (CalculateReplicaCountsForBasicCanary); the demo world waits for the pods",
)];

/// A node that is not there: pods on it never get ready.
const NOWHERE: &str = "no-such-node";

/// How a side is played.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Rollouts at the same time.
    pub together: usize,
    /// How often it is looked at.
    pub look: Duration,
    /// For the effect of an act while the controller stands still; otherwise three times that.
    pub effect: Duration,
    /// What stands as it was expected to for so long is at rest.
    pub expected: Duration,
    /// What stands in a way that nothing is known of for so long is at rest; in another way than expected, four times that.
    pub other: Duration,
    /// For anything.
    pub patience: Duration,
}

/// The demo world's: it answers at once.
pub const DEMO: Pace = Pace {
    together: 16,
    look: Duration::from_millis(80),
    effect: Duration::from_secs(5),
    expected: Duration::from_millis(400),
    other: Duration::from_secs(2),
    patience: Duration::from_mins(1),
};

struct Matrix<'a> {
    side: &'a Side,
    engine: Engine,
    tap: Tap,
    pace: Pace,
    room: &'a Semaphore,
    count: AtomicUsize,
    /// The AnalysisRuns of the namespace, as they were listed last.
    runs: Arc<Mutex<Vec<Value>>>,
    /// Lines that are expected, by their beginning.
    expected: BTreeMap<String, String>,
}

/// The beginning of a line, by which it is found: `kind: state: act`.
fn key(line: &str) -> String {
    line.split(" => ").next().unwrap_or_default().to_owned()
}

/// How many namespaces, each with an engine of its own, share the work.
const LANES: usize = 6;

/// Plays all pairs. `expected` is what was kept: a side that does the same is through sooner.
pub async fn play(side: &Side, pace: Pace, expected: &[String], only: &str) -> Transcript {
    let states: Vec<State> =
        states::all().into_iter().filter(|s| format!("{}: {}: ", s.kind, s.title).contains(only)).collect();
    let (stopped, running): (Vec<State>, Vec<State>) = states.into_iter().partition(|state| state.stopped);
    let sides = join_all((0..LANES).map(|lane| beside(side, lane))).await;
    let room = Semaphore::new(pace.together);
    let lanes = sides.iter().enumerate().map(|(lane, side)| {
        let states = running.iter().skip(lane).step_by(LANES).copied().collect();
        Matrix::play(side, pace, &room, expected, states)
    });
    let mut lines: Vec<Transcript> = join_all(lanes).await.concat();
    let mut of_state = |wanted: &State| {
        let begins = format!("{}: {}", wanted.kind, wanted.title);
        let at = lines.iter().position(|all| all.first().is_some_and(|line| key(line) == begins));
        at.map(|at| lines.swap_remove(at)).unwrap_or_default()
    };
    let mut all: Vec<Transcript> = running.iter().map(&mut of_state).collect();
    all.push(Matrix::play(side, pace, &room, expected, stopped).await.concat());
    for lane in sides {
        let path = format!("/api/v1/namespaces/{}", lane.namespace);
        side.send("DELETE", &path, "application/json", "").await;
    }
    all.concat()
}

/// A namespace beside the side's own.
async fn beside(side: &Side, lane: usize) -> Side {
    let namespace = format!("{}-{lane}", side.namespace);
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string();
    let (code, said) = side.send("POST", "/api/v1/namespaces", "application/json", &object).await;
    assert_eq!(code, 201, "{said:#}");
    Side {
        client: side.client.clone(),
        kubeconfig: side.kubeconfig.clone(),
        namespace,
        node: side.node.clone(),
        // Only what needs a stopped controller needs the one that may be stopped.
        instance: None,
        prometheus: side.prometheus.clone(),
        controller: Box::new(|_| Box::pin(async {})),
    }
}

/// Fails with every pair that only one side has, or that ends in another way.
pub fn compare(played: &Transcript, kept: &Transcript, exceptions: &[(&str, &str)]) {
    let by_key = |lines: &Transcript| -> BTreeMap<String, String> {
        lines.iter().map(|line| (key(line), line.clone())).collect()
    };
    let (played, kept) = (by_key(played), by_key(kept));
    let mut wrong = Vec::new();
    let keys: std::collections::BTreeSet<&String> = played.keys().chain(kept.keys()).collect();
    for key in keys {
        let excepted = exceptions.iter().any(|(pair, _)| pair == key);
        match (played.get(key), kept.get(key)) {
            (Some(now), Some(was)) if (now == was) != excepted => {}
            (Some(_), Some(_)) if excepted => wrong.push(format!("{key}\n    is no exception any more")),
            (now, was) => {
                let rest = |line: Option<&String>| line.map_or("(nothing)", |line| &line[key.len()..]).to_owned();
                wrong.push(format!("{key}\n    kept {}\n    now  {}", rest(was), rest(now)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} pairs differ:\n{}", wrong.len(), kept.len(), wrong.join("\n"));
}

impl<'a> Matrix<'a> {
    /// The lines of each of `states`.
    async fn play(
        side: &'a Side,
        pace: Pace,
        room: &'a Semaphore,
        expected: &[String],
        states: Vec<State>,
    ) -> Vec<Transcript> {
        // Most acts have an effect, and it may be a while in coming on a machine that has much to do. Where the controller
        // stands still none comes, and all would wait.
        let alone = states.iter().any(|state| state.stopped);
        let effect = if alone { pace.effect } else { pace.effect * 3 };
        let deadlines = Deadlines { effect: Some(effect), ..Deadlines::default() };
        let tap = Tap::start(side.client.clone()).await;
        let matrix = Matrix {
            side,
            engine: Engine::start_free(&tap.kubeconfig(), &side.namespace, deadlines).await,
            tap,
            pace,
            room,
            count: AtomicUsize::new(0),
            runs: Arc::default(),
            expected: expected.iter().map(|line| (key(line), line.clone())).collect(),
        };
        matrix.templates().await;
        let matrix_ref = &matrix;
        let running = states.iter().filter(|s| !s.stopped).map(|s| async move {
            let begins = format!("{}: {}", s.kind, s.title);
            let lines = whole(&begins, matrix_ref.state(*s)).await.unwrap_or_else(|failed| vec![failed]);
            note(&lines);
            lines
        });
        let stopped: Vec<State> = states.iter().filter(|s| s.stopped).copied().collect();
        let all = async {
            let mut lines = join_all(running).await;
            if !stopped.is_empty() {
                let stopped = whole("controller stopped", matrix_ref.stopped(stopped)).await;
                lines.push(stopped.unwrap_or_else(|failed| vec![failed]));
                note(lines.last().map_or(&[], Vec::as_slice));
            }
            lines
        };
        let lines = tokio::select! {
            lines = all => lines,
            () = matrix_ref.watch_runs() => unreachable!("it looks for ever"),
        };
        matrix.engine.end().await;
        lines
    }

    fn apps(&self, plural: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/{plural}", self.side.namespace)
    }

    fn argo(&self, plural: &str) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/{plural}", self.side.namespace)
    }

    async fn create(&self, path: &str, object: &Value) {
        let (code, said) = self.side.send("POST", path, "application/json", &object.to_string()).await;
        assert_eq!(code, 201, "{said:#}");
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.side.send("GET", path, "application/json", "").await.1;
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// `long` measures once and goes on for ever; `unclear` ends inconclusive.
    async fn templates(&self) {
        let address = self.side.prometheus.clone().unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let provider = json!({"prometheus": {"address": address, "query": "vector(0.01)"}});
        let long = json!({"name": "m", "interval": "1h", "count": 10, "successCondition": "result[0] < 0.05"});
        let unclear = json!({"name": "m", "count": 1, "successCondition": "result[0] < 0.0001",
            "failureCondition": "result[0] > 0.5"});
        for (name, mut metric) in [("long", long), ("unclear", unclear)] {
            metric["provider"] = provider.clone();
            let template = json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate",
                "metadata": {"name": name, "labels": self.side.labels()},
                "spec": {"metrics": [metric]},
            });
            self.create(&self.argo("analysistemplates"), &template).await;
        }
    }

    async fn watch_runs(&self) {
        loop {
            let runs = self.list(&self.argo("analysisruns")).await;
            *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = runs;
            tokio::time::sleep(self.pace.look * 2).await;
        }
    }

    fn template(&self, app: &str, version: &str) -> Value {
        let mut pod = json!({
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "app", "image": format!("example/app:{version}")}],
        });
        if let Some(node) = &self.side.node {
            pod["nodeName"] = if version == BAD { NOWHERE } else { node.as_str() }.into();
        }
        json!({"metadata": {"labels": {"app": app}}, "spec": pod})
    }

    /// All acts in one state.
    async fn state(&self, state: State) -> Transcript {
        let begins = format!("{}: {}", state.kind, state.title);
        let mut lines = Transcript::new();
        let mut rest = Vec::new();
        {
            let _room = self.room.acquire().await.expect("open");
            let name = self.bring(state).await;
            let (line, target) = self.rest(&name, &format!("{begins} => ")).await;
            lines.push(line);
            let target = target.unwrap_or_else(|| panic!("{begins}: {name} is not seen"));
            let mut last = None;
            for act in acts() {
                if Self::moves(&target, act, state) {
                    rest.extend(last.replace(act));
                }
            }
            for act in acts().filter(|act| !Self::moves(&target, *act, state)) {
                lines.push(self.still(&begins, &name, act, state).await);
            }
            if let Some(act) = last {
                lines.push(self.pair(&begins, &name, act, state).await);
            }
            self.let_go(&name, state).await;
        }
        let begins = &begins;
        let others = rest.into_iter().map(|act| async move {
            let played = async {
                let _room = self.room.acquire().await.expect("open");
                let name = self.bring(state).await;
                self.rest(&name, &format!("{begins} => ")).await;
                self.pair(begins, &name, act, state).await
            };
            whole(&format!("{begins}: {}", act.verb()), played).await.unwrap_or_else(|failed| failed)
        });
        lines.extend(join_all(others).await);
        order(&mut lines);
        lines
    }

    /// The states in which the controller stands still: all at once, since there is one controller.
    async fn stopped(&self, states: Vec<State>) -> Transcript {
        const EACH: usize = 4;
        let brought = states.iter().flat_map(|state| [*state; EACH]).map(|state| async move {
            let _room = self.room.acquire().await.expect("open");
            let name = self.bring(state).await;
            let (line, _) = self.rest(&name, &format!("{}: {}, before => ", state.kind, state.title)).await;
            (state, name, line)
        });
        let brought = join_all(brought).await;
        if brought.is_empty() {
            return Transcript::new();
        }
        (self.side.controller)(false).await;
        for (state, name, _) in &brought {
            self.image(name, *state, "v3").await;
            self.engine.until(name, |r| r.observed() == Observed::Behind).await;
        }
        let of_a_state = brought.chunks(EACH).map(|all| async move {
            let state = all[0].0;
            let begins = format!("{}: {}", state.kind, state.title);
            let mut lines = vec![all[0].2.clone()];
            let (line, target) = self.rest(&all[0].1, &format!("{begins} => ")).await;
            lines.push(line);
            let target = target.expect("it is seen");
            let moving: Vec<Act> = acts().filter(|act| Self::moves(&target, *act, state)).collect();
            assert!(moving.len() < EACH, "{begins}: more acts apply than there are rollouts for");
            for act in acts().filter(|act| !moving.contains(act)) {
                lines.push(self.still(&begins, &all[0].1, act, state).await);
            }
            let moved = moving.iter().zip(&all[1..]).map(|(act, (_, name, _))| {
                let begins = &begins;
                async move { (*act, name.clone(), self.pair(begins, name, *act, state).await) }
            });
            (begins.clone(), lines, join_all(moved).await)
        });
        let played = join_all(of_a_state).await;
        (self.side.controller)(true).await;
        let went_on = played.into_iter().map(|(begins, mut lines, moved)| async move {
            let begins = &begins;
            let rests = moved.iter().map(|(act, name, _)| async move {
                self.rest(name, &format!("{begins}: {}, and it goes on => ", act.verb())).await.0
            });
            let rests = join_all(rests).await;
            lines.extend(moved.into_iter().zip(rests).flat_map(|((_, _, line), rest)| [line, rest]));
            lines
        });
        join_all(went_on).await.concat()
    }

    async fn let_go(&self, name: &str, state: State) {
        if state.moves[1].iter().any(|one| matches!(one, Do::Delete)) {
            self.side.merge(name, "", json!({"metadata": {"finalizers": null}})).await;
        }
    }
}

/// What was played so far, where transcripts are wanted: a run that is broken off is not all lost.
fn note(lines: &[String]) {
    use std::io::Write as _;
    let Some(folder) = std::env::var_os("FLIGHTDECK_TEST_TRANSCRIPTS") else { return };
    let file = std::path::Path::new(&folder).join("so-far.txt");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).expect("it opens");
    for line in lines {
        writeln!(file, "{line}").expect("written");
    }
}

/// A pair that cannot be played is a line too: the others are played all the same.
async fn whole<T>(begins: &str, played: impl Future<Output = T>) -> Result<T, String> {
    std::panic::AssertUnwindSafe(played).catch_unwind().await.map_err(|why| {
        let said = why
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| why.downcast_ref::<&str>().copied())
            .unwrap_or("?");
        format!("{begins} => CANNOT BE PLAYED: {}", said.replace('\n', " "))
    })
}

/// An act of the table, or the rollback plan.
#[derive(Clone, Copy)]
enum Act {
    One(&'static Action),
    RollBack,
}

impl PartialEq for Act {
    fn eq(&self, other: &Self) -> bool {
        self.verb() == other.verb()
    }
}

impl Act {
    const fn verb(self) -> &'static str {
        match self {
            Self::One(act) => act.verb,
            Self::RollBack => "rollback",
        }
    }
}

fn acts() -> impl Iterator<Item = Act> {
    TABLE.iter().map(Act::One).chain([Act::RollBack])
}

/// The state's own line first, then the acts as the table has them.
fn order(lines: &mut Transcript) {
    let place = |line: &String| {
        let key = key(line);
        acts().position(|act| key.ends_with(&format!(": {}", act.verb()))).map_or(0, |at| at + 1)
    };
    lines.sort_by_key(place);
}

/// Whether nothing was sent for a reason that passes: what ended just now is let go of a moment after it is shown, and a
/// server under load may not answer a read in time.
fn again(ended: &str) -> bool {
    let passing = ["is still under way on this target", "could not be read within", "no answer within"];
    let nothing_sent = ["failed: ", "refused: "].iter().any(|word| ended.contains(word));
    nothing_sent && passing.iter().any(|why| ended.contains(why))
}

/// How an act ended. What was seen when it was done, or after how long nothing was, is a matter of timing.
fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { .. } | Outcome::NoEffect { .. } => outcome.word().to_owned(),
        other => format!("{}: {}", other.word(), other.detail()),
    }
}
