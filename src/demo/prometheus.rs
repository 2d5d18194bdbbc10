//! The demo's Prometheus: enough of the HTTP API and of PromQL for the queries that the program's own templates make of
//! `http_requests_total`, told apart by `rollouts_pod_template_hash`. Series of other names are not there. What it does
//! not understand it refuses, as a Prometheus refuses what is not PromQL: it never guesses.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::traffic::{SCRAPE, Traffic};
use super::{Fault, Shared};

/// How far back an instant selector looks, in seconds.
const LOOK_BACK: i64 = 300;

/// The one metric that there is.
const METRIC: &str = "http_requests_total";

/// The routes of its API.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/v1/query", get(by_url).post(by_form))
        .route("/api/v1/query_range", get(by_url).post(by_form))
        .route("/api/v1/status/buildinfo", get(build))
        .route("/-/ready", get(|| async { "Prometheus Server is Ready.\n" }))
        .with_state(shared)
}

async fn build() -> Response {
    let data = json!({"version": "3.0.0", "revision": "demo", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""});
    send(200, &json!({"status": "success", "data": data}))
}

async fn by_url(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    answer(&shared, &uri)
}

async fn by_form(State(shared): State<Arc<Shared>>, to: Uri, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body).into_owned();
    match Uri::try_from(format!("{}?{form}", to.path())) {
        Ok(uri) => answer(&shared, &uri),
        Err(_) => bad_data("the form cannot be read"),
    }
}

fn answer(shared: &Shared, uri: &Uri) -> Response {
    if shared.fault() == Fault::NoPrometheus {
        let page = Body::from("<html><title>503 Service Unavailable</title></html>\n");
        return Response::builder().status(503).header("content-type", "text/html").body(page).unwrap_or_default();
    }
    let Ok(Query(form)) = Query::<HashMap<String, String>>::try_from_uri(uri) else {
        return bad_data("the form cannot be read");
    };
    let Some(query) = form.get("query") else {
        return bad_data("invalid parameter \"query\": unknown position: parse error: no expression found in input");
    };
    let now = (shared.clock)();
    if uri.path().ends_with("/query_range") {
        return over_a_range(shared, query, &form);
    }
    match shared.sim(|sim| evaluate(&sim.traffic, query, now)) {
        Err(why) => bad_data(&format!("invalid parameter \"query\": parse error: {why}")),
        Ok(values) => {
            let at = seconds(now);
            let result: Vec<Value> = values
                .into_iter()
                .map(|(label, key, number)| json!({"metric": {label: key}, "value": [at, number.to_string()]}))
                .collect();
            send(200, &json!({"status": "success", "data": {"resultType": "vector", "result": result}}))
        }
    }
}

/// The most points of a series that a Prometheus gives.
const POINTS: usize = 11_000;

/// `query_range`: the query at each step, as series.
fn over_a_range(shared: &Shared, query: &str, form: &HashMap<String, String>) -> Response {
    let number = |key: &str| form.get(key).and_then(|text| text.parse::<f64>().ok()).filter(|n| n.is_finite());
    let (Some(start), Some(end), Some(step)) = (number("start"), number("end"), number("step")) else {
        return bad_data("invalid parameter \"start\", \"end\" or \"step\"");
    };
    if step <= 0.0 || (end - start) / step > 11_000.0 {
        return bad_data("exceeded maximum resolution of 11,000 points per timeseries");
    }
    let mut series: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    let steps = std::iter::successors(Some(start), |at| Some(at + step)).take_while(|at| *at <= end);
    for at in steps.take(POINTS) {
        let Ok(then) = SignedDuration::try_from_secs_f64(at).and_then(Timestamp::from_duration) else {
            return bad_data("invalid parameter \"start\"");
        };
        match shared.sim(|sim| evaluate(&sim.traffic, query, then)) {
            Err(why) => return bad_data(&format!("invalid parameter \"query\": parse error: {why}")),
            Ok(values) => {
                for (label, key, number) in values {
                    series.entry((label, key)).or_default().push(json!([at, number.to_string()]));
                }
            }
        }
    }
    let result: Vec<Value> =
        series.into_iter().map(|((label, key), all)| json!({"metric": {label: key}, "values": all})).collect();
    send(200, &json!({"status": "success", "data": {"resultType": "matrix", "result": result}}))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of our century")]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn bad_data(why: &str) -> Response {
    send(400, &json!({"status": "error", "errorType": "bad_data", "error": why}))
}

fn send(code: u16, body: &Value) -> Response {
    let body = Body::from(body.to_string());
    let answer = Response::builder().status(code).header("content-type", "application/json").body(body);
    answer.unwrap_or_default()
}

/// The numbers of a query: label, its value, number.
fn evaluate(traffic: &Traffic, query: &str, now: Timestamp) -> Result<Vec<(String, String, f64)>, String> {
    let mut reader = Reader { rest: query };
    let mut values = Vec::new();
    loop {
        reader.expect("label_replace(")?;
        let number = either(traffic, &mut reader, now)?;
        reader.expect(",")?;
        let label = reader.string()?;
        reader.expect(",")?;
        let key = reader.string()?;
        reader.expect(", \"\", \"\")")?;
        values.extend(number.map(|number| (label, key, number)));
        if reader.rest.trim().is_empty() {
            return Ok(values);
        }
        reader.expect("or")?;
    }
}

/// `a or b`: the first that there is.
fn either(traffic: &Traffic, reader: &mut Reader<'_>, now: Timestamp) -> Result<Option<f64>, String> {
    let mut value = aggregate(traffic, reader, now)?;
    while reader.taken("or ") {
        let next = aggregate(traffic, reader, now)?;
        value = value.or(next);
    }
    Ok(value)
}

fn aggregate(traffic: &Traffic, reader: &mut Reader<'_>, now: Timestamp) -> Result<Option<f64>, String> {
    if reader.taken("vector(1)") {
        return Ok(Some(1.0));
    }
    if reader.taken("sum(increase(") {
        let series = reader.series()?;
        let window = reader.window()?;
        let offset = if reader.taken("offset") { reader.seconds()? } else { 0 };
        reader.expect("))")?;
        let end = now - SignedDuration::from_secs(offset);
        let found = series.and_then(|s| Some((traffic.window(&s.namespace, &s.hash, end, window)?, s.errors)));
        return Ok(found.and_then(|(w, errors)| match errors {
            // A counter of errors begins with the first error.
            true if w.errors < 0.5 => None,
            true => Some(w.errors),
            false => Some(w.total),
        }));
    }
    if reader.taken("max(timestamp(") {
        let series = reader.series()?;
        reader.expect("))")?;
        let live = series.filter(|s| !traffic.ended(&s.namespace, &s.hash));
        return Ok(live.and_then(|s| newest(traffic, &s, now, LOOK_BACK)));
    }
    if reader.taken("max(max_over_time(timestamp(") {
        let series = reader.series()?;
        reader.expect(")")?;
        let (window, _) = reader.steps()?;
        reader.expect("))")?;
        return Ok(series.and_then(|s| newest(traffic, &s, now, window)));
    }
    reader.expect("max(count_over_time(")?;
    let series = reader.series()?;
    let window = reader.window()?;
    reader.expect("))")?;
    #[expect(clippy::cast_precision_loss, reason = "a count of scrapes")]
    let samples = series.and_then(|s| traffic.window(&s.namespace, &s.hash, now, window)).map(|w| w.samples as f64);
    Ok(samples)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of our century")]
fn newest(traffic: &Traffic, series: &Series, now: Timestamp, back: i64) -> Option<f64> {
    let newest = traffic.newest(&series.namespace, &series.hash, now)?;
    (now.as_second() - newest.as_second() <= back.max(SCRAPE)).then_some(newest.as_second() as f64)
}

/// The series that a selector names; `None` = none can match.
struct Series {
    namespace: String,
    hash: String,
    /// Only failed requests.
    errors: bool,
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn taken(&mut self, word: &str) -> bool {
        match self.rest.trim_start().strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.taken(word) {
            return Ok(());
        }
        let here: String = self.rest.trim_start().chars().take(40).collect();
        Err(format!("unexpected {here:?}, the demo world expects {word:?}"))
    }

    fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, c @ ('\\' | '"'))) => out.push(c),
                    _ => return Err("unknown escape sequence".to_owned()),
                },
                c => out.push(c),
            }
        }
        Err("unterminated quoted string".to_owned())
    }

    fn seconds(&mut self) -> Result<i64, String> {
        let word = self.word();
        word.strip_suffix('s').and_then(|n| n.parse().ok()).ok_or_else(|| format!("bad duration {word:?}"))
    }

    fn window(&mut self) -> Result<i64, String> {
        self.expect("[")?;
        let seconds = self.seconds()?;
        self.expect("]")?;
        Ok(seconds)
    }

    /// `[300s:10s]`
    fn steps(&mut self) -> Result<(i64, i64), String> {
        self.expect("[")?;
        let text = self.rest.split(']').next().unwrap_or_default();
        let parsed = text.split_once(':').and_then(|(window, step)| {
            let seconds = |text: &str| text.strip_suffix('s').and_then(|n| n.parse().ok());
            Some((seconds(window)?, seconds(step)?))
        });
        self.rest = &self.rest[text.len()..];
        self.expect("]")?;
        parsed.ok_or_else(|| format!("bad subquery {text:?}"))
    }

    /// A selector. Its labels must be those of the one metric; of other metrics there is nothing.
    fn series(&mut self) -> Result<Option<Series>, String> {
        let metric = self.word();
        if metric.is_empty() {
            self.expect("a metric")?;
        }
        self.expect("{")?;
        let mut series = Series { namespace: String::new(), hash: String::new(), errors: false };
        let mut fits = metric == METRIC;
        loop {
            let label = self.word();
            let regex = self.taken("=~");
            if !regex {
                self.expect("=")?;
            }
            let value = self.string()?;
            match (label, regex) {
                ("namespace", false) => series.namespace = value,
                ("rollouts_pod_template_hash", false) => series.hash = value,
                ("code", true) if value == ".+" => {}
                ("code", true) if value == "5.." => series.errors = true,
                // No series has another label, so nothing but an empty value matches.
                _ => fits = false,
            }
            if self.taken("}") {
                break;
            }
            self.expect(",")?;
        }
        Ok(Some(series).filter(|s| fits && !s.hash.is_empty()))
    }
}
