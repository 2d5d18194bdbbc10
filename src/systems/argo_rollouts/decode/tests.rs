//! Objects captured from a real cluster (Argo Rollouts v1.10.1), each with what `kubectl argo rollouts get rollout` said
//! of it; and objects that no cluster ever made.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::domain::rollout::{Observed, Strategy, WeightBasis};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Captured<'a> {
    told: Told,
    canary_available: Option<i64>,
    #[serde(borrow)]
    rollout: &'a RawValue,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Told {
    phase: String,
    message: String,
    step: String,
    desired: String,
    actual: String,
}

fn captured() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/real");
    let files = std::fs::read_dir(folder).expect("the fixtures");
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect()
}

fn cluster() -> ClusterId {
    ClusterId("cluster-1".into())
}

fn read(text: &str) -> (Told, Option<i64>, Rollout) {
    let captured: Captured<'_> = serde_json::from_str(text).expect("a captured object");
    let rollout = rollout(captured.rollout.get(), &cluster()).expect("it decodes");
    (captured.told, captured.canary_available, rollout)
}

/// Where the plugin says more than is known, and we do not.
const THE_PLUGIN_GUESSES: &[(&str, &str)] = &[
    ("not-yet-seen", "there is no status at all; the plugin computes a phase from nothing"),
    ("promoting-without-pods", "all steps are over, and the router still gives the stable version everything"),
];

#[test]
fn we_say_what_the_plugin_says() {
    let all = captured();
    assert!(all.len() >= 15, "{} captured objects", all.len());
    let mut wrong = Vec::new();
    for (name, text) in all {
        let (told, available, rollout) = read(&text);
        let (phase, message) = rollout.status();
        let actual = rollout.actual_weight(available).map_or_else(String::new, |a| a.weight.to_string());
        let index = rollout.step_index.unwrap_or(0);
        let ours = Told {
            phase: phase.to_string(),
            message: message.to_string(),
            step: if told.step.is_empty() { String::new() } else { format!("{index}/{}", rollout.steps().len()) },
            desired: rollout.desired_weight().map_or_else(String::new, |w| w.to_string()),
            actual,
        };
        let expected = if let Some((_, why)) = THE_PLUGIN_GUESSES.iter().find(|(file, _)| *file == name) {
            assert_ne!(ours, told, "{name} is no exception any more: {why}");
            continue;
        } else {
            told
        };
        if ours != expected {
            wrong.push(format!("{name}: we say {ours:#?}, the plugin says {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn of(name: &str) -> Rollout {
    let (_, text) = captured().into_iter().find(|(n, _)| n == name).expect(name);
    read(&text).2
}

#[test]
fn what_is_behind_the_words_is_read_too() {
    let paused = of("paused-for-a-person");
    assert_eq!(paused.pause_conditions.len(), 1);
    assert!(paused.pause_conditions[0].since().is_some() && paused.controller_pause);
    assert_eq!((paused.revision, paused.containers[0].image.as_str()), (Some(2), "example/plain:2"));
    assert_eq!(paused.selector.as_str(), "app=plain");
    assert!(!paused.has_router() && !paused.fully_promoted());
    assert!(of("paused-by-hand").spec_paused);
    let aborted = of("aborted");
    assert!(aborted.abort && aborted.aborted_at.is_some());
    let routed = of("routed-paused");
    assert!(routed.has_router());
    assert_eq!(routed.actual_weight(None).map(|w| w.basis), Some(WeightBasis::Router { verified: None }));
    assert_eq!(routed.steps()[2].to_string(), "canary scale {weight:10}");
    assert_eq!(routed.steps()[4].to_string(), "pause 30s");
    assert_eq!(of("behind").observed(), Observed::Behind);
    assert!(of("promoted").fully_promoted());
    assert!(matches!(of("blue-green-paused").strategy, Strategy::BlueGreen(_)));
}

/// Puts `with` in the place of one of the values of the object, whichever `at` leads to.
fn spoil(value: &mut Value, at: &mut usize, with: &Value) -> bool {
    if *at == 0 {
        *value = with.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Object(map) => map.values_mut().any(|v| spoil(v, at, with)),
        Value::Array(all) => all.iter_mut().any(|v| spoil(v, at, with)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// An object with any one value replaced decodes, or is named as malformed; it never ends the program.
    #[test]
    fn no_object_is_too_odd(at in 0_usize..300, odd in 0_usize..7) {
        let odd = [
            Value::Null, Value::Bool(true), (-1_i64).into(), u64::MAX.into(), "\u{1b}[2J".into(),
            serde_json::json!([[]]), serde_json::json!({"": {}}),
        ][odd].clone();
        let (_, text) = captured().into_iter().find(|(n, _)| n == "routed-paused").expect("a fixture");
        let mut object: Value = serde_json::from_str::<Value>(&text).expect("JSON")["rollout"].take();
        let mut left = at;
        spoil(&mut object, &mut left, &odd);
        if let Ok(rollout) = rollout(&object.to_string(), &cluster()) {
            let _ = (rollout.status(), rollout.desired_weight(), rollout.actual_weight(Some(3)), rollout.current_step());
            let _ = crate::domain::seen::Seen::of(&rollout, jiff::Timestamp::UNIX_EPOCH).differences(&rollout, crate::domain::seen::Care::Everything);
        }
    }

    /// So does any text at all.
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,60}") {
        let _ = rollout(&text, &cluster());
    }
}

#[test]
fn a_selector_is_that_of_all_versions() {
    for (selector, expected) in [
        ("", ""),
        ("app=a", "app=a"),
        ("app=a,rollouts-pod-template-hash=abc", "app=a"),
        ("rollouts-pod-template-hash=abc,tier in (x,y)", "tier in (x,y)"),
        ("app=a,rollouts-pod-template-hash=abc,tier in (x,y)", "app=a,tier in (x,y)"),
        ("rollouts-pod-template-hash=abc", ""),
    ] {
        assert_eq!(super::of_all_versions(selector).as_str(), expected, "{selector}");
    }
}
