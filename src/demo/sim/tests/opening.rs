//! Each scenario opens with what it promises.

use super::*;

fn index(lab: &Lab, name: &str) -> i64 {
    lab.rollout(name)["status"]["currentStepIndex"].as_i64().unwrap_or(-1)
}

#[test]
fn the_calm_canary_has_something_of_everything() {
    let lab = Lab::named("calm-canary");
    assert_eq!((lab.says("payments").as_str(), index(&lab, "payments")), ("Paused CanaryPauseStep", 1));
    assert_eq!(lab.says("ledger"), "Degraded RolloutAborted: Rollout aborted update to revision 2");
    assert_eq!((lab.says("search").as_str(), index(&lab, "search")), ("Paused manually paused", 1));
    assert_eq!((lab.says("web").as_str(), index(&lab, "web")), ("Healthy", 3));
    assert_eq!((lab.says("mail").as_str(), index(&lab, "mail")), ("Healthy", 3));
    assert!(index(&lab, "cart") < 7, "cart is on its way");
}

#[test]
fn the_bad_canary_has_half_of_the_traffic_and_fails() {
    let lab = Lab::named("bad-canary");
    assert_eq!((lab.says("checkout").as_str(), index(&lab, "checkout")), ("Paused CanaryPauseStep", 3));
    assert_eq!(lab.rollout("checkout")["status"]["canary"]["weights"]["canary"]["weight"], 50);
    assert!(lab.sim.errors.share("shop", "checkout", "bad5eed") > 0.1);
    assert!(lab.sim.errors.share("shop", "checkout", "51c0ffe") < 0.05);
    let stuck = lab.says("thumbnails");
    assert!(stuck.starts_with("Degraded ProgressDeadlineExceeded: ReplicaSet \"thumbnails-"), "{stuck}");
    assert!(stuck.ends_with("\" has timed out progressing."), "{stuck}");
}

#[test]
fn the_blue_green_scenario_has_its_three_moments() {
    let lab = Lab::named("blue-green");
    assert_eq!(lab.says("portal"), "Paused BlueGreenPause");
    assert_eq!(lab.pods("portal", "f00d123"), (1, 1));
    assert_eq!((lab.serves("portal-preview"), lab.serves("portal-active")), ("f00d123".into(), "3b1f0a2".into()));
    assert_eq!(lab.rollout("portal")["status"]["blueGreen"]["prePromotionAnalysisRunStatus"]["status"], "Successful");
    assert_eq!(lab.says("records"), "Healthy");
    assert_eq!(lab.pods("records", "11ac9de"), (3, 3));
    let left = lab.deadline_of("records", "11ac9de").expect("a deadline").duration_since(lab.now());
    assert!((500..=600).contains(&left.as_secs()), "{left}");
    assert_eq!(lab.says("billing"), "Paused BlueGreenPause");
    assert_eq!(lab.says("imaging"), "Healthy");
}

#[test]
fn the_stuck_analyses_are_stuck_each_in_its_way() {
    let lab = Lab::named("stuck-analysis");
    assert_eq!(lab.says("pricing"), "Paused InconclusiveAnalysisRun");
    let catalog = lab.rollout("catalog");
    assert_eq!(catalog["status"]["canary"]["currentStepAnalysisRunStatus"]["status"], "Running");
    assert_eq!(lab.says("catalog"), "Progressing more replicas need to be updated");
    assert_eq!(
        lab.says("orders"),
        "Degraded RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed: Metric \
         \"error-rate\" assessed Failed due to failed (3) > failureLimit (2)"
    );
    assert_eq!(
        lab.says("stock"),
        "Degraded RolloutAborted: Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric \
         \"error-rate\" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): \"Error Message: metric \
         result is nil or empty\""
    );
    let ranking = lab.rollout("ranking");
    let name = ranking["status"]["canary"]["currentExperiment"].as_str().expect("an experiment").to_owned();
    assert_eq!(lab.object(Kind::Experiment, &name)["status"]["phase"], "Running");
}

#[test]
fn git_owns_what_it_owns() {
    let lab = Lab::named("git-undo");
    let web = lab.rollout("web");
    let id = &web["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
    assert_eq!(id, "storefront:argoproj.io/Rollout:shop/web");
    let app = lab.object(Kind::Application, "storefront");
    assert_eq!(app["status"]["sync"]["status"], "Synced");
    assert_eq!(app["spec"]["syncPolicy"]["automated"]["selfHeal"], true);
    assert_eq!(lab.object(Kind::Application, "backoffice")["status"]["sync"]["status"], "OutOfSync");
    let writers: Vec<_> =
        web["metadata"]["managedFields"].as_array().expect("fields").iter().map(|e| &e["manager"]).collect();
    assert!(writers.contains(&&"argocd-controller".into()), "{writers:?}");
}

#[test]
fn a_fleet_is_mixed_and_mostly_still() {
    let mut sim = Sim::new(&Scenario::fleet(300), 1, at(0));
    let mut phases: BTreeMap<String, usize> = BTreeMap::new();
    for (_, rollout) in sim.store.list(Kind::Rollout, None) {
        *phases.entry(rollout["status"]["phase"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
    }
    assert_eq!(phases.values().sum::<usize>(), 300);
    assert!(phases["Healthy"] > 200 && phases["Paused"] >= 6 && phases["Degraded"] >= 3, "{phases:?}");
    let mut moved = BTreeSet::new();
    for second in 1..=200 {
        let version = sim.store.version();
        sim.step(at(second));
        let changes = sim.store.since(version).expect("kept");
        moved.extend(changes.filter(|c| c.key.kind == Kind::Rollout).map(|c| c.key.clone()));
    }
    assert!((20..=60).contains(&moved.len()), "{}", moved.len());
}

#[test]
fn seed_and_clock_fix_everything() {
    for name in Scenario::names() {
        let run = |seed| {
            let mut sim = Sim::new(&Scenario::named(name).expect("it comes along"), seed, at(0));
            let mut told = Vec::new();
            for second in 0..120 {
                let version = sim.store.version();
                sim.step(at(second));
                let changes = sim.store.since(version).expect("kept");
                told.extend(changes.map(|c| format!("{second} {} {}", c.what, c.object)));
            }
            (sim.store.list(Kind::Rollout, None).map(|(_, ro)| ro.to_string()).collect::<String>(), told)
        };
        let (one, again, other) = (run(1), run(1), run(2));
        assert_eq!(one, again, "{name}");
        assert_ne!(one, other, "{name}");
    }
}

#[test]
fn every_status_holds_together() {
    for name in Scenario::names() {
        let mut lab = Lab::named(name);
        for _ in 0..150 {
            lab.wait(1);
            for (key, rollout) in lab.sim.store.list(Kind::Rollout, None) {
                let status = &rollout["status"];
                let number = |field: &str| status[field].as_i64().unwrap_or(0);
                let at = format!("{name} {} at {}: {status:#}", key.name, lab.second);
                assert!(number("updatedReplicas") <= number("replicas"), "{at}");
                assert!(number("availableReplicas") <= number("replicas"), "{at}");
                let paused = status["pauseConditions"].as_array().is_some_and(|all| !all.is_empty());
                assert!(!paused || status["controllerPause"] == true, "{at}");
                let weights = &status["canary"]["weights"];
                if !weights.is_null() {
                    let of = |who: &str| weights[who]["weight"].as_i64().unwrap_or(0);
                    assert_eq!(of("canary") + of("stable"), 100, "{at}");
                }
                let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().map_or(0, Vec::len);
                assert!(usize::try_from(number("currentStepIndex")).is_ok_and(|index| index <= steps), "{at}");
                if status["phase"] == "Healthy" {
                    assert_eq!(status["stableRS"], status["currentPodHash"], "{at}");
                }
            }
        }
    }
}

#[test]
#[ignore = "a measurement, not a test: run it by name, in release"]
fn how_long_a_great_fleet_takes_to_open() {
    let start = std::time::Instant::now();
    let scenario = Scenario::fleet(10_000);
    let written = start.elapsed();
    let sim = Sim::new(&scenario, 1, at(0));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default().to_owned();
    println!("{written:?} to write, {:?} in all, {memory}", start.elapsed());
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    for kind in [Kind::Rollout, Kind::ReplicaSet, Kind::Pod, Kind::Service, Kind::Event] {
        println!("{kind:?} {}", sim.store.held(kind, None).count());
    }
}

#[test]
fn what_was_stamped_lives_on_as_if_it_had_been_simulated() {
    let scenario = Scenario::fleet(300);
    let mut lab = Lab { sim: Sim::new(&scenario, 1, at(0)), second: 0 };
    let stamp = |blue_green: bool| {
        let shape = |n: usize| !scenario.shapes[n].rollouts[0].object["spec"]["strategy"]["blueGreen"].is_null();
        scenario.stamps.iter().find(|s| shape(s.shape) == blue_green).expect("one of this kind").clone()
    };
    let still = lab.sim.store.version();
    lab.sim.run_controller(true);
    lab.sim.step(at(0));
    let touched: Vec<_> = lab.sim.store.since(still).expect("kept").map(|c| format!("{:?}", c.key)).collect();
    assert_eq!(touched, Vec::<String>::new(), "the controller finds nothing to do");
    for (stamp, pause) in [(stamp(false), "CanaryPauseStep"), (stamp(true), "BlueGreenPause")] {
        let target = format!("{}/{}", stamp.namespace, stamp.name);
        assert_eq!(lab.says(&stamp.name), "Healthy");
        lab.does_to(&target, "release version = 'next'");
        lab.until("the pause", 20, |lab| lab.says(&stamp.name) == format!("Paused {pause}"));
        assert!(lab.pods(&stamp.name, &stamp.version).1 > 0);
    }
}
