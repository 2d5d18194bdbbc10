//! Error rates from a real Prometheus, which scrapes every second what the tests expose.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::config::{self, prometheus::PrometheusSection};
use flightdeck::domain::link::LinkState;
use flightdeck::domain::signal::{Reading, Role, Side, Signals, Verdict};
use flightdeck::domain::text::Clean;
use flightdeck::runtime::control::Deadlines;
use flightdeck::systems::kubernetes::timings;
use flightdeck::systems::prometheus::Timings;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::exporter::{Exporter, Series};
use crate::stack::{Namespace, Stack, stack};

const PATIENCE: Duration = Duration::from_secs(40);

fn fast() -> Timings {
    let second = Duration::from_secs(1);
    Timings { focused: second, moving: second, visible: second, idle: second, search: second, ..Timings::default() }
}

/// Windows that fill in seconds.
const QUICK: &str = "[prometheus]\nwindows = [\"20s\", \"8s\"]\nminimum = 40\n";

async fn start(namespace: &Namespace, place: &str, more: &str) -> Engine {
    let text = format!("{QUICK}{more}\n[[prometheus.context]]\n{place}\n");
    let section = config::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}")).prometheus;
    let rates = (section, fast());
    start_as(namespace, &namespace.stack.kubeconfig, rates).await
}

async fn start_as(namespace: &Namespace, kubeconfig: &Path, rates: (PrometheusSection, Timings)) -> Engine {
    Engine::start_all(kubeconfig, &namespace.name, Deadlines::default(), timings::Timings::default(), rates).await
}

fn url(stack: &Stack) -> String {
    format!("url = \"{}\"", stack.prometheus())
}

async fn until(engine: &Engine, what: &str, is: impl Fn(&Signals) -> bool) -> Arc<Signals> {
    let of = |w: &flightdeck::model::World| w.targets.values().find_map(|t| t.signals.clone());
    let found = tokio::time::timeout(PATIENCE, engine.handle.wait_for(|w| of(w).is_some_and(|s| is(&s)))).await;
    let found = found.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", of(&engine.handle.world())));
    of(&found.expect("the engine runs")).expect("it was there")
}

async fn paused(stem: &str) -> (Namespace, String, String) {
    let namespace = stack().namespace(stem).await;
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 100}]);
    namespace.canary("payments", 2, &steps, false).await;
    namespace.set_image("payments", "2").await;
    let rollout = namespace.paused_at("payments", 1).await;
    let hash = |value: &Value| value.as_str().expect("a hash").to_owned();
    let (new, stable) = (hash(&rollout["status"]["currentPodHash"]), hash(&rollout["status"]["stableRS"]));
    (namespace, new, stable)
}

fn name(hash: &str, code: u16) -> String {
    format!("http_requests_total{{rollouts_pod_template_hash=\"{hash}\",code=\"{code}\"}}")
}

async fn expose(namespace: &Namespace, series: Vec<Series>) -> Exporter {
    Exporter::start(&namespace.stack, json!({"namespace": namespace.name}), series).await
}

fn rate(side: &Side) -> f64 {
    side.long.counts().and_then(|c| c.rate()).unwrap_or_else(|| panic!("no rate: {side:?}"))
}

fn full(side: &Side) -> bool {
    side.long.measured().is_some_and(|c| c.total > 900.0) && side.short.measured().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_fail_at_rates_of_their_own_then_one_is_no_longer_scraped() {
    let stack = stack();
    let _running = stack.running().await;
    let (namespace, new, stable) = paused("rates").await;
    let exporter = expose(
        &namespace,
        vec![
            Series::rate(name(&new, 200), 80.0),
            Series::rate(name(&new, 500), 20.0),
            Series::rate(name(&stable, 200), 99.0),
            Series::rate(name(&stable, 503), 1.0),
        ],
    )
    .await;
    let engine = start(&namespace, &url(&stack), "").await;
    // A series that began just now looks as if it were scraped less often.
    let s =
        until(&engine, "both", |s| full(&s.subject) && s.reference.as_ref().is_some_and(full) && s.scrape == Some(1))
            .await;
    let stable_side = s.reference.as_ref().expect("the stable one");
    assert!((0.17..0.23).contains(&rate(&s.subject)), "20 %: {s:#?}");
    assert!((0.005..0.02).contains(&rate(stable_side)), "1 %: {s:#?}");
    assert_eq!((s.subject.pod_hash.as_str(), stable_side.pod_hash.as_str()), (new.as_str(), stable.as_str()));
    assert_eq!(s.template.as_ref().map(Clean::as_str), Some("http-hash"));
    assert_eq!(s.verdict, Verdict::Over);
    assert!(s.subject.age.is_some_and(|age| age <= 2), "{s:#?}");
    // Its last samples are still in the window, and say what no longer is.
    exporter.remove(&name(&new, 200));
    exporter.remove(&name(&new, 500));
    let s = until(&engine, "stale", |s| s.subject.long.word() == "stale").await;
    let Reading::Stale { age, scrape, counts } = &s.subject.long else { unreachable!() };
    assert!(age.is_some_and(|age| age >= 2) && *scrape == 1 && counts.is_some(), "{s:#?}");
    assert!(s.subject.last.is_some_and(|last| last.counts.errors > 100.0));
    assert_eq!((s.verdict, s.over_since), (Verdict::NotEnoughData, None));
    assert_eq!(s.reference.as_ref().map(|r| r.long.word()), Some("measured"));
    // And when they have left it, there is nothing.
    until(&engine, "nothing", |s| s.subject.long.word() == "no data").await;
    engine.end().await;
    // Who begins to look now sees nothing either, and how it was.
    let engine = start(&namespace, &url(&stack), "").await;
    let was = |s: &Signals| s.subject.history.iter().flatten().any(|rate| (0.17..0.23).contains(rate));
    let s = until(&engine, "the past", was).await;
    assert_eq!((s.subject.long.word(), s.verdict), ("no data", Verdict::NotEnoughData));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_idle_thin_and_old_samples_are_told_apart() {
    let stack = stack();
    let _running = stack.running().await;
    let (namespace, new, stable) = paused("words").await;
    let exporter = expose(&namespace, vec![Series::rate(name(&new, 200), 0.0)]).await;
    let engine = start(&namespace, &url(&stack), "").await;
    let s = until(&engine, "no traffic", |s| s.subject.long == Reading::NoTraffic).await;
    assert_eq!(s.reference.as_ref().map(|r| r.long.word()), Some("no data"), "the stable version counts nothing");
    exporter.change(&name(&new, 200), 0.8);
    let s = until(&engine, "thin", |s| s.subject.long.word() == "thin").await;
    assert_eq!(s.verdict, Verdict::NotEnoughData);
    // No error yet: zero of many, because what counts the requests counts codes.
    exporter.change(&name(&new, 200), 60.0);
    let s = until(&engine, "many", |s| full(&s.subject)).await;
    assert_eq!(s.subject.long.measured().map(|c| c.errors), Some(0.0));
    assert_eq!(s.verdict, Verdict::Fine, "{s:#?}");
    // Exposed with a time stamp that stands still: it is never marked as gone, and gets old all the same.
    let stamp = jiff::Timestamp::now().as_millisecond();
    let mut old = Series::rate(name(&stable, 200), 0.0);
    (old.stamped, old.base) = (Some(stamp), 5.0);
    exporter.set(old);
    let s = until(&engine, "old", |s| s.subject.age.is_some() && s.reference.as_ref().is_some_and(|r| r.age > Some(2)))
        .await;
    let word = s.reference.as_ref().map(|r| r.long.word());
    // One sample makes no rate.
    assert_eq!(word, Some("no data"), "{s:#?}");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cutover_it_is_compared_with_the_time_before() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("baking").await;
    let steps = json!([{"setWeight": 50}, {"pause": {"duration": "3s"}}]);
    namespace.canary("payments", 2, &steps, false).await;
    let old = namespace.until("payments", |r| r["status"]["phase"] == "Healthy").await;
    let old = old["status"]["stableRS"].as_str().expect("a hash").to_owned();
    let exporter =
        expose(&namespace, vec![Series::rate(name(&old, 200), 90.0), Series::rate(name(&old, 500), 10.0)]).await;
    let engine = start(&namespace, &url(&stack), "").await;
    until(&engine, "the old version", |s| s.subject.role == Role::Now && full(&s.subject)).await;
    namespace.set_image("payments", "2").await;
    let new = namespace.until("payments", |r| r["status"]["currentPodHash"].as_str().is_some_and(|h| h != old)).await;
    let new = new["status"]["currentPodHash"].as_str().expect("a hash").to_owned();
    exporter.set(Series::rate(name(&new, 200), 100.0));
    namespace.until("payments", |r| r["status"]["stableRS"] == new.as_str()).await;
    exporter.remove(&name(&old, 200));
    exporter.remove(&name(&old, 500));
    let s = until(&engine, "both", |s| {
        let before = s.reference.as_ref().filter(|r| r.role == Role::Before);
        s.subject.role == Role::Now && full(&s.subject) && before.is_some_and(|r| r.long.measured().is_some())
    })
    .await;
    let before = s.reference.as_ref().expect("the time before");
    assert_eq!((s.subject.pod_hash.as_str(), before.pod_hash.as_str()), (new.as_str(), old.as_str()));
    assert_eq!(s.subject.long.measured().map(|c| c.errors), Some(0.0));
    assert!((0.07..0.13).contains(&rate(before)), "10 %: {s:#?}");
    assert_eq!(before.age, None, "the past does not age");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_template_that_comes_along_is_promql_and_a_wrong_one_is_named() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("templates").await;
    // With a router, so that the Services are known and no template is left out.
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 100}]);
    namespace.canary("payments", 2, &steps, true).await;
    namespace.set_image("payments", "2").await;
    let rollout = namespace.paused_at("payments", 1).await;
    let new = rollout["status"]["currentPodHash"].as_str().expect("a hash").to_owned();
    let engine = start(&namespace, &url(&stack), "").await;
    let s = until(&engine, "nothing", |_| true).await;
    assert_eq!((&s.subject.long, &s.template), (&Reading::NoData, &None), "asked and understood");
    engine.end().await;
    // ingress-nginx names the canary's backend by namespace, Service and port.
    let backend = format!("{}-payments-canary-80", namespace.name);
    let ingress = |canary: &str, code: u16| {
        format!(
            "nginx_ingress_controller_requests{{service=\"payments-stable\",canary=\"{canary}\",status=\"{code}\"}}"
        )
    };
    let exporter = expose(
        &namespace,
        vec![
            Series::rate(ingress(&backend, 200), 50.0),
            Series::rate(ingress(&backend, 502), 50.0),
            Series::rate(ingress("", 200), 100.0),
        ],
    )
    .await;
    let engine = start(&namespace, &url(&stack), "").await;
    let s = until(&engine, "the ingress", |s| full(&s.subject) && s.reference.as_ref().is_some_and(full)).await;
    assert_eq!(s.template.as_ref().map(Clean::as_str), Some("nginx-ingress"));
    assert!((0.45..0.55).contains(&rate(&s.subject)) && rate(s.reference.as_ref().expect("stable")) == 0.0, "{s:#?}");
    engine.end().await;
    drop(exporter);
    let _exporter =
        expose(&namespace, vec![Series::rate(name(&new, 200), 50.0), Series::rate(name(&new, 500), 50.0)]).await;
    for (total, said) in [
        ("sum(increase(http_requests_total[{{window}}])", "parse error"),
        ("increase(http_requests_total{namespace=\"{{namespace}}\"}[{{window}}])", "2 series"),
        ("scalar(sum(increase(http_requests_total[{{window}}])))", "expected type instant vector"),
    ] {
        let more = format!(
            "[[prometheus.template]]\nname = \"mine\"\nerrors = 'sum(increase(http_requests_total{{code=\"500\"}}[{{{{window}}}}]))'\n\
             total = '{total}'\nseries = 'http_requests_total{{namespace=\"{{{{namespace}}}}\"}}'\n\
             [[prometheus.target]]\ntarget = \"*\"\ntemplate = \"mine\""
        );
        let engine = start(&namespace, &url(&stack), &more).await;
        let s = until(&engine, said, |s| s.subject.long.word() == "wrong query").await;
        let why = s.subject.long.why().expect("a reason").to_string();
        assert!(why.contains(said), "{total}: {why}");
        engine.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_reached_through_the_api_server_and_not_without_the_right() {
    let stack = stack();
    let _running = stack.running().await;
    let (namespace, new, _) = paused("proxied").await;
    let _exporter =
        expose(&namespace, vec![Series::rate(name(&new, 200), 95.0), Series::rate(name(&new, 500), 5.0)]).await;
    let place = "service = \"monitoring/prometheus:9090\"";
    let engine = start(&namespace, place, "").await;
    let s = until(&engine, "rates", |s| full(&s.subject)).await;
    assert!((0.03..0.07).contains(&rate(&s.subject)), "{s:#?}");
    engine.end().await;
    // Who may look at everything else may not use the proxy.
    let text = format!("[[prometheus.context]]\n{place}\n");
    let rates = (config::parse(&text).expect("sound").prometheus, fast());
    let engine = start_as(&namespace, &stack.dir("viewer.kubeconfig"), rates).await;
    let s = until(&engine, "the refusal", |s| s.subject.long.word() == "unreachable").await;
    let why = s.subject.long.why().expect("a reason").to_string();
    assert!(why.contains("403") && why.contains("get services/proxy"), "{why}");
    let world = engine.handle.world();
    let denied =
        |l: &flightdeck::domain::link::Link| l.id.what == "prometheus" && matches!(l.state, LinkState::Denied { .. });
    assert!(world.links.values().any(denied), "{:#?}", world.links);
    engine.end().await;
}
