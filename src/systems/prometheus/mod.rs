//! Prometheus: reads each target's error rates, version by version.
//!
//! Reads alone; nothing here writes. Rates are never computed from nothing: see [`crate::domain::signal`].

mod answers;
mod book;
mod client;
pub(crate) mod decode;
pub(crate) mod query;
mod source;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use crate::config::prometheus::PrometheusSection;
use crate::domain::link::LinkId;
use crate::domain::signal::interest::Pace;
use crate::domain::text::Clean;
use crate::systems::LinkTask;
use crate::systems::kubernetes::client::Cluster;

pub use templates::templates;

/// What the link is called.
pub const LINK: &str = "prometheus";

/// How long everything takes.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// From one reading of the focused target to the next.
    pub focused: Duration,
    /// The same of one that moves or was released just now.
    pub moving: Duration,
    /// The same of one on the screen.
    pub visible: Duration,
    /// The same of the others.
    pub idle: Duration,
    /// How soon templates are tried again where none gave anything.
    pub search: Duration,
    /// How long a template may give nothing before the others are tried again.
    pub repin: Duration,
    /// The first wait after a failure; doubles.
    pub shortest: Duration,
    /// The longest wait after a failure.
    pub longest: Duration,
    /// The wait after a refusal.
    pub denied: Duration,
    /// How often it is asked for a sign of life while nothing is wanted.
    pub alive: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            focused: Pace::Focused.every(),
            moving: Pace::Moving.every(),
            visible: Pace::Visible.every(),
            idle: Pace::Idle.every(),
            search: Duration::from_secs(30),
            repin: Duration::from_mins(5),
            shortest: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            denied: Duration::from_secs(30),
            alive: Duration::from_mins(1),
        }
    }
}

impl Timings {
    pub(super) const fn of(&self, pace: Pace) -> Duration {
        match pace {
            Pace::Focused => self.focused,
            Pace::Moving => self.moving,
            Pace::Visible => self.visible,
            Pace::Idle => self.idle,
        }
    }
}

/// Asks the Prometheus of `cluster`'s context for a sign of life; `None` = none is configured for it.
pub async fn check(section: &PrometheusSection, cluster: &Arc<Cluster>) -> Option<Result<(), Clean>> {
    let settings = section.of_context(cluster.context.as_str())?;
    let api = match client::Api::new(settings, section.deadline(), cluster).await {
        Ok(api) => api,
        Err(why) => return Some(Err(Clean::new(&why))),
    };
    Some(api.query(source::ALIVE, None).await.map(|_| ()).map_err(|fault| fault.why().clone()))
}

/// The link to the Prometheus of `cluster`'s context; `None` = none is configured for it.
pub fn link(section: &PrometheusSection, cluster: &Arc<Cluster>, timings: Timings) -> Option<LinkTask> {
    let settings = section.of_context(cluster.context.as_str())?.clone();
    let id = LinkId::new(&cluster.context, LINK);
    let (section, cluster) = (Arc::new(section.clone()), cluster.clone());
    Some(LinkTask {
        id: id.clone(),
        start: Box::new(move |to, wants| {
            let source = source::Source {
                settings: settings.clone(),
                section: section.clone(),
                cluster: cluster.clone(),
                id: id.clone(),
                timings,
            };
            Box::pin(source.run(to, wants.interest, wants.judgement))
        }),
    })
}
