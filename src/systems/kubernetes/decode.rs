//! Wire → domain: ReplicaSets and Pods, reading only what is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::seen::Seen;
use super::watch::Malformed;
use crate::domain::rollout;
use crate::domain::text::Clean;
use crate::domain::workload::{DO_NOT_PROMOTE, Pod, ReplicaSet};

/// Label with the hash of a rollout's pod template.
pub const POD_HASH: &str = "rollouts-pod-template-hash";

/// Annotation with the revision number.
pub const REVISION: &str = "rollout.argoproj.io/revision";

/// Annotation with the generation of what a `workloadRef` names.
const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";

/// Annotation by which Argo CD knows what it owns.
const ARGO_CD: &str = "argocd.argoproj.io/tracking-id";

/// Annotation by which Helm knows what it owns.
const HELM_RELEASE: &str = "meta.helm.sh/release-name";

/// Annotation with the time at which the controller scales a ReplicaSet down.
pub const SCALE_DOWN: &str = "scale-down-deadline";

/// What every object has.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// Its name.
    pub name: Clean,
    /// Its namespace.
    pub namespace: Clean,
    /// Its uid.
    pub uid: Clean,
    /// Its version.
    pub resource_version: Clean,
    /// Its generation.
    pub generation: i64,
    /// When it was made.
    pub creation_timestamp: Option<Clean>,
    /// When it was asked to go.
    pub deletion_timestamp: Option<Clean>,
    /// Its labels.
    pub labels: Option<BTreeMap<Clean, Clean>>,
    /// Its annotations; only ours are kept.
    #[serde(deserialize_with = "annotations")]
    pub annotations: Annotations,
    owner_references: Option<Vec<Owner>>,
}

/// The annotations that mean something here.
#[derive(Default)]
pub struct Annotations {
    /// The revision number.
    pub revision: Option<i64>,
    /// The generation of what a `workloadRef` names, as the controller read it.
    pub workload_generation: Option<i64>,
    /// Argo CD's mark: `<application>:<group>/<kind>:<namespace>/<name>`.
    pub argo_cd: Option<Clean>,
    /// Helm's release.
    pub helm_release: Option<Clean>,
    scale_down: Option<Timestamp>,
    do_not_promote: Option<Clean>,
}

/// Reads these annotations and skips the others, some of which hold a whole manifest.
fn annotations<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Annotations, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Annotations;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map of strings")
        }
        fn visit_unit<E>(self) -> Result<Annotations, E> {
            Ok(Annotations::default())
        }
        fn visit_none<E>(self) -> Result<Annotations, E> {
            Ok(Annotations::default())
        }
        fn visit_some<D: serde::Deserializer<'de>>(self, d: D) -> Result<Annotations, D::Error> {
            d.deserialize_map(self)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
            let mut found = Annotations::default();
            while let Some(key) = map.next_key::<Seen<'de>>()? {
                match key.as_str() {
                    REVISION => found.revision = map.next_value::<Seen<'de>>()?.as_str().parse().ok(),
                    SCALE_DOWN => found.scale_down = map.next_value::<Seen<'de>>()?.as_str().parse().ok(),
                    DO_NOT_PROMOTE => found.do_not_promote = Some(map.next_value()?),
                    WORKLOAD_GENERATION => {
                        found.workload_generation = map.next_value::<Seen<'de>>()?.as_str().parse().ok();
                    }
                    ARGO_CD => found.argo_cd = Some(map.next_value()?),
                    HELM_RELEASE => found.helm_release = Some(map.next_value()?),
                    _ => {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
            }
            Ok(found)
        }
    }
    deserializer.deserialize_option(Visitor)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    kind: Clean,
    uid: Clean,
    controller: Option<bool>,
}

impl Meta {
    /// The uid of the controlling owner of this kind.
    pub fn controller(&self, kind: &str) -> Option<Clean> {
        self.owner_references
            .as_ref()?
            .iter()
            .find(|o| o.controller == Some(true) && o.kind == kind)
            .map(|o| o.uid.clone())
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.creation_timestamp.as_ref().and_then(|t| t.as_str().parse().ok())
    }

    /// A label, or nothing.
    pub fn label(&self, key: &str) -> Clean {
        let found = self.labels.as_ref().and_then(|l| l.iter().find(|(k, _)| k.as_str() == key));
        found.map(|(_, v)| v.clone()).unwrap_or_default()
    }
}

/// Names an object that does not decode, as well as it can be named.
pub fn malformed(raw: &str, error: &serde_json::Error) -> Malformed {
    #[derive(Deserialize)]
    struct Named {
        metadata: Name,
    }
    #[derive(Deserialize)]
    struct Name {
        #[serde(default)]
        name: serde_json::Value,
        #[serde(default)]
        namespace: serde_json::Value,
    }
    let object = match serde_json::from_str::<Named>(raw) {
        Ok(Named { metadata: Name { name, namespace } }) => {
            let say = |v: &serde_json::Value| v.as_str().map_or_else(|| "?".to_owned(), ToOwned::to_owned);
            format!("{}/{}", say(&namespace), say(&name))
        }
        Err(_) => "an object without a name".to_owned(),
    };
    Malformed { object: Clean::new(&object), why: Clean::new(&error.to_string()) }
}

#[derive(Deserialize)]
struct WireSet {
    metadata: Meta,
    #[serde(default)]
    spec: Option<SetSpec>,
    #[serde(default)]
    status: Option<SetStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SetSpec {
    replicas: Option<i64>,
    template: Option<Template>,
}

/// A pod template, as far as its images.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Template {
    spec: Option<PodSpec>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Option<Vec<Container>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    name: Option<Clean>,
    image: Option<Clean>,
}

impl Template {
    /// Its containers, in order.
    pub fn containers(self) -> Vec<rollout::Container> {
        let containers = self.spec.and_then(|s| s.containers).unwrap_or_default();
        let named =
            |c: Container| rollout::Container { name: c.name.unwrap_or_default(), image: c.image.unwrap_or_default() };
        tight(containers.into_iter().map(named).collect())
    }

    /// The images of its containers, in order.
    pub fn images(self) -> Vec<Clean> {
        let containers = self.spec.and_then(|s| s.containers).unwrap_or_default();
        tight(containers.into_iter().map(|c| c.image.unwrap_or_default()).collect())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SetStatus {
    replicas: Option<i64>,
    ready_replicas: Option<i64>,
    available_replicas: Option<i64>,
}

/// Without the room that a decoder leaves for more: there are thousands of these, and they do not grow.
pub fn tight<T>(mut all: Vec<T>) -> Vec<T> {
    all.shrink_to_fit();
    all
}

/// Decodes a ReplicaSet; those that no Rollout controls are not ours.
pub fn replica_set(raw: &str) -> Result<Option<ReplicaSet>, Malformed> {
    let wire: WireSet = serde_json::from_str(raw).map_err(|e| malformed(raw, &e))?;
    let Some(owner_uid) = wire.metadata.controller("Rollout") else { return Ok(None) };
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    Ok(Some(ReplicaSet {
        owner_uid,
        pod_hash: wire.metadata.label(POD_HASH),
        revision: wire.metadata.annotations.revision,
        created: wire.metadata.created(),
        scale_down_deadline: wire.metadata.annotations.scale_down,
        do_not_promote: wire.metadata.annotations.do_not_promote.clone(),
        images: spec.template.map(Template::images).unwrap_or_default(),
        desired: spec.replicas.unwrap_or(1),
        current: status.replicas.unwrap_or(0),
        ready: status.ready_replicas.unwrap_or(0),
        available: status.available_replicas.unwrap_or(0),
        namespace: wire.metadata.namespace,
        name: wire.metadata.name,
        uid: wire.metadata.uid,
        resource_version: wire.metadata.resource_version,
    }))
}

#[derive(Deserialize)]
struct WirePod {
    metadata: Meta,
    #[serde(default)]
    spec: Option<PodSpec>,
    #[serde(default)]
    status: Option<PodStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: Option<Clean>,
    reason: Option<Clean>,
    container_statuses: Option<Vec<ContainerStatus>>,
    init_container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    ready: bool,
    restart_count: u64,
    state: Option<ContainerState>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Reason>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    reason: Option<Clean>,
    exit_code: i64,
    signal: Option<i64>,
}

/// Decodes a Pod; its status is what `kubectl get pods` prints.
pub fn pod(raw: &str) -> Result<Option<Pod>, Malformed> {
    let wire: WirePod = serde_json::from_str(raw).map_err(|e| malformed(raw, &e))?;
    let status = wire.status.unwrap_or_default();
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let init = status.init_container_statuses.as_deref().unwrap_or_default();
    let word = pod_word(&wire.metadata, &status);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let declared = wire.spec.and_then(|s| s.containers).map_or(0, |c| c.len());
    Ok(Some(Pod {
        pod_hash: wire.metadata.label(POD_HASH),
        created: wire.metadata.created(),
        status: word,
        ready: count(containers.iter().filter(|c| c.ready).count()),
        containers: count(declared.max(containers.len())),
        restarts: init.iter().chain(containers).map(|c| c.restart_count).sum(),
        namespace: wire.metadata.namespace,
        name: wire.metadata.name,
        uid: wire.metadata.uid,
    }))
}

fn pod_word(meta: &Meta, status: &PodStatus) -> Clean {
    let phase = status.phase.clone().unwrap_or_else(|| "Unknown".into());
    let mut word = status.reason.clone().filter(|r| !r.is_empty()).unwrap_or(phase);
    let init = status.init_container_statuses.as_deref().unwrap_or_default();
    let busy_init = init.iter().enumerate().find_map(|(n, c)| init_word(n, init.len(), c));
    if let Some(init) = busy_init {
        word = init;
    } else {
        for container in status.container_statuses.as_deref().unwrap_or_default().iter().rev() {
            if let Some(said) = container.state.as_ref().and_then(state_word) {
                word = said;
            }
        }
    }
    if meta.deletion_timestamp.is_some() {
        return if status.reason.as_ref().is_some_and(|r| *r == "NodeLost") { "Unknown" } else { "Terminating" }.into();
    }
    word
}

fn state_word(state: &ContainerState) -> Option<Clean> {
    if let Some(reason) = state.waiting.as_ref().and_then(|w| w.reason.clone()).filter(|r| !r.is_empty()) {
        return Some(reason);
    }
    state.terminated.as_ref().map(terminated_word)
}

fn terminated_word(terminated: &Terminated) -> Clean {
    match (&terminated.reason, terminated.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.clone(),
        (_, Some(signal)) if signal != 0 => Clean::new(&format!("Signal:{signal}")),
        _ => Clean::new(&format!("ExitCode:{}", terminated.exit_code)),
    }
}

fn init_word(n: usize, of: usize, container: &ContainerStatus) -> Option<Clean> {
    let state = container.state.as_ref();
    if let Some(terminated) = state.and_then(|s| s.terminated.as_ref()) {
        return (terminated.exit_code != 0).then(|| Clean::new(&format!("Init:{}", terminated_word(terminated))));
    }
    let waiting = state.and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.clone());
    match waiting {
        Some(reason) if !reason.is_empty() && reason != "PodInitializing" => {
            Some(Clean::new(&format!("Init:{reason}")))
        }
        _ if container.ready => None,
        _ => Some(Clean::new(&format!("Init:{n}/{of}"))),
    }
}
