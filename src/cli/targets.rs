//! Which targets a verb is about: by name, by label, by words.

use std::sync::Arc;

use jiff::Timestamp;

use super::selector::Selector;
use super::setup::incomplete;
use crate::domain::nearest::nearest;
use crate::error::{Error, Kind};
use crate::model::filter::Filter;
use crate::model::{Target, World, query};

/// The targets that a selector leaves.
pub(super) fn chosen<'a>(
    world: &'a World,
    selector: Option<&'a Selector>,
) -> impl Iterator<Item = &'a Arc<Target>> + use<'a> {
    world.targets.values().filter(move |t| selector.is_none_or(|s| s.fits(&t.rollout.labels)))
}

/// The targets that a selector and a filter leave.
pub(super) fn asked<'a>(
    world: &'a World,
    selector: Option<&'a Selector>,
    filter: Option<&'a Filter>,
    now: Timestamp,
) -> impl Iterator<Item = &'a Arc<Target>> + use<'a> {
    chosen(world, selector).filter(move |target| filter.is_none_or(|filter| filter.matches(target, now)))
}

/// Whether NAME or NAMESPACE/NAME means this target.
pub(super) fn names(target: &Target, wanted: &str) -> bool {
    match wanted.split_once('/') {
        Some((namespace, name)) => target.id().namespace == namespace && target.id().name == name,
        None => target.id().name == wanted,
    }
}

/// The one target that is meant.
pub(super) fn find(world: &World, wanted: &str) -> Result<Arc<Target>, Error> {
    let mut found = world.targets.values().filter(|t| names(t, wanted));
    match (found.next(), found.next()) {
        (Some(target), None) => Ok(target.clone()),
        (Some(_), Some(_)) => {
            let all: Vec<String> =
                world.targets.values().filter(|t| names(t, wanted)).map(|t| t.id().to_string()).collect();
            Err(Error::new(Kind::Usage, format!("{wanted:?} names several targets: {}", all.join(", ")))
                .hint("write NAMESPACE/NAME, or give --namespace"))
        }
        (None, _) if query::complete(world) => {
            let similar: Vec<String> = world
                .targets
                .keys()
                .filter(|id| id.to_string().contains(wanted) || wanted.contains(id.name.as_str()))
                .take(3)
                .map(ToString::to_string)
                .collect();
            let names: Vec<String> = world.targets.keys().map(ToString::to_string).collect();
            let near = nearest(wanted, names.iter().map(String::as_str));
            let near = near.or_else(|| nearest(wanted, world.targets.keys().map(|id| id.name.as_str())));
            let hint = match (similar.as_slice(), near) {
                ([], None) => "`flightdeck status` lists what is there".to_owned(),
                ([], Some(near)) => format!("did you mean {near}?"),
                (similar, _) => format!("did you mean {}?", similar.join(" or ")),
            };
            Err(Error::new(Kind::NotFound, format!("no rollout {wanted:?}")).hint(hint))
        }
        (None, _) => {
            Err(incomplete(world).unwrap_or_else(|| Error::new(Kind::NotFound, format!("no rollout {wanted:?}"))))
        }
    }
}
