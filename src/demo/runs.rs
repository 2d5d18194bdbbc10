//! Plays the part of the controller that carries out `AnalysisRun`s: it measures, judges, and says how it went in the words
//! of the real one.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::events;
use super::rates::Errors;
use super::store::{Key, Part, Store, time};

/// How soon a measurement is repeated that failed technically.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// How many measurements are kept of each metric.
const KEPT: usize = 10;

/// From good to bad, as the worst of several counts.
const WORSE: &[&str] = &["Successful", "Running", "Pending", "Inconclusive", "Error", "Failed"];

fn over(phase: &Value) -> bool {
    matches!(phase.as_str(), Some("Successful" | "Failed" | "Error" | "Inconclusive"))
}

fn badness(phase: &str) -> usize {
    WORSE.iter().position(|word| *word == phase).unwrap_or(0)
}

fn length(value: &Value) -> Option<SignedDuration> {
    value.as_str()?.parse().ok()
}

fn count(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|n| n.parse().ok()))
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Whether `result[0] <= 0.05 && result[0] > 0` holds; `None` where it is not understood.
fn holds(condition: &str, value: f64) -> Option<bool> {
    let one = |term: &str| {
        let term = term.trim();
        let rest = term.strip_prefix("result[0]").or_else(|| term.strip_prefix("result"))?.trim();
        let (op, limit) =
            ["<=", ">=", "==", "!=", "<", ">"].iter().find_map(|op| Some((*op, rest.strip_prefix(op)?)))?;
        let limit: f64 = limit.trim().parse().ok()?;
        Some(match op {
            "<=" => value <= limit,
            ">=" => value >= limit,
            "<" => value < limit,
            ">" => value > limit,
            "==" => (value - limit).abs() < f64::EPSILON,
            _ => (value - limit).abs() >= f64::EPSILON,
        })
    };
    let all = |part: &str| part.split("&&").map(one).try_fold(true, |so_far, term| Some(so_far && term?));
    condition.split("||").map(all).try_fold(false, |so_far, part| Some(so_far || part?))
}

/// What one measured value means.
fn judge(metric: &Value, value: Option<f64>) -> (&'static str, Option<String>) {
    let Some(value) = value else { return ("Error", Some("metric result is nil or empty".to_owned())) };
    let asked = |field: &str| metric[field].as_str().filter(|c| !c.is_empty());
    let check = |condition: &str| holds(condition, value).ok_or_else(|| format!("invalid condition {condition:?}"));
    let (good, bad) = match (asked("successCondition").map(check), asked("failureCondition").map(check)) {
        (Some(Err(why)), _) | (_, Some(Err(why))) => return ("Error", Some(why)),
        (good, bad) => (good.and_then(Result::ok), bad.and_then(Result::ok)),
    };
    let phase = match (good, bad) {
        (_, Some(true)) | (Some(false), None) => "Failed",
        (Some(false), Some(false)) => "Inconclusive",
        _ => "Successful",
    };
    (phase, None)
}

/// The query with the run's arguments in it.
fn resolved(run: &Value, metric: &Value) -> Option<String> {
    let mut query = metric["provider"]["prometheus"]["query"].as_str()?.to_owned();
    for arg in run["spec"]["args"].as_array().into_iter().flatten() {
        let (name, value) = (arg["name"].as_str().unwrap_or_default(), arg["value"].as_str().unwrap_or_default());
        for form in [format!("{{{{args.{name}}}}}"), format!("{{{{ args.{name} }}}}")] {
            query = query.replace(&form, value);
        }
    }
    Some(query)
}

/// Why a metric is over and not well, if that is so.
fn verdict(metric: &Value, result: &Value) -> Option<(&'static str, String)> {
    let limit = |field: &str, default: i64| count(&metric[field]).unwrap_or(default);
    let is = |field: &str| number(&result[field]);
    let mut found = None;
    let failures = limit("failureLimit", 0);
    if failures >= 0 && is("failed") > failures {
        found = Some(("Failed", format!("failed ({}) > failureLimit ({failures})", is("failed"))));
    }
    let unclear = limit("inconclusiveLimit", 0);
    if is("inconclusive") > unclear {
        let said = format!("inconclusive ({}) > inconclusiveLimit ({unclear})", is("inconclusive"));
        found = Some(("Inconclusive", said));
    }
    let errors = limit("consecutiveErrorLimit", 4);
    if is("consecutiveError") > errors {
        let said = format!("consecutiveErrors ({}) > consecutiveErrorLimit ({errors})", is("consecutiveError"));
        found = Some(("Error", said));
    }
    found
}

/// How often a metric is measured; `None`: until it is stopped.
fn rounds(metric: &Value) -> Option<i64> {
    count(&metric["count"]).or_else(|| metric["interval"].is_null().then_some(1))
}

/// When a metric is measured next.
fn due(metric: &Value, result: &Value, started: Timestamp) -> Option<Timestamp> {
    if over(&result["phase"]) {
        return None;
    }
    let Some(last) = result["measurements"].as_array().and_then(|all| all.last()) else {
        return Some(started + length(&metric["initialDelay"]).unwrap_or_default());
    };
    let finished: Timestamp = last["finishedAt"].as_str()?.parse().ok()?;
    if last["phase"] == "Error" {
        return Some(finished + AGAIN);
    }
    if rounds(metric).is_some_and(|rounds| number(&result["count"]) >= rounds) {
        return None;
    }
    length(&metric["interval"]).map(|interval| finished + interval)
}

fn measure(run: &Value, metric: &Value, result: &mut Value, value: Option<f64>, now: Timestamp) {
    let (phase, message) = judge(metric, value);
    let value = value.map_or_else(|| "[]".to_owned(), |value| format!("[{value}]"));
    let measurement = json!({
        "phase": phase, "startedAt": time(now), "finishedAt": time(now), "value": value, "message": message,
    });
    if let Some(query) = resolved(run, metric) {
        result["metadata"] = json!({"ResolvedPrometheusQuery": query});
    }
    let mut all = result["measurements"].as_array().cloned().unwrap_or_default();
    all.push(measurement);
    let beyond = all.len().saturating_sub(KEPT);
    all.drain(..beyond);
    result["measurements"] = Value::Array(all);
    let bump = |result: &mut Value, field: &str| result[field] = (number(&result[field]) + 1).into();
    if phase == "Error" {
        bump(result, "error");
        bump(result, "consecutiveError");
        result["consecutiveSuccess"] = Value::Null;
        return;
    }
    bump(result, "count");
    bump(result, &phase.to_lowercase());
    result["consecutiveError"] = Value::Null;
    if phase == "Successful" {
        bump(result, "consecutiveSuccess");
    } else {
        result["consecutiveSuccess"] = Value::Null;
    }
}

/// The phase of a metric after what was measured so far.
fn phase_of(metric: &Value, result: &Value, ending: bool) -> &'static str {
    if result["measurements"].as_array().is_none_or(Vec::is_empty) {
        return if ending { "Successful" } else { "Pending" };
    }
    if let Some((phase, _)) = verdict(metric, result) {
        return phase;
    }
    let done = rounds(metric).is_some_and(|rounds| number(&result["count"]) >= rounds);
    if done || ending { "Successful" } else { "Running" }
}

fn dry(run: &Value, name: &Value) -> bool {
    run["spec"]["dryRun"].as_array().is_some_and(|all| all.iter().any(|d| d["metricName"] == *name))
}

/// Brings one run one step on. Returns when the next measurement is due.
pub(super) fn reconcile(store: &mut Store, key: &Key, errors: &Errors, now: Timestamp) -> Option<Timestamp> {
    store.begin(now, super::rollouts::MANAGER);
    let mut run = store.copy(key)?;
    if over(&run["status"]["phase"]) {
        return None;
    }
    let started = run["status"]["startedAt"].as_str().and_then(|t| t.parse().ok()).unwrap_or(now);
    run["status"]["startedAt"] = time(started).into();
    let metrics = run["spec"]["metrics"].as_array().cloned().unwrap_or_default();
    let mut results = run["status"]["metricResults"].as_array().cloned().unwrap_or_default();
    let failed = results.iter().any(|r| over(&r["phase"]) && r["phase"] != "Successful" && r["dryRun"] != true);
    let stopped = run["spec"]["terminate"] == true;
    let mut ending = stopped || failed;
    for metric in &metrics {
        let at = results.iter().position(|r| r["name"] == metric["name"]).unwrap_or_else(|| {
            results.push(json!({"name": metric["name"]}));
            results.len() - 1
        });
        let result = &mut results[at];
        if dry(&run, &metric["name"]) {
            result["dryRun"] = true.into();
        }
        if !ending && due(metric, result, started).is_some_and(|at| at <= now) {
            measure(&run, metric, result, errors.of_run(store, &run, now), now);
        }
    }
    ending |= metrics.iter().zip(&results).any(|(m, r)| r["dryRun"] != true && verdict(m, r).is_some());
    let (phase, message) = assess(store, &run, &metrics, &mut results, ending);
    let message = if stopped && message.is_empty() { "Run Terminated".to_owned() } else { message };
    summarise(&mut run, &results);
    let next = metrics.iter().filter_map(|m| due(m, results.iter().find(|r| r["name"] == m["name"])?, started));
    let next = next.min().filter(|_| !over(&phase.into()));
    run["status"]["metricResults"] = Value::Array(results);
    run["status"]["phase"] = phase.into();
    if over(&phase.into()) {
        run["status"]["message"] = message.into();
        run["status"]["completedAt"] = time(now).into();
        let bad = matches!(phase, "Failed" | "Error");
        let said = format!("Analysis Completed. Result: {phase}");
        events::record(store, &run, bad, &format!("AnalysisRun{phase}"), &said);
    }
    if run["status"]["message"] == "" {
        run["status"]["message"] = Value::Null;
    }
    let _ = store.put(key, Part::Whole, run);
    next
}

/// Sets the phase of each metric; the worst of them is the run's, once all are over.
fn assess(
    store: &mut Store,
    run: &Value,
    metrics: &[Value],
    results: &mut [Value],
    ending: bool,
) -> (&'static str, String) {
    let mut worst: Option<(&'static str, String)> = None;
    let mut all_over = true;
    for metric in metrics {
        let Some(result) = results.iter_mut().find(|r| r["name"] == metric["name"]) else { continue };
        let phase = phase_of(metric, result, ending);
        let name = metric["name"].as_str().unwrap_or_default();
        if result["phase"] != phase {
            if over(&phase.into()) {
                let bad = matches!(phase, "Failed" | "Error");
                let said = format!("Metric '{name}' Completed. Result: {phase}");
                events::record(store, run, bad, &format!("Metric{phase}"), &said);
            }
            let last = result["measurements"].as_array().and_then(|all| all.last()).map(|m| m["message"].clone());
            result["message"] = last.unwrap_or_default();
            result["phase"] = phase.into();
        }
        if !over(&phase.into()) {
            all_over = false;
            continue;
        }
        if result["dryRun"] == true {
            worst.get_or_insert(("Successful", String::new()));
            continue;
        }
        if worst.as_ref().is_none_or(|(so_far, _)| badness(phase) > badness(so_far)) {
            let mut message = String::new();
            if let Some((_, why)) = verdict(metric, result) {
                message = format!("Metric \"{name}\" assessed {phase} due to {why}");
                if let Some(error) = result["message"].as_str().filter(|m| !m.is_empty()) {
                    message = format!("{message}: \"Error Message: {error}\"");
                }
            }
            worst = Some((phase, message));
        }
    }
    match worst {
        None if ending => ("Successful", String::new()),
        Some(worst) if all_over || ending => worst,
        _ => ("Running", String::new()),
    }
}

fn summarise(run: &mut Value, results: &[Value]) {
    let summary = |dry: bool| {
        let mut summary = json!({});
        for result in results.iter().filter(|r| (r["dryRun"] == true) == dry) {
            let mut bump = |field: &str| summary[field] = (number(&summary[field]) + 1).into();
            bump("count");
            if over(&result["phase"]) {
                bump(&result["phase"].as_str().unwrap_or_default().to_lowercase());
            }
        }
        summary
    };
    run["status"]["runSummary"] = summary(false);
    run["status"]["dryRunSummary"] = summary(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_understood() {
        for (condition, value, wanted) in [
            ("result[0] <= 0.05", 0.05, Some(true)),
            ("result[0] < 0.05", 0.05, Some(false)),
            ("result > 1 || result[0] < 0.1", 0.05, Some(true)),
            ("result[0] > 0.01 && result[0] < 0.04", 0.05, Some(false)),
            ("len(result) == 0", 0.05, None),
        ] {
            assert_eq!(holds(condition, value), wanted, "{condition}");
        }
    }

    #[test]
    fn between_success_and_failure_nothing_is_clear() {
        let metric = json!({"successCondition": "result[0] <= 0.02", "failureCondition": "result[0] > 0.1"});
        assert_eq!(judge(&metric, Some(0.01)).0, "Successful");
        assert_eq!(judge(&metric, Some(0.05)).0, "Inconclusive");
        assert_eq!(judge(&metric, Some(0.5)).0, "Failed");
        assert_eq!(judge(&metric, None).0, "Error");
    }
}
