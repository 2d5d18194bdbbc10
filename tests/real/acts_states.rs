//! Acts in the less common states: while an analysis or an experiment runs, after a failed one, past the deadline.

use serde_json::{Value, json};

use crate::ground::{active_of, analysis, blue_green, canary, canary_weight, hash_of, ladder, stable_of, text};
use crate::stack::{Namespace, stack};

/// A canary in whose second step an analysis runs.
async fn analysing(ns: &Namespace, router: bool) -> String {
    ns.analysis("vector(0.01)", &json!({})).await;
    let steps = json!([{"setWeight": 20}, {"analysis": analysis()}, {"pause": {}}]);
    ns.make("payments", &canary("payments", &steps, router), 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    let run = ns.measuring().await;
    ns.until("payments", |r| r["status"]["currentStepIndex"] == 1).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_analysis_runs_abort_and_promote_full_end_it_and_pause_keeps_it() {
    let stack = stack();
    let _running = stack.running().await;
    for (verb, ends) in [("abort", true), ("promote-full", true), ("pause", false)] {
        let ns = stack.namespace("analysing").await;
        let run = analysing(&ns, true).await;
        let before = ns.rollout("payments").await;
        ns.program().act(&[verb, "payments"], "done");
        let stands = ns.rollout("payments").await;
        match verb {
            "abort" => assert_eq!(canary_weight(&stands), Some(0)),
            "promote-full" => assert_eq!(stable_of(&stands), hash_of(&before)),
            _ => assert_eq!(stands["spec"]["paused"], true),
        }
        if ends {
            let ended = ns.run_ended(&run).await;
            assert_eq!(ended, ("Successful".to_owned(), "Run Terminated".to_owned()), "{verb}");
        } else {
            assert_eq!(ns.run_of(&run).await.0, "Running", "{verb}");
            assert_eq!(stands["status"]["currentStepIndex"], 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_experiment_runs_it_can_be_skipped_and_aborted() {
    let stack = stack();
    let _running = stack.running().await;
    for verb in ["skip-step", "abort"] {
        let ns = stack.namespace("experiment").await;
        let templates = json!([{"name": "baseline", "specRef": "stable"}, {"name": "canary", "specRef": "canary"}]);
        let steps = json!([{"experiment": {"duration": "1h", "templates": templates}}, {"pause": {}}]);
        ns.make("payments", &canary("payments", &steps, false), 3, &json!({})).await;
        ns.set_image("payments", "2").await;
        ns.until("payments", |r| r["status"]["canary"]["currentExperiment"].is_string()).await;
        ns.experiment_in(&["Running"]).await;
        ns.program().act(&[verb, "payments"], "done");
        if verb == "abort" {
            ns.degraded("payments").await;
        } else {
            ns.paused_at("payments", 1).await;
        }
        ns.experiment_in(&["Successful", "Failed"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_analysis_it_is_retried_or_undone() {
    let stack = stack();
    let _running = stack.running().await;
    for verb in ["retry", "undo"] {
        let ns = stack.namespace("failed-analysis").await;
        ns.analysis("vector(0.2)", &json!({"count": 1})).await;
        let steps = json!([{"setWeight": 20}, {"pause": {}}, {"analysis": analysis()}, {"pause": {}}]);
        ns.make("payments", &canary("payments", &steps, false), 5, &json!({})).await;
        ns.set_image("payments", "2").await;
        let before = ns.paused_at("payments", 1).await;
        ns.program().act(&["resume", "payments"], "done");
        let failed = ns.degraded("payments").await;
        assert!(text(&failed["status"]["message"]).contains("assessed Failed"), "{failed:#}");
        if verb == "retry" {
            ns.program().act(&["retry", "payments"], "done");
            assert_eq!(hash_of(&ns.paused_at("payments", 1).await), hash_of(&before));
        } else {
            ns.program().act(&["undo", "payments", "--to-revision", "1"], "done");
            assert_eq!(hash_of(&ns.healthy("payments").await), stable_of(&before));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_a_canary_is_aborted_or_undone() {
    let stack = stack();
    let _running = stack.running().await;
    for verb in ["abort", "undo"] {
        let ns = stack.namespace("deadline").await;
        let quick = json!({"progressDeadlineSeconds": 2});
        ns.make("payments", &canary("payments", &ladder(), true), 3, &quick).await;
        ns.broken_image("payments").await;
        let late = ns.degraded("payments").await;
        assert!(text(&late["status"]["message"]).contains("timed out progressing"), "{late:#}");
        let shown = ns.program().run(&["get", "payments", "-o", "json"]).expect(0).json();
        assert_eq!(shown["message"], late["status"]["message"]);
        ns.program().refused(&["retry", "payments"], "applies", "not aborted");
        if verb == "abort" {
            ns.program().act(&["abort", "payments"], "done");
            assert_eq!(canary_weight(&ns.rollout("payments").await), Some(0));
        } else {
            ns.program().act(&["undo", "payments", "--to-revision", "1"], "done");
            assert_eq!(hash_of(&ns.healthy("payments").await), stable_of(&late));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_cutover_a_blue_green_is_aborted_or_undone() {
    let stack = stack();
    let _running = stack.running().await;
    for analysed in [true, false] {
        for verb in ["abort", "undo"] {
            let ns = stack.namespace("bg-before").await;
            let before: Value = if analysed {
                ns.analysis("vector(0.01)", &json!({})).await;
                let strategy = blue_green("checkout", &json!({"prePromotionAnalysis": analysis()}));
                ns.make("checkout", &strategy, 2, &json!({})).await;
                ns.set_image("checkout", "2").await;
                ns.measuring().await;
                ns.rollout("checkout").await
            } else {
                ns.waiting_preview("checkout", &json!({})).await
            };
            let program = ns.program();
            if verb == "abort" {
                program.act(&["abort", "checkout"], "done");
                assert_eq!(active_of(&ns.degraded("checkout").await), stable_of(&before));
            } else {
                program.act(&["undo", "checkout", "--to-revision", "1"], "done");
                let stands = ns.healthy("checkout").await;
                assert_eq!((active_of(&stands), hash_of(&stands)), (stable_of(&before), stable_of(&before)));
            }
            let runs = ns.list(&ns.argo("analysisruns")).await;
            for run in runs {
                assert_eq!(ns.run_ended(&text(&run["metadata"]["name"])).await.1, "Run Terminated");
            }
        }
    }
}
