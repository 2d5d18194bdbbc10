//! How many pods a weight means, and which weight is asked for.

use serde_json::Value;

use super::cx::{Cx, Set};

/// A number or a share of `of`, rounded up or down.
fn number_or_share(value: &Value, of: i64, up: bool, default: i64) -> i64 {
    let share = |percent: i64| if up { (of * percent + 99) / 100 } else { of * percent / 100 };
    match value {
        Value::Number(n) => n.as_i64().unwrap_or(0),
        Value::String(text) => match text.strip_suffix('%') {
            Some(percent) => share(percent.trim().parse().unwrap_or(0)),
            None => text.parse().unwrap_or(0),
        },
        _ => share(default),
    }
}

/// How many pods more than asked for may be there.
pub(super) fn surge(cx: &Cx) -> i64 {
    number_or_share(&cx.strategy()["maxSurge"], cx.replicas(), true, 25)
}

/// How many pods fewer than asked for may be available.
pub(super) fn unavailable(cx: &Cx) -> i64 {
    let most = number_or_share(&cx.strategy()["maxUnavailable"], cx.replicas(), false, 25);
    if most == 0 && surge(cx) == 0 { 1 } else { most.min(cx.replicas()) }
}

/// The weight of the last `setWeight` at or before the present step.
pub(super) fn set_weight(cx: &Cx) -> i64 {
    if cx.flag("abort") {
        return 0;
    }
    let Some(index) = cx.index().filter(|index| *index < cx.steps().len()) else { return 100 };
    cx.steps()[..=index].iter().rev().find_map(|step| step["setWeight"].as_i64()).unwrap_or(0)
}

/// The weight that the pods shall be counted for.
pub(super) fn desired(cx: &Cx) -> i64 {
    let (true, true, Some(stable)) = (cx.flag("abort"), cx.dynamic(), &cx.stable) else { return set_weight(cx) };
    // On the way back the steps are gone down again, so that the stable pods do not all start at once.
    let canary = (cx.replicas() - stable.counts.available).max(cx.new.counts.available);
    let weights = cx.steps().iter().rev().filter_map(|step| step["setWeight"].as_i64());
    weights.into_iter().find(|weight| pods(cx.replicas(), *weight) < canary).unwrap_or(0)
}

/// Pods for a weight behind a router.
pub(super) fn pods(replicas: i64, weight: i64) -> i64 {
    (replicas * weight + 99) / 100
}

/// The scale of the canary that a step set apart from the weight.
fn canary_scale(cx: &Cx) -> Option<&Value> {
    if !cx.routed() || (cx.flag("abort") && super::scale::abort_delay(cx).is_some()) {
        return None;
    }
    let index = cx.index().filter(|index| *index < cx.steps().len())?;
    let last = cx.steps()[..=index].iter().rev().map(|step| &step["setCanaryScale"]).find(|s| !s.is_null())?;
    (last["matchTrafficWeight"] != true).then_some(last)
}

/// A fixed number of canary pods, or the weight that they are counted for.
fn number_or_weight(cx: &Cx) -> (Option<i64>, i64) {
    let none = cx.text("stableRS").is_empty() || cx.text("stableRS") == cx.text("currentPodHash");
    if cx.flag("promoteFull") || none {
        return (None, 100);
    }
    match canary_scale(cx) {
        Some(scale) if scale["replicas"].is_i64() => (scale["replicas"].as_i64(), 0),
        Some(scale) if scale["weight"].is_i64() => (None, scale["weight"].as_i64().unwrap_or(0)),
        _ => (None, desired(cx)),
    }
}

/// How many pods the canary and the stable version shall have.
pub(super) fn sizes(cx: &Cx, weights: &Value) -> (i64, i64) {
    if cx.routed() { routed(cx, weights) } else { plain(cx) }
}

fn routed(cx: &Cx, weights: &Value) -> (i64, i64) {
    let replicas = cx.replicas();
    let (fixed, weight) = number_or_weight(cx);
    let mut canary = fixed.unwrap_or_else(|| at_least(cx, pods(replicas, weight)));
    if !cx.dynamic() {
        return (canary, replicas);
    }
    let mut stable = pods(replicas, 100 - weight);
    if !weights.is_null() {
        let of = |who: &str| pods(replicas, weights[who]["weight"].as_i64().unwrap_or(0));
        stable = stable.max(of("stable"));
        if cx.flag("abort") {
            canary = canary.max(of("canary"));
        }
    }
    (at_least(cx, canary), at_least(cx, stable))
}

fn at_least(cx: &Cx, pods: i64) -> i64 {
    if pods == 0 { 0 } else { pods.max(cx.strategy()["minPodsPerReplicaSet"].as_i64().unwrap_or(0)) }
}

/// Without a router the pods' numbers are the weight, and may only change as fast as surge and availability allow.
fn plain(cx: &Cx) -> (i64, i64) {
    let replicas = cx.replicas();
    let (_, weight) = number_or_weight(cx);
    let stable_set = cx.stable.as_ref().filter(|stable| stable.hash != cx.new.hash);
    let (mut want_new, mut want_stable) = share(replicas, weight, surge(cx) > 0);
    if stable_set.is_none() {
        (want_new, want_stable) = (replicas, 0);
    }
    let stable_size = stable_set.map_or(0, |stable| stable.size);
    let (mut new, mut stable) = (cx.new.size, stable_size);
    let most = replicas + surge(cx);
    let others: i64 = cx.others.iter().map(|set| set.size).sum();
    let mut room = (most - others - new - stable).max(0);
    if stable < want_stable {
        let more = room.min(want_stable - stable);
        stable += more;
        room -= more;
    }
    if new < want_new {
        new += room.min(want_new - new);
    }
    if others > 0 {
        return (new, stable);
    }
    let least = replicas - unavailable(cx);
    let grows = want_new >= cx.new.size;
    let safe = |set: &Set, count: bool| if count { set.size } else { set.counts.available.min(set.size) };
    let left = safe(&cx.new, !grows) + stable_set.map_or(0, |stable| safe(stable, grows));
    let spare = left - least;
    if spare > 0 {
        if grows && stable_size > want_stable {
            stable = want_stable.max(stable_size - spare);
        } else if !grows {
            new = want_new.max(cx.new.size - spare);
        }
    }
    // Together they may not be more than surge allows.
    let over = (new + stable - most).max(0);
    if grows && over > 0 {
        new = (new - over).max(0);
    } else if over > 0 {
        stable = (stable - over).max(0);
    }
    (new, stable)
}

/// How many canary and stable pods come nearest to `weight`, where one pod more than asked for may help.
fn share(replicas: i64, weight: i64, surge: bool) -> (i64, i64) {
    if replicas == 0 {
        return (0, 0);
    }
    let ceil = (replicas * weight + 99) / 100;
    let floor = replicas * weight / 100;
    let tied = |total: i64| {
        let far = |canary: i64| (canary * 10_000 / total - weight * 100).abs();
        floor != ceil && far(floor) == far(ceil)
    };
    let none_allowed = weight == 100 || weight == 0 || (replicas == 1 && !surge);
    let mut options = Vec::new();
    for total in [replicas, replicas + 1] {
        if total > replicas && !surge {
            break;
        }
        if total > replicas || ceil < replicas || none_allowed {
            options.push((ceil, total));
        }
        if !tied(total) && (floor != 0 || none_allowed) {
            options.push((floor, total));
        }
    }
    let far = |(canary, total): (i64, i64)| (canary * 10_000 / total - weight * 100).abs();
    let best = options.into_iter().reduce(|best, next| if far(next) < far(best) { next } else { best });
    let (canary, total) = best.unwrap_or((0, replicas));
    (canary, total - canary)
}

/// Whether the pods are there that the present step asks for.
pub(super) fn reached(cx: &Cx, weights: &Value) -> bool {
    let (want_new, want_stable) = target(cx, weights);
    let there =
        |set: &Set, wanted: i64| set.size == wanted && set.counts.available >= wanted && set.counts.all == wanted;
    let stable = cx.stable.as_ref().filter(|stable| stable.hash != cx.new.hash);
    there(&cx.new, want_new)
        && (cx.dynamic() || stable.is_none_or(|stable| there(stable, want_stable)))
        && (cx.routed() || cx.others.iter().all(|set| set.counts.available == 0))
}

/// What the pods' numbers go towards, however slowly.
fn target(cx: &Cx, weights: &Value) -> (i64, i64) {
    if cx.routed() {
        return routed(cx, weights);
    }
    let stable = cx.stable.as_ref().is_some_and(|stable| stable.hash != cx.new.hash);
    if stable { share(cx.replicas(), number_or_weight(cx).1, surge(cx) > 0) } else { (cx.replicas(), 0) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{number_or_share, share};

    #[test]
    fn shares_are_those_of_the_real_controller() {
        // Seen on argo-rollouts v1.10.1.
        assert_eq!(share(10, 5, true), (1, 10));
        assert_eq!(share(5, 20, true), (1, 4));
        assert_eq!(share(5, 50, true), (3, 3));
        assert_eq!(share(5, 100, true), (5, 0));
        assert_eq!(share(10, 0, true), (0, 10));
        assert_eq!(share(0, 50, true), (0, 0));
        assert_eq!(share(1, 50, true), (1, 1));
        assert_eq!(share(1, 50, false), (1, 0));
    }

    #[test]
    fn numbers_and_shares_are_read() {
        assert_eq!(number_or_share(&json!(null), 10, true, 25), 3);
        assert_eq!(number_or_share(&json!("25%"), 10, false, 0), 2);
        assert_eq!(number_or_share(&json!(4), 10, false, 0), 4);
    }
}
