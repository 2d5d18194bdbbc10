//! The focused rollout, read every few seconds: its watch may be dead for a minute before that is noticed.
//! On the way it tells who wrote the object, and how far the server's clock is from ours.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{decode, path};
use crate::domain::ids::TargetId;
use crate::domain::link::LinkState;
use crate::domain::observation::{Detail, Observation};
use crate::domain::text::Clean;
use crate::systems::Focus;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::feed::{Outlet, identify};
use crate::systems::kubernetes::managed::managers;
use crate::systems::kubernetes::timings::Timings;

/// What a clock may be off before it is said: the header counts whole seconds.
const TOLERANCE: i64 = 2_000;

/// A change that is worth telling, in milliseconds.
const DRIFT: i64 = 1_000;

/// Nobody listens.
struct Unheard;

/// Reads whatever rollout is focused; quiet while none is.
pub(super) async fn run(cluster: Arc<Cluster>, outlet: Outlet, mut focus: Focus, timings: Timings) {
    let Some(here) = identify(&cluster, &outlet, timings).await else { return };
    let mut ahead = 0;
    loop {
        let target = focus.borrow_and_update().clone().filter(|t| t.cluster == here);
        let work = async {
            if let Some(target) = &target {
                let mut beat = Beat::new(&cluster, &outlet, target, timings, &mut ahead);
                return beat.run().await;
            }
            outlet.link(LinkState::Off).await;
            std::future::pending::<()>().await;
            Unheard
        };
        tokio::select! {
            changed = focus.changed() => if changed.is_err() { return },
            Unheard = work => return,
        }
        if let Some(target) = target {
            let id = outlet.id.clone();
            outlet.say(Observation::Focused { id: id.clone(), target: None }).await;
            outlet.say(Observation::Detail { id, target, detail: Detail::Managers(None) }).await;
        }
    }
}

/// The reading of one rollout.
struct Beat<'a> {
    cluster: &'a Cluster,
    outlet: &'a Outlet,
    target: &'a TargetId,
    timings: Timings,
    /// How far the server's clock is ahead, as last told.
    ahead: &'a mut i64,
    /// The last sign of life, by both clocks.
    heard: (Instant, Timestamp),
    /// What was said of the link.
    state: LinkState,
    /// The version that was told last.
    version: Clean,
}

impl<'a> Beat<'a> {
    fn new(
        cluster: &'a Cluster,
        outlet: &'a Outlet,
        target: &'a TargetId,
        timings: Timings,
        ahead: &'a mut i64,
    ) -> Self {
        let heard = (Instant::now(), Timestamp::now());
        let (state, version) = (LinkState::Connecting, Clean::default());
        Self { cluster, outlet, target, timings, ahead, heard, state, version }
    }

    async fn run(&mut self) -> Unheard {
        match self.beats().await {
            Ok(never) => match never {},
            Err(unheard) => unheard,
        }
    }

    async fn beats(&mut self) -> Result<std::convert::Infallible, Unheard> {
        let focused = Observation::Focused { id: self.outlet.id.clone(), target: Some(self.target.clone()) };
        self.say(focused).await?;
        self.outlet.link(LinkState::Connecting).await.then_some(()).ok_or(Unheard)?;
        loop {
            let next = Instant::now() + self.timings.focus_every;
            let at = path(self.target);
            let (cluster, deadline) = (self.cluster, self.timings.focus_read);
            let sent = Timestamp::now();
            let answer = self.unless_silent(call::get_dated(cluster.client(), &at, deadline)).await?;
            match answer {
                Ok((body, date)) => {
                    self.heard = (Instant::now(), Timestamp::now());
                    self.clock(sent, date).await?;
                    self.tell(&body).await?;
                }
                Err(error) => self.failed(&error).await?,
            }
            self.unless_silent(tokio::time::sleep_until(next)).await?;
        }
    }

    /// Waits for `work`; says in the meantime that nothing was heard for too long.
    async fn unless_silent<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Unheard> {
        tokio::pin!(work);
        let silent = self.heard.0 + self.timings.focus_silence;
        let said = matches!(self.state, LinkState::Stale { .. } | LinkState::Denied { .. });
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::time::sleep_until(silent), if !said => {}
        }
        self.link(LinkState::Stale { since: self.heard.1 }).await?;
        Ok(work.await)
    }

    /// What the server refuses is said at once; what only fails, when it has lasted.
    async fn failed(&mut self, error: &CallError) -> Result<(), Unheard> {
        let why = match error.code() {
            Some(404) => "the server says that it is not there (any more)".to_owned(),
            Some(401 | 403) => format!("{error}; ask for `get` on it, or log in again"),
            _ => return Ok(()),
        };
        self.link(LinkState::Denied { why: Clean::new(&why) }).await
    }

    async fn tell(&mut self, body: &[u8]) -> Result<(), Unheard> {
        let id = self.outlet.id.clone();
        let raw: Result<&RawValue, _> = serde_json::from_slice(body);
        let Ok(raw) = raw else {
            // Something else answered: that is no sign of life of the object.
            let why = Clean::new("what answers is not an API server");
            return self.link(LinkState::Denied { why }).await;
        };
        let rollout = match decode::rollout(raw.get(), &self.target.cluster) {
            Ok(rollout) => rollout,
            Err(bad) => return self.say(Observation::Malformed { id, object: bad.object, why: bad.why }).await,
        };
        if rollout.resource_version == self.version {
            self.say(Observation::Heard { id }).await?;
        } else {
            self.version = rollout.resource_version.clone();
            let (target, detail) = (self.target.clone(), Detail::Managers(Some(managers(raw.get()))));
            self.say(Observation::Rollout { id: id.clone(), rollout: Arc::new(rollout) }).await?;
            self.say(Observation::Detail { id, target, detail }).await?;
        }
        if self.state.is_live() { Ok(()) } else { self.link(LinkState::Live).await }
    }

    /// The header is cut to whole seconds, so the middle of its second is compared with the middle of the wait.
    async fn clock(&mut self, sent: Timestamp, date: Option<Timestamp>) -> Result<(), Unheard> {
        let Some(date) = date else { return Ok(()) };
        let waited = self.heard.1.duration_since(sent);
        let ahead = date.duration_since(sent) + SignedDuration::from_millis(500) - waited / 2;
        let ahead = i64::try_from(ahead.as_millis()).unwrap_or(0);
        // A slow answer says little: its half is all uncertainty.
        if waited > SignedDuration::from_millis(TOLERANCE) {
            return Ok(());
        }
        let ahead = if ahead.abs() > TOLERANCE { ahead } else { 0 };
        if ahead == *self.ahead || (ahead != 0 && (ahead - *self.ahead).abs() < DRIFT) {
            return Ok(());
        }
        *self.ahead = ahead;
        self.say(Observation::Clock { context: self.cluster.context.clone(), ahead_ms: ahead }).await
    }

    async fn link(&mut self, state: LinkState) -> Result<(), Unheard> {
        if self.state == state {
            return Ok(());
        }
        self.state = state.clone();
        self.outlet.link(state).await.then_some(()).ok_or(Unheard)
    }

    async fn say(&self, what: Observation) -> Result<(), Unheard> {
        self.outlet.say(what).await.then_some(()).ok_or(Unheard)
    }
}
