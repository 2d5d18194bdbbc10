//! List and watch of one resource, for as long as the program runs.
//!
//! Not `kube::runtime::watcher`: that one swallows bookmarks, so that a quiet watch and a dead one look alike, and it
//! ends a watch at the first object that does not decode.

mod frame;
mod items;

use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::Client;

use self::frame::{Frame, as_written, version_of};
use self::items::{Items, ListMeta};
use super::call::{self, CallError};
use super::timings::Timings;
use crate::domain::analysis::{AnalysisRun, Experiment};
use crate::domain::history::ClusterEvent;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::domain::workload::{Pod, ReplicaSet};

/// Objects a page.
const PAGE: u32 = 500;

/// The longest line of a watch that is read.
const LONGEST_LINE: usize = 8 << 20;

/// What the loop tells its owner.
#[derive(Debug)]
pub enum Said<T> {
    /// The whole list.
    All(Vec<T>),
    /// An object as it is now.
    Put(T),
    /// An object that is gone, as it was last.
    Gone(T),
    /// A sign of life that changed nothing.
    Heard,
    /// An object that does not decode.
    Malformed(Malformed),
    /// Listed and watching.
    Live,
    /// Nothing was heard since then; the connection is made anew.
    Silent(Timestamp),
    /// It failed, and is tried again after the wait.
    Failed {
        /// What went wrong.
        error: CallError,
        /// How many tries failed in a row.
        tries: u32,
        /// The wait.
        wait: Duration,
    },
}

/// An object that does not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which, as well as it can be named.
    pub object: Clean,
    /// What is wrong with it.
    pub why: Clean,
}

/// Decodes one object from its JSON; `Ok(None)` = not one of ours.
pub type Decode<'d, T> = dyn Fn(&str) -> Result<Option<T>, Malformed> + Send + Sync + 'd;

/// An object that may know its own version, which saves reading it out of the text once more.
pub trait Versioned {
    /// `metadata.resourceVersion`, where it was kept.
    fn version(&self) -> Option<&str>;
}

impl Versioned for Rollout {
    fn version(&self) -> Option<&str> {
        Some(self.resource_version.as_str())
    }
}

impl Versioned for ReplicaSet {
    fn version(&self) -> Option<&str> {
        Some(self.resource_version.as_str())
    }
}

impl Versioned for AnalysisRun {
    fn version(&self) -> Option<&str> {
        Some(self.resource_version.as_str())
    }
}

impl Versioned for Experiment {
    fn version(&self) -> Option<&str> {
        Some(self.resource_version.as_str())
    }
}

impl Versioned for ClusterEvent {
    fn version(&self) -> Option<&str> {
        None
    }
}

impl Versioned for Pod {
    fn version(&self) -> Option<&str> {
        None
    }
}

/// A resource to list and watch.
pub struct Resource<'a, T> {
    /// The client.
    pub client: &'a Client,
    /// The collection's path.
    pub path: &'a str,
    /// A label selector, may be empty.
    pub labels: &'a str,
    /// A field selector, may be empty.
    pub fields: &'a str,
    /// Decodes its objects.
    pub decode: &'a Decode<'a, T>,
    /// How long to wait for what.
    pub timings: Timings,
}

/// Lists and watches for ever; ends only when `tell` says that nobody listens (`false`).
pub async fn follow<T, F, Fut>(resource: Resource<'_, T>, mut tell: F)
where
    T: Versioned,
    F: FnMut(Said<T>) -> Fut,
    Fut: Future<Output = bool>,
{
    let mut tries = 0;
    // The version to go on from; `None` asks for a list.
    let mut version: Option<String> = None;
    loop {
        let ended = match &version {
            None => match resource.list().await {
                Ok((all, malformed, at)) => {
                    for bad in malformed {
                        if !tell(Said::Malformed(bad)).await {
                            return;
                        }
                    }
                    if !tell(Said::All(all)).await {
                        return;
                    }
                    version = Some(at);
                    continue;
                }
                Err(error) => Ended::Failed(error),
            },
            Some(at) => {
                let mut at = at.clone();
                let ended = resource.watch(&mut at, &mut tries, &mut tell).await;
                version = Some(at);
                ended
            }
        };
        let error = match ended {
            Ended::Unheard => return,
            Ended::Quietly => continue,
            Ended::Gone => {
                version = None;
                continue;
            }
            Ended::Silent(since) => {
                if !tell(Said::Silent(since)).await {
                    return;
                }
                continue;
            }
            Ended::Failed(error) => error,
        };
        tries += 1;
        let wait = resource.timings.wait(&error, tries);
        if !tell(Said::Failed { error, tries, wait }).await {
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

pub(crate) enum Ended {
    /// The server closed it: the usual end after some minutes.
    Quietly,
    /// The version is too old: list again.
    Gone,
    /// Nothing was heard since then.
    Silent(Timestamp),
    /// It failed.
    Failed(CallError),
    /// Nobody listens.
    Unheard,
}

impl<T: Versioned> Resource<'_, T> {
    fn query(&self, rest: &str) -> String {
        let mut path = format!("{}?{rest}", self.path);
        if !self.labels.is_empty() {
            path.push_str("&labelSelector=");
            path.push_str(&encode(self.labels));
        }
        if !self.fields.is_empty() {
            path.push_str("&fieldSelector=");
            path.push_str(&encode(self.fields));
        }
        path
    }

    /// Reads all pages. An expired continue token starts over, once per call.
    async fn list(&self) -> Result<(Vec<T>, Vec<Malformed>, String), CallError> {
        let mut all = Vec::new();
        let mut malformed = Vec::new();
        let mut next: Option<String> = None;
        let mut restarted = false;
        loop {
            let mut path = self.query(&format!("limit={PAGE}"));
            if let Some(token) = &next {
                path.push_str("&continue=");
                path.push_str(&encode(token));
            }
            let page = match self.page(&path, &mut all, &mut malformed).await {
                Ok(page) => page,
                Err(e) if e.code() == Some(410) && !restarted && next.is_some() => {
                    restarted = true;
                    next = None;
                    all.clear();
                    malformed.clear();
                    continue;
                }
                Err(e) => return Err(e),
            };
            match page.next.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token),
                None => return Ok((all, malformed, page.resource_version)),
            }
        }
    }

    /// Reads one page and decodes its objects while it comes.
    async fn page(&self, path: &str, all: &mut Vec<T>, malformed: &mut Vec<Malformed>) -> Result<ListMeta, CallError> {
        let request = call::request("GET", path, None, Vec::new())?;
        let mut items = Items::default();
        let reading = async {
            let mut body = call::open(self.client, request).await?.into_body();
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(|e| CallError::of_transport(&e))?.into_data() else { continue };
                items.feed(&data, |item| match (self.decode)(&String::from_utf8_lossy(item)) {
                    Ok(Some(object)) => all.push(object),
                    Ok(None) => {}
                    Err(bad) => malformed.push(bad),
                });
            }
            let not_a_list = |why| CallError::Foreign { code: 200, said: Clean::new(&format!("not a list: {why}")) };
            items.end().map_err(not_a_list)
        };
        call::within(self.timings.list, reading).await
    }

    async fn watch<F, Fut>(&self, version: &mut String, tries: &mut u32, tell: &mut F) -> Ended
    where
        F: FnMut(Said<T>) -> Fut,
        Fut: Future<Output = bool>,
    {
        let path = self.query(&format!(
            "watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            self.timings.watch.as_secs(),
            encode(version)
        ));
        let request = match call::request("GET", &path, None, Vec::new()) {
            Ok(request) => request,
            Err(e) => return Ended::Failed(e),
        };
        let opened = tokio::time::timeout(self.timings.list, call::open(self.client, request)).await;
        let mut body = match opened {
            Ok(Ok(answer)) => answer.into_body(),
            Ok(Err(e)) if e.code() == Some(410) => return Ended::Gone,
            Ok(Err(e)) => return Ended::Failed(e),
            Err(_) => return Ended::Failed(CallError::Broken { why: "the watch was not answered".into() }),
        };
        if !tell(Said::Live).await {
            return Ended::Unheard;
        }
        let mut heard = Timestamp::now();
        let mut buffer = BytesMut::new();
        loop {
            let data = match tokio::time::timeout(self.timings.silence, body.frame()).await {
                Err(_) => return Ended::Silent(heard),
                Ok(None) => return Ended::Quietly,
                Ok(Some(Err(e))) => {
                    return Ended::Failed(CallError::Broken { why: Clean::new(&e.to_string()) });
                }
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            heard = Timestamp::now();
            // Only now is the connection proven: an answer's head alone may come from anything in between.
            *tries = 0;
            let mut from = buffer.len();
            buffer.extend_from_slice(&data);
            while let Some(end) = memchr::memchr(b'\n', &buffer[from..]) {
                let line = buffer.split_to(from + end + 1);
                from = 0;
                match self.frame(&line, version, tell).await {
                    None => {}
                    Some(ended) => return ended,
                }
            }
            if buffer.len() > LONGEST_LINE {
                return Ended::Failed(CallError::Broken { why: "a line of the watch is too long".into() });
            }
        }
    }

    /// Takes one line of a watch in; says how the watch ends, if it does.
    pub(crate) async fn frame<F, Fut>(&self, line: &[u8], version: &mut String, tell: &mut F) -> Option<Ended>
    where
        F: FnMut(Said<T>) -> Fut,
        Fut: Future<Output = bool>,
    {
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        if let Some((kind, object)) = as_written(line)
            && let Ok(Some(object)) = (self.decode)(object)
            && let Some(newer) = object.version().filter(|version| !version.is_empty())
        {
            newer.clone_into(version);
            let said = if kind == "DELETED" { Said::Gone(object) } else { Said::Put(object) };
            return (!tell(said).await).then_some(Ended::Unheard);
        }
        let frame: Frame<'_> = match serde_json::from_slice(line) {
            Ok(frame) => frame,
            Err(e) => {
                return Some(Ended::Failed(CallError::Broken { why: Clean::new(&format!("not a watch frame: {e}")) }));
            }
        };
        if frame.kind == "ERROR" {
            let error = CallError::of_frame(frame.object.get());
            return Some(if error.code() == Some(410) { Ended::Gone } else { Ended::Failed(error) });
        }
        let decoded = (frame.kind != "BOOKMARK").then(|| (self.decode)(frame.object.get()));
        let known = match &decoded {
            Some(Ok(Some(object))) => object.version().filter(|v| !v.is_empty()).map(ToOwned::to_owned),
            _ => None,
        };
        if let Some(newer) = known.or_else(|| version_of(frame.object)) {
            *version = newer;
        }
        let said = match (&*frame.kind, decoded) {
            (_, None) => Said::Heard,
            (kind, Some(decoded)) => match decoded {
                Err(bad) => Said::Malformed(bad),
                Ok(None) => Said::Heard,
                Ok(Some(object)) if kind == "DELETED" => Said::Gone(object),
                Ok(Some(object)) => Said::Put(object),
            },
        };
        (!tell(said).await).then_some(Ended::Unheard)
    }
}

/// Percent-encodes a query value.
pub fn encode(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap_that_is_a_cap() {
        let timings = Timings::default();
        let broken = CallError::Broken { why: "x".into() };
        for tries in 1..200 {
            let wait = timings.wait(&broken, tries);
            assert!(wait <= timings.longest && wait >= timings.shortest / 2, "{tries}: {wait:?}");
        }
        assert!(timings.wait(&broken, 10) >= timings.longest / 2);
        let busy = CallError::Status {
            code: 429,
            reason: "TooManyRequests".into(),
            message: "".into(),
            retry_after: Some(Duration::from_secs(7)),
        };
        assert_eq!(timings.wait(&busy, 1), Duration::from_secs(7));
    }

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(encode("app in (a,b),x=y"), "app%20in%20%28a%2Cb%29%2Cx%3Dy");
    }
}
