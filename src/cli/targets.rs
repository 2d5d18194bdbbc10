//! Which targets a verb is about: by name, by label, by words.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::selector::Selector;
use super::setup::incomplete;
use crate::domain::nearest::nearest;
use crate::error::{Error, Kind};
use crate::model::filter::Filter;
use crate::model::{Target, World, query};

const BY_NAMESPACE: &str = "write NAMESPACE/NAME, or give --namespace";

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

/// Whether NAME, NAMESPACE/NAME or CONTEXT/NAMESPACE/NAME means this target. A context's own name may have a `/` in it.
pub(super) fn names(target: &Target, wanted: &str) -> bool {
    let id = target.id();
    let whole = || wanted.strip_prefix(target.context.as_str())?.strip_prefix('/');
    match wanted.split_once('/') {
        Some((namespace, name)) if id.namespace == namespace && id.name == name => true,
        Some(_) => whole().is_some_and(|rest| rest == id.to_string()),
        None => id.name == wanted,
    }
}

/// The one target that is meant.
pub(super) fn find(world: &World, wanted: &str) -> Result<Arc<Target>, Error> {
    let mut found = world.targets.values().filter(|t| names(t, wanted));
    match (found.next(), found.next()) {
        (Some(target), None) => Ok(target.clone()),
        (Some(_), Some(_)) => {
            let all: Vec<&Arc<Target>> = world.targets.values().filter(|t| names(t, wanted)).collect();
            let contexts = all.iter().any(|t| t.context != all[0].context);
            let word =
                |t: &&Arc<Target>| if contexts { format!("{}/{}", t.context, t.id()) } else { t.id().to_string() };
            let hint = if contexts { "write CONTEXT/NAMESPACE/NAME, or give --context" } else { BY_NAMESPACE };
            let all = all.iter().map(word).collect::<Vec<_>>().join(", ");
            Err(Error::new(Kind::Usage, format!("{wanted:?} names several targets: {all}")).hint(hint))
        }
        (None, _) if query::complete(world) => {
            if let Some(context) = other_context(world, wanted) {
                return Err(Error::new(Kind::NotFound, format!("no rollout {wanted:?}")).hint(context));
            }
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

/// What to do where CONTEXT/NAMESPACE/NAME has a context that is not connected.
fn other_context(world: &World, wanted: &str) -> Option<String> {
    let (rest, _name) = wanted.rsplit_once('/')?;
    let (context, _namespace) = rest.rsplit_once('/')?;
    let known: BTreeSet<&str> = world.links.keys().map(|link| link.context.as_str()).collect();
    (!known.contains(context)).then(|| {
        let known: Vec<&str> = known.into_iter().collect();
        format!(
            "{context} is not among the contexts that are connected ({}): give --context {context}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::environment::Environment;
    use crate::domain::fixture;
    use crate::domain::link::LinkId;

    fn world(contexts: &[&str]) -> World {
        let mut world = World::default();
        for context in contexts {
            let mut rollout = fixture::paused();
            rollout.id.cluster = crate::domain::ids::ClusterId((*context).into());
            let target = Target {
                context: (*context).into(),
                environment: Environment::unknown(),
                sets: Vec::default(),
                pods: None,
                signals: None,
                runs: None,
                experiments: None,
                events: None,
                managers: None,
                link: LinkId::new(&(*context).into(), "rollouts"),
                changed: Timestamp::UNIX_EPOCH,
                rollout: Arc::new(rollout),
            };
            world.targets.insert(target.id().clone(), Arc::new(target));
        }
        world
    }

    #[test]
    fn a_name_may_have_its_namespace_and_its_context() {
        let one = world(&["arn:eks/prod"]);
        for said in ["payments", "shop/payments", "arn:eks/prod/shop/payments"] {
            assert!(find(&one, said).is_ok(), "{said}");
        }
        for said in ["shop", "eks/prod/shop/payments", "other/shop/payments", "/shop/payments", "arn:eks/prod"] {
            assert!(!one.targets.values().any(|t| names(t, said)), "{said}");
        }
        let two = world(&["eu", "us"]);
        let error = find(&two, "shop/payments").expect_err("two").to_string();
        assert!(error.contains("eu/shop/payments, us/shop/payments") && error.contains("CONTEXT/"), "{error}");
        assert_eq!(find(&two, "us/shop/payments").expect("one").context, "us");
    }
}
