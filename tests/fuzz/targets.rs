//! What is fed, with what, and what has to hold.

mod cluster;
mod files;

use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use cluster::{
    analysis_run, annotations, api_error, argo_cd, as_yaml, errors, event, event_seeds, experiment, frame, frames, log,
    log_lines, managed_fields, pod, pods, replica_set, rollout,
};
use files::{
    audit_log, audit_logs, configuration, configurations, export, exports, filter, filters, pattern, patterns,
    scenario, scenarios, template, templates, theme, themes,
};

use crate::domain::text::Clean;
use crate::systems::kubernetes::watch::Malformed;
use crate::{demo, systems};

/// One decoder.
pub(super) struct Target {
    pub name: &'static str,
    /// What inputs are made of.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether seeds are JSON, to be changed as such.
    pub json: bool,
    pub run: fn(&[u8]),
}

pub(super) const TARGETS: &[Target] = &[
    Target { name: "rollout", seeds: || captured("rollout"), json: true, run: rollout },
    Target { name: "replica-set", seeds: || captured("replicaSets"), json: true, run: replica_set },
    Target { name: "pod", seeds: pods, json: true, run: pod },
    Target { name: "analysis-run", seeds: || captured("analysisRuns"), json: true, run: analysis_run },
    Target { name: "experiment", seeds: || captured("experiments"), json: true, run: experiment },
    Target { name: "event", seeds: event_seeds, json: true, run: event },
    Target { name: "managed-fields", seeds: || captured("rollout"), json: true, run: managed_fields },
    Target { name: "argo-cd-annotation", seeds: annotations, json: false, run: argo_cd },
    Target { name: "watch-frame", seeds: frames, json: true, run: frame },
    Target { name: "api-error", seeds: errors, json: true, run: api_error },
    Target { name: "prometheus-answer", seeds: answers, json: true, run: prometheus },
    Target { name: "audit-log", seeds: audit_logs, json: false, run: audit_log },
    Target { name: "audit-export", seeds: exports, json: false, run: export },
    Target { name: "configuration", seeds: configurations, json: false, run: configuration },
    Target { name: "query-template", seeds: templates, json: false, run: template },
    Target { name: "scenario", seeds: scenarios, json: false, run: scenario },
    Target { name: "json-patch", seeds: patches, json: true, run: json_patch },
    Target { name: "log-lines", seeds: log_lines, json: false, run: log },
    Target { name: "yaml", seeds: || captured("rollout"), json: true, run: as_yaml },
    Target { name: "text", seeds: texts, json: false, run: text },
    Target { name: "filter", seeds: filters, json: false, run: filter },
    Target { name: "theme", seeds: themes, json: false, run: theme },
    Target { name: "pattern", seeds: patterns, json: false, run: pattern },
];

fn fixture(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The objects of a kind in what was captured from real clusters.
fn captured(key: &str) -> Vec<Vec<u8>> {
    let folder = fixture("tests/fixtures/real");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the fixtures").flatten().map(|f| f.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).expect("a fixture");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        match &all[key] {
            Value::Array(objects) => found.extend(objects.iter().map(|o| o.to_string().into_bytes())),
            Value::Null => {}
            object => found.push(object.to_string().into_bytes()),
        }
    }
    found
}

/// Nothing in it steers a terminal, turns text around or hides.
fn assert_clean(decoded: &impl serde::Serialize) {
    fn walk(value: &Value) {
        match value {
            Value::String(text) => plain(text),
            Value::Array(all) => all.iter().for_each(walk),
            Value::Object(all) => all.iter().for_each(|(key, inner)| {
                plain(key);
                walk(inner);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    walk(&serde_json::to_value(decoded).expect("it serialises"));
}

fn plain(text: &str) {
    let raw = text.chars().find(|c| {
        c.is_control()
            || matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(*c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    });
    assert_eq!(raw, None, "{text:?}");
}

fn complaint(bad: &Malformed) {
    plain(bad.object.as_str());
    plain(bad.why.as_str());
}

/// The input as one JSON value, which is what a decoder of objects is given.
fn raw(input: &[u8]) -> Option<&str> {
    serde_json::from_slice(input).ok().map(RawValue::get)
}

fn answers() -> Vec<Vec<u8>> {
    let series = |key: &str, value: &str| json!({"metric": {"flightdeck": key}, "value": [1_700_000_000.5, value]});
    let vector = json!({"status": "success", "warnings": ["w"], "data": {"resultType": "vector",
        "result": [series("0.el", "5"), series("0.tl", "NaN"), series("1.ts", "+Inf"), series("1.n", "20")]}});
    let error = json!({"status": "error", "errorType": "bad_data", "error": "parse error"});
    let histogram = json!({"status": "success", "data": {"resultType": "vector",
        "result": [{"metric": {}, "histogram": [1, {"count": "1", "buckets": []}]}]}});
    [vector, error, histogram].iter().map(|v| v.to_string().into_bytes()).collect()
}

fn prometheus(input: &[u8]) {
    use crate::domain::signal::reading::Freshness;
    use crate::domain::signal::verdict::verdict;
    use crate::domain::signal::{Raw, Rules};
    let code = if input.len().is_multiple_of(3) { 200 } else { 503 };
    match systems::prometheus::decode::answer(code, input) {
        Ok(answer) => {
            assert_clean(&answer.notes);
            for prefix in ["0", "1"] {
                let raw: Raw = systems::prometheus::query::raw(&answer, prefix);
                let rules = Rules::default();
                let fresh = Freshness::Now {
                    age: answer.at.and_then(|at| raw.age(at)),
                    scrape: answer.at.and_then(|at| raw.scrape(at, &rules)).unwrap_or(60.0),
                };
                let (long, short) = raw.readings(&rules, fresh);
                plain(&long.cell());
                plain(&short.sentence(&rules));
                let _ = verdict(&long, &short, &rules);
            }
        }
        Err(fault) => plain(fault.why().as_str()),
    }
}

fn patches() -> Vec<Vec<u8>> {
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": "/status/x", "value": null},
        {"op": "add", "path": "/spec/containers/-", "value": {"a": 1}},
        {"op": "add", "path": "/spec/containers/0", "value": 2},
        {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "c"},
        {"op": "remove", "path": "/spec/containers/1"},
        {"op": "copy", "from": "/spec", "path": "/copy"},
        {"op": "move", "from": "/metadata", "path": "/spec/containers/0"},
    ]);
    vec![patch.to_string().into_bytes(), br#"[{"op":"add","path":"","value":[]}]"#.to_vec()]
}

fn json_patch(input: &[u8]) {
    let document =
        json!({"metadata": {"uid": "u", "annotations": {"a/b": 1}}, "spec": {"containers": [1, {"x": [2]}]}});
    if let Ok(operations) = serde_json::from_slice::<Vec<demo::patch::Operation>>(input) {
        let first = demo::patch::json_patch(&document, &operations);
        assert_eq!(first, demo::patch::json_patch(&document, &operations));
    }
    if let Ok(patch) = serde_json::from_slice::<Value>(input) {
        let mut merged = document;
        demo::patch::merge(&mut merged, &patch);
        let once = merged.clone();
        demo::patch::merge(&mut merged, &patch);
        assert_eq!(merged, once, "merging twice is merging once");
    }
}

fn texts() -> Vec<Vec<u8>> {
    [
        "plain",
        "gr\u{f6}\u{df}er \u{1f680}",
        "\u{1b}[31mred\u{1b}[0m\r\n\tx",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{202e}\u{2066}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

fn text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let clean = Clean::new(&text);
    plain(clean.as_str());
    // What was cut is cut again: its escapes made it longer.
    if text.chars().count() < crate::domain::text::MAX_CHARS / 10 {
        assert_eq!(Clean::new(clean.as_str()), clean, "cleaning twice is cleaning once");
    }
    let longest = input.len() % 100;
    let long = Clean::long(&text, longest);
    plain(long.as_str());
}
