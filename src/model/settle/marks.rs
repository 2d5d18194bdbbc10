//! Effects of acts on a ReplicaSet's annotations: seen on the ReplicaSet itself.

use super::{Written, done, newer, superseded, version};
use crate::domain::intent::{ActionId, Intent, Params};
use crate::domain::outcome::Outcome;
use crate::domain::sight::Sight;

pub(super) fn settle(intent: &Intent, written: Written<'_>, sight: &Sight<'_>) -> Option<Outcome> {
    let (Params::Hold { hash, .. } | Params::Revision { hash, .. }) = &intent.params else { return None };
    let Some(set) = sight.set(hash) else {
        return Some(superseded("that revision's ReplicaSet is gone"));
    };
    let fresh = match written {
        Written::Version(made) => !newer(made, set.resource_version.as_str()),
        Written::After(before) => newer(set.resource_version.as_str(), before),
    };
    if !fresh {
        return None;
    }
    let name = version(sight, hash);
    match (intent.action, &intent.params) {
        (ActionId::Hold, Params::Hold { until, .. }) => {
            if set.desired == 0 {
                return Some(Outcome::NoEffect { why: format!("{name} was scaled down all the same") });
            }
            (set.scale_down_deadline? >= *until).then(|| done(format!("{name} stays up until {until}")))
        }
        (ActionId::Forbid, _) => set.do_not_promote.is_some().then(|| done(format!("{name} is marked"))),
        (ActionId::Allow, _) => set.do_not_promote.is_none().then(|| done(format!("{name} is not marked any more"))),
        _ => None,
    }
}
