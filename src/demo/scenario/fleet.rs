//! A fleet: many rollouts of all kinds and phases. Names, versions and phases follow from the number alone.

use jiff::SignedDuration;

use super::rollout::{Entry, plan};
use super::{EventAct, EventPlan, Scenario};

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

/// What stands out about one rollout of a hundred.
fn story(n: usize, moving: bool, namespace: &str, name: &str) -> Vec<EventPlan> {
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
    match n % 100 {
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

fn entry(n: usize, size: usize, namespace: String, name: String) -> Entry {
    let blue_green = n % 5 == 3;
    let router = !blue_green && n % 3 == 0;
    let small = size > 1_000;
    let text = format!(
        "namespace = {namespace:?}\nname = {name:?}\nimage = \"{namespace}/{name}\"\nversion = {:?}\n",
        version(n)
    );
    let more = if blue_green {
        "strategy = \"blue-green\"\nauto_promotion = \"no\"\n".to_owned()
    } else {
        let router = if router { "router = \"nginx\"\n" } else { "" };
        format!("{router}steps = [\"20%\", \"pause\", \"50%\", \"pause 30s\", \"100%\"]\n")
    };
    let replicas = if small { 1 + n % 100 / 90 } else { 2 + n % 4 };
    toml::from_str(&format!("{text}{more}replicas = {replicas}\n"))
        .unwrap_or_else(|error| unreachable!("the fleet's own entry is sound: {error}"))
}

/// A fleet of `size` rollouts.
pub(super) fn make(size: usize) -> Scenario {
    let mut fleet = Scenario {
        pod_ready: SignedDuration::from_millis(1_500),
        broken_tags: vec![BROKEN.to_owned()],
        rollouts: Vec::with_capacity(size),
        objects: Vec::new(),
        applications: Vec::new(),
        events: Vec::new(),
    };
    let every = (size / MOVING).max(4);
    for n in 0..size {
        let team = n / TOGETHER;
        let namespace = format!("{}-{}", TEAMS[team % TEAMS.len()], team / TEAMS.len());
        let word = WORDS[n % WORDS.len()];
        let name = format!("{word}-{}-{}", ROLES[(n / WORDS.len()) % ROLES.len()], n % TOGETHER);
        let moving = n % every == 1;
        fleet.events.extend(story(n, moving, &namespace, &name));
        match plan(entry(n, size, namespace, name)) {
            Ok((rollout, beside)) => {
                fleet.rollouts.push(rollout);
                fleet.objects.extend(beside);
            }
            Err(error) => unreachable!("the fleet's own rollout is sound: {error}"),
        }
    }
    fleet
}
