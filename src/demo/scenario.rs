//! Scenario files: which rollouts there are, what they are made of, and what happens when.
//!
//! The head of `demos/bad-canary.toml` tells its keys. An unknown key or word is an error that says what would be right.

mod event;
mod fleet;
mod rollout;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rates::Errors;
use super::store::{Key, Kind};
use super::traffic::{TrafficEntry, TrafficPlan};
pub(super) use event::{EventAct, EventPlan};
pub(super) use rollout::RolloutPlan;

/// A scenario, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub(super) pod_ready: SignedDuration,
    pub(super) broken_tags: Vec<String>,
    pub(super) rollouts: Vec<RolloutPlan>,
    /// What stands beside the rollouts: Services, Deployments, `AnalysisTemplate`s.
    pub(super) objects: Vec<(Key, Value)>,
    pub(super) applications: Vec<ApplicationPlan>,
    pub(super) events: Vec<EventPlan>,
    pub(super) traffic: Vec<TrafficPlan>,
    /// Rollouts that stand still, each in one of the shapes.
    pub(super) stamps: Vec<Stamp>,
    /// Each a scenario of one rollout, with the words of [`super::stamp`] in the place of names and version.
    pub(super) shapes: Vec<Scenario>,
}

/// A rollout that stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub shape: usize,
    pub namespace: String,
    pub name: String,
    pub version: String,
}

/// An Argo CD application that owns rollouts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApplicationPlan {
    pub namespace: String,
    pub name: String,
    pub targets: Vec<Key>,
    /// How long after a change by somebody else Git's template is put back.
    pub heals_after: SignedDuration,
    pub object: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pod_ready: Option<String>,
    #[serde(default)]
    broken_tags: Vec<String>,
    #[serde(default)]
    rollout: Vec<rollout::Entry>,
    #[serde(default)]
    analysis: Vec<AnalysisEntry>,
    #[serde(default)]
    application: Vec<ApplicationEntry>,
    #[serde(default)]
    event: Vec<event::Entry>,
    #[serde(default)]
    traffic: Vec<TrafficEntry>,
}

/// An `AnalysisTemplate` with one metric: the share of requests that fail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnalysisEntry {
    namespace: String,
    name: String,
    interval: Option<String>,
    initial_delay: Option<String>,
    count: Option<u32>,
    #[serde(default)]
    failure_limit: i32,
    #[serde(default)]
    inconclusive_limit: i32,
    success: Option<String>,
    failure: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationEntry {
    name: String,
    namespace: Option<String>,
    targets: Vec<String>,
    #[serde(default)]
    self_heal: bool,
    heals_after: Option<String>,
    repository: Option<String>,
}

/// The scenarios that come with the program.
const NAMED: &[(&str, &str)] = &[
    ("calm-canary", include_str!("../../demos/calm-canary.toml")),
    ("bad-canary", include_str!("../../demos/bad-canary.toml")),
    ("blue-green", include_str!("../../demos/blue-green.toml")),
    ("stuck-analysis", include_str!("../../demos/stuck-analysis.toml")),
    ("outage", include_str!("../../demos/outage.toml")),
    ("git-undo", include_str!("../../demos/git-undo.toml")),
];

impl Scenario {
    /// The scenario that is played when none is asked for.
    #[expect(clippy::missing_panics_doc, reason = "the file is part of the program; a test reads it")]
    pub fn calm_canary() -> Self {
        Self::named("calm-canary").expect("the scenario that comes with the program is sound")
    }

    /// The names of the scenarios that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// A scenario that comes with the program. The error tells the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        if let Some(size) = name.strip_prefix("fleet-") {
            let size = size.parse().ok().filter(|n| (1..=20_000).contains(n));
            let size = size.ok_or_else(|| format!("scenario {name:?}: write fleet-300: from 1 to 20000 rollouts"))?;
            return Ok(Self::fleet(size));
        }
        let found = NAMED.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| {
            let all: Vec<&str> = Self::names().collect();
            format!("scenario {name:?}: it is one of {}, or fleet-N", all.join(", "))
        })?;
        Self::parse(text)
    }

    /// Many rollouts of all kinds and phases, in many namespaces; only some dozens ever move.
    pub fn fleet(size: usize) -> Self {
        fleet::make(size)
    }

    /// Reads a scenario file. Errors name the line or the entry, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let pod_ready =
            file.pod_ready.as_deref().map_or(Ok(SignedDuration::from_secs(1)), |t| duration("pod_ready", t))?;
        let mut objects: Vec<(Key, Value)> = file.analysis.iter().map(template).collect::<Result<_, _>>()?;
        let mut rollouts: Vec<RolloutPlan> = Vec::new();
        for entry in file.rollout {
            let (plan, beside) = rollout::plan(&entry)?;
            if rollouts.iter().any(|r| r.namespace == plan.namespace && r.name == plan.name) {
                return Err(format!("{}/{}: there are two [[rollout]] of this name", plan.namespace, plan.name));
            }
            for analysis in &plan.analyses {
                let known = |(key, _): &(Key, Value)| key.namespace == plan.namespace && key.name == *analysis;
                if !objects.iter().any(known) {
                    let (ns, name) = (&plan.namespace, &plan.name);
                    return Err(format!("{ns}/{name}: analysis {analysis:?}: there is no such [[analysis]] in {ns}"));
                }
            }
            objects.extend(beside);
            rollouts.push(plan);
        }
        if rollouts.is_empty() {
            return Err("no [[rollout]] is there: a world needs at least one".to_owned());
        }
        let there = |namespace: &str, name: &str| rollouts.iter().any(|r| r.namespace == namespace && r.name == name);
        let events: Vec<EventPlan> = file.event.into_iter().map(event::plan).collect::<Result<_, _>>()?;
        for event in events.iter().filter(|event| !event.namespace.is_empty()) {
            if !there(&event.namespace, &event.name) {
                return Err(format!("event on {}/{}: there is no such [[rollout]]", event.namespace, event.name));
            }
        }
        let traffic: Vec<_> = file.traffic.into_iter().map(TrafficEntry::plan).collect::<Result<_, _>>()?;
        for plan in &traffic {
            if !there(&plan.namespace, &plan.name) {
                return Err(format!("traffic of {}/{}: there is no such [[rollout]]", plan.namespace, plan.name));
            }
        }
        let applications: Vec<ApplicationPlan> = file.application.iter().map(application).collect::<Result<_, _>>()?;
        for application in &applications {
            for key in &application.targets {
                let plan = rollouts.iter_mut().find(|r| r.namespace == key.namespace && r.name == key.name);
                let plan = plan.ok_or_else(|| {
                    format!(
                        "application {}: {}/{}: there is no such [[rollout]]",
                        application.name, key.namespace, key.name
                    )
                })?;
                let id = format!("{}:argoproj.io/Rollout:{}/{}", application.name, key.namespace, key.name);
                plan.object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = id.into();
            }
        }
        let (stamps, shapes) = (Vec::new(), Vec::new());
        let broken_tags = file.broken_tags;
        Ok(Self { pod_ready, broken_tags, rollouts, objects, applications, events, traffic, stamps, shapes })
    }

    /// The error shares of the versions.
    pub(super) fn errors(&self) -> Errors {
        let all = self.rollouts.iter().flat_map(|r| {
            r.errors.iter().map(|(version, share)| ((r.namespace.clone(), r.name.clone(), version.clone()), *share))
        });
        Errors { shares: all.collect() }
    }
}

fn duration(what: &str, text: &str) -> Result<SignedDuration, String> {
    text.parse().map_err(|_| format!("{what} = {text:?}: write it as 8s, 2m or -6m"))
}

/// A target as events and applications write it.
fn target(what: &str, text: &str) -> Result<(String, String), String> {
    let (namespace, name) = text.split_once('/').ok_or_else(|| format!("{what} {text:?}: write NAMESPACE/NAME"))?;
    Ok((namespace.to_owned(), name.to_owned()))
}

fn template(entry: &AnalysisEntry) -> Result<(Key, Value), String> {
    let at = format!("analysis {}/{}", entry.namespace, entry.name);
    if entry.success.is_none() && entry.failure.is_none() {
        return Err(format!("{at}: say success or failure, as in success = \"result[0] <= 0.05\""));
    }
    for text in [&entry.interval, &entry.initial_delay].into_iter().flatten() {
        duration(&format!("{at}: interval or initial_delay"), text)?;
    }
    let rate = |codes: &str| {
        let labels = "service=\"{{args.service}}\",rollouts_pod_template_hash=\"{{args.hash}}\"";
        format!("sum(rate(http_requests_total{{{labels}{codes}}}[1m]))")
    };
    let query = format!("{} / {}", rate(",code=~\"5..\""), rate(""));
    let metric = json!({
        "name": "error-rate", "interval": entry.interval, "initialDelay": entry.initial_delay, "count": entry.count,
        "failureLimit": entry.failure_limit, "inconclusiveLimit": entry.inconclusive_limit,
        "successCondition": entry.success, "failureCondition": entry.failure,
        "provider": {"prometheus": {"address": "http://prometheus.monitoring:9090", "query": query}},
    });
    let object = json!({"spec": {"args": [{"name": "service"}, {"name": "hash"}], "metrics": [metric]}});
    Ok((Key::new(Kind::AnalysisTemplate, &entry.namespace, &entry.name), object))
}

fn application(entry: &ApplicationEntry) -> Result<ApplicationPlan, String> {
    let what = format!("application {}: target", entry.name);
    let targets: Vec<Key> = entry
        .targets
        .iter()
        .map(|text| target(&what, text).map(|(ns, name)| Key::new(Kind::Rollout, &ns, &name)))
        .collect::<Result<_, _>>()?;
    let after = entry.heals_after.as_deref().map(|text| duration("heals_after", text)).transpose()?;
    let namespace = entry.namespace.clone().unwrap_or_else(|| "argocd".to_owned());
    let repository = entry.repository.clone().unwrap_or_else(|| "https://git.example/infrastructure.git".to_owned());
    let goes_to = targets.first().map(|key| key.namespace.clone()).unwrap_or_default();
    let object = json!({
        "spec": {
            "project": "default",
            "source": {"repoURL": repository, "path": format!("apps/{}", entry.name), "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": goes_to},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": entry.self_heal}},
        },
    });
    Ok(ApplicationPlan {
        namespace,
        name: entry.name.clone(),
        targets,
        heals_after: after.unwrap_or(SignedDuration::from_secs(5)),
        object,
    })
}

#[cfg(test)]
mod tests;
