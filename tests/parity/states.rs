//! The states of the matrix, each with the recipe that brings a rollout there.

use serde_json::{Value, json};

/// The versions are tags of one image; this one's pods never get ready.
pub const BAD: &str = "bad";

/// Nor do this one's.
pub const WORSE: &str = "worse";

/// One move of a recipe, made by someone else than the program.
#[derive(Clone, Copy)]
pub enum Do {
    /// Another version.
    Image(&'static str),
    /// A merge patch of the rollout, or (`/status`) of its status.
    Patch(&'static str, fn() -> Value),
    /// Waits until this holds of the rollout.
    Until(&'static str, fn(&Value) -> bool),
    /// The pods of this version turn unready.
    Unready(&'static str),
    /// The old version's pods are gone.
    Gone(&'static str),
    /// An analysis runs and has measured.
    Measured,
    /// Creation times are whole seconds, and some rules compare them.
    NextSecond,
    /// It is deleted, and a finalizer keeps it.
    Delete,
}

/// How rollouts of a state are made.
#[derive(Clone, Copy)]
pub struct Make {
    pub strategy: fn() -> Value,
    /// More of the spec.
    pub more: fn() -> Value,
    /// The first version.
    pub first: &'static str,
    /// The template is that of a Deployment.
    pub workload: bool,
}

/// One state.
#[derive(Clone, Copy)]
pub struct State {
    pub kind: &'static str,
    pub title: &'static str,
    pub make: Make,
    /// In two parts only so that they can be shared.
    pub moves: [&'static [Do]; 2],
    /// The controller stands still, and another version comes.
    pub stopped: bool,
    /// Where an undo goes; else to the stable version, or, where nothing is in flight, to the newest other.
    pub undo_to: Option<&'static str>,
}

fn nothing() -> Value {
    json!({})
}

fn is(ro: &Value, phase: &str, message: &str) -> bool {
    let answered = ro["status"]["observedGeneration"].as_str() == Some(&ro["metadata"]["generation"].to_string());
    let said = ro["status"]["message"].as_str().unwrap_or_default();
    answered && ro["status"]["phase"] == phase && said.starts_with(message)
}

fn ladder() -> Value {
    json!([{"setWeight": 50}, {"pause": {}}, {"pause": {"duration": "1h"}}, {"setWeight": 100}])
}

fn analysis(template: &str) -> Value {
    json!({"templates": [{"templateName": template}]})
}

fn plain() -> Value {
    json!({"canary": {"steps": ladder()}})
}

fn analysed(mut strategy: Value, template: &str) -> Value {
    strategy["canary"]["steps"] = json!([{"setWeight": 50}, {"analysis": analysis(template)}, {"pause": {}}]);
    strategy
}

/// `NAME` stands for the rollout's own name.
fn routed() -> Value {
    json!({"canary": {
        "steps": ladder(), "stableService": "NAME-stable", "canaryService": "NAME-canary",
        "trafficRouting": {"nginx": {"stableIngress": "NAME"}},
        "scaleDownDelaySeconds": 600, "abortScaleDownDelaySeconds": 600,
    }})
}

fn dynamic() -> Value {
    let mut strategy = routed();
    strategy["canary"]["dynamicStableScale"] = true.into();
    for delay in ["scaleDownDelaySeconds", "abortScaleDownDelaySeconds"] {
        strategy["canary"].as_object_mut().expect("an object").remove(delay);
    }
    strategy
}

fn blue_green(more: &Value) -> Value {
    let mut strategy = json!({
        "activeService": "NAME-active", "previewService": "NAME-preview",
        "scaleDownDelaySeconds": 600, "abortScaleDownDelaySeconds": 600,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        strategy[key] = value.clone();
    }
    json!({"blueGreen": strategy})
}

fn preview() -> Value {
    blue_green(&json!({"autoPromotionEnabled": false}))
}

fn post() -> Value {
    blue_green(&json!({"postPromotionAnalysis": analysis("long")}))
}

const BY_HAND: Do = Do::Patch("", || json!({"spec": {"paused": true}}));
const BY_HAND_SEEN: Do = Do::Until("manually paused", |ro| is(ro, "Paused", "manually paused"));
const CLEAR: Do = Do::Patch("/status", || json!({"status": {"pauseConditions": null}}));
const ABORT: Do = Do::Patch("/status", || json!({"status": {"abort": true}}));
const ABORTED: Do = Do::Until("aborted", |ro| is(ro, "Degraded", "RolloutAborted"));
const FULL: Do = Do::Patch("/status", || json!({"status": {"promoteFull": true}}));
const HEALTHY: Do =
    Do::Until("healthy", |ro| is(ro, "Healthy", "") && ro["status"]["stableRS"] == ro["status"]["currentPodHash"]);
const PREVIEWS: Do = Do::Until("at the preview", |ro| is(ro, "Paused", "BlueGreenPause"));
const STARTING: Do =
    Do::Until("not ready", |ro| is(ro, "Progressing", "") && ro["status"]["updatedReplicas"].as_i64() > Some(0));

fn paused_at(ro: &Value, step: i64) -> bool {
    is(ro, "Paused", "CanaryPauseStep")
        && ro["status"]["currentStepIndex"] == step
        && !ro["status"]["pauseConditions"].is_null()
}

const TO_PAUSE: &[Do] = &[Do::Image("v2"), Do::Until("at the pause", |ro| paused_at(ro, 1))];
const TO_TIMED: &[Do] = &[CLEAR, Do::Until("at the timed pause", |ro| paused_at(ro, 2))];
const TO_BAD: &[Do] = &[Do::Image(BAD), STARTING];
const TO_ANALYSIS: &[Do] =
    &[Do::Image("v2"), Do::Until("at the analysis", |ro| ro["status"]["currentStepIndex"] == 1), Do::Measured];
const TO_INCONCLUSIVE: &[Do] =
    &[Do::Image("v2"), Do::Until("inconclusive", |ro| is(ro, "Paused", "InconclusiveAnalysisRun"))];
const TO_LATER: &[Do] = &[BY_HAND, BY_HAND_SEEN, Do::Image("v2"), BY_HAND_SEEN];
const TAKEN_UP: Do = Do::Until("taken up", |ro| ro["status"]["currentPodHash"] != ro["status"]["stableRS"]);
const TO_NEXT: &[Do] = &[Do::NextSecond, Do::Image("v2"), TAKEN_UP, FULL, HEALTHY];
const TO_THIRD: &[Do] = &[Do::NextSecond, Do::Image("v3"), TAKEN_UP, FULL, HEALTHY];
const TO_PREVIEW: &[Do] = &[Do::Image("v2"), PREVIEWS];
const TO_MEASURED: &[Do] = &[Do::Image("v2"), Do::Measured];
const UNREADY: &[Do] = &[Do::Unready("v2")];
const TO_ABORT: &[Do] = &[ABORT, ABORTED];

const fn make(strategy: fn() -> Value) -> Make {
    Make { strategy, more: nothing, first: "v1", workload: false }
}

const fn state(kind: &'static str, title: &'static str, make: Make, moves: [&'static [Do]; 2]) -> State {
    State { kind, title, make, moves, stopped: false, undo_to: None }
}

fn canary(kind: &'static str, strategy: fn() -> Value, analysed: [fn() -> Value; 2]) -> Vec<State> {
    let ladder = make(strategy);
    let first = Make { first: BAD, ..ladder };
    vec![
        state(kind, "paused for a person", ladder, [TO_PAUSE, &[]]),
        state(kind, "timed pause", ladder, [TO_PAUSE, TO_TIMED]),
        state(kind, "pods not ready", ladder, [TO_BAD, &[]]),
        state(kind, "step analysis", make(analysed[0]), [TO_ANALYSIS, &[]]),
        state(kind, "inconclusive", make(analysed[1]), [TO_INCONCLUSIVE, &[]]),
        state(kind, "by hand at a pause", ladder, [TO_PAUSE, &[BY_HAND, BY_HAND_SEEN]]),
        state(kind, "by hand before it began", ladder, [TO_LATER, &[]]),
        state(kind, "aborted", ladder, [TO_PAUSE, TO_ABORT]),
        state(kind, "nothing in flight", ladder, [TO_NEXT, &[]]),
        state(kind, "first release", first, [&[STARTING], &[]]),
        state(kind, "being deleted", ladder, [TO_PAUSE, &[Do::Delete]]),
        State { stopped: true, ..state(kind, "controller stopped", ladder, [TO_PAUSE, &[]]) },
    ]
}

fn blue_greens() -> Vec<State> {
    let kind = "blue-green";
    let preview = make(preview);
    let timed = make(|| blue_green(&json!({"autoPromotionSeconds": 3600})));
    let pre = make(|| blue_green(&json!({"prePromotionAnalysis": analysis("long")})));
    let post = make(post);
    let quick = make(|| blue_green(&json!({"autoPromotionEnabled": false, "scaleDownDelaySeconds": 1})));
    let first = Make { first: BAD, ..preview };
    let after_unready: [&[Do]; 2] = [TO_MEASURED, &[Do::Unready("v2"), ABORT, ABORTED]];
    vec![
        state(kind, "preview paused", preview, [TO_PREVIEW, &[]]),
        state(kind, "auto-promotion countdown", timed, [TO_PREVIEW, &[]]),
        state(kind, "preview not ready", preview, [TO_BAD, &[]]),
        state(kind, "pre-analysis", pre, [TO_MEASURED, &[]]),
        state(kind, "post-analysis", post, [TO_MEASURED, &[]]),
        state(kind, "post-analysis, pods unready", post, [TO_MEASURED, UNREADY]),
        state(kind, "by hand at the preview", preview, [TO_PREVIEW, &[BY_HAND, BY_HAND_SEEN]]),
        state(kind, "aborted before the switch", preview, [TO_PREVIEW, TO_ABORT]),
        state(kind, "aborted after the switch", post, [TO_MEASURED, TO_ABORT]),
        state(kind, "aborted after the switch, pods unready", post, after_unready),
        state(kind, "cut over, old version up", preview, [TO_NEXT, &[]]),
        state(kind, "cut over, old version gone", quick, [TO_NEXT, &[Do::Gone("v1")]]),
        state(kind, "first release", first, [&[STARTING], &[]]),
        state(kind, "being deleted", preview, [TO_PREVIEW, &[Do::Delete]]),
        State { stopped: true, ..state(kind, "controller stopped", preview, [TO_PREVIEW, &[]]) },
    ]
}

/// All of them.
pub fn all() -> Vec<State> {
    let mut all = canary("canary", plain, [|| analysed(plain(), "long"), || analysed(plain(), "unclear")]);
    all.extend(canary("routed canary", routed, [|| analysed(routed(), "long"), || analysed(routed(), "unclear")]));
    all.extend(canary("dynamic canary", dynamic, [|| analysed(dynamic(), "long"), || analysed(dynamic(), "unclear")]));
    all.extend(blue_greens());
    let background = make(|| {
        let mut strategy = plain();
        strategy["canary"]["analysis"] = analysis("long");
        strategy
    });
    all.push(state("canary", "background analysis", background, [TO_PAUSE, &[Do::Measured]]));
    let referring = |strategy| Make { workload: true, ..make(strategy) };
    all.push(state("workloadRef canary", "paused for a person", referring(plain), [TO_PAUSE, &[]]));
    all.push(state("workloadRef canary", "nothing in flight", referring(plain), [TO_NEXT, &[]]));
    all.push(state("workloadRef blue-green", "preview paused", referring(preview), [TO_PREVIEW, &[]]));
    for (kind, strategy) in [("canary", plain as fn() -> Value), ("blue-green", preview)] {
        let windowed = Make { more: || json!({"rollbackWindow": {"revisions": 1}}), ..make(strategy) };
        let three = [TO_NEXT, TO_THIRD];
        let within = state(kind, "rollback window, one revision back", windowed, three);
        all.push(State { undo_to: Some("v2"), ..within });
        let beyond = state(kind, "rollback window, two revisions back", windowed, three);
        all.push(State { undo_to: Some("v1"), ..beyond });
    }
    all
}
