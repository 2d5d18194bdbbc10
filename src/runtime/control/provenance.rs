//! What every record carries besides the act: who, how that is known, and under which policy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::domain::environment::EnvironmentRules;
use crate::domain::intent::Actor;
use crate::domain::record::{ActorRecord, KubeIdentity};
use crate::domain::text::Clean;
use crate::policy::Mandate;
use crate::runtime::settings::Settings;

/// Who this process is to each cluster, by kube context, as far as it was asked. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Identities(Arc<Mutex<BTreeMap<Clean, KubeIdentity>>>);

impl Identities {
    /// What the API server behind `context` said.
    pub fn learn(&self, context: Clean, identity: KubeIdentity) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(context, identity);
    }

    /// Who this is behind `context`, if it is known.
    pub fn of(&self, context: &Clean) -> Option<KubeIdentity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(context).cloned()
    }
}

/// How records are marked and told.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The number of the process's user.
    pub os_uid: Option<u32>,
    /// Where the operating system's user name is from, e.g. `the variable USER`.
    pub os_user_from: Option<String>,
    /// Who this is to each cluster.
    pub identities: Identities,
    /// Whether clusters are told of acts and of the log's head, and in which namespace.
    pub witness: Option<WitnessSettings>,
}

/// How a cluster is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WitnessSettings {
    /// The namespace of the `ConfigMap`; `None` = the target's own.
    pub namespace: Option<String>,
    /// The same for contexts in which it is another.
    pub by_context: BTreeMap<Clean, Option<String>>,
}

/// What each record says of this process.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Provenance {
    settings: watch::Receiver<Arc<Settings>>,
    recording: Recording,
}

impl Provenance {
    pub(in crate::runtime) fn new(recording: Recording, settings: watch::Receiver<Arc<Settings>>) -> Self {
        Self { settings, recording }
    }

    /// The same of a process whose settings never change.
    #[cfg(test)]
    pub(super) fn fixed(recording: Recording, mandate: &Mandate) -> Self {
        let settings = Settings::of(mandate.clone(), EnvironmentRules::default());
        Self::new(recording, watch::channel(Arc::new(settings)).1)
    }

    /// The policy in force.
    pub(super) fn policy(&self) -> String {
        self.settings.borrow().policy()
    }

    /// Whether nothing goes without a durable record in this context.
    pub(super) fn required(&self, context: &Clean) -> bool {
        self.settings.borrow().mandate.at(context).audit_required
    }

    /// Who acts behind `context`, and how each part of that is known.
    pub(super) fn actor(&self, actor: &Actor, context: &Clean) -> ActorRecord {
        let identity = self.recording.identities.of(context);
        let kube_user = actor.kube_user.clone().or_else(|| identity.as_ref().map(|i| i.name.clone()));
        let mut proof = BTreeMap::new();
        let mut put = |key: &str, how: String| proof.insert(key.to_owned(), how);
        if let Some(from) = &self.recording.os_user_from {
            put("osUser", format!("{from}; a claim"));
        }
        if self.recording.os_uid.is_some() {
            put("osUid", "the kernel".to_owned());
        }
        if kube_user.is_some() {
            put("kubeUser", "SelfSubjectReview".to_owned());
        }
        ActorRecord {
            os_user: actor.os_user.to_string(),
            os_uid: self.recording.os_uid,
            kube_user: kube_user.map(|user| user.to_string()),
            kube_groups: identity.map(|i| i.groups.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            proof,
            face: actor.face.to_owned(),
        }
    }
}

/// The policy in force: the beginning of the SHA-256 over mandate and environment rules, as JSON.
pub(in crate::runtime) fn policy_mark(mandate: &Mandate, environments: &EnvironmentRules) -> String {
    #[derive(Serialize)]
    struct Policy<'a> {
        mandate: &'a Mandate,
        environments: &'a EnvironmentRules,
    }
    // Sorted keys: the order of fields in the source is no part of the policy.
    let mut policy = serde_json::to_value(Policy { mandate, environments }).unwrap_or_default();
    policy.sort_all_objects();
    let policy = policy.to_string();
    Sha256::digest(policy.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::environment::{Environment, EnvironmentRule};

    #[test]
    fn another_policy_has_another_mark() {
        let rules = |name: &str| {
            EnvironmentRules(vec![EnvironmentRule {
                environment: Environment { name: name.into(), ..Environment::unknown() },
                context: None,
                namespace: Some("*".to_owned()),
                label: None,
            }])
        };
        let plain = policy_mark(&Mandate::default(), &rules("a"));
        assert_eq!(plain.len(), 16);
        assert_eq!(plain, policy_mark(&Mandate::default(), &rules("a")));
        assert_ne!(plain, policy_mark(&Mandate::default(), &rules("b")));
        assert_ne!(plain, policy_mark(&Mandate { audit_required: true, ..Mandate::default() }, &rules("a")));
    }

    #[test]
    fn who_acts_is_said_with_how_it_is_known_for_each_cluster() {
        let recording = Recording {
            os_uid: Some(1000),
            os_user_from: Some("the variable USER".to_owned()),
            ..Recording::default()
        };
        let identity = KubeIdentity { name: "anna@example".into(), groups: vec!["ops".into()] };
        recording.identities.learn("prod".into(), identity);
        let provenance = Provenance::fixed(recording, &Mandate::default());
        let actor = Actor { os_user: "anna".into(), kube_user: None, face: "tui" };
        let here = provenance.actor(&actor, &"prod".into());
        assert_eq!(
            (here.kube_user.as_deref(), here.kube_groups.as_slice()),
            (Some("anna@example"), &["ops".to_owned()][..])
        );
        assert_eq!(here.proof.keys().map(String::as_str).collect::<Vec<_>>(), ["kubeUser", "osUid", "osUser"]);
        let there = provenance.actor(&actor, &"other".into());
        assert_eq!((there.kube_user, there.os_uid, there.proof.contains_key("kubeUser")), (None, Some(1000), false));
    }
}
