//! The Kubernetes API as far as kube and `kubectl` use it on these kinds: get, list with pages, watch with versions and
//! bookmarks, create, replace, patch, delete, pod logs, and the reviews.

mod discovery;
mod logs;
mod place;
mod select;
mod watch;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::answer::{self, Refusal};
use super::held::Held;
use super::store::Key;
use place::{Place, Query, Sub};
use select::Selector;
use watch::Watch;

/// The longest a watch lasts when the client does not say.
const WATCH: Duration = Duration::from_mins(30);

/// The most that is read of a request.
const LONGEST: usize = 3 << 20;

fn json_text(code: u16, text: String) -> Response {
    let answer = Response::builder().status(code).header("content-type", "application/json");
    answer.body(Body::from(text)).unwrap_or_default()
}

fn send(code: u16, body: &Value) -> Response {
    json_text(code, body.to_string())
}

fn refuse(refusal: &Refusal) -> Response {
    send(refusal.code, &refusal.body)
}

fn plain(code: u16, text: impl Into<Body>) -> Response {
    let answer = Response::builder().status(code).header("content-type", "text/plain");
    answer.body(text.into()).unwrap_or_default()
}

/// The time of the world in the form of HTTP.
fn date(now: Timestamp) -> Option<HeaderValue> {
    HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

/// Answers one request.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.spoken().await;
    let mut response = if shared.refuses() { refuse(&answer::unavailable()) } else { route(&shared, request).await };
    if let Some(date) = date((shared.clock)()) {
        response.headers_mut().insert(http::header::DATE, date);
    }
    response
}

async fn route(shared: &Arc<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = Query::of(&parts.uri);
    let Ok(body) = axum::body::to_bytes(body, LONGEST).await else {
        return refuse(&answer::bad_request("the body is too long"));
    };
    if let Some(fixed) = discovery::fixed(&parts.method, &path, &body) {
        return send(if parts.method == Method::POST { 201 } else { 200 }, &fixed);
    }
    let Some(place) = Place::of(&path) else { return plain(404, "404 page not found\n") };
    match parts.method {
        Method::GET if place.sub == Sub::Log => logs::answer(shared, &place, &query),
        Method::GET if place.sub == Sub::Scale => match place.key() {
            Some(key) => reply(shared.sim(|sim| sim.store.get(&key).map(|o| (200, write::scale_of(o))))),
            None => refuse(&answer::bad_request("a name is missing")),
        },
        Method::GET if query.flag("watch") && place.name.is_none() => {
            watch(shared, place, &query).unwrap_or_else(|e| refuse(&e))
        }
        Method::GET => match place.key() {
            Some(key) => {
                let found = shared.sim(|sim| sim.store.get(&key).cloned());
                found.map_or_else(|e| refuse(&e), |object| send(200, &object))
            }
            None => list(shared, &place, &query).map_or_else(|e| refuse(&e), |found| json_text(200, found)),
        },
        method => {
            if let Some(refused) = shared.before_write() {
                return refuse(&refused);
            }
            let media = parts.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
            let agent = parts.headers.get("user-agent").and_then(|v| v.to_str().ok()).unwrap_or_default();
            let asked = write::Asked { method: &method, place: &place, media, agent, query: &query, body: &body };
            let done = write::write(shared, &asked);
            shared.poke();
            if shared.loses_answers() {
                // The connection ends without a word; a panic hook is not asked.
                std::panic::resume_unwind(Box::new("the demo world lost an answer, as it was told to"));
            }
            reply(done)
        }
    }
}

fn reply(done: Result<(u16, Value), Refusal>) -> Response {
    done.map_or_else(|e| refuse(&e), |(code, object)| send(code, &object))
}

fn watch(shared: &Arc<Shared>, place: Place, query: &Query) -> Result<Response, Refusal> {
    let seconds = query.get("timeoutSeconds").and_then(|s| s.parse().ok());
    let watch = Watch {
        shared: shared.clone(),
        selector: Selector::of(query)?,
        place,
        version: query.get("resourceVersion").and_then(|v| v.parse().ok()).filter(|v| *v > 0),
        bookmarks: query.flag("allowWatchBookmarks"),
        end: Instant::now() + seconds.map_or(WATCH, Duration::from_secs),
        over: false,
        news: shared.news.subscribe(),
        ended: shared.ended.subscribe(),
    };
    let stream = futures::stream::unfold(watch, Watch::next);
    let answer = Response::builder().header("content-type", "application/json");
    Ok(answer.body(Body::from_stream(stream)).unwrap_or_default())
}

fn list(shared: &Shared, place: &Place, query: &Query) -> Result<String, Refusal> {
    let selector = Selector::of(query)?;
    // The token holds the version and the number of objects that were told.
    let next = query.get("continue").filter(|token| !token.is_empty());
    let from = match next.map(|token| token.split_once('.')) {
        None => None,
        Some(Some((v, n))) => Some((v.parse::<u64>(), n.parse::<usize>())),
        Some(None) => return Err(answer::bad_request("continue key is not valid")),
    };
    let told = match from {
        None => None,
        Some((Ok(told), Ok(start))) => Some((told, start)),
        Some(_) => return Err(answer::bad_request("continue key is not valid")),
    };
    let (version, all) = shared.sim(|sim| {
        let version = told.map_or(sim.store.version(), |(told, _)| told);
        let found = sim.store.held_at(version, place.kind, place.namespace.as_deref())?;
        let all: Vec<Held> = found.into_iter().filter(|object| selector.matches_held(object)).collect();
        Ok::<_, Refusal>((version, all))
    })?;
    let start = told.map_or(0, |(_, start)| start);
    let limit = query.get("limit").and_then(|l| l.parse::<usize>().ok()).filter(|l| *l > 0).unwrap_or(usize::MAX);
    let left = all.len().saturating_sub(start.saturating_add(limit));
    let mut meta = json!({"resourceVersion": version.to_string()});
    if left > 0 {
        meta["continue"] = format!("{version}.{}", start + limit).into();
        meta["remainingItemCount"] = left.into();
    }
    let (kind, version) = (place.kind.word(), place.kind.api_version());
    let mut text = format!("{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":{meta},\"items\":[");
    for (n, object) in all.iter().skip(start).take(limit).enumerate() {
        if n > 0 {
            text.push(',');
        }
        object.write(&mut text);
    }
    text.push_str("]}");
    Ok(text)
}

/// The key of the pod or other object that a place names, or the refusal that says what is missing.
fn key_of(place: &Place) -> Result<Key, Refusal> {
    place.key().ok_or_else(|| answer::bad_request("a name is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        let now: Timestamp = "2026-11-24T08:05:09.75Z".parse().expect("a time");
        assert_eq!(date(now).expect("a header"), "Tue, 24 Nov 2026 08:05:09 GMT");
    }
}
