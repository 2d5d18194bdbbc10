//! Pod logs: what an application of this kind would have written, a line every few seconds, with errors as frequent as
//! the version's error rate. A line depends on the pod and its moment alone, so that two readers read the same.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::place::{Place, Query};
use super::{plain, refuse};
use crate::demo::Shared;
use crate::demo::answer::{self, Refusal};
use crate::demo::store::Key;

/// How many lines back a log reaches.
const KEPT: i64 = 1_000;

/// A line comes every so many milliseconds.
const PACE: i64 = 700;

const PATHS: &[&str] = &["/", "/api/items", "/api/cart", "/api/orders", "/healthz", "/api/users/me"];
const ERRORS: &[&str] = &[
    "upstream connect error or disconnect before headers",
    "context deadline exceeded while calling inventory",
    "pq: too many connections for role \"app\"",
    "nil pointer in handler: missing field price",
];

/// One container's log.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    version: String,
    started: Timestamp,
    /// Ends there: a container that crashed.
    ended: Option<Timestamp>,
    errors: f64,
    crashed: bool,
}

/// A number that depends on nothing but what it is of.
fn mix(name: &str, n: i64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ n.unsigned_abs();
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 31)
}

fn pick<'a>(from: &[&'a str], by: u64) -> &'a str {
    from[usize::try_from(by).unwrap_or(0) % from.len()]
}

impl Source {
    fn at(&self, n: i64) -> Timestamp {
        self.started + SignedDuration::from_millis(n * PACE)
    }

    /// The number of the first line that is not written yet at `now`.
    fn end(&self, now: Timestamp) -> i64 {
        let now = self.ended.map_or(now, |end| end.min(now));
        let passed = now.duration_since(self.started);
        if passed.is_negative() { 0 } else { i64::try_from(passed.as_millis()).unwrap_or(0) / PACE + 1 }
    }

    fn line(&self, n: i64, times: bool) -> String {
        let random = mix(&self.name, n);
        let stamp = if times { format!("{:.9} ", self.at(n)) } else { String::new() };
        if n == 0 {
            return format!("{stamp}level=info msg=\"starting\" version={}\n", self.version);
        }
        if self.crashed && self.ended.is_some() && n == self.end(Timestamp::MAX) - 1 {
            return format!("{stamp}level=fatal msg=\"panic: configuration key DATABASE_URL is not set\"\n");
        }
        let path = pick(PATHS, random >> 8);
        #[expect(clippy::cast_precision_loss, reason = "a share, not money")]
        let share = (random >> 40) as f64 / (1_u64 << 24) as f64;
        if share < self.errors {
            let why = pick(ERRORS, random >> 16);
            return format!("{stamp}level=error msg=\"request failed\" path={path} status=500 err={why:?}\n");
        }
        let took = 3 + random % 90;
        format!("{stamp}level=info msg=\"request\" path={path} status=200 duration_ms={took}\n")
    }
}

/// Answers a request for a log.
pub(super) fn answer(shared: &Arc<Shared>, place: &Place, query: &Query) -> Response {
    let now = (shared.clock)();
    let source = match source(shared, place, query) {
        Ok(source) => source,
        Err(refusal) => return refuse(&refusal),
    };
    let end = source.end(now);
    let number = |key: &str| query.get(key).and_then(|v| v.parse::<i64>().ok());
    let mut from = (end - KEPT).max(0);
    if let Some(tail) = number("tailLines") {
        from = from.max(end - tail.max(0));
    }
    let since = number("sinceSeconds").map(|s| now - SignedDuration::from_secs(s.max(0)));
    let since = since.or_else(|| query.get("sinceTime").and_then(|t| t.parse().ok()));
    if let Some(since) = since {
        while from < end && source.at(from) < since {
            from += 1;
        }
    }
    let times = query.flag("timestamps");
    if !query.flag("follow") || source.ended.is_some() {
        let mut text: String = (from..end).map(|n| source.line(n, times)).collect();
        if let Some(limit) = number("limitBytes").and_then(|n| usize::try_from(n).ok()) {
            text.truncate(limit);
        }
        return plain(200, text);
    }
    let follow = Follow { shared: shared.clone(), source, key: place.key(), next: from, times };
    plain(200, Body::from_stream(futures::stream::unfold(follow, Follow::next)))
}

fn source(shared: &Arc<Shared>, place: &Place, query: &Query) -> Result<Source, Refusal> {
    let key = super::key_of(place)?;
    shared.sim(|sim| {
        let pod = sim.store.get(&key)?.clone();
        let containers = pod["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let name = query.get("container").filter(|name| !name.is_empty());
        let at = match name {
            None if containers.len() > 1 => {
                let names: Vec<&str> = containers.iter().filter_map(|c| c["name"].as_str()).collect();
                let said = format!(
                    "a container name must be specified for pod {}, choose one of: [{}]",
                    key.name,
                    names.join(" ")
                );
                return Err(answer::bad_request(&said));
            }
            None => 0,
            Some(name) => containers
                .iter()
                .position(|c| c["name"] == name)
                .ok_or_else(|| answer::bad_request(&format!("container {name} is not valid for pod {}", key.name)))?,
        };
        let status = &pod["status"]["containerStatuses"][at];
        let container = containers[at]["name"].as_str().unwrap_or_default();
        let image = containers[at]["image"].as_str().unwrap_or_default();
        let version = image.rsplit_once(':').map_or("", |(_, tag)| tag).to_owned();
        let time = |v: &Value| v.as_str().and_then(|t| t.parse::<Timestamp>().ok());
        let last = &status["lastState"]["terminated"];
        let running = time(&status["state"]["running"]["startedAt"]);
        let previous = query.flag("previous");
        let errors = sim.error_share(&key.namespace, &pod);
        let name = format!("{}/{container}/{}", key.name, u8::from(previous));
        if previous || running.is_none() {
            let (Some(started), Some(ended)) = (time(&last["startedAt"]), time(&last["finishedAt"])) else {
                let said = if previous {
                    format!("previous terminated container {container:?} in pod {:?} not found", key.name)
                } else {
                    let reason = status["state"]["waiting"]["reason"].as_str().unwrap_or("ContainerCreating");
                    format!("container {container:?} in pod {:?} is waiting to start: {reason}", key.name)
                };
                return Err(answer::bad_request(&said));
            };
            return Ok(Source { name, version, started, ended: Some(ended), errors, crashed: true });
        }
        let started = running.unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Source { name, version, started, ended: None, errors, crashed: false })
    })
}

struct Follow {
    shared: Arc<Shared>,
    source: Source,
    key: Option<Key>,
    next: i64,
    times: bool,
}

impl Follow {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            self.shared.spoken().await;
            let end = self.source.end((self.shared.clock)());
            if self.next < end {
                let text: String = (self.next..end).map(|n| self.source.line(n, self.times)).collect();
                self.next = end;
                return Some((Ok(Bytes::from(text)), self));
            }
            // The log ends with its pod.
            let here = self.key.as_ref().is_some_and(|key| self.shared.sim(|sim| sim.store.get(key).is_ok()));
            if !here {
                return None;
            }
            tokio::time::sleep(super::super::GLANCE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(errors: f64) -> Source {
        let started: Timestamp = "2026-11-24T08:00:00Z".parse().expect("a time");
        Source {
            name: "web-1/app/0".to_owned(),
            version: "v2".to_owned(),
            started,
            ended: None,
            errors,
            crashed: false,
        }
    }

    #[test]
    fn a_bad_version_logs_errors_as_often_as_its_rate_says() {
        let count = |errors: f64| {
            let source = source(errors);
            (0..1_000).filter(|n| source.line(*n, false).contains("level=error")).count()
        };
        assert_eq!(count(0.0), 0);
        assert!((60..140).contains(&count(0.1)), "{}", count(0.1));
    }

    #[test]
    fn lines_come_with_time_and_stay_what_they_were() {
        let source = source(0.1);
        let now = source.started + SignedDuration::from_millis(1_500);
        assert_eq!(source.end(source.started - SignedDuration::from_secs(1)), 0);
        assert_eq!(source.end(now), 3);
        assert!(source.line(0, false).contains("version=v2"));
        assert_eq!(source.line(7, false), source.line(7, false));
        assert!(source.line(1, true).starts_with("2026-11-24T08:00:00.700000000Z level="), "{}", source.line(1, true));
    }
}
