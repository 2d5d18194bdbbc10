//! Specs that the controller refuses, in its words.

use jiff::Timestamp;
use serde_json::Value;

use super::conditions;
use super::experiment::seconds;
use crate::demo::store::{Key, Kind, Part, Store};

/// Says what is wrong with a spec, if anything is.
pub(super) fn check(store: &Store, rollout: &Value) -> Result<(), String> {
    let spec = &rollout["spec"];
    let (canary, blue_green) = (&spec["strategy"]["canary"], &spec["strategy"]["blueGreen"]);
    if canary.is_null() && blue_green.is_null() {
        let missing = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'";
        return Err(format!("spec.strategy.strategy: Required value: {missing}"));
    }
    if !canary.is_null() && !blue_green.is_null() {
        return Err(
            "spec.strategy.strategy: Invalid value: \"strategy\": Multiple Strategies can not be listed".to_owned()
        );
    }
    let namespace = rollout["metadata"]["namespace"].as_str().unwrap_or_default();
    for (n, step) in canary["steps"].as_array().into_iter().flatten().enumerate() {
        let at = format!("spec.strategy.steps[{n}]");
        check_step(&at, step)?;
        templates(store, namespace, &format!("spec.strategy.canary.steps[{n}].analysis.templates"), &step["analysis"])?;
    }
    templates(store, namespace, "spec.strategy.canary.analysis.templates", &canary["analysis"])?;
    for field in ["prePromotionAnalysis", "postPromotionAnalysis"] {
        let at = format!("spec.strategy.blueGreen.{field}.templates");
        templates(store, namespace, &at, &blue_green[field])?;
    }
    for field in ["activeService", "previewService"] {
        let Some(name) = blue_green[field].as_str() else { continue };
        if store.get(&Key::new(Kind::Service, namespace, name)).is_err() {
            return Err(format!(
                "spec.strategy.blueGreen.{field}: Invalid value: {name:?}: service {name:?} not found"
            ));
        }
    }
    Ok(())
}

fn check_step(at: &str, step: &Value) -> Result<(), String> {
    if let Some(weight) = step["setWeight"].as_i64().filter(|weight| !(0..=100).contains(weight)) {
        return Err(format!("{at}.setWeight: Invalid value: {weight}: SetWeight needs to be between 0 and 100"));
    }
    let pause = &step["pause"]["duration"];
    if seconds(pause).is_some_and(|length| length.is_negative()) {
        let text = pause.as_str().map_or_else(|| pause.to_string(), ToOwned::to_owned);
        return Err(format!("{at}.pause.duration: Invalid value: {text}: Duration needs to be greater than 0"));
    }
    Ok(())
}

fn templates(store: &Store, namespace: &str, at: &str, analysis: &Value) -> Result<(), String> {
    for template in analysis["templates"].as_array().into_iter().flatten() {
        let name = template["templateName"].as_str().unwrap_or_default();
        let cluster = template["clusterScope"] == true;
        let (kind, namespace) =
            if cluster { (Kind::ClusterAnalysisTemplate, "") } else { (Kind::AnalysisTemplate, namespace) };
        if store.get(&Key::new(kind, namespace, name)).is_err() {
            return Err(format!("{at}: Invalid value: {name:?}: {} '{name}' not found", kind.word()));
        }
    }
    Ok(())
}

/// Writes down that a spec is refused. Returns when to look again: what is missing may come.
pub(super) fn refuse(store: &mut Store, key: &Key, rollout: &Value, why: &str) -> Option<Timestamp> {
    let mut stored = store.copy(key)?;
    let message = format!("The Rollout {:?} is invalid: {why}", key.name);
    let status = &mut stored["status"];
    if conditions::get(status, "InvalidSpec")["message"] != message.as_str() {
        conditions::remove(status, "InvalidSpec");
        conditions::set(status, "InvalidSpec", "True", ("InvalidSpec", &message), store.now());
    }
    status["observedGeneration"] = rollout["metadata"]["generation"].as_i64().unwrap_or(0).to_string().into();
    let (phase, message) = conditions::phase(&rollout["spec"], status);
    status["phase"] = phase.into();
    status["message"] = message.into();
    let _ = store.put(key, Part::Status, stored);
    Some(store.now() + jiff::SignedDuration::from_secs(20))
}
