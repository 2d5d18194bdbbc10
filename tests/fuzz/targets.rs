//! What is fed, with what, and what has to hold.

use std::any::Any;
use std::io;
use std::path::Path;

use http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::audit::{AuditLog, Fs, Handle, Stamp, verify, verify_export};
use crate::domain::environment::glob;
use crate::domain::ids::ClusterId;
use crate::domain::record::{Draft, OutcomeRecord, RecordKind};
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::systems::argo_rollouts::decode as argo;
use crate::systems::kubernetes::call::CallError;
use crate::systems::kubernetes::timings::Timings;
use crate::systems::kubernetes::watch::{Malformed, Resource};
use crate::systems::kubernetes::{decode, events, history, logs, managed, yaml};
use crate::{config, demo, systems};

/// One decoder.
pub(super) struct Target {
    pub name: &'static str,
    /// What inputs are made of.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether seeds are JSON, to be changed as such.
    pub json: bool,
    pub run: fn(&[u8]),
}

pub(super) const TARGETS: &[Target] = &[
    Target { name: "rollout", seeds: || captured("rollout"), json: true, run: rollout },
    Target { name: "replica-set", seeds: || captured("replicaSets"), json: true, run: replica_set },
    Target { name: "pod", seeds: pods, json: true, run: pod },
    Target { name: "analysis-run", seeds: || captured("analysisRuns"), json: true, run: analysis_run },
    Target { name: "experiment", seeds: || captured("experiments"), json: true, run: experiment },
    Target { name: "event", seeds: event_seeds, json: true, run: event },
    Target { name: "managed-fields", seeds: || captured("rollout"), json: true, run: managed_fields },
    Target { name: "argo-cd-annotation", seeds: annotations, json: false, run: argo_cd },
    Target { name: "watch-frame", seeds: frames, json: true, run: frame },
    Target { name: "api-error", seeds: errors, json: true, run: api_error },
    Target { name: "prometheus-answer", seeds: answers, json: true, run: prometheus },
    Target { name: "audit-log", seeds: audit_logs, json: false, run: audit_log },
    Target { name: "audit-export", seeds: exports, json: false, run: export },
    Target { name: "configuration", seeds: configurations, json: false, run: configuration },
    Target { name: "query-template", seeds: templates, json: false, run: template },
    Target { name: "scenario", seeds: scenarios, json: false, run: scenario },
    Target { name: "json-patch", seeds: patches, json: true, run: json_patch },
    Target { name: "log-lines", seeds: log_lines, json: false, run: log },
    Target { name: "yaml", seeds: || captured("rollout"), json: true, run: as_yaml },
    Target { name: "text", seeds: texts, json: false, run: text },
    Target { name: "pattern", seeds: patterns, json: false, run: pattern },
];

fn fixture(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The objects of a kind in what was captured from real clusters.
fn captured(key: &str) -> Vec<Vec<u8>> {
    let folder = fixture("tests/fixtures/real");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the fixtures").flatten().map(|f| f.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(path).expect("a fixture");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        match &all[key] {
            Value::Array(objects) => found.extend(objects.iter().map(|o| o.to_string().into_bytes())),
            Value::Null => {}
            object => found.push(object.to_string().into_bytes()),
        }
    }
    found
}

/// Nothing in it steers a terminal, turns text around or hides.
fn assert_clean(decoded: &impl serde::Serialize) {
    fn walk(value: &Value) {
        match value {
            Value::String(text) => plain(text),
            Value::Array(all) => all.iter().for_each(walk),
            Value::Object(all) => all.iter().for_each(|(key, inner)| {
                plain(key);
                walk(inner);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    walk(&serde_json::to_value(decoded).expect("it serialises"));
}

fn plain(text: &str) {
    let raw = text.chars().find(|c| {
        c.is_control()
            || matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(*c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    });
    assert_eq!(raw, None, "{text:?}");
}

fn complaint(bad: &Malformed) {
    plain(bad.object.as_str());
    plain(bad.why.as_str());
}

/// The input as one JSON value, which is what a decoder of objects is given.
fn raw(input: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(input).ok()
}

fn rollout(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    match argo::rollout(raw, &ClusterId("c".into())) {
        Ok(rollout) => {
            assert_clean(&rollout);
            // What every screen derives from it.
            plain(rollout.status().1.as_str());
            let _ = (rollout.current_step(), rollout.fully_promoted(), rollout.cut_over(), rollout.first_release());
            assert_clean(&Seen::of(&rollout, jiff::Timestamp::UNIX_EPOCH).evidence());
        }
        Err(bad) => complaint(&bad),
    }
}

fn replica_set(input: &[u8]) {
    match raw(input).map(decode::replica_set) {
        Some(Ok(set)) => assert_clean(&set),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

fn pods() -> Vec<Vec<u8>> {
    let mut pod = json!({
        "metadata": {"name": "p", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-25T10:00:00Z",
            "labels": {"rollouts-pod-template-hash": "abc"}, "deletionTimestamp": null,
            "ownerReferences": [{"kind": "ReplicaSet", "name": "rs", "uid": "r", "controller": true}]},
        "spec": {"containers": [{"name": "app", "image": "a:1"}], "nodeName": "n"},
        "status": {"phase": "Running", "reason": "Evicted", "startTime": "2026-11-25T10:00:00Z",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "ready": true, "restartCount": 3, "image": "a:1",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-25T10:00:00Z"}}}]},
    });
    let first = pod.to_string().into_bytes();
    pod["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": "2026-11-25T10:00:00Z"}});
    let mut all = vec![first, pod.to_string().into_bytes()];
    all.extend(captured("replicaSets").into_iter().take(3));
    all
}

fn pod(input: &[u8]) {
    match raw(input).map(decode::pod) {
        Some(Ok(pod)) => assert_clean(&pod),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

/// The uid that the object itself names as its owner's, so that it is one of ours.
fn owner(input: &[u8]) -> Clean {
    let value: Value = serde_json::from_slice(input).unwrap_or_default();
    Clean::new(value["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap_or_default())
}

fn analysis_run(input: &[u8]) {
    match raw(input).map(|raw| argo::runs::of(raw, &owner(input))) {
        Some(Ok(run)) => assert_clean(&run),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

fn experiment(input: &[u8]) {
    match raw(input).map(|raw| argo::experiments::of(raw, &owner(input))) {
        Some(Ok(experiment)) => assert_clean(&experiment),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

fn event_seeds() -> Vec<Vec<u8>> {
    let old = json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-25T10:00:00Z"},
        "involvedObject": {"kind": "Rollout", "name": "payments", "uid": "uid-1"},
        "reason": "RolloutStepCompleted", "message": "step 2 of 5", "type": "Normal", "source": {"component": "c"},
        "count": 3, "firstTimestamp": "2026-11-25T10:00:00Z", "lastTimestamp": "2026-11-25T10:05:00Z",
    });
    let new = json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "u"}, "eventTime": "2026-11-25T10:00:00.000001Z",
        "involvedObject": {"kind": "ReplicaSet", "name": "payments-abc"}, "reason": "R", "note": "n", "type": "Warning",
        "series": {"count": 7, "lastObservedTime": "2026-11-25T10:00:00.5Z"}, "reportingController": "c",
    });
    vec![old.to_string().into_bytes(), new.to_string().into_bytes()]
}

fn event(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    match events::of(raw, "payments") {
        Ok(event) => assert_clean(&event),
        Err(bad) => complaint(&bad),
    }
    if let Ok(event) = history::cluster_event(raw) {
        assert_clean(&event);
    }
}

fn managed_fields(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    assert_clean(&managed::managers(raw));
}

fn annotations() -> Vec<Vec<u8>> {
    [
        "shop:argoproj.io/Rollout:shop/payments",
        "argocd_shop:argoproj.io/Rollout:shop/payments",
        "a_b_c:apps/Deployment:x/y",
        ":/:/",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

fn argo_cd(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut object: Value = serde_json::from_slice(&captured_once()).expect("JSON");
    for key in ["argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name", "rollout.argoproj.io/revision"] {
        object["metadata"]["annotations"][key] = text.as_ref().into();
    }
    object["metadata"]["labels"]["app.kubernetes.io/instance"] = text.as_ref().into();
    rollout(object.to_string().as_bytes());
}

fn captured_once() -> Vec<u8> {
    include_bytes!("../bench/rollout.json").to_vec()
}

fn frames() -> Vec<Vec<u8>> {
    let object: Value = serde_json::from_slice(&captured_once()).expect("JSON");
    let mut all: Vec<Vec<u8>> = ["ADDED", "MODIFIED", "DELETED"]
        .iter()
        .map(|kind| json!({"type": kind, "object": object}).to_string().into_bytes())
        .collect();
    all.push(br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#.to_vec());
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    all.push(json!({"type": "ERROR", "object": gone}).to_string().into_bytes());
    all
}

fn frame(input: &[u8]) {
    thread_local! {
        static GROUND: (tokio::runtime::Runtime, kube::Client) = {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let client = runtime.block_on(async {
                let config = kube::Config::new("http://127.0.0.1:1".parse().expect("an address"));
                kube::Client::try_from(config).expect("a client")
            });
            (runtime, client)
        };
    }
    GROUND.with(|(runtime, client)| {
        let cluster = ClusterId("c".into());
        let decode = |raw: &RawValue| argo::rollout(raw, &cluster).map(Some);
        let resource =
            Resource { client, path: "/x", labels: "", fields: "", decode: &decode, timings: Timings::default() };
        runtime.block_on(async {
            let mut version = "1".to_owned();
            for line in input.split(|b| *b == b'\n') {
                let _ = resource.frame(line, &mut version, &mut async |_| true).await;
            }
        });
    });
}

fn errors() -> Vec<Vec<u8>> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no",
        "reason": "Forbidden", "code": 403, "details": {"retryAfterSeconds": 3, "causes": [{"message": "m"}]}});
    vec![
        status.to_string().into_bytes(),
        b"<html><h1>502 Bad Gateway</h1></html>".to_vec(),
        br#"{"error":"login"}"#.to_vec(),
    ]
}

fn api_error(input: &[u8]) {
    let code = u16::from(input.first().copied().unwrap_or(0)) * 3 + 100;
    let code = StatusCode::from_u16(code.min(999)).expect("three digits");
    let error = CallError::of_answer(code, None, input);
    plain(&error.to_string());
    let _ = Timings::default().wait(&error, u32::try_from(input.len()).unwrap_or(u32::MAX));
    plain(&CallError::of_frame(&String::from_utf8_lossy(input)).to_string());
}

fn answers() -> Vec<Vec<u8>> {
    let series = |key: &str, value: &str| json!({"metric": {"flightdeck": key}, "value": [1_700_000_000.5, value]});
    let vector = json!({"status": "success", "warnings": ["w"], "data": {"resultType": "vector",
        "result": [series("0.el", "5"), series("0.tl", "NaN"), series("1.ts", "+Inf"), series("1.n", "20")]}});
    let error = json!({"status": "error", "errorType": "bad_data", "error": "parse error"});
    let histogram = json!({"status": "success", "data": {"resultType": "vector",
        "result": [{"metric": {}, "histogram": [1, {"count": "1", "buckets": []}]}]}});
    [vector, error, histogram].iter().map(|v| v.to_string().into_bytes()).collect()
}

fn prometheus(input: &[u8]) {
    use crate::domain::signal::reading::Freshness;
    use crate::domain::signal::verdict::verdict;
    use crate::domain::signal::{Raw, Rules};
    let code = if input.len().is_multiple_of(3) { 200 } else { 503 };
    match systems::prometheus::decode::answer(code, input) {
        Ok(answer) => {
            assert_clean(&answer.notes);
            for prefix in ["0", "1"] {
                let raw: Raw = systems::prometheus::query::raw(&answer, prefix);
                let rules = Rules::default();
                let fresh = Freshness::Now {
                    age: answer.at.and_then(|at| raw.age(at)),
                    scrape: answer.at.and_then(|at| raw.scrape(at, &rules)).unwrap_or(60.0),
                };
                let (long, short) = raw.readings(&rules, fresh);
                plain(&long.cell());
                plain(&short.sentence(&rules));
                let _ = verdict(&long, &short, &rules);
            }
        }
        Err(fault) => plain(fault.why().as_str()),
    }
}

/// A log of one segment that cannot be changed.
struct One<'a>(&'a [u8]);

impl Fs for One<'_> {
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn open_to_others(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(vec!["audit-000001.jsonl".to_owned()])
    }
    fn read(&self, _: &Path, from: u64) -> io::Result<Vec<u8>> {
        Ok(self.0[usize::try_from(from).unwrap_or(0).min(self.0.len())..].to_vec())
    }
    fn identity(&self, _: &Path) -> io::Result<(u64, u64)> {
        Ok((1, self.0.len() as u64))
    }
    fn create(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn append(&self, _: &Path) -> io::Result<Box<dyn Handle>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn truncate(&self, _: &Path, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

fn grown() -> (tempfile::TempDir, AuditLog) {
    let dir = tempfile::tempdir().expect("a folder");
    let stamp = Stamp {
        host: "fuzz".to_owned(),
        pid: 1,
        instance: "fuzz".to_owned(),
        program: "0".to_owned(),
        boot_id: "b".to_owned(),
        now: std::sync::Arc::new(|| (jiff::Timestamp::UNIX_EPOCH, 1)),
    };
    let log = AuditLog::open(dir.path(), stamp).expect("a log");
    for n in 0..6 {
        let mut draft = Draft::new(if n % 2 == 0 { RecordKind::Intent } else { RecordKind::Outcome });
        draft.act = (n / 2).to_string();
        draft.op = "resume".to_owned();
        draft.outcome = (n % 2 == 1).then(|| OutcomeRecord { word: "done".to_owned(), ..OutcomeRecord::default() });
        log.append(draft).expect("appended");
    }
    (dir, log)
}

fn audit_logs() -> Vec<Vec<u8>> {
    let (dir, _log) = grown();
    vec![std::fs::read(dir.path().join("audit-000001.jsonl")).expect("the log")]
}

/// The log that inputs are made of, so that a change of it can be told.
fn original() -> &'static [u8] {
    static ORIGINAL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    ORIGINAL.get_or_init(|| audit_logs().remove(0))
}

fn audit_log(input: &[u8]) {
    for strict in [false, true] {
        let report = verify(&One(input), Path::new("/log"), strict).expect("it can be read");
        if !report.holds() {
            continue;
        }
        let whole = verify(&One(original()), Path::new("/log"), strict).expect("it can be read");
        let untouched = input.starts_with(original()) && (report.torn_tail.is_some() || input == original());
        assert!(untouched || report.head != whole.head, "changed, and nobody sees it");
    }
}

fn exports() -> Vec<Vec<u8>> {
    let (_dir, log) = grown();
    let export = log.export(&crate::audit::Range::default(), jiff::Timestamp::UNIX_EPOCH).expect("exported");
    vec![export.jsonl().into_bytes()]
}

fn export(input: &[u8]) {
    let _ = verify_export(&String::from_utf8_lossy(input)).holds();
}

fn configurations() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../config.example.toml").to_vec(),
        b"[ui]\nascii = true\n[log]\nlevel = \"debug\"\n".to_vec(),
    ]
}

fn configuration(input: &[u8]) {
    if let Ok(config) = config::parse(&String::from_utf8_lossy(input)) {
        let _ = config.mandate(&config::Origins::default());
        let _ = config.environments().resolve("prod-eu", "shop", &[]);
        let _ = config.prometheus.rules("shop/payments");
        let _ = systems::prometheus::templates(&config.prometheus.template);
    }
}

fn templates() -> Vec<Vec<u8>> {
    let folder = fixture("assets/queries");
    let files = std::fs::read_dir(folder).expect("the queries").flatten();
    files.map(|file| std::fs::read(file.path()).expect("a query")).collect()
}

fn template(input: &[u8]) {
    // They are read as a part of the configuration.
    let text = String::from_utf8_lossy(input);
    let _ = config::parse(&format!("[[prometheus.template]]\n{text}"));
}

fn scenarios() -> Vec<Vec<u8>> {
    let folder = fixture("demos");
    let files = std::fs::read_dir(folder).expect("the demos").flatten().map(|f| f.path());
    let scenarios = files.filter(|path| path.extension().is_some_and(|e| e == "toml"));
    scenarios.map(|path| std::fs::read(path).expect("a scenario")).collect()
}

fn scenario(input: &[u8]) {
    let _ = demo::Scenario::parse(&String::from_utf8_lossy(input));
}

fn patches() -> Vec<Vec<u8>> {
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": "/status/x", "value": null},
        {"op": "add", "path": "/spec/containers/-", "value": {"a": 1}},
        {"op": "add", "path": "/spec/containers/0", "value": 2},
        {"op": "replace", "path": "/metadata/annotations/a~1b", "value": "c"},
        {"op": "remove", "path": "/spec/containers/1"},
        {"op": "copy", "from": "/spec", "path": "/copy"},
        {"op": "move", "from": "/metadata", "path": "/spec/containers/0"},
    ]);
    vec![patch.to_string().into_bytes(), br#"[{"op":"add","path":"","value":[]}]"#.to_vec()]
}

fn json_patch(input: &[u8]) {
    let document =
        json!({"metadata": {"uid": "u", "annotations": {"a/b": 1}}, "spec": {"containers": [1, {"x": [2]}]}});
    if let Ok(operations) = serde_json::from_slice::<Vec<demo::patch::Operation>>(input) {
        let first = demo::patch::json_patch(&document, &operations);
        assert_eq!(first, demo::patch::json_patch(&document, &operations));
    }
    if let Ok(patch) = serde_json::from_slice::<Value>(input) {
        let mut merged = document;
        demo::patch::merge(&mut merged, &patch);
        let once = merged.clone();
        demo::patch::merge(&mut merged, &patch);
        assert_eq!(merged, once, "merging twice is merging once");
    }
}

fn log_lines() -> Vec<Vec<u8>> {
    vec![
        b"2026-01-01T00:00:01.5Z hello\r\n2026-01-01T00:00:02Z gr\xc3\xb6\xc3\x9fer\nno time here\nlast".to_vec(),
        b"\x1b[2J\xff\xfe\n\n\r\n2026-01-01T00:00:03Z\n".to_vec(),
    ]
}

fn log(input: &[u8]) {
    let cut = |size: usize| {
        let mut cutter = logs::Cutter::new(80);
        let mut lines: Vec<_> = input.chunks(size).flat_map(|piece| cutter.put(piece)).collect();
        lines.extend(cutter.rest());
        lines
    };
    let whole = cut(usize::MAX);
    let pieces = cut(1 + input.len() % 7);
    assert!(whole.iter().map(|l| (&l.at, &l.text)).eq(pieces.iter().map(|l| (&l.at, &l.text))), "pieces do not matter");
    for line in &whole {
        plain(line.text.as_str());
    }
}

fn as_yaml(input: &[u8]) {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else { return };
    yaml::fold_managed_fields(&mut value);
    if let Ok(text) = yaml::text(&value) {
        for line in yaml::lines(&text) {
            plain(line.as_str());
        }
    }
}

fn texts() -> Vec<Vec<u8>> {
    [
        "plain",
        "gr\u{f6}\u{df}er \u{1f680}",
        "\u{1b}[31mred\u{1b}[0m\r\n\tx",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{202e}\u{2066}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

fn text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let clean = Clean::new(&text);
    plain(clean.as_str());
    // What was cut is cut again: its escapes made it longer.
    if text.chars().count() < crate::domain::text::MAX_CHARS / 10 {
        assert_eq!(Clean::new(clean.as_str()), clean, "cleaning twice is cleaning once");
    }
    let longest = input.len() % 100;
    let long = Clean::long(&text, longest);
    plain(long.as_str());
}

fn patterns() -> Vec<Vec<u8>> {
    [&b"prod-*\nprod-eu"[..], b"*a*b*c*\naXbXc", b"**\n", b"\nx"].map(<[u8]>::to_vec).into()
}

fn pattern(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (pattern, text) = text.split_once('\n').unwrap_or((&text, ""));
    // A pattern of stars must not take longer than its text is worth.
    let pattern: String = pattern.chars().take(2_000).collect();
    let text: String = text.chars().take(2_000).collect();
    let begun = std::time::Instant::now();
    let _ = glob(&pattern, &text);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "it takes for ever");
    assert!(glob("*", &text) && glob(&text.replace('*', "x"), &text.replace('*', "x")));
}
