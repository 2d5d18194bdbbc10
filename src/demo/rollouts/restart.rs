//! `spec.restartAt`: pods that are older are put out and come again, a few at a time.

use jiff::{SignedDuration, Timestamp};

use super::cx::Cx;
use super::weights;
use crate::demo::pods::is_ready;
use crate::demo::store::{Key, Kind, Store};

/// How soon pods are looked at again that could not be restarted yet.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Restarts what is due. How many pods were put out.
pub(super) fn pods(store: &mut Store, cx: &mut Cx) -> usize {
    let wanted = cx.ro["spec"]["restartAt"].clone();
    let at = wanted.as_str().and_then(|t| t.parse::<Timestamp>().ok());
    let Some(at) = at.filter(|_| cx.status()["restartedAt"] != wanted) else { return 0 };
    if at > cx.now {
        cx.wake_at(at);
        return 0;
    }
    let mut order: Vec<_> = cx.all().cloned().collect();
    order.sort_by_key(|set| (cx.stable.as_ref().is_none_or(|s| s.hash != set.hash), set.hash != cx.new.hash));
    let mut all: Vec<(Key, Timestamp, bool)> = Vec::new();
    for set in &order {
        let Ok(owner) = store.get(&set.key).cloned() else { continue };
        for (key, pod) in store.owned_by(&owner, Kind::Pod) {
            let made = pod["metadata"]["creationTimestamp"].as_str().and_then(|t| t.parse().ok()).unwrap_or(cx.now);
            all.push((key.clone(), made, is_ready(pod)));
        }
    }
    let available = all.iter().filter(|(_, _, ready)| *ready).count();
    let total: i64 = cx.all().map(|set| set.size).sum();
    let at_once = if cx.blue_green() { 1 } else { weights::unavailable(cx).max(1) };
    let least = cx.replicas().max(total) - at_once;
    let mut may = i64::try_from(available).unwrap_or(0) - least;
    let old: Vec<&Key> = all.iter().filter(|(_, made, _)| *made < at).map(|(key, _, _)| key).collect();
    let mut gone = 0;
    for key in &old {
        if may <= 0 {
            break;
        }
        if store.delete(key).is_ok() {
            may -= 1;
            gone += 1;
        }
    }
    if gone == old.len() {
        cx.restarted_at = wanted;
    } else {
        let again = cx.now + AGAIN;
        cx.wake_at(again);
    }
    // A pod that is ready again at once changes no count, so that nobody would look again.
    if gone > 0 {
        let soon = cx.now + SignedDuration::from_secs(1);
        cx.wake_at(soon);
    }
    gone
}
