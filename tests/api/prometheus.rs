//! Error rates from a Prometheus that says what the test wants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flightdeck::config::{self, prometheus::PrometheusSection};
use flightdeck::domain::link::LinkState;
use flightdeck::domain::signal::{Reading, Role, Signals, Verdict};
use flightdeck::domain::text::Clean;
use flightdeck::model::{World, query};
use flightdeck::runtime::control::Deadlines;
use flightdeck::systems::kubernetes::timings;
use flightdeck::systems::prometheus::Timings;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::scripted::{Asked, Reply, Server, list, rollout, status};

const QUERY: &str = "/api/v1/query";

/// The evaluation time of every answer.
const NOW: f64 = 1_800_000_000.0;

fn fast() -> Timings {
    Timings {
        focused: Duration::from_millis(50),
        moving: Duration::from_millis(50),
        visible: Duration::from_millis(50),
        idle: Duration::from_millis(50),
        search: Duration::from_millis(50),
        repin: Duration::from_millis(300),
        shortest: Duration::from_millis(20),
        longest: Duration::from_millis(100),
        denied: Duration::from_millis(100),
        alive: Duration::from_millis(50),
    }
}

fn section(text: &str) -> PrometheusSection {
    config::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}")).prometheus
}

fn at(server: &Server, more: &str) -> PrometheusSection {
    section(&format!("[prometheus]\ntimeout = \"1s\"\n{more}\n[[prometheus.context]]\nurl = \"{}\"\n", server.url()))
}

async fn start(server: &Server, section: PrometheusSection, timings: Timings) -> Engine {
    let rates = (section, timings);
    Engine::start_all(&server.kubeconfig(), "shop", Deadlines::default(), timings::Timings::default(), rates).await
}

fn of<'a>(world: &'a World, name: &str) -> Option<&'a Arc<Signals>> {
    world.targets.values().find(|t| t.id().name == name)?.signals.as_ref()
}

async fn until(engine: &Engine, what: &str, is: impl Fn(&World) -> bool) -> Arc<World> {
    let found = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(is)).await;
    let found = found.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", engine.handle.world()));
    found.expect("the engine runs")
}

async fn signals(engine: &Engine, what: &str, is: impl Fn(&Signals) -> bool) -> Arc<Signals> {
    let world = until(engine, what, |w| of(w, "payments").is_some_and(|s| is(s))).await;
    of(&world, "payments").expect("they were there").clone()
}

/// The query text of a form or a URL.
fn promql(asked: &Asked) -> String {
    let form = if asked.body.is_empty() { asked.path.split_once('?').map_or("", |(_, q)| q) } else { &asked.body };
    let text = form.split('&').find_map(|pair| pair.strip_prefix("query=")).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(std::str::from_utf8(&hex).expect("hex"), 16).expect("hex")
            }
            b => b,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The keys that a query asks for, each with its expression.
fn keys(promql: &str) -> BTreeMap<String, String> {
    promql
        .split("label_replace(")
        .skip(1)
        .map(|part| {
            let (expression, rest) = part.split_once(", \"flightdeck\", \"").expect("the label");
            (rest.split('"').next().expect("the key").to_owned(), expression.to_owned())
        })
        .collect()
}

fn vector(numbers: &[(String, String)]) -> Reply {
    let result: Vec<Value> =
        numbers.iter().map(|(key, value)| json!({"metric": {"flightdeck": key}, "value": [NOW, value]})).collect();
    Reply::Json(200, json!({"status": "success", "data": {"resultType": "vector", "result": result}}))
}

/// Answers what `number` says of side and number (`s.tl`), and of probes (`s.p`).
fn answer(asked: &Asked, number: impl Fn(&str) -> Vec<String>) -> Option<Reply> {
    if !asked.is("POST", QUERY) {
        return None;
    }
    let mut all = Vec::new();
    for key in keys(&promql(asked)).keys() {
        let short = key.split_once('.').map_or(key.as_str(), |(_, rest)| rest);
        let probe = short.rsplit('.').next().is_some_and(|n| n.parse::<usize>().is_ok());
        let name = if probe { format!("{}.p", &short[..1]) } else { short.to_owned() };
        all.extend(number(&name).into_iter().map(|value| (key.clone(), value)));
    }
    Some(vector(&all))
}

/// What a healthy version says: 912 of 12,480 in the long window, fresh, scraped every 15 s.
fn usual(name: &str) -> Vec<String> {
    let value = match &name[2..] {
        "el" => "912",
        "tl" => "12480",
        "es" => "280",
        "ts" => "2500",
        "at" => "1799999997",
        "n" => "20",
        "p" | "ive" => "1",
        other => panic!("{other} is not known"),
    };
    vec![value.to_owned()]
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_measured_in_one_query_and_the_template_is_named() {
    let server = Server::start(|asked| answer(asked, usual)).await;
    let engine = start(&server, at(&server, ""), fast()).await;
    let s = signals(&engine, "rates", |s| s.template.is_some()).await;
    assert_eq!(s.subject.role, Role::New);
    assert_eq!(s.subject.pod_hash.as_str(), "8445c5fd75");
    assert_eq!(s.subject.long.sentence(&s.rules), "7.31 %, 912 of 12,480");
    assert_eq!(s.subject.short.cell(), "11.20 %");
    assert_eq!((s.subject.age, s.scrape), (Some(3), Some(15)));
    assert_eq!((s.verdict, s.over_since), (Verdict::Over, Some(s.at)));
    assert!(!s.over_began, "how it was before is not known: only seen since then");
    let stable = s.reference.as_ref().expect("the stable one");
    assert_eq!((stable.role, stable.pod_hash.as_str()), (Role::Stable, "7744795c7b"));
    assert_eq!(s.template.as_ref().map(Clean::as_str), Some("linkerd"), "the first that gives data");
    let later = signals(&engine, "more", |later| later.at > s.at).await;
    assert_eq!(later.over_since, s.over_since, "since the first time");
    let mut asked = server.asked().into_iter().filter(|a| a.is("POST", QUERY)).map(|a| promql(&a));
    let measured = asked.rfind(|q| q.contains("count_over_time")).expect("a measuring query");
    assert_eq!(keys(&measured).len(), 12, "{measured}");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_the_first_reading_is_asked_for_once_and_drawn() {
    let server = Server::start(|asked| {
        if !asked.is("POST", "/api/v1/query_range") {
            return answer(asked, usual);
        }
        let number = |name: &str| {
            let form = asked.body.split('&').find_map(|pair| pair.strip_prefix(name)).expect("a number");
            form.parse::<f64>().expect("a number")
        };
        let (start, end, step) = (number("start="), number("end="), number("step="));
        assert_eq!((end - start, step), (3600.0, 10.0), "the past hour");
        // One in ten failed, but nothing was counted in the third step, and in the fifth nothing failed.
        let at = |n: f64| end + (n - 30.0) * step;
        let points = |of: &[(f64, &str)]| of.iter().map(|(n, v)| json!([at(*n), v])).collect::<Vec<_>>();
        let keys = keys(&promql(asked));
        assert_eq!(keys.len(), 2, "{keys:?}");
        let total = points(&[(1.0, "200"), (3.0, "200"), (4.0, "NaN"), (5.0, "200")]);
        let series = [("el", points(&[(1.0, "20"), (3.0, "20")])), ("tl", total)];
        let result: Vec<Value> = series
            .into_iter()
            .map(|(number, values)| json!({"metric": {"flightdeck": format!("0.s.{number}")}, "values": values}))
            .collect();
        Some(Reply::Json(200, json!({"status": "success", "data": {"resultType": "matrix", "result": result}})))
    })
    .await;
    let engine = start(&server, at(&server, ""), fast()).await;
    signals(&engine, "rates", |s| s.template.is_some()).await;
    let target = engine.handle.world().targets.keys().find(|id| id.name == "payments").cloned();
    engine.handle.focus(target);
    let s = signals(&engine, "the past", |s| s.subject.history.len() > 2).await;
    assert_eq!(s.subject.history[..5], [Some(0.1), None, Some(0.1), None, Some(0.0)]);
    assert_eq!(s.subject.history.len(), 30, "29 steps, without the first that was empty, and what was read");
    let before = s.at;
    signals(&engine, "more readings", |s| s.at > before).await;
    let ranges = server.asked().into_iter().filter(|a| a.is("POST", "/api/v1/query_range")).count();
    assert_eq!(ranges, 1);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_late_is_told_since_when_it_is_over() {
    let begun = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let told = begun.clone();
    let server = Server::start(move |asked| {
        if !asked.is("POST", "/api/v1/query_range") {
            return answer(asked, usual);
        }
        let form = asked.body.split('&').find_map(|pair| pair.strip_prefix("start=")).expect("a start");
        let start = form.parse::<i64>().expect("a number");
        // One in ten failed in the last ten steps, and it was well before.
        told.store(start + 3500, Ordering::SeqCst);
        let points =
            |of: &dyn Fn(i64) -> &'static str| (0..360).map(|n| json!([start + n * 10, of(n)])).collect::<Vec<_>>();
        let series = [("el", points(&|n| if n < 350 { "1" } else { "20" })), ("tl", points(&|_| "200"))];
        let result: Vec<Value> = series
            .into_iter()
            .map(|(number, values)| json!({"metric": {"flightdeck": format!("0.s.{number}")}, "values": values}))
            .collect();
        Some(Reply::Json(200, json!({"status": "success", "data": {"resultType": "matrix", "result": result}})))
    })
    .await;
    let engine = start(&server, at(&server, ""), fast()).await;
    let s = signals(&engine, "the past", |s| s.over_began).await;
    let since = s.over_since.expect("over").as_second();
    assert_eq!(since, begun.load(Ordering::SeqCst), "{:?}", s.over_since);
    let later = signals(&engine, "more", |later| later.at > s.at).await;
    assert_eq!((later.over_since, later.over_began), (s.over_since, true));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_comes_from_what_prometheus_says() {
    type Case = (&'static str, fn(&str) -> Vec<String>);
    let cases: [Case; 9] = [
        ("measured", |n| if n == "s.el" || n == "s.es" { Vec::new() } else { usual(n) }),
        ("thin", |n| {
            if n.starts_with("s.t") {
                vec!["42".into()]
            } else if n.starts_with("s.e") {
                vec!["1".into()]
            } else {
                usual(n)
            }
        }),
        ("no requests", |n| if n.starts_with("s.t") || n.starts_with("s.e") { vec!["0".into()] } else { usual(n) }),
        ("no data", |n| if n.starts_with("s.") { Vec::new() } else { usual(n) }),
        ("not a number", |n| if n == "s.el" { vec!["NaN".into()] } else { usual(n) }),
        ("not a number", |n| if n == "s.tl" { vec!["+Inf".into()] } else { usual(n) }),
        // 31 s, scraped every 15 s.
        ("stale", |n| if n == "s.at" { vec!["1799999969".into()] } else { usual(n) }),
        ("stale", |n| if n == "s.at" { Vec::new() } else { usual(n) }),
        ("wrong query", |n| if n == "s.tl" { vec!["1".into(), "2".into()] } else { usual(n) }),
    ];
    for (word, number) in cases {
        let server = Server::start(move |asked| answer(asked, number)).await;
        let engine = start(&server, at(&server, ""), fast()).await;
        let s = signals(&engine, word, |s| s.template.is_some()).await;
        assert_eq!(s.subject.long.word(), word, "{:?}", s.subject);
        assert_eq!(s.reference.as_ref().map(|r| r.long.word()), Some("measured"), "the other side is not touched");
        if word != "measured" {
            assert!(!matches!(s.verdict, Verdict::Fine | Verdict::Over), "{:?}", s.subject);
        }
        let world = engine.handle.world();
        assert!(world.links.values().any(|l| l.id.what == "prometheus" && l.state.is_live()));
        engine.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_template_gives_anything_that_is_said_and_tried_again() {
    let there = Arc::new(AtomicBool::new(false));
    let seen = there.clone();
    let server = Server::start(move |asked| {
        let there = seen.load(Ordering::SeqCst);
        answer(asked, |n| if there { usual(n) } else { Vec::new() })
    })
    .await;
    let engine = start(&server, at(&server, ""), fast()).await;
    let s = signals(&engine, "no data", |_| true).await;
    assert_eq!((&s.subject.long, &s.template), (&Reading::NoData, &None));
    there.store(true, Ordering::SeqCst);
    signals(&engine, "rates", |s| s.subject.long.word() == "measured").await;
    // And what was pinned and gives nothing any more is searched for again.
    there.store(false, Ordering::SeqCst);
    signals(&engine, "nothing", |s| s.template.is_none()).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_answer_is_unreachable_and_comes_back() {
    let page = |code: &str| {
        let text = "<html><body>log in</body></html>";
        let head = format!("HTTP/1.1 {code} X\r\nlocation: http://login.example.com/\r\ncontent-type: text/html");
        Reply::Raw(format!("{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len()).into_bytes())
    };
    let error = |kind: &str, code| {
        Reply::Json(code, json!({"status": "error", "errorType": kind, "error": "query timed out in expression"}))
    };
    for (bad, said) in [
        (page("502"), "not a Prometheus"),
        (page("200"), "not a Prometheus"),
        (page("302"), "leads elsewhere"),
        (Reply::Json(200, json!({"hello": "world"})), "not a Prometheus"),
        (
            Reply::Json(200, json!({"status": "success", "data": {"resultType": "vector", "result": [5]}})),
            "native histograms",
        ),
        (error("timeout", 503), "timed out"),
        (error("unavailable", 500), "unavailable"),
        (Reply::Reset, ""),
        (Reply::Hang, "no answer within 1 s"),
        (Reply::Json(401, json!("who are you")), "401"),
        (Reply::Json(403, status(403, "Forbidden", "no")), "403"),
    ] {
        let broken = Arc::new(AtomicBool::new(false));
        let (seen, reply) = (broken.clone(), bad.clone());
        let server = Server::start(move |asked| {
            let broken = seen.load(Ordering::SeqCst) && asked.is("POST", QUERY);
            if broken { Some(reply.clone()) } else { answer(asked, usual) }
        })
        .await;
        let engine = start(&server, at(&server, ""), fast()).await;
        signals(&engine, "rates", |s| s.subject.long.word() == "measured").await;
        broken.store(true, Ordering::SeqCst);
        let s = signals(&engine, "the failure", |s| s.subject.long.why().is_some()).await;
        let why = s.subject.long.why().expect("a reason").to_string();
        assert!(why.contains(said), "{bad:?}: {why}");
        assert_eq!(s.subject.last.map(|l| l.counts.errors), Some(912.0), "what it was is kept, as past");
        assert_eq!((s.verdict, s.over_since), (Verdict::NotEnoughData, None));
        if said != "native histograms" {
            assert_eq!(s.subject.long.word(), "unreachable", "{bad:?}");
            let world = until(&engine, "the link", |w| {
                w.links.values().any(|l| l.id.what == "prometheus" && !l.state.is_live())
            })
            .await;
            let link = world.links.values().find(|l| l.id.what == "prometheus").expect("the link");
            let fits = match (&bad, &link.state) {
                (Reply::Json(401 | 403, _), LinkState::Denied { .. }) | (Reply::Hang, LinkState::Stale { .. }) => true,
                (Reply::Json(401 | 403, _) | Reply::Hang, _) => false,
                (_, state) => matches!(state, LinkState::Backoff { .. }),
            };
            assert!(fits, "{bad:?}: {:?}", link.state);
        }
        broken.store(false, Ordering::SeqCst);
        signals(&engine, "rates again", |s| s.subject.long.word() == "measured").await;
        engine.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_template_is_named_and_spoils_nothing_else() {
    let refused = || {
        Reply::Json(
            400,
            json!({"status": "error", "errorType": "bad_data", "error": "invalid parameter \"query\": parse error"}),
        )
    };
    let server = Server::start(move |asked| {
        if asked.lists("/rollouts") {
            return Some(Reply::Json(200, list(&[rollout("payments", 100), rollout("cart", 100)], 100, None)));
        }
        if asked.is("POST", QUERY) && promql(asked).contains("oops(") {
            return Some(refused());
        }
        answer(asked, usual)
    })
    .await;
    let broken = "[[prometheus.template]]\nname = \"mine\"\nerrors = 'oops(x[{{window}}])'\ntotal = 'oops(y[{{window}}])'\nseries = 'y'\n\
                  [[prometheus.target]]\ntarget = \"shop/payments\"\ntemplate = \"mine\"";
    let engine = start(&server, at(&server, broken), fast()).await;
    let world = until(&engine, "both", |w| {
        of(w, "payments").is_some_and(|s| s.subject.long.word() == "wrong query")
            && of(w, "cart").is_some_and(|s| s.subject.long.word() == "measured")
    })
    .await;
    let why = of(&world, "payments").and_then(|s| s.subject.long.why()).expect("a reason").to_string();
    assert!(why.contains("template mine") && why.contains("parse error"), "{why}");
    assert_eq!(of(&world, "cart").and_then(|s| s.template.as_ref()).map(Clean::as_str), Some("linkerd"));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_tried_in_order_and_a_target_may_have_its_own() {
    let server = Server::start(|asked| {
        if !asked.is("POST", QUERY) {
            return None;
        }
        let keys = keys(&promql(asked));
        let known =
            keys.iter().filter(|(_, expression)| expression.contains("pod=~\"") && expression.contains("code=~"));
        let numbers: Vec<_> = known
            .map(|(key, _)| {
                let short = key.split_once('.').map_or("", |(_, rest)| rest);
                let probe = short[2..].parse::<usize>().is_ok();
                (key.clone(), if probe { "1".to_owned() } else { usual(short).remove(0) })
            })
            .collect();
        Some(vector(&numbers))
    })
    .await;
    let own = "[[prometheus.target]]\ntarget = \"shop/pay*\"\nlimit = 50\nminimum = 20000";
    let engine = start(&server, at(&server, own), fast()).await;
    let s = signals(&engine, "rates", |s| s.template.is_some()).await;
    assert_eq!(s.template.as_ref().map(Clean::as_str), Some("http-pod"));
    assert_eq!(s.subject.long.word(), "thin", "its own minimum");
    let mut asked = server.asked().into_iter().filter(|a| a.is("POST", QUERY)).map(|a| promql(&a));
    assert!(asked.any(|q| q.contains("pod=~\"payments-8445c5fd75-[a-z0-9]+\"")));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_headers_are_sent_and_never_shown() {
    let server = Server::start(|asked| {
        asked
            .is("POST", QUERY)
            .then(|| Reply::Json(401, json!({"status": "error", "errorType": "bad_data", "error": "no"})))
    })
    .await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "canary-4711\n").expect("a token");
    let text = format!(
        "[[prometheus.context]]\ncontext = \"script*\"\nurl = \"{}\"\ntoken_file = \"{}\"\nheaders = {{ X-Scope-OrgID = \"canary-0815\" }}",
        server.url(),
        token.display()
    );
    let engine = start(&server, section(&text), fast()).await;
    let world = until(&engine, "the refusal", |w| {
        w.links.values().any(|l| l.id.what == "prometheus" && matches!(l.state, LinkState::Denied { .. }))
    })
    .await;
    let head = server.asked().into_iter().find(|a| a.is("POST", QUERY)).expect("a query").head;
    assert!(
        head.contains("uthorization: Bearer canary-4711") && head.to_lowercase().contains("x-scope-orgid: canary-0815")
    );
    assert!(!format!("{world:?}").contains("canary-"));
    // Without the token nothing is sent, and the reason names the file.
    std::fs::remove_file(&token).expect("gone");
    until(&engine, "the reason", |w| {
        w.links.values().any(|l| matches!(&l.state, LinkState::Denied { why } if why.as_str().contains("token_file")))
    })
    .await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_service_the_api_server_is_asked() {
    let path = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query";
    let denied = Arc::new(AtomicBool::new(true));
    let seen = denied.clone();
    let server = Server::start(move |asked| {
        if !asked.is("GET", path) {
            return None;
        }
        if seen.load(Ordering::SeqCst) {
            return Some(Reply::Json(403, status(403, "Forbidden", "services \"prometheus:9090\" is forbidden")));
        }
        let post = Asked { method: "POST".to_owned(), body: String::new(), ..asked.clone() };
        answer(&post, usual)
    })
    .await;
    let text = "[[prometheus.context]]\nservice = \"monitoring/prometheus:9090\"";
    let engine = start(&server, section(text), fast()).await;
    until(&engine, "the refusal", |w| {
        w.links.values().any(
            |l| matches!(&l.state, LinkState::Denied { why } if why.as_str().contains("right to get services/proxy")),
        )
    })
    .await;
    denied.store(false, Ordering::SeqCst);
    signals(&engine, "rates", |s| s.subject.long.word() == "measured").await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_configured_is_a_word_of_its_own_and_asks_nobody() {
    let server = Server::start(|asked| answer(asked, usual)).await;
    let elsewhere = section("[[prometheus.context]]\ncontext = \"prod-*\"\nurl = \"http://127.0.0.1:1\"");
    let engine = start(&server, elsewhere, fast()).await;
    let target = engine.until("payments", |_| true).await;
    let world = engine.handle.world();
    assert!(world.links.keys().all(|link| link.what != "prometheus"));
    assert_eq!(query::signals(&world, &target, jiff::Timestamp::now()), Err("not configured"));
    assert_eq!(server.count("POST", QUERY), 0);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_one_target_reads_it_more_often() {
    let server = Server::start(|asked| answer(asked, usual)).await;
    let slow = Duration::from_mins(10);
    let pace = Timings { moving: slow, visible: slow, idle: slow, ..fast() };
    let engine = start(&server, at(&server, ""), pace).await;
    let first = signals(&engine, "rates", |s| s.template.is_some()).await;
    let asked = server.asked().into_iter().filter(|a| a.is("POST", QUERY) && !promql(a).contains("vector(1)"));
    assert_eq!(asked.count(), 2, "one to find the template, one to measure");
    let target = engine.until("payments", |_| true).await;
    engine.handle.focus(Some(target.id().clone()));
    signals(&engine, "more", |s| s.at > first.at).await;
    engine.end().await;
}
