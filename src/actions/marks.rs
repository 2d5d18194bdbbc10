//! Marks on a revision: not to be promoted, and taking that back.

use super::{Consequence, version_of};
use crate::domain::intent::Params;
use crate::domain::sight::Sight;
use crate::domain::text::Clean;

/// The revision meant: the one named, else the one in flight. While none is chosen yet, whether any can be is asked of all.
fn meant<'a>(sight: &'a Sight<'_>, params: &'a Params) -> &'a Clean {
    match params {
        Params::Revision { hash, .. } => hash,
        _ => &sight.rollout.pod_hash,
    }
}

pub(super) fn forbid_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    if *params == Params::None && !sight.sets.is_empty() {
        let open = sight.sets.iter().any(|set| set.do_not_promote.is_none());
        return if open { Ok(()) } else { Err("every revision is marked already".to_owned()) };
    }
    match sight.set(meant(sight, params)) {
        None => Err("that revision's ReplicaSet is not there".to_owned()),
        Some(set) if set.do_not_promote.is_some() => Err("it is marked already".to_owned()),
        Some(_) => Ok(()),
    }
}

pub(super) fn forbid_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let version = version_of(sight, meant(sight, params));
    Consequence::new(
        format!("{version} is not to be promoted, until someone takes that back; its traffic stays as it is"),
        format!("forbid {version}"),
    )
}

pub(super) fn allow_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    if *params == Params::None && !sight.sets.is_empty() {
        let marked = sight.sets.iter().any(|set| set.do_not_promote.is_some());
        return if marked { Ok(()) } else { Err("no revision is marked".to_owned()) };
    }
    match sight.set(meant(sight, params)) {
        None => Err("that revision's ReplicaSet is not there".to_owned()),
        Some(set) if set.do_not_promote.is_none() => Err("it is not marked".to_owned()),
        Some(_) => Ok(()),
    }
}

pub(super) fn allow_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let hash = meant(sight, params);
    let version = version_of(sight, hash);
    let said = sight.set(hash).and_then(|set| set.do_not_promote.clone()).unwrap_or_default();
    Consequence::new(format!("{version} may be promoted again (it was marked: {said})"), format!("allow {version}"))
}
