//! The revisions of a rollout: its ReplicaSets with their templates, and how two of them differ.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use similar::{ChangeTag, TextDiff};

use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::effects::look::{DiffKind, DiffLine, Revision, RevisionName, TemplateDiff};
use crate::systems::kubernetes::call;
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::{POD_HASH, replica_set};
use crate::systems::kubernetes::watch::encode;
use crate::systems::kubernetes::yaml;

/// The former numbers of a revision that came back.
const FORMER: &str = "rollout.argoproj.io/revision-history";

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The most lines of a diff.
const DIFF_LINES: usize = 5_000;

/// One revision, with the whole object.
pub(super) struct One {
    pub(super) revision: Revision,
    pub(super) object: Value,
}

/// A rollout and all revisions that still have a ReplicaSet, newest first.
pub(super) struct Found {
    rollout: Rollout,
    pub(super) all: Vec<One>,
}

/// Reads them.
pub(super) async fn find(cluster: &Cluster, rollout: Rollout) -> Result<Found, String> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, default)]
        items: Vec<&'a RawValue>,
    }
    let mut path = format!("/apis/apps/v1/namespaces/{}/replicasets", rollout.id.namespace);
    if !rollout.selector.is_empty() {
        path.push_str("?labelSelector=");
        path.push_str(&encode(rollout.selector.as_str()));
    }
    let body = call::get(cluster.client(), &path, READ_DEADLINE).await.map_err(|e| format!("ReplicaSets: {e}"))?;
    let list: List<'_> = serde_json::from_slice(&body).map_err(|e| format!("ReplicaSets: not a list: {e}"))?;
    let mut all = Vec::new();
    for item in list.items {
        // One that cannot be read is a warning of the watch, not a reason to see none.
        let Ok(Some(set)) = replica_set(item.get()) else { continue };
        if set.owner_uid != rollout.uid {
            continue;
        }
        let object: Value = serde_json::from_str(item.get()).map_err(|e| format!("{}: {e}", set.name))?;
        let former = object["metadata"]["annotations"][FORMER].as_str().unwrap_or_default();
        let former = former.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        all.push(One { revision: Revision { set, former }, object });
    }
    all.sort_by(|a, b| {
        let (a, b) = (&a.revision.set, &b.revision.set);
        b.revision.cmp(&a.revision).then_with(|| a.name.cmp(&b.name))
    });
    Ok(Found { rollout, all })
}

impl Found {
    /// The revision called `name`: its number, its hash, or the beginning of its hash where only one begins so.
    pub(super) fn pick(&self, name: &RevisionName) -> Result<&One, String> {
        let fits = |one: &&One| match name {
            RevisionName::Number(number) => one.revision.set.revision == Some(*number),
            RevisionName::Hash(hash) => {
                !hash.is_empty() && one.revision.set.pod_hash.as_str().starts_with(hash.as_str())
            }
        };
        // A hash may be all digits.
        let whole = |one: &&One| match name {
            RevisionName::Number(number) => one.revision.set.pod_hash.as_str() == number.to_string(),
            RevisionName::Hash(hash) => one.revision.set.pod_hash == *hash,
        };
        if let Some(one) = self.all.iter().find(whole) {
            return Ok(one);
        }
        let asked = match name {
            RevisionName::Number(number) => number.to_string(),
            RevisionName::Hash(hash) => hash.to_string(),
        };
        let mut found = self.all.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(format!("`{asked}` begins more than one revision's hash; {}", self.known())),
            (None, _) => {
                let back = self
                    .all
                    .iter()
                    .find(|one| matches!(name, RevisionName::Number(n) if one.revision.former.contains(n)));
                let hint = back.map_or_else(String::new, |one| format!(" (it is {} now)", one.name()));
                Err(format!("no revision {asked} has a ReplicaSet{hint}; {}", self.known()))
            }
        }
    }

    /// The revision that the rollout asks for now.
    pub(super) fn current(&self) -> Result<&One, String> {
        let hash = &self.rollout.pod_hash;
        self.all
            .iter()
            .find(|one| !hash.is_empty() && one.revision.set.pod_hash == *hash)
            .ok_or_else(|| format!("the current revision has no ReplicaSet yet; {}", self.known()))
    }

    fn known(&self) -> String {
        let names: Vec<String> = self.all.iter().take(20).map(One::name).collect();
        if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", names.join(", ")) }
    }
}

impl One {
    fn name(&self) -> String {
        let set = &self.revision.set;
        match set.revision {
            Some(number) => format!("revision {number} ({})", set.pod_hash),
            None => format!("revision ? ({})", set.pod_hash),
        }
    }

    /// Its pod template without what only tells revisions apart.
    pub(super) fn template(&self) -> Value {
        let mut template = self.object["spec"]["template"].clone();
        if let Some(meta) = template.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("creationTimestamp");
            if let Some(labels) = meta.get_mut("labels").and_then(Value::as_object_mut) {
                labels.remove(POD_HASH);
            }
        }
        template
    }
}

/// How the templates differ.
pub(super) fn diff(from: &One, to: &One) -> Result<TemplateDiff, String> {
    let (old, new) = (yaml::text(&from.template())?, yaml::text(&to.template())?);
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(DiffLine { kind: DiffKind::Place, text: Clean::new(&hunk.header().to_string()) });
        for change in hunk.iter_changes() {
            let kind = match change.tag() {
                ChangeTag::Equal => DiffKind::Same,
                ChangeTag::Delete => DiffKind::Removed,
                ChangeTag::Insert => DiffKind::Added,
            };
            lines.push(DiffLine { kind, text: Clean::new(change.value().trim_end_matches(['\n', '\r'])) });
        }
        if lines.len() > DIFF_LINES {
            lines.truncate(DIFF_LINES);
            lines.push(DiffLine { kind: DiffKind::Place, text: "… the rest is not shown".into() });
            break;
        }
    }
    Ok(TemplateDiff { from: Clean::new(&from.name()), to: Clean::new(&to.name()), lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(number: i64, hash: &str, image: &str, former: &[i64]) -> One {
        let object = json!({"metadata": {"name": format!("web-{hash}"), "namespace": "shop", "uid": hash,
                "labels": {POD_HASH: hash}, "annotations": {"rollout.argoproj.io/revision": number.to_string()},
                "ownerReferences": [{"kind": "Rollout", "uid": "u", "controller": true}]},
            "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "web", POD_HASH: hash}},
                "spec": {"containers": [{"name": "app", "image": image, "args": ["a\nb"]}]}}}});
        let set = replica_set(&object.to_string()).expect("decodes").expect("is ours");
        One { revision: Revision { set, former: former.to_vec() }, object }
    }

    #[test]
    fn only_what_differs_is_shown_and_the_hash_is_no_difference() {
        let (a, b) = (one(6, "aaa", "web:1", &[]), one(7, "bbb", "web:2", &[]));
        let diff = super::diff(&a, &b).expect("a diff");
        assert_eq!((diff.from.as_str(), diff.to.as_str()), ("revision 6 (aaa)", "revision 7 (bbb)"));
        let of =
            |kind| diff.lines.iter().filter(|l| l.kind == kind).map(|l| l.text.as_str().trim()).collect::<Vec<_>>();
        assert_eq!(of(DiffKind::Removed), ["image: web:1"]);
        assert_eq!(of(DiffKind::Added), ["image: web:2"]);
        assert_eq!(of(DiffKind::Place).len(), 1);
        assert!(super::diff(&a, &one(8, "ccc", "web:1", &[])).expect("a diff").lines.is_empty());
    }

    #[test]
    fn a_revision_is_found_by_number_by_hash_and_by_its_beginning() {
        let rollout = crate::domain::fixture::paused();
        let found = Found {
            rollout,
            all: vec![one(9, "abc1", "x", &[3, 5]), one(8, "abd2", "x", &[]), one(7, "12345", "x", &[])],
        };
        let name = |text: &str| found.pick(&RevisionName::parse(text)).map(One::name);
        assert_eq!(name("9").as_deref(), Ok("revision 9 (abc1)"));
        assert_eq!(name("abd").as_deref(), Ok("revision 8 (abd2)"));
        assert_eq!(name("12345").as_deref(), Ok("revision 7 (12345)"), "a hash of digits");
        assert!(name("ab").expect_err("ambiguous").contains("more than one"));
        assert!(name("5").expect_err("gone").contains("it is revision 9 (abc1) now"));
        assert!(name("").is_err());
    }
}
