//! A fleet: many rollouts of all kinds and phases. Names, versions and phases follow from the number alone.

use jiff::SignedDuration;

use super::{EventAct, EventPlan, Scenario, Stamp};
use crate::demo::stamp;

const WORDS: &[&str] = &[
    "cart", "payments", "search", "mail", "ledger", "catalog", "pricing", "stock", "orders", "invoices", "users",
    "sessions", "reviews", "images", "reports", "billing", "gateway", "ratings", "shipping", "returns",
];
const ROLES: &[&str] = &["api", "web", "worker", "jobs", "sync", "cache", "admin", "hooks"];
const TEAMS: &[&str] = &["atlas", "boreal", "comet", "delta", "ember", "fjord", "glade", "harbor", "iris", "juno"];

/// How many rollouts one namespace has at most.
const TOGETHER: usize = 40;

/// How many rollouts move again and again.
const MOVING: usize = 36;

/// The version that never gets ready.
const BROKEN: &str = "badbad0";

fn version(n: usize) -> String {
    format!("{:07x}", n.wrapping_mul(0x9e37_79b9) & 0x0fff_ffff)
}

fn secs(n: usize) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(n).unwrap_or(0))
}

/// What stands out about a rollout, of a hundred or of more in a great fleet.
fn story(n: usize, of: usize, moving: bool, (namespace, name): (&str, &str)) -> Vec<EventPlan> {
    let event = |at: SignedDuration, every: Option<SignedDuration>, act: EventAct| EventPlan {
        at,
        every,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        by: None,
        act,
    };
    let release = || EventAct::Release(Some(version(n + 7_000_000)));
    let ago = |seconds: usize| -secs(seconds);
    if moving {
        return vec![event(secs(5 + n % 97), Some(secs(150 + n % 60)), EventAct::Release(None))];
    }
    match n % of {
        // Waits for a person.
        7 | 23 => vec![event(ago(600 + n % 3_000), None, release())],
        // Was aborted.
        41 => vec![event(ago(2_400), None, release()), event(ago(2_300), None, EventAct::Abort)],
        // Somebody stopped it by hand.
        58 => vec![event(ago(1_500), None, release()), event(ago(1_480), None, EventAct::Pause)],
        // Does not get ready.
        76 => vec![event(ago(1_200), None, EventAct::Release(Some(BROKEN.to_owned())))],
        _ => Vec::new(),
    }
}

/// What kind of rollout the nth is: what follows the names in a scenario file.
fn kind(n: usize, size: usize) -> String {
    let replicas = if size > 1_000 { 1 + n % 100 / 90 } else { 2 + n % 4 };
    let strategy = if n % 5 == 3 {
        "strategy = \"blue-green\"\nauto_promotion = \"no\"\n".to_owned()
    } else {
        let router = if n.is_multiple_of(3) { "router = \"nginx\"\n" } else { "" };
        format!("{router}steps = [\"20%\", \"pause\", \"50%\", \"pause 30s\", \"100%\"]\n")
    };
    format!("{strategy}replicas = {replicas}\n")
}

fn one(namespace: &str, name: &str, version: &str, kind: &str) -> Scenario {
    let head = format!("pod_ready = \"1500ms\"\nbroken_tags = [{BROKEN:?}]\n[[rollout]]\nnamespace = {namespace:?}\n");
    let text = format!("{head}name = {name:?}\nimage = \"{namespace}/{name}\"\nversion = {version:?}\n{kind}");
    Scenario::parse(&text).unwrap_or_else(|error| unreachable!("the fleet's own rollout is sound: {error}"))
}

/// A fleet of `size` rollouts.
pub(super) fn make(size: usize) -> Scenario {
    let mut fleet = Scenario {
        pod_ready: SignedDuration::from_millis(1_500),
        broken_tags: vec![BROKEN.to_owned()],
        rollouts: Vec::new(),
        objects: Vec::new(),
        applications: Vec::new(),
        events: Vec::new(),
        traffic: Vec::new(),
        stamps: Vec::new(),
        shapes: Vec::new(),
    };
    let mut kinds: Vec<String> = Vec::new();
    let every = (size / MOVING).max(4);
    let of = 100 * size.div_ceil(2_000);
    for n in 0..size {
        let team = n / TOGETHER;
        let namespace = format!("{}-{}", TEAMS[team % TEAMS.len()], team / TEAMS.len());
        let word = WORDS[n % WORDS.len()];
        let name = format!("{word}-{}-{}", ROLES[(n / WORDS.len()) % ROLES.len()], n % TOGETHER);
        let kind = kind(n, size);
        let story = story(n, of, n % every == 1, (&namespace, &name));
        if story.is_empty() {
            let shape = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                fleet.shapes.push(one(stamp::NAMESPACE, stamp::NAME, stamp::VERSION, &kind));
                kinds.push(kind);
                kinds.len() - 1
            });
            fleet.stamps.push(Stamp { shape, namespace, name, version: version(n) });
        } else {
            let alone = one(&namespace, &name, &version(n), &kind);
            fleet.rollouts.extend(alone.rollouts);
            fleet.objects.extend(alone.objects);
            fleet.events.extend(story);
        }
    }
    fleet
}
