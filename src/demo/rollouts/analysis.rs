//! `AnalysisRun`s as the rollout makes them, waits for them and judges by them.

use serde_json::{Value, json};

use super::cx::{Cx, HASH, REVISION, Runs};
use crate::demo::events;
use crate::demo::store::{Key, Kind, Part, Store};

const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";

/// The four runs that a rollout may be waiting for.
#[derive(Clone, Copy)]
enum Role {
    Step,
    Background,
    Pre,
    Post,
}

impl Role {
    const ALL: [Self; 4] = [Self::Step, Self::Background, Self::Pre, Self::Post];

    const fn label(self) -> &'static str {
        match self {
            Self::Step => "Step",
            Self::Background => "Background",
            Self::Pre => "PrePromotion",
            Self::Post => "PostPromotion",
        }
    }

    /// What the status keeps of it.
    fn kept(self, status: &Value) -> &Value {
        match self {
            Self::Step => &status["canary"]["currentStepAnalysisRunStatus"],
            Self::Background => &status["canary"]["currentBackgroundAnalysisRunStatus"],
            Self::Pre => &status["blueGreen"]["prePromotionAnalysisRunStatus"],
            Self::Post => &status["blueGreen"]["postPromotionAnalysisRunStatus"],
        }
    }

    fn of(self, runs: &mut Runs) -> &mut Option<Value> {
        match self {
            Self::Step => &mut runs.step,
            Self::Background => &mut runs.background,
            Self::Pre => &mut runs.pre,
            Self::Post => &mut runs.post,
        }
    }

    const fn blamed(self) -> &'static str {
        match self {
            Self::Step => "Step-based analysis phase error/failed",
            Self::Background => "Background analysis phase error/failed",
            Self::Pre => "Blue/green pre-promotion analysis phase error/failed",
            Self::Post => "Blue/green post-promotion analysis phase error/failed",
        }
    }
}

/// The runs of a rollout: those that its status names, and the others.
pub(super) fn runs_of(store: &Store, rollout: &Value) -> Runs {
    let mut runs = Runs::default();
    for (key, run) in store.owned_by(rollout, Kind::AnalysisRun) {
        let role = Role::ALL.into_iter().find(|role| role.kept(&rollout["status"])["name"] == key.name.as_str());
        match role {
            Some(role) => *role.of(&mut runs) = Some(Value::clone(run)),
            None => runs.others.push(Value::clone(run)),
        }
    }
    runs
}

/// What the status says of a run.
pub(super) fn told(run: Option<&Value>) -> Value {
    run.map_or(Value::Null, |run| {
        json!({
            "name": run["metadata"]["name"], "status": run["status"]["phase"].as_str().unwrap_or_default(),
            "message": run["status"]["message"],
        })
    })
}

/// Whether a run is over.
pub(super) fn over(run: &Value) -> bool {
    matches!(run["status"]["phase"].as_str(), Some("Successful" | "Failed" | "Error" | "Inconclusive"))
}

fn cancel(store: &mut Store, run: &Value) {
    if over(run) || run["spec"]["terminate"] == true {
        return;
    }
    let text = |field: &str| run["metadata"][field].as_str().unwrap_or_default();
    let key = Key::new(Kind::AnalysisRun, text("namespace"), text("name"));
    if let Some(mut stored) = store.copy(&key) {
        stored["spec"]["terminate"] = true.into();
        let _ = store.put(&key, Part::Main, stored);
    }
}

/// Whether another run is needed: there is none, or the last one said nothing and a person said to go on.
fn needs_new(cx: &Cx, run: Option<&Value>) -> bool {
    let Some(run) = run else { return true };
    let other_pause = ["CanaryPauseStep", "BlueGreenPause"].iter().any(|reason| cx.pause_condition(reason).is_some());
    if cx.flag("controllerPause") && !other_pause {
        return run["status"]["phase"] == "Inconclusive";
    }
    !cx.status()["abortedAt"].is_null()
}

fn metrics(store: &Store, namespace: &str, analysis: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for template in analysis["templates"].as_array().into_iter().flatten() {
        let name = template["templateName"].as_str().unwrap_or_default();
        let (kind, namespace) = if template["clusterScope"] == true {
            (Kind::ClusterAnalysisTemplate, "")
        } else {
            (Kind::AnalysisTemplate, namespace)
        };
        if let Ok(found) = store.get(&Key::new(kind, namespace, name)) {
            all.extend(found["spec"]["metrics"].as_array().cloned().unwrap_or_default());
        }
    }
    all
}

fn args(cx: &Cx, analysis: &Value) -> Vec<Value> {
    let all = analysis["args"].as_array().into_iter().flatten();
    let value = |arg: &Value| match arg["valueFrom"]["podTemplateHashValue"].as_str() {
        Some("Latest") => cx.new.hash.clone().into(),
        Some("Stable") => cx.stable.as_ref().map_or(Value::Null, |stable| stable.hash.clone().into()),
        _ => arg["value"].clone(),
    };
    all.map(|arg| json!({"name": arg["name"], "value": value(arg)})).collect()
}

fn create(store: &mut Store, cx: &Cx, role: Role, analysis: &Value) -> Option<Value> {
    let infix = match role {
        Role::Step => format!("-{}", cx.index()?),
        Role::Background => String::new(),
        Role::Pre => "-pre".to_owned(),
        Role::Post => "-post".to_owned(),
    };
    let namespace = &cx.key.namespace;
    let mut labels = cx.ro["spec"]["selector"]["matchLabels"].clone();
    labels[HASH] = cx.new.hash.clone().into();
    labels["rollout-type"] = role.label().into();
    if let (Role::Step, Some(index)) = (role, cx.index()) {
        labels["step-index"] = index.to_string().into();
    }
    let run = json!({
        "metadata": {
            "labels": labels, "annotations": {REVISION: cx.revision()},
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": cx.key.name,
                "uid": cx.ro["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "metrics": metrics(store, namespace, analysis), "args": args(cx, analysis), "dryRun": analysis["dryRun"],
            "measurementRetention": analysis["measurementRetention"],
        },
    });
    let name = format!("{}-{}-{}{infix}", cx.key.name, cx.new.hash, cx.revision());
    (0..100).find_map(|n| {
        let name = if n == 0 { name.clone() } else { format!("{name}.{n}") };
        let made = store.create(&Key::new(Kind::AnalysisRun, namespace, &name), run.clone()).ok()?;
        Some(Value::clone(&made))
    })
}

/// Pauses or aborts, as a run ended.
fn judge(cx: &mut Cx, role: Role, run: Option<&Value>) {
    let Some(run) = run else { return };
    match run["status"]["phase"].as_str() {
        Some("Inconclusive") => cx.pause.add.push(INCONCLUSIVE),
        Some("Failed" | "Error") => {
            let tail = run["status"]["message"].as_str().filter(|m| !m.is_empty());
            let said = tail.map_or_else(|| role.blamed().to_owned(), |tail| format!("{}: {tail}", role.blamed()));
            cx.pause.abort = Some(said);
        }
        _ => {}
    }
}

/// Stops what runs where nothing is to be analysed. Whether that is so.
fn cancelled(store: &mut Store, cx: &mut Cx) -> bool {
    let first = cx.text("stableRS").is_empty();
    let none = cx.fully_promoted() || cx.aborted() || cx.flag("promoteFull") || cx.fast_rollback() || first;
    if none {
        for role in Role::ALL {
            if let Some(run) = role.of(&mut cx.runs).clone() {
                cancel(store, &run);
            }
        }
    }
    none
}

fn finish(store: &mut Store, cx: &mut Cx) {
    for run in std::mem::take(&mut cx.runs.others) {
        cancel(store, &run);
        cx.runs.others.push(run);
    }
    delete_old(store, cx);
    for role in Role::ALL {
        let Some(run) = role.of(&mut cx.runs).clone() else { continue };
        let Some(phase) = run["status"]["phase"].as_str().filter(|phase| !phase.is_empty()) else { continue };
        let kept = role.kept(cx.status());
        let previous = kept["status"].as_str().unwrap_or("NoPreviousStatus");
        if kept.is_null() || (kept["name"] == run["metadata"]["name"] && previous != phase) {
            let name = run["metadata"]["name"].as_str().unwrap_or_default();
            let said = format!("{} Analysis Run '{name}' Status New: '{phase}' Previous: '{previous}'", role.label());
            let bad = matches!(phase, "Failed" | "Error");
            events::record(store, &cx.ro, bad, &format!("AnalysisRun{phase}"), &said);
        }
    }
}

/// Keeps the last five runs that succeeded and the last five that did not.
fn delete_old(store: &mut Store, cx: &Cx) {
    let limits = &cx.ro["spec"]["analysis"];
    for (good, limit) in [(true, "successfulRunHistoryLimit"), (false, "unsuccessfulRunHistoryLimit")] {
        let limit = limits[limit].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(5);
        let mut all: Vec<&Value> =
            cx.runs.others.iter().filter(|run| over(run) && (run["status"]["phase"] == "Successful") == good).collect();
        all.sort_by_key(|run| run["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned());
        let beyond = all.len().saturating_sub(limit);
        for run in all.into_iter().take(beyond) {
            let name = run["metadata"]["name"].as_str().unwrap_or_default();
            let _ = store.delete(&Key::new(Kind::AnalysisRun, &cx.key.namespace, name));
        }
    }
}

/// The runs of a canary.
pub(super) fn canary(store: &mut Store, cx: &mut Cx) {
    if cancelled(store, cx) {
        cx.runs.step = None;
        cx.runs.background = None;
    } else {
        cx.runs.step = step(store, cx);
        cx.runs.background = background(store, cx);
    }
    finish(store, cx);
}

fn step(store: &mut Store, cx: &mut Cx) -> Option<Value> {
    let current = cx.runs.step.clone();
    if cx.has_pause() || cx.flag("abort") {
        return current;
    }
    let analysis = cx.step().map(|step| step["analysis"].clone()).unwrap_or_default();
    let index = cx.index().map(|index| index.to_string());
    let of_before =
        current.as_ref().is_some_and(|run| run["metadata"]["labels"]["step-index"].as_str() != index.as_deref());
    if analysis.is_null() || of_before {
        if let Some(run) = current {
            cancel(store, &run);
        }
        return None;
    }
    if needs_new(cx, current.as_ref()) {
        return create(store, cx, Role::Step, &analysis);
    }
    judge(cx, Role::Step, current.as_ref());
    current
}

fn background(store: &mut Store, cx: &mut Cx) -> Option<Value> {
    let current = cx.runs.background.clone();
    let analysis = cx.strategy()["analysis"].clone();
    if analysis.is_null() {
        if let Some(run) = current {
            cancel(store, &run);
        }
        return None;
    }
    let starts = analysis["startingStep"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if cx.index().is_some_and(|index| index < starts) || cx.text("currentPodHash").is_empty() {
        return None;
    }
    if cx.pause_condition(INCONCLUSIVE).is_some() {
        return current;
    }
    if needs_new(cx, current.as_ref()) {
        return create(store, cx, Role::Background, &analysis);
    }
    judge(cx, Role::Background, current.as_ref());
    current
}

/// The runs of a blue-green rollout.
pub(super) fn blue_green(store: &mut Store, cx: &mut Cx) {
    if !cancelled(store, cx) {
        for (role, field) in [(Role::Pre, "prePromotionAnalysis"), (Role::Post, "postPromotionAnalysis")] {
            let run = promotion(store, cx, role, field);
            judge(cx, role, run.as_ref());
            *role.of(&mut cx.runs) = run;
        }
    }
    finish(store, cx);
}

fn promotion(store: &mut Store, cx: &mut Cx, role: Role, field: &str) -> Option<Value> {
    let current = role.of(&mut cx.runs).clone();
    let analysis = cx.strategy()[field].clone();
    let skips = matches!(role, Role::Pre) && skips_pre(cx) || matches!(role, Role::Post) && skips_post(cx);
    if analysis.is_null() || skips {
        if let Some(run) = &current {
            cancel(store, run);
        }
        return current.filter(|_| !analysis.is_null());
    }
    if cx.pause_condition(INCONCLUSIVE).is_some() || !needs_new(cx, current.as_ref()) {
        return current;
    }
    create(store, cx, role, &analysis)
}

fn active(cx: &Cx) -> &str {
    cx.status()["blueGreen"]["activeSelector"].as_str().unwrap_or_default()
}

fn skips_pre(cx: &Cx) -> bool {
    if cx.text("stableRS") == cx.new.hash || active(cx).is_empty() || active(cx) == cx.new.hash {
        return true;
    }
    if cx.runs.pre.is_some() {
        return false;
    }
    match cx.seconds("previewReplicaCount") {
        Some(preview) => cx.new.size != preview || cx.new.counts.available != preview,
        None => !cx.saturated(&cx.new),
    }
}

/// Whether there is nothing to analyse after a switch.
pub(super) fn skips_post(cx: &Cx) -> bool {
    let switched = cx.text("stableRS") != cx.new.hash && active(cx) == cx.new.hash;
    !switched || (cx.runs.post.is_none() && !cx.saturated(&cx.new))
}
