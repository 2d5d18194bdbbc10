//! What Prometheus scrapes in a test: series whose numbers follow from the time, on loopback, in a file of the stack.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::State;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::stack::Stack;

/// One counter or gauge.
#[derive(Clone, Debug)]
pub struct Series {
    /// As in the exposition format: `http_requests_total{code="500",pod="a"}`.
    pub name: String,
    /// What it stood at when it was added, or was changed.
    pub base: f64,
    /// By how much it grows in a second; 0 = it stands still.
    pub per_second: f64,
    /// Milliseconds since the epoch that it is exposed with: a sample that gets old and is never marked as gone.
    pub stamped: Option<i64>,
    since: Instant,
}

impl Series {
    pub fn rate(name: impl Into<String>, per_second: f64) -> Self {
        Self { name: name.into(), base: 0.0, per_second, stamped: None, since: Instant::now() }
    }

    fn value(&self) -> f64 {
        self.base + self.per_second * self.since.elapsed().as_secs_f64()
    }
}

type Shared = Arc<Mutex<Vec<Series>>>;

/// An exporter that Prometheus knows of for as long as this lives.
pub struct Exporter {
    series: Shared,
    target: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.target);
    }
}

impl Exporter {
    /// Serves `series`; `labels` come with every one of them, besides its own.
    pub async fn start(stack: &Stack, labels: serde_json::Value, series: Vec<Series>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let series = Arc::new(Mutex::new(series));
        let router = axum::Router::new().fallback(expose).with_state(series.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let target = stack.dir("targets").join(format!("{}.json", address.port()));
        let group = json!([{"targets": [address.to_string()], "labels": labels}]);
        // Renamed into place: Prometheus never reads half of it.
        let half = target.with_extension("new");
        std::fs::write(&half, group.to_string()).expect("written");
        std::fs::rename(&half, &target).expect("in place");
        Self { series, target, task }
    }

    /// The series is exposed from now on, in the place of one with its name.
    pub fn set(&self, new: Series) {
        let mut all = self.series.lock().expect("unpoisoned");
        all.retain(|s| s.name != new.name);
        all.push(new);
    }

    /// The series grows at another rate from now on, from where it stands.
    pub fn change(&self, name: &str, per_second: f64) {
        for series in self.series.lock().expect("unpoisoned").iter_mut().filter(|s| s.name == name) {
            (series.base, series.since, series.per_second) = (series.value(), Instant::now(), per_second);
        }
    }

    /// No longer exposed: Prometheus marks it as gone at the next scrape.
    pub fn remove(&self, name: &str) {
        self.series.lock().expect("unpoisoned").retain(|s| s.name != name);
    }
}

async fn expose(State(series): State<Shared>) -> String {
    let mut text = String::new();
    for series in series.lock().expect("unpoisoned").iter() {
        let stamp = series.stamped.map(|ms| format!(" {ms}")).unwrap_or_default();
        let _ = writeln!(text, "{} {}{stamp}", series.name, series.value());
    }
    text
}
