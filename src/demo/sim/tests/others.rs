//! Restarts, scaling, workloads, specs that are refused, deletion, and Git.

use super::*;

#[test]
fn a_restart_renews_all_pods_a_few_at_a_time() {
    let mut lab = Lab::of("replicas = 4\nsteps = ['25%', 'pause', '100%']\n");
    let names = |lab: &Lab| -> BTreeSet<String> {
        lab.sim.store.list(Kind::Pod, Some("x")).map(|(key, _)| key.name.clone()).collect()
    };
    let before = names(&lab);
    lab.wait(5).does("restart");
    assert_eq!(lab.says("app"), "Progressing rollout is restarting");
    assert_eq!(names(&lab).intersection(&before).count(), 3, "one at a time");
    lab.until("the end", 120, |lab| lab.says("app") == "Healthy");
    assert_eq!(names(&lab).intersection(&before).count(), 0);
    assert_eq!(lab.status("restartedAt"), lab.rollout("app")["spec"]["restartAt"]);
}

#[test]
fn an_autoscaler_changes_the_size_and_nothing_else() {
    let mut lab = Lab::of("replicas = 4\nsteps = ['50%', 'pause', '100%']\n");
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    lab.does("scale replicas = 8").wait(5);
    assert_eq!((lab.pods("app", "1"), lab.pods("app", "2")), ((4, 4), (4, 4)));
    assert_eq!((lab.says("app").as_str(), lab.status("currentStepIndex")), ("Paused CanaryPauseStep", 1.into()));
    let fields = lab.rollout("app")["metadata"]["managedFields"].clone();
    let all = fields.as_array().expect("fields");
    let scaler = all.iter().find(|e| e["manager"] == "kube-controller-manager").expect("the autoscaler");
    assert_eq!(scaler["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn a_template_may_be_that_of_a_deployment() {
    let mut lab = Lab::of("replicas = 2\nworkload = true\nsteps = ['50%', 'pause', '100%']\n");
    assert_eq!(lab.says("app"), "Healthy");
    assert_eq!(lab.rollout("app")["spec"]["template"], Value::Null);
    assert_eq!(lab.status("workloadObservedGeneration"), "1");
    lab.does("release version = '2'").until("the pause", 20, |lab| lab.says("app") == "Paused CanaryPauseStep");
    assert_eq!(lab.status("workloadObservedGeneration"), "2");
    let annotations = lab.rollout("app")["metadata"]["annotations"].clone();
    assert_eq!(annotations["rollout.argoproj.io/workload-generation"], "2");
    lab.does("undo").until("health", 20, |lab| lab.says("app") == "Healthy");
    assert_eq!(crate::demo::rates::version(&lab.object(Kind::Deployment, "app")["spec"]["template"]), "1");
}

#[test]
fn what_is_wrong_with_a_spec_is_said_and_taken_back() {
    let mut lab = Lab::of("replicas = 1\nsteps = ['50%', 'pause', '100%']\n");
    let set = |lab: &mut Lab, weight: i64| {
        let key = Key::new(Kind::Rollout, "x", "app");
        let mut rollout = lab.rollout("app");
        rollout["spec"]["strategy"]["canary"]["steps"][0]["setWeight"] = weight.into();
        let now = lab.now();
        lab.sim.store.begin(now, "kubectl").put(&key, crate::demo::store::Part::Main, rollout).expect("a write");
        lab.wait(1);
    };
    set(&mut lab, 101);
    assert_eq!(
        lab.says("app"),
        "Degraded InvalidSpec: The Rollout \"app\" is invalid: spec.strategy.steps[0].setWeight: Invalid value: 101: \
         SetWeight needs to be between 0 and 100"
    );
    set(&mut lab, 50);
    lab.until("health", 30, |lab| lab.says("app") == "Healthy");
}

#[test]
fn what_is_being_deleted_stands_there_until_it_is_let_go() {
    let mut lab = Lab::of("replicas = 1\n");
    lab.does("delete").wait(5);
    assert!(lab.rollout("app")["metadata"]["deletionTimestamp"].is_string());
    let mut rollout = lab.rollout("app");
    rollout["metadata"]["finalizers"] = Value::Null;
    let key = Key::new(Kind::Rollout, "x", "app");
    let now = lab.now();
    lab.sim.store.begin(now, "kubectl").put(&key, crate::demo::store::Part::Main, rollout).expect("a write");
    lab.wait(1);
    assert!(lab.rollout("app").is_null());
    assert_eq!(lab.sim.store.list(Kind::Pod, None).count(), 0, "and with it all that it owned");
}

#[test]
fn git_puts_its_version_back_and_leaves_alone_what_it_may_not_heal() {
    let mut lab = Lab::named("git-undo");
    let version =
        |lab: &Lab, name: &str| crate::demo::rates::version(&lab.rollout(name)["spec"]["template"]).to_owned();
    lab.does_to("shop/web", "undo version = '77ab001'").wait(10);
    assert_eq!(version(&lab, "web"), "77ab001");
    assert_eq!(lab.object(Kind::Application, "storefront")["status"]["sync"]["status"], "OutOfSync");
    lab.wait(15);
    assert_eq!(version(&lab, "web"), "88bc112", "Git puts it back");
    assert_eq!(version(&lab, "admin"), "5005005", "nobody heals this one");

    // Switched off, it stays as a person left it; switched on, it is healed again.
    let key = Key::new(Kind::Application, "argocd", "storefront");
    let heal = |lab: &mut Lab, automated: Value| {
        let mut app = lab.object(Kind::Application, "storefront");
        app["spec"]["syncPolicy"]["automated"] = automated;
        let now = lab.now();
        lab.sim.store.begin(now, "flightdeck").put(&key, crate::demo::store::Part::Main, app).expect("a write");
    };
    heal(&mut lab, Value::Null);
    lab.does_to("shop/web", "undo version = '77ab001'").wait(60);
    assert_eq!(version(&lab, "web"), "77ab001");
    heal(&mut lab, json!({"selfHeal": true}));
    lab.wait(25);
    assert_eq!(version(&lab, "web"), "88bc112");
}

#[test]
fn an_operation_of_argo_cd_goes_back_to_a_revision_of_its_history() {
    let mut lab = Lab::named("git-undo");
    let mut app = lab.object(Kind::Application, "storefront");
    let first = app["status"]["history"][0]["revision"].clone();
    app["spec"]["syncPolicy"] = Value::Null;
    app["operation"] = json!({"sync": {"revision": first}});
    let key = Key::new(Kind::Application, "argocd", "storefront");
    let now = lab.now();
    lab.sim.store.begin(now, "flightdeck").put(&key, crate::demo::store::Part::Main, app).expect("a write");
    lab.wait(2);
    let app = lab.object(Kind::Application, "storefront");
    assert_eq!((&app["operation"], &app["status"]["operationState"]["phase"]), (&Value::Null, &"Succeeded".into()));
    assert_eq!(crate::demo::rates::version(&lab.rollout("web")["spec"]["template"]), "77ab001");
}

#[test]
fn events_are_counted_and_gone_after_an_hour() {
    let mut lab = Lab::of("replicas = 1\n");
    let rollout = lab.rollout("app");
    for _ in 0..3 {
        lab.wait(1);
        let now = lab.now();
        events::record(lab.sim.store.begin(now, "tester"), &rollout, true, "Oddity", "it was odd");
    }
    let (_, event) = lab.sim.store.list(Kind::Event, None).find(|(_, e)| e["reason"] == "Oddity").expect("the event");
    assert_eq!((&event["count"], &event["source"]["component"]), (&3.into(), &"tester".into()));
    lab.second += 3_700;
    lab.wait(1);
    assert_eq!(lab.sim.store.list(Kind::Event, None).filter(|(_, e)| e["reason"] == "Oddity").count(), 0);
}
