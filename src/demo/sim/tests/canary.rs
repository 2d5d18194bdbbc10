//! Canaries: steps, weights, analyses, aborts and the ways back.

use super::*;

const ROUTED: &str = "replicas = 4\nrouter = 'nginx'\n";

fn weight(lab: &Lab) -> Value {
    lab.status("canary.weights.canary.weight")
}

#[test]
fn a_canary_walks_its_ladder_and_ends_healthy() {
    let mut lab = Lab::named("calm-canary");
    let mut seen = Vec::new();
    for _ in 0..240 {
        lab.wait(1);
        let status = &lab.rollout("cart")["status"];
        let stands = (status["phase"].as_str().unwrap_or_default().to_owned(), status["currentStepIndex"].as_i64());
        if seen.last() != Some(&stands) {
            seen.push(stands);
        }
    }
    assert!(seen.iter().any(|(phase, _)| phase == "Healthy"), "{seen:?}");
    assert!(seen.windows(2).all(|w| w[1].1 >= w[0].1 || w[1].1 == Some(0) || w[0].0 == "Healthy"), "{seen:?}");
}

#[test]
fn conditions_say_what_the_real_controller_says() {
    let mut lab = Lab::of("replicas = 4\nsteps = ['25%', 'pause', '100%']\n");
    let word = |lab: &Lab, kind: &str| {
        let all = lab.status("conditions").as_array().cloned().unwrap_or_default();
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        let found = all.iter().find(|c| c["type"] == kind).cloned().unwrap_or_default();
        format!("{} {} {}", text(&found["status"]), text(&found["reason"]), text(&found["message"]))
    };
    let name = |lab: &Lab, version: &str| format!("app-{}", lab.hash_of("app", version));
    assert_eq!(word(&lab, "Healthy"), "True RolloutHealthy Rollout is healthy");
    assert_eq!(word(&lab, "Completed"), "True RolloutCompleted RolloutCompleted");
    assert_eq!(word(&lab, "Available"), "True AvailableReason Rollout has minimum availability");
    let done = format!("True NewReplicaSetAvailable ReplicaSet \"{}\" has successfully progressed.", name(&lab, "1"));
    assert_eq!(word(&lab, "Progressing"), done);
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    lab.wait(1);
    assert_eq!(word(&lab, "Healthy"), "False RolloutHealthy Rollout is not healthy");
    assert_eq!(word(&lab, "Completed"), "False RolloutCompleted RolloutCompleted");
    assert_eq!(word(&lab, "Progressing"), "Unknown RolloutPaused Rollout is paused");
    assert_eq!(word(&lab, "Paused"), "True RolloutPaused Rollout is paused");
    lab.does("abort").wait(1);
    assert_eq!(word(&lab, "Progressing"), "False RolloutAborted Rollout aborted update to revision 2");
    assert_eq!(word(&lab, "Paused"), "True RolloutPaused Rollout is paused");
    let happened = lab.happened("app");
    assert!(
        happened.iter().any(|h| h == "Warning RolloutAborted Rollout aborted update to revision 2"),
        "{happened:#?}"
    );
    assert!(happened.iter().any(|h| h == "Normal RolloutStepCompleted Rollout step 1/3 completed (setWeight: 25)"));
}

#[test]
fn steps_of_all_kinds_are_gone_through() {
    let steps = "steps = ['scale 1', 'header by-hand', 'mirror 20%', '5%', 'scale 50%', 'pause 5s', 'scale match', '50%', \
                 'experiment 20s', 'pause', '100%']\n";
    let mut lab = Lab::of(&format!("{ROUTED}{steps}"));
    lab.does("release version = '2'").until("the timed pause", 20, |lab| lab.status("currentStepIndex") == 5);
    assert_eq!((lab.pods("app", "2"), weight(&lab)), ((2, 2), 5.into()));
    lab.until("the experiment", 20, |lab| lab.status("currentStepIndex") == 8);
    assert_eq!((lab.pods("app", "2"), weight(&lab)), ((2, 2), 50.into()));
    let name = lab.status("canary.currentExperiment").as_str().expect("an experiment").to_owned();
    assert_eq!(lab.object(Kind::Experiment, &name)["status"]["templateStatuses"].as_array().map(Vec::len), Some(2));
    lab.until("the pause", 30, |lab| lab.says("app") == "Paused CanaryPauseStep");
    assert_eq!(lab.object(Kind::Experiment, &name)["status"]["phase"], "Successful");
    assert_eq!(lab.status("canary.currentExperiment"), Value::Null);
    lab.does("resume").until("the end", 20, |lab| lab.says("app") == "Healthy");
    assert_eq!((weight(&lab), lab.serves("app-stable")), (0.into(), "2".into()));
}

#[test]
fn an_abort_behind_a_router_keeps_the_canary_for_a_while() {
    let mut lab = Lab::of(&format!("{ROUTED}steps = ['50%', 'pause', '100%']\n"));
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    lab.does("abort").wait(1);
    assert_eq!((weight(&lab), lab.pods("app", "2"), lab.status("currentStepIndex")), (0.into(), (2, 2), 0.into()));
    lab.wait(35);
    assert_eq!(lab.pods("app", "2"), (0, 0));
    lab.does("retry").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    assert_eq!((weight(&lab), lab.status("abort")), (50.into(), false.into()));
    lab.does("undo").until("health", 5, |lab| lab.says("app") == "Healthy");
    assert!(lab.happened("app").iter().any(|h| h == "Normal SkipSteps Rollback to stable ReplicaSets"));
    assert_eq!(lab.status("currentStepIndex"), 3);
}

#[test]
fn a_stable_version_that_scales_with_the_weight_comes_back_before_the_traffic() {
    let mut lab = Lab::of(&format!("{ROUTED}dynamic_stable = true\nsteps = ['50%', 'pause', '100%']\n"));
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    lab.wait(5);
    assert_eq!((lab.pods("app", "1"), lab.pods("app", "2"), weight(&lab)), ((2, 2), (2, 2), 50.into()));
    lab.does("abort");
    assert_eq!(weight(&lab), 50, "the pods first");
    lab.wait(5);
    assert_eq!((lab.pods("app", "1"), lab.pods("app", "2"), weight(&lab)), ((4, 4), (0, 0), 0.into()));
}

#[test]
fn promoting_fully_passes_over_everything() {
    let mut lab = Lab::of("replicas = 4\nsteps = ['25%', 'pause', '50%', 'pause', '100%']\n");
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    lab.does("promote-full").until("health", 20, |lab| lab.says("app") == "Healthy");
    assert_eq!((lab.status("currentStepIndex"), lab.status("promoteFull")), (5.into(), Value::Null));
    let hash = lab.hash_of("app", "2");
    let said =
        format!("Normal RolloutCompleted Rollout completed update to revision 2 ({hash}): Full promotion requested");
    assert!(lab.happened("app").contains(&said), "{:#?}", lab.happened("app"));
}

#[test]
fn a_rollback_within_the_window_takes_no_steps() {
    let mut lab = Lab::of("replicas = 4\nrollback_window = 2\nsteps = ['25%', 'pause 5s', '100%']\n");
    for version in ["2", "3"] {
        lab.does(&format!("release version = '{version}'")).wait(1);
        lab.until("health", 40, |lab| lab.says("app") == "Healthy");
    }
    lab.does("undo version = '2'").wait(1);
    assert_eq!(lab.status("currentStepIndex"), 3);
    lab.until("health", 20, |lab| lab.says("app") == "Healthy");
    assert!(lab.happened("app").iter().any(|h| h.ends_with(": Rollback within window")));
}

const ANALYSED: &str = "replicas = 4\nsteps = ['25%', 'analysis rate', '100%']\nERRORS\n[[analysis]]\nnamespace = 'x'\nname = 'rate'\n\
                        interval = '5s'\ncount = 4\nfailure_limit = 1\ninconclusive_limit = 1\nsuccess = 'result[0] <= 0.02'\n\
                        failure = 'result[0] > 0.1'\n";

fn analysed(share: &str) -> Lab {
    let mut lab = Lab::of(&ANALYSED.replacen("ERRORS", &format!("errors = {{ '2' = {share} }}"), 1));
    lab.does("release version = '2'").until("the run", 20, |lab| !lab.runs().is_empty());
    lab
}

#[test]
fn an_analysis_step_succeeds_fails_or_says_nothing() {
    let mut lab = analysed("0.001");
    lab.until("health", 40, |lab| lab.says("app") == "Healthy");
    let run = &lab.runs()[0];
    assert_eq!(run["metadata"]["name"], format!("app-{}-2-1", lab.hash_of("app", "2")));
    assert_eq!(run["metadata"]["labels"]["rollout-type"], "Step");
    assert_eq!(
        (&run["status"]["phase"], &run["status"]["runSummary"]["successful"]),
        (&"Successful".into(), &1.into())
    );
    let result = &run["status"]["metricResults"][0];
    assert_eq!((&result["count"], &result["successful"]), (&4.into(), &4.into()));
    assert!(result["measurements"][0]["value"].as_str().is_some_and(|v| v.starts_with("[0.00")), "{result:#}");
    let query = result["metadata"]["ResolvedPrometheusQuery"].as_str().expect("a query");
    assert!(query.contains(&lab.hash_of("app", "2")) && query.contains("service=\"app\""), "{query}");

    let mut lab = analysed("0.4");
    lab.until("the abort", 40, |lab| lab.says("app").starts_with("Degraded"));
    assert_eq!(
        lab.says("app"),
        "Degraded RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric \
         \"error-rate\" assessed Failed due to failed (2) > failureLimit (1)"
    );

    let mut lab = analysed("0.05");
    lab.until("the pause", 40, |lab| lab.says("app") == "Paused InconclusiveAnalysisRun");
    // A plain resume measures again; only with the index moved it goes on.
    lab.does("resume").until("another run", 5, |lab| lab.runs().len() == 2);
    lab.until("the pause", 40, |lab| lab.says("app") == "Paused InconclusiveAnalysisRun");
    lab.does("skip").until("health", 20, |lab| lab.says("app") == "Healthy");
}

#[test]
fn a_run_is_ended_when_asked_and_when_the_release_is() {
    let mut lab = analysed("0.001");
    lab.wait(3).does("terminate").until("health", 20, |lab| lab.says("app") == "Healthy");
    let run = &lab.runs()[0];
    assert_eq!((&run["status"]["phase"], &run["status"]["message"]), (&"Successful".into(), &"Run Terminated".into()));
    let mut lab = analysed("0.001");
    lab.does("abort").wait(2);
    assert_eq!(
        (&lab.runs()[0]["spec"]["terminate"], &lab.runs()[0]["status"]["phase"]),
        (&true.into(), &"Successful".into())
    );
}

#[test]
fn what_gets_stuck_is_said_and_aborted_where_that_is_wanted() {
    let stuck = "replicas = 3\nprogress_deadline = '30s'\nsteps = ['50%', 'pause', '100%']\n";
    let mut lab = Lab::of(stuck);
    lab.does("release version = 'broken'").wait(25);
    assert!(lab.says("app").starts_with("Progressing"), "{}", lab.says("app"));
    lab.wait(15);
    let name = format!("app-{}", lab.hash_of("app", "broken"));
    assert_eq!(
        lab.says("app"),
        format!("Degraded ProgressDeadlineExceeded: ReplicaSet \"{name}\" has timed out progressing.")
    );
    let mut lab = Lab::of(&format!("{stuck}deadline_abort = true\n"));
    lab.does("release version = 'broken'").wait(40);
    let name = format!("app-{}", lab.hash_of("app", "broken"));
    let said = format!(
        "Degraded RolloutAborted: Rollout aborted update to revision 2: ReplicaSet \"{name}\" has timed out progressing."
    );
    assert_eq!(lab.says("app"), said);
}
