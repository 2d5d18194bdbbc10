//! One `[[rollout]]` of a scenario file, and what stands beside it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::duration;
use crate::demo::store::{Key, Kind};

/// A rollout as it comes into the world.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::demo) struct RolloutPlan {
    pub namespace: String,
    pub name: String,
    pub object: Value,
    /// The `AnalysisTemplate`s that it names.
    pub analyses: Vec<String>,
    /// The share of requests that fail, by version.
    pub errors: Vec<(String, f64)>,
}

/// `errors = {"8ab41e0" = 0.08}`; `"none"` where nothing can be measured.
#[derive(Deserialize)]
#[serde(untagged)]
enum Share {
    Number(f64),
    Word(String),
}

/// A `[[rollout]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    namespace: String,
    name: String,
    image: String,
    version: String,
    #[serde(default = "one")]
    replicas: u32,
    #[serde(default)]
    steps: Vec<String>,
    router: Option<String>,
    strategy: Option<String>,
    #[serde(default)]
    errors: BTreeMap<String, Share>,
    /// The template is that of a Deployment of the same name.
    #[serde(default)]
    workload: bool,
    progress_deadline: Option<String>,
    #[serde(default)]
    deadline_abort: bool,
    rollback_window: Option<u32>,
    scale_down: Option<String>,
    abort_scale_down: Option<String>,
    // Canary alone.
    #[serde(default)]
    background: Vec<String>,
    background_from: Option<u32>,
    #[serde(default)]
    dynamic_stable: bool,
    // Blue-green alone.
    auto_promotion: Option<String>,
    preview_replicas: Option<u32>,
    #[serde(default)]
    pre: Vec<String>,
    #[serde(default)]
    post: Vec<String>,
}

const fn one() -> u32 {
    1
}

type Beside = Vec<(Key, Value)>;

impl Entry {
    fn at(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    fn seconds(&self, what: &str, text: Option<&str>) -> Result<Option<i64>, String> {
        text.map(|text| duration(&format!("{}: {what}", self.at()), text).map(|d| d.as_secs())).transpose()
    }

    fn analysis(&self, names: &[String]) -> Value {
        if names.is_empty() {
            return Value::Null;
        }
        let templates: Vec<Value> = names.iter().map(|name| json!({"templateName": name})).collect();
        json!({
            "templates": templates,
            "args": [
                {"name": "service", "value": self.name},
                {"name": "hash", "valueFrom": {"podTemplateHashValue": "Latest"}},
            ],
        })
    }

    fn canary(&self) -> Result<Value, String> {
        let only = [
            ("auto_promotion", self.auto_promotion.is_some()),
            ("preview_replicas", self.preview_replicas.is_some()),
            ("pre", !self.pre.is_empty()),
            ("post", !self.post.is_empty()),
        ];
        if let Some((field, _)) = only.iter().find(|(_, there)| *there) {
            return Err(format!("{}: {field} belongs to strategy = \"blue-green\"", self.at()));
        }
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|text| {
                step(self, text).ok_or_else(|| {
                    let at = self.at();
                    format!(
                        "{at}: step {text:?}: write 5%, pause, pause 2m, analysis NAME, experiment 2m, scale 3, \
                         scale 25%, scale match, header NAME or mirror 20%"
                    )
                })
            })
            .collect::<Result<_, _>>()?;
        let mut canary = json!({"steps": steps, "analysis": self.analysis(&self.background)});
        if let Some(from) = self.background_from {
            canary["analysis"]["startingStep"] = from.into();
        }
        match self.router.as_deref() {
            None if self.dynamic_stable => {
                return Err(format!("{}: dynamic_stable needs a router", self.at()));
            }
            None => {}
            Some("nginx") => {
                canary["stableService"] = format!("{}-stable", self.name).into();
                canary["canaryService"] = format!("{}-canary", self.name).into();
                canary["trafficRouting"] = json!({"nginx": {"stableIngress": self.name}});
            }
            Some(other) => return Err(format!("{}: router {other:?}: the demo world knows nginx", self.at())),
        }
        if self.dynamic_stable {
            canary["dynamicStableScale"] = true.into();
        }
        Ok(canary)
    }

    fn blue_green(&self) -> Result<Value, String> {
        if !self.steps.is_empty() || self.router.is_some() || !self.background.is_empty() || self.dynamic_stable {
            let at = self.at();
            return Err(format!("{at}: steps, router, background and dynamic_stable belong to a canary"));
        }
        let mut blue_green = json!({
            "activeService": format!("{}-active", self.name), "previewService": format!("{}-preview", self.name),
            "previewReplicaCount": self.preview_replicas, "prePromotionAnalysis": self.analysis(&self.pre),
            "postPromotionAnalysis": self.analysis(&self.post),
        });
        match self.auto_promotion.as_deref() {
            None | Some("yes") => {}
            Some("no") => blue_green["autoPromotionEnabled"] = false.into(),
            Some(text) => {
                let length: SignedDuration = text
                    .parse()
                    .map_err(|_| format!("{}: auto_promotion = {text:?}: write yes, no or a time as 5m", self.at()))?;
                blue_green["autoPromotionSeconds"] = length.as_secs().into();
            }
        }
        Ok(blue_green)
    }

    fn services(&self, strategy: &Value) -> Beside {
        let names = ["activeService", "previewService", "stableService", "canaryService"];
        let service = |name: &str| {
            let key = Key::new(Kind::Service, &self.namespace, name);
            let ports = json!([{"name": "http", "port": 80, "protocol": "TCP"}]);
            (key, json!({"spec": {"selector": {"app": self.name}, "ports": ports, "type": "ClusterIP"}}))
        };
        names.iter().filter_map(|field| strategy[*field].as_str()).map(service).collect()
    }
}

/// A rollout, and the objects that stand beside it.
pub(super) fn plan(entry: &Entry) -> Result<(RolloutPlan, Beside), String> {
    let (word, mut strategy) = match entry.strategy.as_deref() {
        None | Some("canary") => ("canary", entry.canary()?),
        Some("blue-green") => ("blueGreen", entry.blue_green()?),
        Some(other) => return Err(format!("{}: strategy {other:?}: write canary or blue-green", entry.at())),
    };
    for (field, what, text) in [
        ("scaleDownDelaySeconds", "scale_down", entry.scale_down.as_deref()),
        ("abortScaleDownDelaySeconds", "abort_scale_down", entry.abort_scale_down.as_deref()),
    ] {
        if let Some(seconds) = entry.seconds(what, text)? {
            strategy[field] = seconds.into();
        }
    }
    let name = &entry.name;
    let template = json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": format!("{}:{}", entry.image, entry.version)}]},
    });
    let mut beside = entry.services(&strategy);
    let mut spec = json!({
        "replicas": entry.replicas, "selector": {"matchLabels": {"app": name}}, "strategy": {word: strategy},
        "progressDeadlineSeconds": entry.seconds("progress_deadline", entry.progress_deadline.as_deref())?,
    });
    if entry.deadline_abort {
        spec["progressDeadlineAbort"] = true.into();
    }
    if let Some(revisions) = entry.rollback_window {
        spec["rollbackWindow"] = json!({"revisions": revisions});
    }
    if entry.workload {
        spec["workloadRef"] = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
        let deployment = json!({
            "metadata": {"labels": {"app": name}},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template},
        });
        beside.push((Key::new(Kind::Deployment, &entry.namespace, name), deployment));
    } else {
        spec["template"] = template;
    }
    let mut analyses: Vec<String> =
        [&entry.background, &entry.pre, &entry.post].into_iter().flatten().cloned().collect();
    analyses.extend(
        entry.steps.iter().filter_map(|step| step.strip_prefix("analysis ").map(|name| name.trim().to_owned())),
    );
    let mut errors = Vec::new();
    for (version, share) in &entry.errors {
        errors.push((
            version.clone(),
            match share {
                Share::Number(share) if (0.0..=1.0).contains(share) => *share,
                Share::Word(word) if word == "none" => f64::NAN,
                _ => return Err(format!("{}: errors of {version:?}: write a share as 0.08, or \"none\"", entry.at())),
            },
        ));
    }
    let object = json!({"metadata": {"labels": {"app": name}}, "spec": spec});
    let plan = RolloutPlan { namespace: entry.namespace.clone(), name: entry.name.clone(), object, analyses, errors };
    Ok((plan, beside))
}

fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.trim().parse().ok().filter(|weight| *weight <= 100)
}

fn step(entry: &Entry, text: &str) -> Option<Value> {
    if let Some(weight) = percent(text) {
        return Some(json!({"setWeight": weight}));
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    match (word, rest) {
        ("pause", "") => Some(json!({"pause": {}})),
        ("pause", length) => length.parse::<SignedDuration>().ok().map(|_| json!({"pause": {"duration": length}})),
        ("analysis", name) if !name.is_empty() => Some(json!({"analysis": entry.analysis(&[name.to_owned()])})),
        ("experiment", length) => {
            length.parse::<SignedDuration>().ok()?;
            let template = |name: &str, of: &str| json!({"name": name, "specRef": of, "replicas": 1});
            let templates = [template("baseline", "stable"), template("candidate", "canary")];
            Some(json!({"experiment": {"duration": length, "templates": templates}}))
        }
        ("scale", "match") => Some(json!({"setCanaryScale": {"matchTrafficWeight": true}})),
        ("scale", number) => match percent(number) {
            Some(weight) => Some(json!({"setCanaryScale": {"weight": weight}})),
            None => number.parse::<u32>().ok().map(|replicas| json!({"setCanaryScale": {"replicas": replicas}})),
        },
        ("header", name) if !name.is_empty() => {
            let header = json!([{"headerName": "x-canary", "headerValue": {"exact": "yes"}}]);
            Some(json!({"setHeaderRoute": {"name": name, "match": header}}))
        }
        ("mirror", share) => {
            percent(share).map(|share| json!({"setMirrorRoute": {"name": "mirror", "percentage": share}}))
        }
        _ => None,
    }
}
