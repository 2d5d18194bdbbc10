//! What happened to a target that did not pass here.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::program::Program;
use crate::scripted::{Reply, Server, list, rollout, status};

/// Minutes ago, as a server writes it.
fn ago(minutes: i64) -> String {
    let at = Timestamp::now().checked_sub(SignedDuration::from_mins(minutes)).expect("a time");
    at.round(jiff::Unit::Second).expect("a time").to_string()
}

fn manager(name: &str, minutes: i64, fields: &Value) -> Value {
    json!({"manager": name, "operation": "Update", "apiVersion": "argoproj.io/v1alpha1", "time": ago(minutes),
        "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn event(name: &str, reason: &str, instance: &str, message: &str, minutes: i64) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": name}, "reason": reason, "message": message,
        "type": "Normal", "lastTimestamp": ago(minutes), "count": 1, "source": {"component": "flightdeck"},
        "reportingInstance": instance,
        "involvedObject": {"kind": "Rollout", "namespace": "shop", "name": "payments", "uid": "uid-payments"}})
}

/// A cluster with these managers and Events, and no revision younger than a day.
async fn cluster(managers: Vec<Value>, events: Vec<Value>) -> (Server, Program) {
    let server = Server::start(move |asked| {
        if asked.is("GET", "/rollouts/payments") {
            let mut object = rollout("payments", 100);
            object["metadata"]["managedFields"] = managers.clone().into();
            return Some(Reply::Json(200, object));
        }
        if asked.is("GET", "/namespaces/shop/events") {
            return Some(Reply::Json(200, list(&events, 100, None)));
        }
        asked.lists("/replicasets").then(|| Reply::Json(200, list(&[], 100, None)))
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    (server, program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_write_by_kubectl_is_found_with_its_fields() {
    let template =
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}}}}}}});
    let (_server, program) = cluster(
        vec![
            manager("rollouts-controller", 1, &json!({"f:status": {"f:phase": {}}})),
            manager("kubectl-edit\u{1b}[2J", 5, &template),
        ],
        Vec::new(),
    )
    .await;
    let found = program.run(&["audit", "reconcile"]).expect(1);
    assert!(found.out.contains("1 that did not pass here"), "{found:?}");
    assert!(found.out.contains("spec.template.spec.containers[name=app].image"), "{found:?}");
    assert!(found.out.contains("kubectl-edit␛") && !found.out.contains('\u{1b}'), "{found:?}");
    assert!(found.out.contains("not seen:"), "what it cannot see is said: {found:?}");
    let json = program.run(&["audit", "reconcile", "shop/payments", "-o", "json"]).expect(1).json();
    assert_eq!((&json["kind"], &json["explained"]), (&json!("AuditReconciliation"), &json!(false)));
    assert_eq!(json["targets"][0]["found"][0]["side"], "unexplained");
    // Before the window nothing is asked.
    let quiet = program.run(&["audit", "reconcile", "payments", "--since", "2m"]).expect(0);
    assert!(quiet.out.contains("nothing since"), "{quiet:?}");
    program.run(&["audit", "reconcile", "shop/nothing"]).expect(10);
    program.run(&["audit", "reconcile", "--since", "yesterday"]).expect(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn acts_of_another_host_explain_its_writes() {
    let managers = vec![manager("flightdeck", 5, &json!({"f:spec": {"f:paused": {}}}))];
    let told = event("flightdeck.an-act", "FlightdeckAct", "there_0123", "pause by bob: done: paused by hand", 5);
    let (_server, program) = cluster(managers.clone(), vec![told]).await;
    let explained = program.run(&["audit", "reconcile"]).expect(0);
    assert!(explained.out.contains("elsewhere") && explained.out.contains("pause by bob"), "{explained:?}");
    let (_server, program) = cluster(managers, Vec::new()).await;
    let alone = program.run(&["audit", "reconcile"]).expect(1);
    assert!(alone.out.contains("neither this log"), "{alone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_may_be_a_person_counts_only_when_asked_to() {
    let resumed = event("resumed", "RolloutResumed", "", "Rollout is resumed", 5);
    let (_server, program) = cluster(Vec::new(), vec![resumed]).await;
    let unclear = program.run(&["audit", "reconcile"]).expect(0);
    assert!(unclear.out.contains("unclear") && unclear.out.contains("leaves no trace"), "{unclear:?}");
    program.run(&["audit", "reconcile", "--strict"]).expect(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_cannot_be_read_is_said_and_has_its_code() {
    let server = Server::start(|asked| {
        asked
            .is("GET", "/namespaces/shop/events")
            .then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot list events")))
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let partial = program.run(&["audit", "reconcile", "--since", "1s"]).expect(7);
    assert!(partial.out.contains("not read: its Events: 403"), "{partial:?}");
}
