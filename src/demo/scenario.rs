//! Scenario files: which rollouts there are, and what happens when.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::traffic::{TrafficEntry, TrafficPlan};

/// A scenario, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub(super) pod_ready: SignedDuration,
    pub(super) broken_tags: Vec<String>,
    pub(super) rollouts: Vec<RolloutPlan>,
    pub(super) events: Vec<EventPlan>,
    pub(super) traffic: Vec<TrafficPlan>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RolloutPlan {
    pub namespace: String,
    pub name: String,
    pub object: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct EventPlan {
    /// From the start of the world; what is negative has happened before.
    pub at: SignedDuration,
    /// Happens again and again.
    pub every: Option<SignedDuration>,
    pub namespace: String,
    pub name: String,
    pub act: EventAct,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum EventAct {
    /// A new version is set; when it repeats, only on a rollout that is healthy.
    Release(Option<String>),
    Abort,
    Retry,
    Pause,
    Unpause,
    PromoteFull,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pod_ready: Option<String>,
    #[serde(default)]
    broken_tags: Vec<String>,
    #[serde(default)]
    rollout: Vec<RolloutEntry>,
    #[serde(default)]
    event: Vec<EventEntry>,
    #[serde(default)]
    traffic: Vec<TrafficEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolloutEntry {
    namespace: String,
    name: String,
    image: String,
    version: String,
    #[serde(default = "one")]
    replicas: u32,
    #[serde(default)]
    steps: Vec<String>,
    router: Option<String>,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    at: String,
    every: Option<String>,
    target: String,
    #[serde(rename = "do")]
    what: String,
    version: Option<String>,
}

const CALM_CANARY: &str = include_str!("../../demos/calm-canary.toml");

impl Scenario {
    /// The scenario that comes with the program.
    #[expect(clippy::missing_panics_doc, reason = "the file is part of the program; a test reads it")]
    pub fn calm_canary() -> Self {
        Self::parse(CALM_CANARY).expect("the scenario that comes with the program is sound")
    }

    /// Reads a scenario file. Errors name the line or the entry, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let pod_ready =
            file.pod_ready.as_deref().map_or(Ok(SignedDuration::from_secs(1)), |t| duration("pod_ready", t))?;
        let rollouts: Vec<_> = file.rollout.into_iter().map(rollout).collect::<Result<_, _>>()?;
        if rollouts.is_empty() {
            return Err("no [[rollout]] is there: a world needs at least one".to_owned());
        }
        let events: Vec<_> = file.event.into_iter().map(event).collect::<Result<_, _>>()?;
        for event in &events {
            if !rollouts.iter().any(|r| r.namespace == event.namespace && r.name == event.name) {
                return Err(format!("event on {}/{}: there is no such [[rollout]]", event.namespace, event.name));
            }
        }
        let traffic: Vec<_> = file.traffic.into_iter().map(TrafficEntry::plan).collect::<Result<_, _>>()?;
        for plan in &traffic {
            if !rollouts.iter().any(|r| r.namespace == plan.namespace && r.name == plan.name) {
                return Err(format!("traffic of {}/{}: there is no such [[rollout]]", plan.namespace, plan.name));
            }
        }
        Ok(Self { pod_ready, broken_tags: file.broken_tags, rollouts, events, traffic })
    }
}

fn duration(what: &str, text: &str) -> Result<SignedDuration, String> {
    text.parse().map_err(|_| format!("{what} = {text:?}: write it as 8s, 2m or -6m"))
}

fn rollout(entry: RolloutEntry) -> Result<RolloutPlan, String> {
    let RolloutEntry { namespace, name, image, version, replicas, steps, router } = entry;
    let steps: Vec<Value> = steps
        .iter()
        .map(|text| step(text).ok_or_else(|| format!("{namespace}/{name}: step {text:?}: write 5%, pause or pause 2m")))
        .collect::<Result<_, _>>()?;
    let mut canary = json!({"steps": steps});
    match router.as_deref() {
        None => {}
        Some("nginx") => {
            canary["stableService"] = format!("{name}-stable").into();
            canary["canaryService"] = format!("{name}-canary").into();
            canary["trafficRouting"] = json!({"nginx": {"stableIngress": name}});
        }
        Some(other) => return Err(format!("{namespace}/{name}: router {other:?}: the demo world knows nginx")),
    }
    let object = json!({
        "metadata": {"labels": {"app": name}},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": canary},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": format!("{image}:{version}")}]},
            },
        },
    });
    Ok(RolloutPlan { namespace, name, object })
}

fn step(text: &str) -> Option<Value> {
    if let Some(weight) = text.strip_suffix('%') {
        let weight: u32 = weight.trim().parse().ok()?;
        return (weight <= 100).then(|| json!({"setWeight": weight}));
    }
    let rest = text.strip_prefix("pause")?.trim();
    if rest.is_empty() {
        return Some(json!({"pause": {}}));
    }
    rest.parse::<SignedDuration>().ok()?;
    Some(json!({"pause": {"duration": rest}}))
}

fn event(entry: EventEntry) -> Result<EventPlan, String> {
    let EventEntry { at, every, target, what, version } = entry;
    let (namespace, name) =
        target.split_once('/').ok_or_else(|| format!("event on {target:?}: write NAMESPACE/NAME"))?;
    let act = match what.as_str() {
        "release" => EventAct::Release(version),
        "abort" => EventAct::Abort,
        "retry" => EventAct::Retry,
        "pause" => EventAct::Pause,
        "unpause" => EventAct::Unpause,
        "promote-full" => EventAct::PromoteFull,
        other => {
            return Err(format!(
                "event on {target}: do = {other:?}: it is one of release, abort, retry, pause, unpause, promote-full"
            ));
        }
    };
    let every = every.as_deref().map(|text| duration("every", text)).transpose()?;
    if every.is_some_and(|every| every < SignedDuration::from_secs(1)) {
        return Err(format!("event on {target}: every must be at least 1s"));
    }
    Ok(EventPlan { at: duration("at", &at)?, every, namespace: namespace.to_owned(), name: name.to_owned(), act })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_that_comes_along_is_sound() {
        assert!(Scenario::calm_canary().rollouts.len() >= 5);
    }

    #[test]
    fn errors_name_the_place_and_what_would_be_right() {
        let good = "[[rollout]]\nnamespace = 'a'\nname = 'b'\nimage = 'c'\nversion = '1'\n";
        for (text, said) in [
            ("colour = 1".to_owned(), "line 1"),
            (String::new(), "no [[rollout]]"),
            (format!("{good}steps = ['5']"), "step \"5\": write 5%"),
            (format!("{good}steps = ['101%']"), "step \"101%\""),
            (format!("{good}router = 'istio'"), "knows nginx"),
            (format!("{good}[[event]]\nat = 'soon'\ntarget = 'a/b'\ndo = 'abort'"), "at = \"soon\": write it as"),
            (format!("{good}[[event]]\nat = '1s'\ntarget = 'a/x'\ndo = 'abort'"), "a/x: there is no such"),
            (format!("{good}[[event]]\nat = '1s'\ntarget = 'b'\ndo = 'abort'"), "NAMESPACE/NAME"),
            (format!("{good}[[event]]\nat = '1s'\ntarget = 'a/b'\ndo = 'explode'"), "one of release"),
            (format!("{good}[[traffic]]\ntarget = 'a/x'"), "a/x: there is no such"),
            (format!("{good}[[traffic]]\ntarget = 'a/b'\nerrors = 101"), "errors is percent"),
            (format!("{good}[[traffic]]\ntarget = 'a/b'\nrps = -1"), "rps is requests per second"),
        ] {
            let error = Scenario::parse(&text).expect_err(&text);
            assert!(error.contains(said), "{text:?} gave {error:?}");
        }
    }
}
