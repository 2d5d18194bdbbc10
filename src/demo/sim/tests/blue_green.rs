//! Blue-green, from the preview to the old version's end, and the ways back.

use super::*;

const BY_HAND: &str = "strategy = 'blue-green'\nreplicas = 3\nauto_promotion = 'no'\nscale_down = '60s'\n";

fn waiting() -> Lab {
    let mut lab = Lab::of(BY_HAND);
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused BlueGreenPause");
    lab
}

#[test]
fn a_release_walks_from_preview_to_the_end_of_the_old_version() {
    let mut lab = waiting();
    assert_eq!((lab.serves("app-preview"), lab.serves("app-active")), ("2".into(), "1".into()));
    assert_eq!(lab.status("blueGreen.activeSelector"), lab.hash_of("app", "1").as_str());
    assert_eq!(lab.status("blueGreen.previewSelector"), lab.hash_of("app", "2").as_str());
    // Only the pods that get the traffic count.
    assert_eq!((lab.status("replicas"), lab.status("availableReplicas")), (6.into(), 3.into()));
    lab.wait(300);
    assert_eq!(lab.says("app"), "Paused BlueGreenPause", "a person decides");

    lab.does("resume").wait(1);
    assert_eq!((lab.serves("app-active"), lab.says("app").as_str()), ("2".into(), "Healthy"));
    assert_eq!(lab.status("stableRS"), lab.hash_of("app", "2").as_str());
    let left = lab.deadline_of("app", "1").expect("a deadline").duration_since(lab.now()).as_secs();
    assert!((58..=60).contains(&left), "{left}");
    assert_eq!(lab.pods("app", "1"), (3, 3), "the way back is open");
    lab.wait(62);
    assert_eq!(lab.pods("app", "1"), (0, 0));
    assert_eq!(lab.deadline_of("app", "1"), None);

    let happened = lab.happened("app");
    for said in [
        "Normal RolloutUpdated Rollout updated to revision 2",
        "Normal RolloutPaused Rollout is paused (BlueGreenPause)",
    ] {
        assert!(happened.iter().any(|h| h == said), "{said} is not in {happened:#?}");
    }
    let (one, two) = (lab.hash_of("app", "1"), lab.hash_of("app", "2"));
    let switched = format!("Normal SwitchService Switched selector for service 'app-active' from '{one}' to '{two}'");
    let completed =
        format!("Normal RolloutCompleted Rollout completed update to revision 2 ({two}): Completed blue-green update");
    let scaled = format!("Normal ScalingReplicaSet Scaled down ReplicaSet app-{one} (revision 1) from 3 to 0");
    for said in [switched, completed, scaled] {
        assert!(happened.contains(&said), "{said} is not in {happened:#?}");
    }
}

#[test]
fn it_switches_by_itself_when_the_time_is_over() {
    let mut lab = Lab::of("strategy = 'blue-green'\nreplicas = 2\nauto_promotion = '30s'\n");
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused BlueGreenPause");
    lab.wait(25);
    assert_eq!(lab.serves("app-active"), "1");
    lab.wait(10);
    assert_eq!((lab.serves("app-active"), lab.says("app").as_str()), ("2".into(), "Healthy"));
    // A pause that a person ends has no such event: the controller sees none to end.
    assert!(lab.happened("app").iter().any(|h| h == "Normal RolloutResumed Rollout is resumed"));
}

#[test]
fn a_small_preview_grows_before_the_switch() {
    let mut lab = Lab::of(&format!("{BY_HAND}preview_replicas = 1\n"));
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused BlueGreenPause");
    assert_eq!(lab.pods("app", "2"), (1, 1));
    lab.does("resume");
    assert_eq!(lab.serves("app-active"), "1", "not before all pods are there");
    lab.until("the switch", 20, |lab| lab.serves("app-active") == "2");
    assert_eq!(lab.pods("app", "2"), (3, 3));
    lab.until("health", 5, |lab| lab.says("app") == "Healthy");
}

#[test]
fn a_longer_deadline_holds_the_old_version_up() {
    let mut lab = waiting();
    lab.does("resume").wait(5).does("hold for = '10m'").wait(120);
    assert_eq!(lab.pods("app", "1"), (3, 3));
    lab.wait(500);
    assert_eq!(lab.pods("app", "1"), (0, 0));
}

#[test]
fn an_undo_within_the_delay_is_instant_and_after_it_is_a_release() {
    let mut lab = waiting();
    lab.does("resume").wait(5).does("undo").wait(1);
    assert_eq!((lab.serves("app-active"), lab.says("app").as_str()), ("1".into(), "Healthy"));
    let revision = &lab.rollout("app")["metadata"]["annotations"]["rollout.argoproj.io/revision"];
    assert_eq!(revision, "3", "the old revision has a new number");
    let history = &lab.set_of("app", "1")["metadata"]["annotations"]["rollout.argoproj.io/revision-history"];
    assert_eq!(history, "1");

    let mut lab = waiting();
    lab.does("resume").wait(70).does("undo").wait(10);
    assert_eq!((lab.serves("app-active"), lab.says("app").as_str()), ("2".into(), "Paused BlueGreenPause"));
}

#[test]
fn an_abort_before_the_switch_takes_the_preview_down_after_a_while() {
    let mut lab = waiting();
    lab.does("abort").wait(1);
    assert_eq!(lab.says("app"), "Degraded RolloutAborted: Rollout aborted update to revision 2");
    assert_eq!((lab.serves("app-active"), lab.pods("app", "2")), ("1".into(), (3, 3)));
    assert!(lab.deadline_of("app", "2").is_some());
    lab.wait(35);
    assert_eq!(lab.pods("app", "2"), (0, 0));
    lab.does("retry").until("the pause", 20, |lab| lab.says("app") == "Paused BlueGreenPause");
    assert_eq!(lab.status("abort"), false, "as the real one leaves it");
}

const WITH_POST: &str = "strategy = 'blue-green'\nreplicas = 2\npost = ['after']\n[[analysis]]\nnamespace = 'x'\nname = 'after'\n\
                         interval = '20s'\ncount = 10\nsuccess = 'result[0] <= 0.05'\n";

#[test]
fn an_abort_after_the_switch_goes_back_only_over_ready_pods() {
    let mut lab = Lab::of(WITH_POST);
    lab.does("release version = '2'").until("the switch", 20, |lab| lab.serves("app-active") == "2");
    assert_eq!(lab.says("app"), "Progressing waiting for analysis to complete");
    lab.does("abort").wait(1);
    assert_eq!(lab.serves("app-active"), "1");

    // The known trap: where the new pods are not ready, the Service stays on them.
    let mut lab = Lab::of(WITH_POST);
    lab.does("release version = '2'").until("the switch", 20, |lab| lab.serves("app-active") == "2");
    lab.sim.kubelet.broken_tags.push("2".to_owned());
    let pods: Vec<Key> =
        lab.sim.store.owned_by(&lab.set_of("app", "2"), Kind::Pod).map(|(key, _)| key.clone()).collect();
    for pod in pods {
        let now = lab.now();
        lab.sim.store.begin(now, "kubelet").delete(&pod).expect("it is there");
    }
    lab.wait(3).does("abort").wait(20);
    assert!(lab.says("app").starts_with("Degraded RolloutAborted"), "{}", lab.says("app"));
    assert_eq!(lab.serves("app-active"), "2");
    lab.does("undo").wait(5);
    assert_eq!((lab.serves("app-active"), lab.says("app").as_str()), ("1".into(), "Healthy"));
}

#[test]
fn paused_by_hand_after_the_switch_it_comes_to_rest() {
    let mut lab = Lab::of(&WITH_POST.replace("interval = '20s'", "interval = '1h'"));
    lab.does("release version = '2'").until("the switch", 20, |lab| lab.serves("app-active") == "2");
    lab.does("pause").wait(2);
    assert_eq!(lab.says("app"), "Paused manually paused");
    let version = |lab: &Lab| lab.rollout("app")["metadata"]["resourceVersion"].clone();
    let before = version(&lab);
    lab.wait(30);
    assert_eq!(version(&lab), before, "nothing happens, and nothing is written");
    lab.does("unpause").wait(2);
    assert_eq!(lab.says("app"), "Progressing waiting for analysis to complete");
}

#[test]
fn an_analysis_after_the_switch_fails_and_takes_it_back() {
    let mut lab = Lab::of(&WITH_POST.replacen("[[analysis]]", "errors = { '2' = 0.5 }\n[[analysis]]", 1));
    lab.does("release version = '2'");
    lab.until("the abort", 30, |lab| lab.says("app").starts_with("Degraded RolloutAborted"));
    let said = lab.says("app");
    assert!(said.contains("Blue/green post-promotion analysis phase error/failed: Metric \"error-rate\""), "{said}");
    lab.until("the way back", 10, |lab| lab.serves("app-active") == "1");
}

#[test]
fn a_missing_service_is_an_invalid_spec() {
    let mut lab = Lab::of(BY_HAND);
    let now = lab.now();
    let key = Key::new(Kind::Service, "x", "app-preview");
    lab.sim.store.begin(now, "kubectl").delete(&key).expect("it is there");
    lab.does("release version = '2'").wait(1);
    let said = lab.says("app");
    assert!(
        said.starts_with(
            "Degraded InvalidSpec: The Rollout \"app\" is invalid: spec.strategy.blueGreen.previewService"
        ),
        "{said}"
    );
}
