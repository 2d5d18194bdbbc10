//! The kinds that the demo world has, and how each is written in paths and answers.

/// A kind of object. The order is that of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Namespace,
    Rollout,
    ReplicaSet,
    Pod,
    Deployment,
    Service,
    ConfigMap,
    AnalysisRun,
    AnalysisTemplate,
    ClusterAnalysisTemplate,
    Experiment,
    Application,
    Lease,
    Event,
}

/// The words for a kind.
struct Words {
    kind: Kind,
    word: &'static str,
    plural: &'static str,
    short: &'static str,
    group: &'static str,
    version: &'static str,
    namespaced: bool,
    /// Whether the status is written by a path of its own.
    status: bool,
}

const fn words(
    kind: Kind,
    word: &'static str,
    plural: &'static str,
    short: &'static str,
    group: &'static str,
    version: &'static str,
    (namespaced, status): (bool, bool),
) -> Words {
    Words { kind, word, plural, short, group, version, namespaced, status }
}

const ARGO: &str = "argoproj.io";
const ALPHA: &str = "v1alpha1";

const TABLE: &[Words] = &[
    words(Kind::Namespace, "Namespace", "namespaces", "ns", "", "v1", (false, true)),
    words(Kind::Rollout, "Rollout", "rollouts", "ro", ARGO, ALPHA, (true, true)),
    words(Kind::ReplicaSet, "ReplicaSet", "replicasets", "rs", "apps", "v1", (true, true)),
    words(Kind::Pod, "Pod", "pods", "po", "", "v1", (true, true)),
    words(Kind::Deployment, "Deployment", "deployments", "deploy", "apps", "v1", (true, true)),
    words(Kind::Service, "Service", "services", "svc", "", "v1", (true, true)),
    words(Kind::ConfigMap, "ConfigMap", "configmaps", "cm", "", "v1", (true, false)),
    words(Kind::AnalysisRun, "AnalysisRun", "analysisruns", "ar", ARGO, ALPHA, (true, false)),
    words(Kind::AnalysisTemplate, "AnalysisTemplate", "analysistemplates", "at", ARGO, ALPHA, (true, false)),
    words(
        Kind::ClusterAnalysisTemplate,
        "ClusterAnalysisTemplate",
        "clusteranalysistemplates",
        "cat",
        ARGO,
        ALPHA,
        (false, false),
    ),
    words(Kind::Experiment, "Experiment", "experiments", "exp", ARGO, ALPHA, (true, false)),
    words(Kind::Application, "Application", "applications", "app", ARGO, ALPHA, (true, false)),
    words(Kind::Lease, "Lease", "leases", "", "coordination.k8s.io", "v1", (true, false)),
    words(Kind::Event, "Event", "events", "ev", "", "v1", (true, false)),
];

/// The groups of the API with their version.
pub(super) const GROUPS: &[(&str, &str)] = &[("apps", "v1"), (ARGO, ALPHA), ("coordination.k8s.io", "v1")];

impl Kind {
    fn words(self) -> &'static Words {
        TABLE.iter().find(|w| w.kind == self).unwrap_or(&TABLE[0])
    }

    /// All kinds of one group and version.
    pub(super) fn of_group(group: &str, version: &str) -> impl Iterator<Item = Self> {
        TABLE.iter().filter(move |w| w.group == group && w.version == version).map(|w| w.kind)
    }

    pub(super) fn by_plural(group: &str, plural: &str) -> Option<Self> {
        TABLE.iter().find(|w| w.group == group && w.plural == plural).map(|w| w.kind)
    }

    pub(super) fn by_word(word: &str) -> Option<Self> {
        TABLE.iter().find(|w| w.word == word).map(|w| w.kind)
    }

    pub(super) fn plural(self) -> &'static str {
        self.words().plural
    }

    pub(super) fn short(self) -> &'static str {
        self.words().short
    }

    pub(super) fn group(self) -> &'static str {
        self.words().group
    }

    pub(super) fn api_version(self) -> &'static str {
        match self.words() {
            Words { group: "", .. } => "v1",
            Words { group: "apps", .. } => "apps/v1",
            Words { group: "coordination.k8s.io", .. } => "coordination.k8s.io/v1",
            _ => "argoproj.io/v1alpha1",
        }
    }

    pub(super) fn word(self) -> &'static str {
        self.words().word
    }

    pub(super) fn namespaced(self) -> bool {
        self.words().namespaced
    }

    /// Whether the status has a path of its own; where it has none, everything is written by the main path.
    pub(super) fn has_status(self) -> bool {
        self.words().status
    }

    /// Whether the kind is a custom resource: an update must then say which version it replaces.
    pub(super) fn custom(self) -> bool {
        self.words().group == ARGO
    }

    /// Whether the server counts generations.
    pub(super) fn counts_generations(self) -> bool {
        matches!(self, Self::ReplicaSet | Self::Deployment) || self.custom()
    }

    /// Whether who wrote what is kept. Pods and events would fill the memory with what nobody asks for.
    pub(super) fn keeps_managers(self) -> bool {
        !matches!(self, Self::Pod | Self::Event | Self::Namespace | Self::Lease)
    }
}
