//! Hostile text in every string of every captured object: nothing of it reaches a cell of the screen, a line of a verb, a
//! JSON document or a record raw.

use std::sync::Arc;

use crossterm::event::KeyCode;
use serde_json::Value;

use super::screens::{Desk, text};
use super::worlds::{target, world_of};
use crate::domain::analysis::{AnalysisRun, Experiment};
use crate::domain::environment::Tier;
use crate::domain::history::{ClusterEvent, Manager};
use crate::domain::ids::ClusterId;
use crate::domain::rollout::Rollout;
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::domain::workload::{Pod, ReplicaSet};
use crate::systems::argo_rollouts::decode;
use crate::systems::kubernetes::decode::{pod, replica_set};
use crate::systems::kubernetes::{events, managed};

/// Each a class of attack: screen and clipboard control, links, titles, queries of the terminal, C1, bidi, invisible,
/// line breaks, rendering, size.
fn payloads() -> Vec<String> {
    let mut all: Vec<String> = [
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]52;c;cm0gLXJmIC8=\u{7}",
        "\u{1b}]8;;http://evil\u{1b}\\click\u{1b}]8;;\u{1b}\\",
        "\u{1b}]0;title\u{7}",
        "\u{1b}P$q\"p\u{1b}\\",
        "\u{1b}_G\u{1b}\\",
        "\u{1b}[6n\u{1b}[c",
        "\u{9b}31m\u{9d}52;c;x\u{9c}",
        "\u{202e}dcba\u{2066}x\u{2069}",
        "a\u{200b}\u{feff}\u{ad}b",
        "one\r\ntwo\rthree\tfour",
        "\u{0}\u{8}\u{c}\u{e}\u{7f}",
        "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
        "\u{e0001}\u{e000}\u{fff9}",
        "\u{2028}\u{2029}",
    ]
    .map(ToOwned::to_owned)
    .into();
    all.push("\u{1b}[31m".repeat(13_000));
    all
}

fn captured() -> Vec<(String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/real");
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a fixture");
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), serde_json::from_str(&text).expect("JSON"))
    };
    std::fs::read_dir(folder).expect("the fixtures").map(|file| read(file.expect("a file").path())).collect()
}

/// The pointers of all strings below `value`.
fn strings(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| strings(v, &format!("{at}/{n}"), found)),
        Value::Object(all) => {
            for (key, v) in all {
                strings(v, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts the payload behind every string, and into every key besides.
fn poison(value: &mut Value, payload: &str) {
    match value {
        Value::String(text) => text.push_str(payload),
        Value::Array(all) => all.iter_mut().for_each(|v| poison(v, payload)),
        Value::Object(all) => all.values_mut().for_each(|v| poison(v, payload)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn raw_char(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(*c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}')
    })
}

/// No string of what was decoded holds such a character.
fn assert_clean(what: &str, decoded: &impl serde::Serialize) {
    fn walk(what: &str, value: &Value) {
        match value {
            Value::String(text) => assert_eq!(raw_char(text), None, "{what}: {text:?}"),
            Value::Array(all) => all.iter().for_each(|v| walk(what, v)),
            Value::Object(all) => all.iter().for_each(|(key, v)| {
                assert_eq!(raw_char(key), None, "{what}: key {key:?}");
                walk(what, v);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    walk(what, &serde_json::to_value(decoded).expect("it serialises"));
}

#[derive(Default)]
struct Decoded {
    rollout: Option<Rollout>,
    sets: Vec<ReplicaSet>,
    pods: Vec<Pod>,
    runs: Vec<AnalysisRun>,
    experiments: Vec<Experiment>,
    managers: Vec<Manager>,
    /// What was said of objects that did not decode.
    warnings: Vec<Clean>,
}

fn raw(value: &Value) -> String {
    value.to_string()
}

fn decoded(all: &Value) -> Decoded {
    let mut found = Decoded::default();
    let rollout = raw(&all["rollout"]);
    match decode::rollout(&rollout, &ClusterId("cluster-1".into())) {
        Ok(rollout) => found.rollout = Some(rollout),
        Err(bad) => found.warnings.extend([bad.object, bad.why]),
    }
    found.managers = managed::managers(&rollout);
    let owner = found.rollout.as_ref().map(|r| r.uid.clone()).unwrap_or_default();
    let list = |key: &str| all[key].as_array().cloned().unwrap_or_default();
    let mut keep = |bad: crate::systems::kubernetes::watch::Malformed| found.warnings.extend([bad.object, bad.why]);
    for object in list("replicaSets") {
        match replica_set(&raw(&object)) {
            Ok(set) => found.sets.extend(set),
            Err(bad) => keep(bad),
        }
        // A pod is made of the ReplicaSet's template: the same texts.
        match pod(&raw(&object)) {
            Ok(pod) => found.pods.extend(pod),
            Err(bad) => keep(bad),
        }
    }
    for object in list("analysisRuns") {
        match decode::runs::of(&raw(&object), &owner) {
            Ok(run) => found.runs.extend(run),
            Err(bad) => keep(bad),
        }
    }
    for object in list("experiments") {
        match decode::experiments::of(&raw(&object), &owner) {
            Ok(experiment) => found.experiments.extend(experiment),
            Err(bad) => keep(bad),
        }
    }
    found
}

fn assert_all_clean(what: &str, found: &Decoded) {
    assert_clean(what, &found.rollout);
    assert_clean(what, &found.sets);
    assert_clean(what, &found.pods);
    assert_clean(what, &found.runs);
    assert_clean(what, &found.experiments);
    assert_clean(what, &found.managers);
    assert_clean(what, &found.warnings);
    if let Some(rollout) = &found.rollout {
        assert_clean(what, &Seen::of(rollout, super::worlds::now()).evidence());
        assert_clean(what, &rollout.status().1);
    }
}

#[test]
fn every_single_string_of_every_object_is_cleaned() {
    let short = &payloads()[..payloads().len() - 1];
    let mut places = 0;
    for (name, object) in captured() {
        let mut pointers = Vec::new();
        strings(&object, "", &mut pointers);
        for (n, pointer) in pointers.iter().enumerate() {
            let payload = &short[n % short.len()];
            let mut hostile = object.clone();
            *hostile.pointer_mut(pointer).expect("a string is there") = Value::String(payload.clone());
            assert_all_clean(&format!("{name}{pointer}"), &decoded(&hostile));
            places += 1;
        }
    }
    assert!(places > 5_000, "only {places} strings were found");
}

#[test]
fn an_event_is_cleaned_too() {
    for payload in payloads() {
        let mut event = serde_json::json!({
            "metadata": {"name": "e", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-25T10:00:00Z"},
            "involvedObject": {"kind": "Rollout", "name": "payments", "uid": "uid-1"},
            "reason": "R", "message": "m", "type": "Warning", "source": {"component": "c"}, "count": 1,
        });
        let before = event.clone();
        poison(&mut event, &payload);
        event["involvedObject"] = before["involvedObject"].clone();
        let said: Option<ClusterEvent> = events::of(&raw(&event), "payments").expect("it decodes");
        assert_clean("an event", &said);
    }
}

/// The whole cockpit on worlds where every text is hostile.
#[test]
fn no_cell_of_any_screen_holds_a_control_character() {
    for (n, (name, object)) in captured().into_iter().enumerate() {
        let all = payloads();
        let payload = &all[n % all.len()];
        let mut hostile = object.clone();
        poison(&mut hostile, payload);
        // Who belongs to whom must still be known, or nothing is drawn.
        for pointer in ["/rollout/metadata/uid", "/rollout/status/currentPodHash", "/rollout/status/stableRS"] {
            if let (Some(place), Some(plain)) = (hostile.pointer_mut(pointer), object.pointer(pointer)) {
                *place = plain.clone();
            }
        }
        let (poisoned, plain) = (decoded(&hostile), decoded(&object));
        let Some(rollout) = poisoned.rollout.or(plain.rollout) else { panic!("{name} does not decode at all") };
        let sets: Vec<_> = plain
            .sets
            .into_iter()
            .zip(&poisoned.sets)
            .map(|(set, bad)| Arc::new(ReplicaSet { images: bad.images.clone(), name: bad.name.clone(), ..set }))
            .collect();
        let mut shown = (*target(rollout, sets, Tier::Production)).clone();
        shown.pods = Some(Arc::new(poisoned.pods));
        shown.runs = Some(Arc::new(if poisoned.runs.is_empty() { plain.runs } else { poisoned.runs }));
        shown.experiments = Some(Arc::new(poisoned.experiments));
        shown.managers = Some(Arc::new(poisoned.managers));
        let id = shown.id().clone();
        for (width, height) in [(80, 24), (200, 60)] {
            let mut desk = Desk::new(world_of(vec![Arc::new(shown.clone())]));
            desk.state.selected = Some(id.clone());
            let look = |desk: &mut Desk, place: &str| {
                let buffer = desk.draw(width, height);
                let said = text(&buffer);
                assert_eq!(raw_char(&said), None, "{name}, {place}, {width}x{height}: {said:?}");
            };
            look(&mut desk, "board");
            desk.keys("a");
            look(&mut desk, "menu");
            for act in ["p", "b", "r", "u", "i"] {
                desk.keys(act);
                look(&mut desk, act);
                desk.key(KeyCode::Esc);
                desk.keys("a");
            }
            desk.key(KeyCode::Esc);
            desk.key(KeyCode::Enter);
            look(&mut desk, "target");
            for screen in ["v", "e", "L"] {
                desk.keys(screen);
                look(&mut desk, screen);
                desk.key(KeyCode::Esc);
            }
        }
    }
}
