//! What does not apply, state by state: refused with its reason before anything is sent. What does apply is proven by the
//! other tests; README.md has the whole table.

use flightdeck::domain::intent::Params;
use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::Deadlines;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::engine::Engine;
use crate::ground::{blue_green, canary, ladder};
use crate::stack::{Namespace, stack};

/// A state's name, which is its rollout's, and each act that is refused in it with some words of the reason.
const REFUSED: &[(&str, &[(&str, &str)])] = &[
    (
        "healthy",
        &[
            ("resume", "not paused"),
            ("skip-step", "no step is left"),
            ("promote-full", "nothing is in flight"),
            ("abort", "nothing is in flight"),
            ("retry", "nothing is in flight"),
            ("undo", "in the spec already"),
            ("set-image", "runs that image already"),
            ("hold", "not up with a deadline"),
            ("allow", "not marked"),
        ],
    ),
    (
        "waiting",
        &[
            ("skip-step", "paused: resume does it"),
            ("retry", "not aborted"),
            ("undo", "in the spec already"),
            ("hold", "not up with a deadline"),
            ("allow", "not marked"),
        ],
    ),
    ("stepping", &[("resume", "not paused"), ("retry", "not aborted"), ("hold", "not up with a deadline")]),
    ("by-hand", &[("skip-step", "paused by hand"), ("pause", "already paused by hand"), ("retry", "not aborted")]),
    (
        "aborted",
        &[
            ("resume", "not paused"),
            ("skip-step", "aborted"),
            ("promote-full", "aborted"),
            ("pause", "aborted"),
            ("abort", "already aborted"),
            ("undo", "in the spec already"),
            ("hold", "not up with a deadline"),
        ],
    ),
    (
        "promoting",
        &[
            ("resume", "not paused"),
            ("skip-step", "already promoting fully"),
            ("promote-full", "already promoting fully"),
            ("retry", "not aborted"),
        ],
    ),
    (
        "bg-healthy",
        &[
            ("resume", "not paused"),
            ("skip-step", "only a canary has steps"),
            ("promote-full", "nothing is in flight"),
            ("abort", "nothing is in flight"),
            ("retry", "nothing is in flight"),
            ("hold", "not up with a deadline"),
        ],
    ),
    ("bg-preview", &[("skip-step", "only a canary has steps"), ("retry", "not aborted")]),
    (
        "bg-aborted",
        &[
            ("resume", "not paused"),
            ("skip-step", "only a canary has steps"),
            ("promote-full", "aborted"),
            ("pause", "aborted"),
            ("abort", "already aborted"),
        ],
    ),
    (
        "first",
        &[
            ("resume", "not paused"),
            ("skip-step", "no step is left"),
            ("promote-full", "nothing is in flight"),
            ("abort", "nothing is in flight"),
            ("retry", "nothing is in flight"),
            ("undo", "in the spec already"),
            ("hold", "not up with a deadline"),
        ],
    ),
];

async fn states(ns: &Namespace) {
    let healthy = async {
        ns.make("healthy", &canary("healthy", &ladder(), false), 2, &json!({})).await;
        ns.make("bg-healthy", &blue_green("bg-healthy", &json!({})), 2, &json!({})).await;
    };
    let stepping = async {
        ns.make("stepping", &canary("stepping", &ladder(), false), 3, &json!({})).await;
        ns.broken_image("stepping").await;
    };
    let by_hand = async {
        ns.waiting_canary("by-hand", false).await;
        ns.patch("by-hand", "", &json!({"spec": {"paused": true}})).await;
        ns.until("by-hand", |r| r["status"]["message"] == "manually paused").await;
    };
    let aborted = async {
        ns.waiting_canary("aborted", false).await;
        ns.patch("aborted", "/status", &json!({"status": {"abort": true}})).await;
        ns.until("aborted", |r| r["status"]["updatedReplicas"].is_null()).await;
        ns.waiting_preview("bg-aborted", &json!({})).await;
        ns.patch("bg-aborted", "/status", &json!({"status": {"abort": true}})).await;
        ns.degraded("bg-aborted").await;
    };
    let promoting = async {
        ns.make("promoting", &canary("promoting", &ladder(), false), 3, &json!({})).await;
        ns.broken_image("promoting").await;
        ns.patch("promoting", "/status", &json!({"status": {"promoteFull": true}})).await;
        ns.until("promoting", |r| r["status"]["currentStepIndex"] == 5).await;
    };
    let nothing_more = json!({});
    tokio::join!(
        healthy,
        stepping,
        by_hand,
        aborted,
        promoting,
        ns.first_release("first"),
        ns.waiting_canary("waiting", false),
        ns.waiting_preview("bg-preview", &nothing_more),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_apply_is_refused_in_every_state() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("table").await;
    states(&ns).await;
    let engine = Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()).await;
    let mut wrong = Vec::new();
    for (state, refused) in REFUSED {
        let target = engine.until(state, |r| !r.pod_hash.is_empty()).await;
        let before = ns.rollout(state).await["spec"].clone();
        for (verb, words) in *refused {
            let hash = target.rollout.pod_hash.clone();
            let params = match *verb {
                "undo" | "forbid" | "allow" => Params::Revision { hash, revision: None },
                "hold" => Params::Hold { hash, until: Timestamp::now() + SignedDuration::from_mins(5) },
                "set-image" => Params::Image { container: "app".into(), image: "example/app:1".into() },
                _ => Params::None,
            };
            let act = engine.act(verb, &target, Seen::of(&target.rollout, Timestamp::now()), params).await;
            let act = engine.ended(&act).await;
            match act.ended.as_ref().map(|end| &end.1) {
                Some(Outcome::Refused { rule, why, .. }) if rule == "applies" && why.contains(words) => {}
                other => wrong.push(format!("{state}: {verb}: not refused with {words:?}: {other:?}")),
            }
            assert!(act.sent.is_none(), "{state}: {verb}: {act:#?}");
        }
        assert_eq!(ns.rollout(state).await["spec"], before, "{state}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    engine.end().await;
}

/// The table in README.md has no empty cell, and every test that it names is there.
#[test]
fn the_table_names_tests_that_are_there() {
    let readme = include_str!("README.md");
    let part = readme.split_once("## State and act").expect("the table").1;
    let rows = || part.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = |row: &'static str| row.split(" | ").map(str::trim).collect::<Vec<_>>();
    let tests = [
        include_str!("acts_blue_green.rs"),
        include_str!("acts_canary.rs"),
        include_str!("acts_late.rs"),
        include_str!("acts_plans.rs"),
        include_str!("acts_refused.rs"),
        include_str!("acts_states.rs"),
        include_str!("acts_table.rs"),
        include_str!("acts_templates.rs"),
        include_str!("acts_world.rs"),
        include_str!("keyboard.rs"),
        include_str!("outcomes.rs"),
        include_str!("verbs.rs"),
    ]
    .concat();
    let mut codes = vec!["=", "n", "a"];
    for row in rows().map(cells).filter(|row| row.len() == 2 && row[1].starts_with('`')) {
        let test = format!("fn {}(", row[1].trim_matches('`'));
        assert!(tests.contains(&test), "{row:?}: there is no such test");
        codes.push(row[0]);
    }
    let acts = flightdeck::actions::TABLE.len() + 1;
    let mut states = 0;
    for row in rows().map(cells).filter(|row| row.len() > 2 && row[0] != "state") {
        // `forbid` and `allow` share a column; `rollback` has its own.
        assert_eq!(row.len(), acts, "{row:?}");
        for cell in &row[1..] {
            assert!(!cell.is_empty() && cell.split(' ').all(|code| codes.contains(&code)), "{row:?}: {cell:?}");
        }
        states += 1;
    }
    assert!(states >= 40, "{states} states");
}
