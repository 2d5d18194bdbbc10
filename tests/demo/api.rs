//! The demo world's Kubernetes API: what clients ask of it, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use flightdeck::demo::{Fault, Scenario, World};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const PATCH: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const ARGO: &str = "/apis/argoproj.io/v1alpha1/namespaces";

struct Site {
    world: Arc<World>,
    client: Client,
}

impl Site {
    async fn open(name: &str) -> Self {
        Self::of(&Scenario::named(name).expect("it comes along")).await
    }

    async fn of(scenario: &Scenario) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::on(World::start(scenario, 1).await.expect("a world")).await
    }

    async fn on(world: World) -> Self {
        let config: kube::config::Kubeconfig = serde_saphyr::from_str(&world.kubeconfig()).expect("a kubeconfig");
        let options = kube::config::KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(config, &options).await.expect("a usable kubeconfig");
        // Every answer is looked at as it came.
        config.default_retry = false;
        Self { world: Arc::new(world), client: Client::try_from(config).expect("a client") }
    }

    async fn raw(&self, method: &str, path: &str, content: &str, body: &str) -> http::Response<Body> {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(Body::from(body.as_bytes().to_vec())).expect("a request");
        self.client.send(request).await.expect("the server answers")
    }

    async fn text(&self, method: &str, path: &str, content: &str, body: &str) -> (u16, String) {
        let answer = self.raw(method, path, content, body).await;
        let code = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("an answer").to_bytes();
        (code, String::from_utf8_lossy(&body).into_owned())
    }

    async fn ask(&self, method: &str, path: &str, content: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (code, text) = self.text(method, path, content, &body).await;
        (code, serde_json::from_str(&text).unwrap_or_else(|_| text.into()))
    }

    async fn get(&self, path: &str) -> Value {
        let (code, found) = self.ask("GET", path, JSON, Value::Null).await;
        assert_eq!(code, 200, "{path}: {found:#}");
        found
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let found = self.get(path).await;
        let items = found["items"].as_array().expect("a list").iter();
        items.map(|o| o["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_listed_and_offered() {
    let site = Site::open("stuck-analysis").await;
    for (group, plurals) in [
        ("/api/v1", &["namespaces", "pods", "services", "configmaps", "events"][..]),
        ("/apis/apps/v1", &["replicasets", "deployments"]),
        (
            "/apis/argoproj.io/v1alpha1",
            &[
                "rollouts",
                "analysisruns",
                "analysistemplates",
                "clusteranalysistemplates",
                "experiments",
                "applications",
            ],
        ),
        ("/apis/coordination.k8s.io/v1", &["leases"]),
    ] {
        let offered = site.get(group).await["resources"].to_string();
        for plural in plurals {
            assert!(offered.contains(&format!("\"name\":\"{plural}\"")), "{plural} in {offered}");
            let list = site.get(&format!("{group}/{plural}")).await;
            assert!(list["metadata"]["resourceVersion"].is_string() && list["items"].is_array(), "{plural}: {list:#}");
        }
    }
    assert!(!site.names("/apis/argoproj.io/v1alpha1/analysisruns").await.is_empty());
    assert_eq!(
        site.names("/apis/argoproj.io/v1alpha1/rollouts?fieldSelector=metadata.name%3Dpricing").await,
        ["pricing"]
    );
    assert_eq!(site.names(&format!("{ARGO}/platform/rollouts")).await, ["ranking"]);
    let (code, said) = site.ask("GET", "/api/v1/pods?fieldSelector=spec.colour%3Dred", JSON, Value::Null).await;
    assert_eq!((code, &said["reason"]), (400, &"BadRequest".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_run_has_no_status_path_and_is_ended_by_the_main_one() {
    let site = Site::open("stuck-analysis").await;
    let all = site.get(&format!("{ARGO}/shop/analysisruns")).await;
    let running = all["items"].as_array().expect("runs").iter().find(|run| run["status"]["phase"] == "Running");
    let name = running.expect("one that runs")["metadata"]["name"].as_str().expect("a name").to_owned();
    let path = format!("{ARGO}/shop/analysisruns/{name}");
    let end = json!({"spec": {"terminate": true}});
    assert_eq!(site.ask("PATCH", &format!("{path}/status"), MERGE, end.clone()).await.0, 404);
    assert_eq!(site.ask("PATCH", &path, MERGE, end).await.0, 200);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while site.get(&path).await["status"]["phase"] != "Successful" {
        assert!(tokio::time::Instant::now() < deadline, "{:#}", site.get(&path).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_takes_a_longer_deadline() {
    let site = Site::open("blue-green").await;
    let sets = site.get("/apis/apps/v1/namespaces/clinic/replicasets?labelSelector=app%3Drecords").await;
    let path = |name: &str| format!("/apis/apps/v1/namespaces/clinic/replicasets/{name}");
    let held = |set: &Value| set["metadata"]["annotations"]["scale-down-deadline"].as_str().map(ToOwned::to_owned);
    let old = sets["items"].as_array().expect("sets").iter().find(|set| held(set).is_some()).expect("the old one");
    let name = old["metadata"]["name"].as_str().expect("a name");
    let test = |value: &str| json!({"op": "test", "path": "/metadata/annotations/scale-down-deadline", "value": value});
    let longer =
        json!({"op": "replace", "path": "/metadata/annotations/scale-down-deadline", "value": "2100-01-01T00:00:00Z"});
    let (code, said) = site.ask("PATCH", &path(name), PATCH, json!([test("2000-01-01T00:00:00Z"), longer])).await;
    assert_eq!((code, &said["reason"]), (422, &"Invalid".into()));
    let right = json!([test(&held(old).expect("a deadline")), longer]);
    let manager = format!("{}?fieldManager=flightdeck", path(name));
    assert_eq!(site.ask("PATCH", &manager, PATCH, right).await.0, 200);
    let set = site.get(&path(name)).await;
    assert_eq!(held(&set).as_deref(), Some("2100-01-01T00:00:00Z"));
    let fields = set["metadata"]["managedFields"].as_array().expect("fields");
    let ours = fields.iter().find(|e| e["manager"] == "flightdeck").expect("our entry");
    assert!(ours["time"].is_string() && ours["fieldsV1"].to_string().contains("f:scale-down-deadline"), "{ours:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn config_maps_and_leases_are_made_replaced_and_conflict() {
    let site = Site::open("calm-canary").await;
    for (list, kind) in [
        ("/api/v1/namespaces/shop/configmaps", json!({"data": {"head": "1"}})),
        ("/apis/coordination.k8s.io/v1/namespaces/shop/leases", json!({"spec": {"holderIdentity": "a"}})),
    ] {
        let mut object = kind;
        object["metadata"] = json!({"name": "flightdeck"});
        let (code, made) = site.ask("POST", &format!("{list}?dryRun=All"), JSON, object.clone()).await;
        assert_eq!(code, 201, "{made:#}");
        let path = format!("{list}/flightdeck");
        assert_eq!(site.ask("GET", &path, JSON, Value::Null).await.0, 404, "a dry run stores nothing");
        let (code, made) = site.ask("POST", list, JSON, object.clone()).await;
        assert_eq!((code, &made["metadata"]["generation"]), (201, &Value::Null));
        assert_eq!(site.ask("POST", list, JSON, object).await.1["reason"], "AlreadyExists");
        let mut newer = made.clone();
        newer["metadata"]["labels"] = json!({"by": "me"});
        assert_eq!(site.ask("PUT", &path, JSON, newer.clone()).await.0, 200);
        let (code, said) = site.ask("PUT", &path, JSON, newer).await;
        assert_eq!((code, &said["reason"]), (409, &"Conflict".into()), "the version was that of before");
        assert_eq!(site.ask("DELETE", &path, JSON, Value::Null).await.0, 200);
    }
    let path = format!("{ARGO}/shop/rollouts/web");
    let mut rollout = site.get(&path).await;
    rollout["metadata"]["resourceVersion"] = Value::Null;
    let (code, said) = site.ask("PUT", &path, JSON, rollout).await;
    assert_eq!((code, &said["reason"]), (422, &"Invalid".into()));
    assert!(said["message"].as_str().is_some_and(|m| m.contains("must be specified for an update")), "{said:#}");
    let (code, said) =
        site.ask("POST", "/api/v1/namespaces/nope/configmaps", JSON, json!({"metadata": {"name": "x"}})).await;
    assert_eq!((code, &said["message"]), (404, &"namespaces \"nope\" not found".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_selected_watched_and_made() {
    let site = Site::open("calm-canary").await;
    let of = "involvedObject.kind%3DRollout,involvedObject.name%3Dpayments";
    let list = format!("/api/v1/namespaces/shop/events?fieldSelector={of}");
    let found = site.get(&list).await;
    let said: Vec<&str> =
        found["items"].as_array().expect("events").iter().filter_map(|e| e["reason"].as_str()).collect();
    assert!(said.contains(&"RolloutPaused") && said.contains(&"RolloutStepCompleted"), "{said:?}");
    assert_eq!(found["items"][0]["source"]["component"], "rollouts-controller");
    let version = found["metadata"]["resourceVersion"].as_str().expect("a version");
    let event = |name: &str, about: &str| {
        json!({
            "metadata": {"name": name}, "reason": "Recorded", "message": "an act was recorded", "type": "Normal",
            "involvedObject": {"kind": "Rollout", "namespace": "shop", "name": about},
        })
    };
    for (name, about) in [("one", "payments"), ("two", "web")] {
        let made = site.ask("POST", "/api/v1/namespaces/shop/events", JSON, event(name, about)).await;
        assert_eq!(made.0, 201, "{:#}", made.1);
    }
    let watch = format!("{list}&watch=true&resourceVersion={version}&timeoutSeconds=1");
    let (code, lines) = site.text("GET", &watch, JSON, "").await;
    let names: Vec<String> = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| line["object"]["metadata"]["name"].as_str().map(ToOwned::to_owned))
        .collect();
    assert_eq!(code, 200);
    assert!(names.contains(&"one".to_owned()) && !names.contains(&"two".to_owned()), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_loses_what_no_longer_fits_its_selector() {
    let site = Site::open("calm-canary").await;
    let list = format!("{ARGO}/shop/rollouts?labelSelector=team%3Dred");
    let version = site.get(&list).await["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    for team in ["red", "red", "blue"] {
        let patch = json!({"metadata": {"labels": {"team": team, "n": team.len().to_string()}}});
        assert_eq!(site.ask("PATCH", &format!("{ARGO}/shop/rollouts/web"), MERGE, patch).await.0, 200);
    }
    let watch = format!("{list}&watch=true&resourceVersion={version}&timeoutSeconds=1");
    let (_, lines) = site.text("GET", &watch, JSON, "").await;
    let lines: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let web: Vec<&Value> =
        lines.iter().filter(|l| l["object"]["metadata"]["name"] == "web").map(|l| &l["type"]).collect();
    assert_eq!((web.first(), web.last()), (Some(&&"ADDED".into()), Some(&&"DELETED".into())), "{web:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_followed_and_refused() {
    let site = Site::open("bad-canary").await;
    let pods = site.get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dcheckout").await;
    let bad = |pod: &&Value| pod["spec"]["containers"][0]["image"] == "shop/checkout:bad5eed";
    let pod = pods["items"].as_array().expect("pods").iter().find(bad).expect("a pod of the bad version");
    let log = format!("/api/v1/namespaces/shop/pods/{}/log", pod["metadata"]["name"].as_str().expect("a name"));
    let (code, text) = site.text("GET", &log, JSON, "").await;
    assert_eq!(code, 200);
    assert!(text.starts_with("level=info msg=\"starting\" version=bad5eed\n"), "{text}");
    assert!(text.contains("level=error"), "a bad version says so: {text}");
    let (_, tail) = site.text("GET", &format!("{log}?tailLines=3&timestamps=true&container=app"), JSON, "").await;
    assert_eq!(tail.lines().count(), 3);
    let stamp = tail.split(' ').next().expect("a time");
    assert!(stamp.parse::<jiff::Timestamp>().is_ok(), "{tail}");
    for (query, said) in [
        ("container=nope", "container nope is not valid for pod checkout-"),
        ("previous=true", "previous terminated container \"app\" in pod \"checkout-"),
    ] {
        let (code, answer) = site.ask("GET", &format!("{log}?{query}"), JSON, Value::Null).await;
        assert!(code == 400 && answer["message"].as_str().is_some_and(|m| m.contains(said)), "{code} {answer:#}");
    }
    let crashed = site.get("/api/v1/namespaces/platform/pods?labelSelector=app%3Dthumbnails").await;
    let waits =
        |pod: &&Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff";
    let pod = crashed["items"].as_array().expect("pods").iter().find(waits).expect("one that crashes");
    let log_of = format!("/api/v1/namespaces/platform/pods/{}/log", pod["metadata"]["name"].as_str().expect("a name"));
    let (code, text) = site.text("GET", &format!("{log_of}?previous=true"), JSON, "").await;
    assert!(code == 200 && text.contains("level=fatal"), "{code} {text}");
    let mut follow = site.raw("GET", &format!("{log}?follow=true&tailLines=0"), JSON, "").await.into_body();
    let line = tokio::time::timeout(Duration::from_secs(10), follow.frame()).await.expect("in time");
    let line = line.expect("a line").expect("no error").into_data().expect("data");
    assert!(line.starts_with(b"level="), "{line:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_bear_the_worlds_date_and_reviews_are_answered() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let now: jiff::Timestamp = "2030-05-06T07:08:09Z".parse().expect("a time");
    let world = World::start_with(&Scenario::calm_canary(), 1, Arc::new(move || now)).await.expect("a world");
    let site = Site::on(world).await;
    let answer = site.raw("GET", "/version", JSON, "").await;
    assert_eq!(answer.headers()["date"], "Mon, 06 May 2030 07:08:09 GMT");
    let spec =
        json!({"spec": {"resourceAttributes": {"verb": "patch", "group": "argoproj.io", "resource": "rollouts"}}});
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let (code, said) = site.ask("POST", review, JSON, spec).await;
    assert_eq!((code, &said["status"]["allowed"]), (201, &true.into()));
    let (code, said) = site.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", JSON, json!({})).await;
    assert_eq!((code, &said["status"]["userInfo"]["username"]), (201, &"demo".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_swallows_or_refuses_and_ends() {
    let site = Site::open("calm-canary").await;
    site.world.fault(Fault::Silence);
    let asked = tokio::time::timeout(Duration::from_millis(400), site.raw("GET", "/version", JSON, "")).await;
    assert!(asked.is_err(), "nothing is answered");
    site.world.fault(Fault::RefuseAll);
    assert_eq!(site.ask("GET", "/version", JSON, Value::Null).await.0, 503);
    site.world.fault(Fault::None);
    assert_eq!(site.ask("GET", "/version", JSON, Value::Null).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_goes_silent_by_itself() {
    let text = "[[rollout]]\nnamespace = 'a'\nname = 'b'\nimage = 'c'\nversion = '1'\n[[event]]\nat = '-1s'\ndo = 'silence'\nfor = '3s'\n";
    let site = Site::of(&Scenario::parse(text).expect("a scenario")).await;
    let asked = tokio::time::timeout(Duration::from_millis(300), site.raw("GET", "/version", JSON, "")).await;
    assert!(asked.is_err(), "it is silent");
    let asked = tokio::time::timeout(Duration::from_secs(20), site.raw("GET", "/version", JSON, "")).await;
    assert_eq!(asked.expect("it is back").status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_listed_in_pages_and_its_stamps_are_patched() {
    let site = Site::open("fleet-300").await;
    let mut path = "/apis/argoproj.io/v1alpha1/rollouts?limit=120".to_owned();
    let mut all = Vec::new();
    loop {
        let page = site.get(&path).await;
        all.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["metadata"]["continue"].as_str() else { break };
        path = format!("/apis/argoproj.io/v1alpha1/rollouts?limit=120&continue={next}");
    }
    let mut uids: Vec<&str> = all.iter().filter_map(|o| o["metadata"]["uid"].as_str()).collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!((all.len(), uids.len()), (300, 300));
    let still = all.iter().find(|o| o["status"]["phase"] == "Healthy").expect("one at rest");
    let text = |field: &str| still["metadata"][field].as_str().expect("a text").to_owned();
    let path = format!("{ARGO}/{}/rollouts/{}", text("namespace"), text("name"));
    let (code, said) = site.ask("PATCH", &path, MERGE, json!({"spec": {"paused": true}})).await;
    assert_eq!((code, &said["spec"]["paused"]), (200, &true.into()));
}
