//! What `doctor` finds, with the fix; and the roles that it names.

use serde_json::{Value, json};

use super::demo;
use crate::program::Program;
use crate::scripted::{Reply, Server};

fn check<'a>(document: &'a Value, id: &str) -> &'a Value {
    let all = document["checks"].as_array().expect("checks");
    all.iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("no check {id} in {document:#}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn all_is_well_in_the_demo_world_and_each_check_has_a_name() {
    let (_world, _folder, program) = demo().await;
    let document = program.run(&["doctor", "-o", "json"]).expect(0).json();
    for id in [
        "config",
        "audit",
        "audit.writable",
        "terminal",
        "kubeconfig",
        "api-server",
        "user",
        "cluster-identity",
        "clock",
        "crd.rollouts",
        "namespaces",
        "controller",
        "prometheus",
        "role",
        "right.patch.rollouts/status",
    ] {
        assert_eq!(check(&document, id)["verdict"], "ok", "{id}: {document:#}");
    }
    assert!(check(&document, "role")["said"].as_str().is_some_and(|said| said.contains("releaser")));
    let human = program.run(&["doctor"]).expect(0).out;
    assert!(human.contains("rights: releaser") && !human.contains("may patch"), "what is there is one line: {human}");
}

/// A server that allows what `may` allows.
async fn strict(may: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |asked| {
        asked.path.contains("selfsubjectaccessreviews").then(|| {
            let review: Value = serde_json::from_str(&asked.body).expect("a review");
            let allowed = may(&review["spec"]["resourceAttributes"]);
            Reply::Json(201, json!({"status": {"allowed": allowed}}))
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_missing_right_comes_with_the_command_that_grants_it() {
    let server = strict(|asked| asked["verb"] != "patch").await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let document = program.run(&["doctor", "-o", "json"]).expect(0).json();
    let status = check(&document, "right.patch.rollouts/status");
    assert_eq!(status["verdict"], "warn");
    assert_eq!(status["fix"], "flightdeck rbac operator --namespace shop --user anna | kubectl apply -f -");
    let spec = check(&document, "right.patch.rollouts");
    assert!(spec["fix"].as_str().is_some_and(|fix| fix.contains("rbac releaser")), "{spec:#}");
    assert!(check(&document, "role")["said"].as_str().is_some_and(|said| said.starts_with("viewer")));
    // Without what is read there is no picture.
    let blind = strict(|asked| asked["verb"] != "list" || asked["resource"] != "rollouts").await;
    let program = Program::new(&blind.kubeconfig(), Some("shop"));
    let document = program.run(&["doctor", "-o", "json"]).expect(1).json();
    assert_eq!(check(&document, "right.list.rollouts")["verdict"], "fail");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_newcomer_trips_on_is_named() {
    let (_world, folder, program) = demo().await;
    let kubeconfig = std::fs::read_to_string(folder.path().join("kubeconfig")).expect("a kubeconfig");
    // A login helper that is not installed.
    let mut config: Value = serde_saphyr::from_str(&kubeconfig).expect("YAML");
    config["users"][0]["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-login", "installHint": "brew install no-such-login", "interactiveMode": "Never"}});
    let path = folder.path().join("with-plugin");
    std::fs::write(&path, config.to_string()).expect("written");
    let document = Program::new(&path, None).run(&["doctor", "-o", "json"]).expect(8).json();
    let plugin = check(&document, "exec-plugin");
    assert_eq!((&plugin["verdict"], &plugin["fix"]), (&json!("fail"), &json!("brew install no-such-login")));
    // A context that is not there.
    let document = program.run(&["doctor", "--context", "nope", "-o", "json"]).expect(1).json();
    assert!(check(&document, "kubeconfig")["said"].as_str().is_some_and(|said| said.contains("nope")));
    // A folder that cannot be written.
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").expect("written");
    let state = file.join("state");
    let document =
        program.run(&["doctor", "--state-dir", state.to_str().expect("UTF-8"), "-o", "json"]).expect(1).json();
    assert_eq!(check(&document, "audit.writable")["verdict"], "fail", "{document:#}");
}

#[test]
fn roles_and_pages_and_schemas_are_printed() {
    let program = Program::new(std::path::Path::new("/nowhere"), None);
    let role = program.run(&["rbac", "operator", "-n", "shop", "--user", "anna"]).expect(0).out;
    for word in ["kind: Role\n", "kind: RoleBinding", "namespace: shop", "name: \"anna\"", "rollouts/status"] {
        assert!(role.contains(word), "{word} in {role}");
    }
    let whole = program.run(&["rbac", "viewer"]).expect(0).out;
    assert!(whole.contains("kind: ClusterRole\n") && !whole.contains("Binding"), "{whole}");
    program.run(&["rbac", "viewer", "--serviceaccount", "bot"]).expect(2);
    let page = program.run(&["man", "audit", "verify"]).expect(0).out;
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(page.contains("witness"), "{page}");
    program.run(&["man", "nothing"]).expect(10);
    let folder = program.state.path().join("man");
    program.run(&["man", "--out", folder.to_str().expect("UTF-8")]).expect(0);
    for name in ["flightdeck.1", "flightdeck-resume.1", "flightdeck-audit-verify.1"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    let kinds = program.run(&["schema"]).expect(0).out;
    assert!(kinds.lines().any(|kind| kind == "Target"), "{kinds}");
    let schema: Value = serde_json::from_str(&program.run(&["schema", "outcome"]).expect(0).out).expect("JSON");
    assert_eq!(schema["properties"]["kind"]["const"], "Outcome");
    program.run(&["schema", "nothing"]).expect(10);
}
