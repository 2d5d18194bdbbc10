//! Which context shows which cluster, where several lead to the same one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::text::Clean;

/// How long a context waits for those that were named before it to say which cluster they lead to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shared by the contexts of one process.
pub struct Claims {
    state: watch::Sender<State>,
}

#[derive(Default)]
struct State {
    /// Cluster (or address) → the context that shows it, and its place.
    owner: BTreeMap<Clean, (usize, Clean)>,
    /// The places of the contexts that said, or failed to say, where they lead; the names that they said.
    heard: BTreeMap<usize, Vec<Clean>>,
}

impl Default for Claims {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }
}

impl Claims {
    /// A context cannot say where it leads: nobody waits for it any longer.
    pub fn failed(&self, place: usize) {
        self.state.send_if_modified(|state| {
            let new = !state.heard.contains_key(&place);
            state.heard.entry(place).or_default();
            new
        });
    }

    /// Claims a cluster, known by these names, for a context. The one that was named first has it, if it answers
    /// soon. `Err` = the context that shows it.
    pub async fn claim(&self, names: &[Clean], place: usize, context: &Clean) -> Result<(), Clean> {
        self.state.send_modify(|state| drop(state.heard.insert(place, names.to_vec())));
        let mut changes = self.state.subscribe();
        // Who was heard and may still decide for itself is waited for too, or whoever runs first would have the cluster.
        let earlier = changes.wait_for(|state| {
            (0..place).all(|earlier| match state.heard.get(&earlier) {
                None => false,
                Some(said) => !shared(said, names) || said.iter().any(|name| state.owner.contains_key(name)),
            })
        });
        // Late is no reason to show nothing.
        let _ = tokio::time::timeout(PATIENCE, earlier).await;
        let mut shown_by = None;
        self.state.send_if_modified(|state| {
            shown_by = names.iter().filter_map(|name| state.owner.get(name)).find(|(by, _)| *by != place).cloned();
            if shown_by.is_none() {
                for name in names {
                    state.owner.insert(name.clone(), (place, context.clone()));
                }
            }
            shown_by.is_none()
        });
        shown_by.map_or(Ok(()), |(_, context)| Err(context))
    }
}

fn shared(one: &[Clean], other: &[Clean]) -> bool {
    one.iter().any(|name| other.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_context_that_was_named_first_has_the_cluster_unless_it_does_not_answer() {
        let claims = Claims::default();
        let (one, two): (Clean, Clean) = ("one".into(), "two".into());
        let (id, url): (Clean, Clean) = ("uid".into(), "url:x".into());
        let ids = [id.clone(), url.clone()];
        let (second, first) = tokio::join!(claims.claim(&ids, 1, &two), claims.claim(&ids, 0, &one));
        assert_eq!((first, second), (Ok(()), Err(one.clone())));
        assert_eq!(claims.claim(&ids, 0, &one).await, Ok(()), "asked again by its other links");
        assert_eq!(claims.claim(&["url:x".into()], 2, &"three".into()).await, Err(one.clone()), "known by its address");

        // The first was heard, and is not done: the second does not overtake it.
        let claims = Claims::default();
        let mut ahead = Box::pin(claims.claim(&ids, 1, &two));
        assert!(futures::poll!(&mut ahead).is_pending());
        claims.state.send_modify(|state| drop(state.heard.insert(0, ids.to_vec())));
        assert!(futures::poll!(&mut ahead).is_pending());
        assert_eq!(claims.claim(&ids, 0, &one).await, Ok(()));
        assert_eq!(ahead.await, Err(one.clone()));

        let claims = Claims::default();
        assert_eq!(claims.claim(&ids, 1, &two).await, Ok(()), "the first never answered");
        assert_eq!(claims.claim(&ids, 0, &"one".into()).await, Err(two));
    }
}
