//! Who else writes a rollout's spec: the system that keeps it equal to Git.

use std::fmt;

use serde::Serialize;

use super::text::Clean;

/// The owner, as labels and annotations name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "owner", rename_all = "kebab-case")]
pub enum GitOwner {
    /// Annotation `argocd.argoproj.io/tracking-id` names an Argo CD application.
    ArgoCd {
        /// The application.
        application: Clean,
    },
    /// Label `app.kubernetes.io/instance` or `argocd.argoproj.io/instance`: Argo CD's older way to mark what it owns, which
    /// Helm charts use too.
    PerhapsArgoCd {
        /// What the label says.
        instance: Clean,
    },
    /// Labels of Flux (`kustomize.toolkit.fluxcd.io/name`, `helm.toolkit.fluxcd.io/name`).
    Flux {
        /// The Kustomization or HelmRelease.
        name: Clean,
    },
    /// Label `app.kubernetes.io/managed-by: Helm`.
    Helm {
        /// Annotation `meta.helm.sh/release-name`.
        release: Clean,
    },
    /// Nothing names an owner. A pipeline may still apply it again.
    #[default]
    Unknown,
}

impl GitOwner {
    /// Whether it is certain that something puts the spec of Git back.
    pub const fn certain(&self) -> bool {
        matches!(self, Self::ArgoCd { .. } | Self::Flux { .. })
    }
}

impl fmt::Display for GitOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgoCd { application } => write!(f, "Argo CD application {application}"),
            Self::PerhapsArgoCd { instance } => write!(f, "perhaps Argo CD or Helm ({instance})"),
            Self::Flux { name } => write!(f, "Flux ({name})"),
            Self::Helm { release } => write!(f, "Helm release {release}"),
            Self::Unknown => f.write_str("unknown owner"),
        }
    }
}
