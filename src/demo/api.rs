//! The Kubernetes API as far as kube and `kubectl` use it on these kinds: get, list with pages, watch with versions and
//! bookmarks, create, patch, delete, and the reviews.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::answer::{self, Refusal};
use super::patch::{Operation, json_patch, merge};
use super::store::{Key, Kind, Part};

/// A sign of life on a watch on which nothing happens.
const BOOKMARK: Duration = Duration::from_secs(20);

/// The longest a watch lasts when the client does not say.
const WATCH: Duration = Duration::from_mins(30);

/// The most that is read of a request.
const LONGEST: usize = 3 << 20;

/// What a path is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    kind: Kind,
    namespace: Option<String>,
    name: Option<String>,
    status: bool,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", "apps", "v1", rest @ ..] => ("apps", rest),
            ["apis", "argoproj.io", "v1alpha1", rest @ ..] => ("argoproj.io", rest),
            _ => return None,
        };
        let kind = |plural: &str| {
            [Kind::Namespace, Kind::Rollout, Kind::ReplicaSet, Kind::Pod]
                .into_iter()
                .find(|k| k.group() == group && k.plural() == plural)
        };
        let own = |s: &str| Some(s.to_owned());
        let place = |kind, namespace, name, status| Some(Self { kind, namespace, name, status });
        match rest {
            ["namespaces"] if group.is_empty() => place(Kind::Namespace, None, None, false),
            ["namespaces", name] if group.is_empty() => place(Kind::Namespace, own(""), own(name), false),
            ["namespaces", ns, plural] => place(kind(plural)?, own(ns), None, false),
            ["namespaces", ns, plural, name] => place(kind(plural)?, own(ns), own(name), false),
            ["namespaces", ns, plural, name, "status"] => place(kind(plural)?, own(ns), own(name), true),
            [plural] => place(kind(plural)?, None, None, false),
            _ => None,
        }
    }

    fn key(&self) -> Option<Key> {
        Some(Key::new(self.kind, self.namespace.as_deref()?, self.name.as_deref()?))
    }
}

fn query(uri: &http::Uri) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(b) = rest.next() {
            bytes.push(match b {
                b'+' => b' ',
                b'%' => {
                    let hex: Vec<u8> = rest.by_ref().take(2).collect();
                    std::str::from_utf8(&hex).ok().and_then(|h| u8::from_str_radix(h, 16).ok()).unwrap_or(b'?')
                }
                b => b,
            });
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = uri.query().unwrap_or_default().split('&').filter(|p| !p.is_empty());
    pairs.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

fn send(code: u16, body: &Value) -> Response {
    let body = Body::from(body.to_string());
    let answer = Response::builder().status(code).header("content-type", "application/json").body(body);
    answer.unwrap_or_default()
}

fn refuse(refusal: &Refusal) -> Response {
    send(refusal.code, &refusal.body)
}

/// Answers one request.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = query(&parts.uri);
    let asked = |key: &str| query.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    let Ok(body) = axum::body::to_bytes(body, LONGEST).await else {
        return refuse(&answer::bad_request("the body is too long"));
    };
    if let Some(fixed) = fixed(&parts.method, &path, &body) {
        return send(if parts.method == Method::POST { 201 } else { 200 }, &fixed);
    }
    let Some(place) = Place::of(&path) else {
        return Response::builder().status(404).body(Body::from("404 page not found\n")).unwrap_or_default();
    };
    let flag = |key: &str| asked(key).is_some_and(|v| v == "true" || v == "1");
    match parts.method {
        Method::GET if flag("watch") && place.name.is_none() => {
            let version = asked("resourceVersion").and_then(|v| v.parse().ok());
            let seconds = asked("timeoutSeconds").and_then(|s| s.parse().ok());
            let watch = Watch {
                shared: shared.clone(),
                place,
                labels: asked("labelSelector").unwrap_or_default().to_owned(),
                version,
                bookmarks: flag("allowWatchBookmarks"),
                end: Instant::now() + seconds.map_or(WATCH, Duration::from_secs),
                over: false,
                news: shared.news.subscribe(),
                ended: shared.ended.subscribe(),
            };
            let stream = futures::stream::unfold(watch, Watch::next);
            let answer = Response::builder().header("content-type", "application/json");
            answer.body(Body::from_stream(stream)).unwrap_or_default()
        }
        Method::GET => match place.key() {
            Some(key) => {
                let found = shared.sim(|sim| sim.store.get(&key).cloned());
                found.map_or_else(|e| refuse(&e), |object| send(200, &object))
            }
            None => {
                list(&shared, &place, asked("labelSelector").unwrap_or_default(), asked("limit"), asked("continue"))
            }
        },
        method => {
            if let Some(refused) = shared.before_write() {
                return refuse(&refused);
            }
            let media = parts.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
            let done = write(&shared, &method, &place, media, &body, asked("dryRun") == Some("All"));
            shared.poke();
            if shared.loses_answers() {
                // The connection ends without a word; a panic hook is not asked.
                std::panic::resume_unwind(Box::new("the demo world lost an answer, as it was told to"));
            }
            done.map_or_else(|e| refuse(&e), |(code, object)| send(code, &object))
        }
    }
}

/// Answers that do not depend on the world.
fn fixed(method: &Method, path: &str, body: &[u8]) -> Option<Value> {
    let resource = |kind: Kind, namespaced: bool| {
        json!({
            "name": kind.plural(), "singularName": kind.word().to_lowercase(), "namespaced": namespaced,
            "kind": kind.word(), "verbs": ["get", "list", "watch", "create", "patch", "delete"],
        })
    };
    let resources = |version: &str, all: Vec<Value>| {
        Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": all}))
    };
    let group = |name: &str, version: &str| {
        let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
        json!({"name": name, "versions": [version], "preferredVersion": version})
    };
    match (method.as_str(), path) {
        ("GET", "/version") => Some(json!({"major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "demo"})),
        ("GET", "/readyz" | "/livez" | "/healthz") => Some("ok".into()),
        ("GET", "/api") => Some(json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("GET", "/apis") => Some(json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": [group("apps", "v1"), group("argoproj.io", "v1alpha1")],
        })),
        ("GET", "/api/v1") => resources("v1", vec![resource(Kind::Namespace, false), resource(Kind::Pod, true)]),
        ("GET", "/apis/apps/v1") => resources("apps/v1", vec![resource(Kind::ReplicaSet, true)]),
        ("GET", "/apis/argoproj.io/v1alpha1") => resources("argoproj.io/v1alpha1", vec![resource(Kind::Rollout, true)]),
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews") => Some(json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "status": {"userInfo": {"username": "demo", "groups": ["system:authenticated"]}},
        })),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            review["status"] = json!({"allowed": true});
            Some(review)
        }
        _ => None,
    }
}

/// `a=b,c==d,!e`: as far as clients of these kinds write them.
fn matches(object: &Value, selector: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    selector.split(',').map(str::trim).filter(|s| !s.is_empty()).all(|term| {
        if let Some((key, value)) = term.split_once("!=") {
            return labels[key.trim()] != value.trim();
        }
        match term.split_once('=') {
            Some((key, value)) => labels[key.trim()] == value.trim_start_matches('=').trim(),
            None => match term.strip_prefix('!') {
                Some(key) => labels[key].is_null(),
                None => !labels[term].is_null(),
            },
        }
    })
}

fn list(shared: &Shared, place: &Place, labels: &str, limit: Option<&str>, next: Option<&str>) -> Response {
    // The token holds the version and the number of objects that were told.
    let from = next.and_then(|token| token.split_once('.')).map(|(v, n)| (v.parse::<u64>(), n.parse::<usize>()));
    let (version, all) = shared.sim(|sim| {
        let all: Vec<Value> = sim
            .store
            .list(place.kind, place.namespace.as_deref())
            .filter(|(_, object)| matches(object, labels))
            .map(|(_, object)| object.clone())
            .collect();
        (sim.store.version(), all)
    });
    let (version, start) = match from {
        // Pages of different moments would skip or repeat objects.
        Some((Ok(told), _)) if told != version => return refuse(&answer::token_expired()),
        Some((Ok(told), Ok(start))) => (told, start),
        Some(_) => return refuse(&answer::bad_request("continue key is not valid")),
        None => (version, 0),
    };
    let limit = limit.and_then(|l| l.parse::<usize>().ok()).filter(|l| *l > 0).unwrap_or(usize::MAX);
    let left = all.len().saturating_sub(start.saturating_add(limit));
    let mut meta = json!({"resourceVersion": version.to_string()});
    if left > 0 {
        meta["continue"] = format!("{version}.{}", start + limit).into();
        meta["remainingItemCount"] = left.into();
    }
    let items: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    let body = json!({
        "kind": format!("{}List", place.kind.word()), "apiVersion": place.kind.api_version(), "metadata": meta,
        "items": items,
    });
    send(200, &body)
}

fn write(
    shared: &Shared,
    method: &Method,
    place: &Place,
    media: &str,
    body: &[u8],
    dry: bool,
) -> Result<(u16, Value), Refusal> {
    let now = (shared.clock)();
    let document = || {
        serde_json::from_slice::<Value>(body).map_err(|e| answer::bad_request(&format!("error decoding patch: {e}")))
    };
    match *method {
        Method::POST => {
            let object = document()?;
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let key = Key::new(place.kind, place.namespace.as_deref().unwrap_or_default(), &name);
            shared.sim(|sim| sim.store.create(key, object, now)).map(|object| (201, object))
        }
        Method::DELETE => {
            let key = place.key().ok_or_else(|| answer::bad_request("a name is missing"))?;
            let gone = shared.sim(|sim| sim.store.delete(&key))?;
            let details = json!({"name": key.name, "kind": key.kind.plural(), "uid": gone["metadata"]["uid"]});
            Ok((200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details})))
        }
        Method::PATCH => {
            let key = place.key().ok_or_else(|| answer::bad_request("a name is missing"))?;
            let part = if place.status { Part::Status } else { Part::Main };
            shared.sim(|sim| {
                let found = sim.store.get(&key)?.clone();
                let wanted = match media.split(';').next().unwrap_or_default() {
                    "application/json-patch+json" => {
                        let operations: Vec<Operation> = serde_json::from_slice(body)
                            .map_err(|e| answer::bad_request(&format!("error decoding patch: {e}")))?;
                        json_patch(&found, &operations).map_err(|_| answer::unprocessable())?
                    }
                    "application/merge-patch+json" => {
                        let mut wanted = found.clone();
                        merge(&mut wanted, &document()?);
                        wanted
                    }
                    _ => return Err(answer::media_type()),
                };
                if dry {
                    return sim.store.clone().put(&key, part, wanted).map(|object| (200, object));
                }
                sim.store.put(&key, part, wanted).map(|object| (200, object))
            })
        }
        _ => Err(answer::bad_request(&format!("the demo world does not know {method}"))),
    }
}

struct Watch {
    shared: Arc<Shared>,
    place: Place,
    labels: String,
    version: Option<u64>,
    bookmarks: bool,
    end: Instant,
    over: bool,
    news: tokio::sync::watch::Receiver<u64>,
    ended: tokio::sync::watch::Receiver<u64>,
}

impl Watch {
    /// The next piece of the stream; `None` ends it.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.over {
            return None;
        }
        let quiet = Instant::now() + BOOKMARK;
        loop {
            self.news.borrow_and_update();
            match self.lines() {
                Ok(lines) if lines.is_empty() => {}
                Ok(lines) => return Some((Ok(Bytes::from(lines)), self)),
                Err(refusal) => {
                    self.over = true;
                    let line = format!("{}\n", json!({"type": "ERROR", "object": refusal.body}));
                    return Some((Ok(Bytes::from(line)), self));
                }
            }
            tokio::select! {
                changed = self.news.changed() => if changed.is_err() { return None },
                _ = self.ended.changed() => return None,
                () = tokio::time::sleep_until(self.end) => return None,
                () = tokio::time::sleep_until(quiet), if self.bookmarks => {
                    let meta = json!({"resourceVersion": self.version.unwrap_or_default().to_string()});
                    let kind = self.place.kind;
                    let object = json!({"kind": kind.word(), "apiVersion": kind.api_version(), "metadata": meta});
                    let line = format!("{}\n", json!({"type": "BOOKMARK", "object": object}));
                    return Some((Ok(Bytes::from(line)), self));
                }
            }
        }
    }

    fn lines(&mut self) -> Result<String, Refusal> {
        let (version, place, labels) = (self.version, &self.place, &self.labels);
        let namespace = place.namespace.as_deref();
        let (now, lines) = self.shared.sim(|sim| {
            let mut lines = String::new();
            let mut say = |what: &str, object: &Value| {
                let _ = writeln!(lines, "{}", json!({"type": what, "object": object}));
            };
            match version {
                None => sim
                    .store
                    .list(place.kind, namespace)
                    .filter(|(_, o)| matches(o, labels))
                    .for_each(|(_, o)| say("ADDED", o)),
                Some(version) => {
                    for change in sim.store.since(version)? {
                        let here = change.key.kind == place.kind
                            && namespace.is_none_or(|ns| ns == change.key.namespace)
                            && matches(&change.object, labels);
                        if here {
                            say(change.what, &change.object);
                        }
                    }
                }
            }
            Ok((sim.store.version(), lines))
        })?;
        self.version = Some(now);
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_understood() {
        let place = |path| Place::of(path).map(|p| (p.kind, p.namespace, p.name, p.status));
        let own = |s: &str| Some(s.to_owned());
        assert_eq!(place("/apis/argoproj.io/v1alpha1/rollouts"), Some((Kind::Rollout, None, None, false)));
        assert_eq!(
            place("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web/status"),
            Some((Kind::Rollout, own("shop"), own("web"), true))
        );
        assert_eq!(
            place("/api/v1/namespaces/kube-system"),
            Some((Kind::Namespace, own(""), own("kube-system"), false))
        );
        assert_eq!(place("/api/v1/namespaces/shop/pods"), Some((Kind::Pod, own("shop"), None, false)));
        assert_eq!(place("/apis/apps/v1/namespaces/shop/rollouts"), None);
        assert_eq!(place("/metrics"), None);
    }

    #[test]
    fn selectors_select() {
        let pod = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        for (selector, selects) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app=api", false),
            ("tier", true),
            ("!tier", false),
            ("app!=web", false),
        ] {
            assert_eq!(matches(&pod, selector), selects, "{selector}");
        }
    }
}
