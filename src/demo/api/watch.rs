//! Watches: one JSON object a line, from a version on, with bookmarks.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::place::Place;
use super::select::Selector;
use crate::demo::Shared;
use crate::demo::answer::Refusal;
use crate::demo::store::Change;

/// A sign of life on a watch on which nothing happens.
const BOOKMARK: Duration = Duration::from_secs(20);

/// A watch that is under way.
pub(super) struct Watch {
    pub shared: Arc<Shared>,
    pub place: Place,
    pub selector: Selector,
    pub version: Option<u64>,
    pub bookmarks: bool,
    pub end: Instant,
    pub over: bool,
    pub news: tokio::sync::watch::Receiver<u64>,
    pub ended: tokio::sync::watch::Receiver<u64>,
}

impl Watch {
    /// The next piece of the stream; `None` ends it.
    pub(super) async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.over {
            return None;
        }
        let quiet = Instant::now() + BOOKMARK;
        loop {
            self.shared.spoken().await;
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
                    self.shared.spoken().await;
                    let meta = json!({"resourceVersion": self.version.unwrap_or_default().to_string()});
                    let kind = self.place.kind;
                    let object = json!({"kind": kind.word(), "apiVersion": kind.api_version(), "metadata": meta});
                    let line = format!("{}\n", json!({"type": "BOOKMARK", "object": object}));
                    return Some((Ok(Bytes::from(line)), self));
                }
            }
        }
    }

    /// How a watch with this selector tells a change; `None` where it does not show the object.
    fn told(&self, change: &Change) -> Option<&'static str> {
        let here = change.key.kind == self.place.kind
            && self.place.namespace.as_ref().is_none_or(|ns| *ns == change.key.namespace)
            && self.place.name.as_ref().is_none_or(|name| *name == change.key.name);
        if !here {
            return None;
        }
        let is = change.what != "DELETED" && self.selector.matches(&change.object);
        let was = change.before.as_ref().is_some_and(|object| self.selector.matches(object));
        match (was, is) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }

    fn lines(&mut self) -> Result<String, Refusal> {
        let (now, lines) = self.shared.sim(|sim| {
            let mut lines = String::new();
            let mut say = |what: &str, object: &Value| {
                let _ = writeln!(lines, "{}", json!({"type": what, "object": object}));
            };
            match self.version {
                None => sim
                    .store
                    .held(self.place.kind, self.place.namespace.as_deref())
                    .filter(|(_, object)| self.selector.matches_held(object))
                    .for_each(|(_, object)| say("ADDED", &object.glance())),
                Some(version) => {
                    for change in sim.store.since(version)? {
                        if let Some(what) = self.told(change) {
                            say(what, &change.object);
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
