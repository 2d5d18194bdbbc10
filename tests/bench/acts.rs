//! Acts against servers and objects that misbehave: R5 and R6.

#[path = "../../src/demo/patch.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the demo world")]
mod patch;
#[path = "../api/writes.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the wire")]
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use flightdeck::domain::intent::Params;
use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::Deadlines;
use futures::StreamExt as _;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::Mode;
use super::engine::Engine;
use super::random::Random;
use super::scripted::{Server, event, list, rollout, status};
use super::table::{Row, thousands};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// How many requests that change something reach the server, for one act answered in this way.
async fn sends(verb: &'static str, case: writes::Case) -> (String, usize) {
    let reply = case.reply.clone();
    let server = Server::start(move |asked| (asked.method == "PATCH").then(|| reply.clone())).await;
    let quick = Duration::from_millis(300);
    let deadlines = Deadlines { effect: Some(quick), lost: quick, farewell: quick };
    let engine = Engine::start(&server.kubeconfig(), "shop", deadlines).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    let act = engine.act(verb, &target, Seen::of(&target.rollout, Timestamp::now()), Params::None).await;
    let act = engine.ended(&act).await;
    // A repetition would come now.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    engine.end().await;
    let writes = server.asked().into_iter().filter(|a| a.method != "GET" && !a.path.contains("/selfsubject")).count();
    let outcome = act.ended.as_ref().map(|(_, outcome)| format!("{}: {}", outcome.word(), outcome.detail()));
    (format!("{verb}, {}: {writes} sent ({})", case.name, outcome.unwrap_or_default()), writes)
}

/// R5: one confirmed act is one request, whatever the server answers.
pub fn sent_once(_: Mode) -> Vec<Row> {
    const VERBS: [&str; 4] = ["resume", "promote-full", "pause", "abort"];
    let runtime = runtime();
    let all = VERBS.into_iter().flat_map(|verb| writes::cases().into_iter().map(move |case| sends(verb, case)));
    let counted = runtime.block_on(join_all(all));
    let wrong: Vec<&String> = counted.iter().filter(|(_, n)| *n != 1).map(|(name, _)| name).collect();
    let answers = writes::cases().len();
    vec![Row::judged(
        "R5",
        "requests that one confirmed act sends",
        if wrong.is_empty() {
            format!(
                "exactly 1 in all {} cases: {answers} answers (429, 5xx, a proxy's 502, no answer for 10 s, reset, cut, garbage, …) \
                 to each of {}",
                counted.len(),
                VERBS.join(", ")
            )
        } else {
            format!("not 1 in {} of {}, the first: {:?}", wrong.len(), counted.len(), wrong[0])
        },
        "exactly 1",
        "counted at the server",
        wrong.is_empty(),
    )]
}

/// When the object changes under an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    Never,
    /// After the screen was read; the cockpit is not told.
    BeforeTheAct,
    /// While the act is prepared, before the object is read afresh.
    BeforeTheRead,
    /// Right after that.
    AfterTheRead,
    /// When the write arrives, before it is applied.
    BeforeTheWrite,
    AfterTheWrite,
}

const WHEN: [When; 6] = [
    When::Never,
    When::BeforeTheAct,
    When::BeforeTheRead,
    When::AfterTheRead,
    When::BeforeTheWrite,
    When::AfterTheWrite,
];

/// What an act rests on.
fn facts(object: &Value, stops: bool) -> Value {
    let (meta, status) = (&object["metadata"], &object["status"]);
    if stops {
        return json!([meta["uid"], status["currentPodHash"]]);
    }
    json!([
        meta["uid"],
        meta["generation"],
        status["currentPodHash"],
        status["currentStepIndex"],
        status["pauseConditions"],
        status["abort"],
        status["promoteFull"],
        object["spec"]["paused"]
    ])
}

/// One rollout and the race that is on for it.
struct Site {
    object: Value,
    when: When,
    change: usize,
    changed: bool,
    stops: bool,
    seen: Value,
    random: Random,
    landed: u32,
    stale: u32,
}

impl Site {
    fn stamp(&mut self) -> String {
        format!("2026-11-25T{:02}:{:02}:{:02}Z", self.random.below(24), self.random.below(60), self.random.below(60))
    }

    /// What a controller, a colleague or a pipeline does.
    fn change(&mut self) {
        self.changed = true;
        let stamp = self.stamp();
        let hash = format!("{:08x}", self.random.next() & 0xffff_ffff);
        let object = &mut self.object;
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
        let step = object["status"]["currentStepIndex"].as_i64().unwrap_or(0);
        let pauses = json!([{"reason": "CanaryPauseStep", "startTime": stamp}]);
        match self.change {
            // Another revision, at its first pause.
            0 => {
                object["metadata"]["generation"] = (generation + 1).into();
                object["status"]["observedGeneration"] = (generation + 1).to_string().into();
                object["status"]["currentPodHash"] = hash.into();
                object["status"]["currentStepIndex"] = 1.into();
                object["status"]["pauseConditions"] = pauses;
            }
            // The next pause.
            1 => {
                object["status"]["currentStepIndex"] = (step + 2).into();
                object["status"]["pauseConditions"] = pauses;
            }
            // Another image that the controller has not seen.
            2 => object["metadata"]["generation"] = (generation + 1).into(),
            // Aborted and retried: all the same but for the time of the pause.
            3 => object["status"]["pauseConditions"] = pauses,
            // Deleted and made anew under the same name.
            4 => object["metadata"]["uid"] = format!("again-{hash}").into(),
            // Aborted by somebody else.
            5 => object["status"]["abort"] = true.into(),
            // Resumed by somebody else.
            _ => object["status"]["pauseConditions"] = Value::Null,
        }
    }

    fn at(&mut self, when: When) {
        if self.when == when && !self.changed {
            self.change();
        }
    }
}

const CHANGES: usize = 7;

struct Arena {
    sites: BTreeMap<String, Mutex<Site>>,
    events: broadcast::Sender<Bytes>,
    version: Mutex<u64>,
    /// Whether it keeps to the tests of a patch. One that does not shows that the measure can fail.
    tests: bool,
}

impl Arena {
    fn next_version(&self) -> u64 {
        let mut version = self.version.lock().expect("the version");
        *version += 1;
        *version
    }

    /// A new race on a fresh object; returns the version that the cockpit has to see first.
    fn begin(&self, name: &str, when: When, change: usize, stops: bool) -> String {
        let version = self.next_version();
        let mut site = self.sites[name].lock().expect("the site");
        let mut object = rollout(name, version);
        let stamp = site.stamp();
        object["status"]["pauseConditions"] = json!([{"reason": "CanaryPauseStep", "startTime": stamp}]);
        site.seen = facts(&object, stops);
        (site.when, site.change, site.changed, site.stops) = (when, change, false, stops);
        let line = event("MODIFIED", &object);
        site.object = object;
        drop(site);
        // Err = nobody watches yet.
        let _ = self.events.send(Bytes::from(line));
        version.to_string()
    }

    fn write(&self, name: &str, body: &[u8]) -> (u16, Value) {
        let Some(site) = self.sites.get(name) else { return (404, status(404, "NotFound", "not here")) };
        let mut site = site.lock().expect("the site");
        site.at(When::BeforeTheWrite);
        let mut operations: Vec<Value> = serde_json::from_slice(body).expect("a JSON patch");
        operations.retain(|o| self.tests || o["op"] != "test");
        let operations: Vec<patch::Operation> = serde_json::from_value(operations.into()).expect("a JSON patch");
        let Ok(mut patched) = patch::json_patch(&site.object, &operations) else {
            let why = "the server rejected our request due to an error in our request";
            return (422, status(422, "Invalid", why));
        };
        site.landed += 1;
        if facts(&site.object, site.stops) != site.seen {
            site.stale += 1;
        }
        patched["metadata"]["resourceVersion"] = self.next_version().to_string().into();
        site.object = patched.clone();
        site.at(When::AfterTheWrite);
        (200, patched)
    }
}

async fn answer(State(arena): State<Arc<Arena>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let watch = parts.uri.query().is_some_and(|q| q.contains("watch=true"));
    let name = path.split("/rollouts/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    let (code, body) = if watch && path.ends_with("/rollouts") {
        let events = arena.events.subscribe();
        let stream = futures::stream::unfold(events, |mut events| async move {
            let line = events.recv().await.ok()?;
            Some((Ok::<_, std::convert::Infallible>(line), events))
        });
        (200, Body::from_stream(stream.boxed()))
    } else if watch {
        (200, Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>()))
    } else if parts.method == http::Method::PATCH {
        let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        let (code, said) = arena.write(&name, &bytes);
        (code, Body::from(said.to_string()))
    } else if let Some(site) = arena.sites.get(&name) {
        let mut site = site.lock().expect("the site");
        site.at(When::BeforeTheRead);
        let said = site.object.to_string();
        site.at(When::AfterTheRead);
        (200, Body::from(said))
    } else if path.ends_with("/rollouts") {
        let all: Vec<Value> = arena.sites.values().map(|s| s.lock().expect("the site").object.clone()).collect();
        let version = *arena.version.lock().expect("the version");
        (200, Body::from(list(&all, version, None).to_string()))
    } else if path.ends_with("/kube-system") {
        (200, Body::from(json!({"metadata": {"name": "kube-system", "uid": "arena"}}).to_string()))
    } else if ["/replicasets", "/pods", "/analysisruns", "/experiments", "/events"].iter().any(|k| path.ends_with(k)) {
        (200, Body::from(list(&[], 1, None).to_string()))
    } else {
        (404, Body::from(status(404, "NotFound", "not here").to_string()))
    };
    Response::builder().status(code).header("content-type", "application/json").body(body).expect("an answer")
}

/// How the acts of one rollout ended.
#[derive(Default)]
struct Ended {
    races: usize,
    superseded: usize,
    unchanged: usize,
}

async fn races(engine: &Engine, arena: &Arena, name: &str, times: usize, seed: u64) -> Ended {
    let mut random = Random::new(seed);
    let mut ended = Ended::default();
    for _ in 0..times {
        let verb = *random.pick(&["resume", "promote-full", "pause", "abort"]);
        let when = *random.pick(&WHEN);
        let stops = ["pause", "abort"].contains(&verb);
        let version = arena.begin(name, when, random.below(CHANGES), stops);
        let target = engine.until(name, |r| r.resource_version.as_str() == version).await;
        arena.sites[name].lock().expect("the site").at(When::BeforeTheAct);
        let act = engine.act(verb, &target, Seen::of(&target.rollout, Timestamp::now()), Params::None).await;
        let act = engine.ended(&act).await;
        let outcome = &act.ended.as_ref().expect("an end").1;
        ended.races += 1;
        ended.superseded += usize::from(matches!(outcome, Outcome::Superseded { .. }));
        ended.unchanged += usize::from(when == When::Never);
        assert!(
            !matches!(outcome, Outcome::Refused { .. }),
            "{verb} {when:?} is refused, and the race is none: {outcome:?}"
        );
    }
    ended
}

/// What became of many races.
struct Tally {
    races: usize,
    superseded: usize,
    unchanged: usize,
    landed: u32,
    stale: u32,
}

fn race(each: usize, tests: bool) -> Tally {
    const ROLLOUTS: usize = 50;
    let names: Vec<String> = (0..ROLLOUTS).map(|n| format!("svc-{n:03}")).collect();
    let site = |n: usize| Site {
        object: rollout(&names[n], 1),
        when: When::Never,
        change: 0,
        changed: true,
        stops: false,
        seen: Value::Null,
        random: Random::new(n as u64 + 77),
        landed: 0,
        stale: 0,
    };
    let (events, _) = broadcast::channel(1 << 14);
    let sites = (0..ROLLOUTS).map(|n| (names[n].clone(), Mutex::new(site(n)))).collect();
    let arena = Arc::new(Arena { sites, events, version: Mutex::new(1000), tests });
    let runtime = runtime();
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = axum::Router::new().fallback(answer).with_state(arena.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, super::kubeconfig(&format!("http://{address}"))).expect("a kubeconfig");
        let wait = Duration::from_millis(60);
        let deadlines = Deadlines { effect: Some(wait), lost: wait, farewell: wait };
        let engine = Engine::start(&kubeconfig, "shop", deadlines).await;
        let watched = async {
            while arena.events.receiver_count() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), watched).await.expect("a watch");
        let all = names.iter().enumerate().map(|(n, name)| races(&engine, &arena, name, each, n as u64));
        let ended = join_all(all).await;
        engine.end().await;
        ended
    });
    let sum = |of: fn(&Ended) -> usize| ended.iter().map(of).sum::<usize>();
    let mut tally = Tally {
        races: sum(|e| e.races),
        superseded: sum(|e| e.superseded),
        unchanged: sum(|e| e.unchanged),
        landed: 0,
        stale: 0,
    };
    for site in arena.sites.values() {
        let site = site.lock().expect("the site");
        tally.landed += site.landed;
        tally.stale += site.stale;
    }
    tally
}

/// R6: acts that rest on what is no longer so.
pub fn stale_acts(mode: Mode) -> Vec<Row> {
    let found = race(mode.pick(200, 20), true);
    let careless = race(mode.pick(20, 4), false);
    let landed = usize::try_from(found.landed - found.stale).unwrap_or(0);
    vec![
        Row::judged(
            "R6",
            "acts that landed though what they rest on had changed",
            format!(
                "{} of {} races; {} landed on what was seen, {} were superseded; on a server that ignores the tests of a \
                 patch {} of {} landed stale",
                found.stale,
                thousands(found.races),
                thousands(landed),
                thousands(found.superseded),
                careless.stale,
                thousands(careless.races),
            ),
            "0 of 10,000",
            "resume, promote-full, pause, abort; one of 7 changes before the act, before or after its read, before or after \
             its write; judged where the write lands",
            // The measure is one only if acts land at all, and if it can fail.
            found.stale == 0 && landed >= found.unchanged && found.superseded > 0 && careless.stale > 0,
        )
        .quick(mode),
    ]
}
