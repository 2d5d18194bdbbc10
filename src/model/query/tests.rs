use super::*;
use crate::domain::fixture;
use crate::domain::link::Link;
use crate::domain::signal::{Counts, Reading, Role, Rules, Side};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

#[test]
fn what_was_heard_is_said_in_coarse_steps_of_the_quietest_context() {
    let world = |heard: &[(&str, &'static str, i64)]| {
        let mut world = World::default();
        for (context, what, heard) in heard {
            let id = LinkId::new(&(*context).into(), what);
            let link = Link {
                id: id.clone(),
                state: LinkState::Live,
                heard: Some(at(*heard)),
                listed: true,
                notice: Clean::default(),
            };
            world.links.insert(id, link);
        }
        world
    };
    let one = world(&[("a", "rollouts", 100), ("a", "replicasets", 90)]);
    for (now, says, next) in [
        (100, None, 130),
        (99, None, 130),
        (129, None, 130),
        (130, Some(30), 145),
        (144, Some(30), 145),
        (145, Some(45), 160),
        (171, Some(60), 175),
    ] {
        assert_eq!(quiet(&one, at(now)), (says, Some(at(next))), "at {now}");
    }
    let two = world(&[("a", "rollouts", 100), ("b", "rollouts", 60)]);
    assert_eq!(quiet(&two, at(101)).0, Some(30), "one of them is silent");
    let other = world(&[("a", "rollouts", 60), ("a", "prometheus", 100)]);
    assert_eq!(quiet(&other, at(101)).0, Some(30), "another system says nothing about the cluster");
    assert_eq!(quiet(&World::default(), at(101)), (None, None));
}

#[test]
fn a_pause_is_overdue_only_where_the_controller_should_have_ended_it() {
    let mut timed = fixture::paused();
    timed.step_index = Some(3);
    let ends = timed.resumes_at().expect("a timed pause");
    let after = |rollout: &Rollout, seconds: i64| overdue(rollout, ends + SignedDuration::from_secs(seconds));
    assert_eq!((after(&timed, 9), after(&timed, 10)), (None, Some(ends)));
    assert_eq!(after(&fixture::paused(), 1000), None, "it waits for a person");
    let by_hand = Rollout { spec_paused: true, ..timed.clone() };
    assert_eq!(after(&by_hand, 1000), None, "no step is looked at meanwhile");
    assert_eq!((by_hand.paused_since(), timed.paused_since().is_some()), (None, true), "nothing says since when");
    let behind = Rollout { generation: 9, ..timed.clone() };
    assert_eq!(after(&behind, 1000), None, "another spec is looked at first");
}

fn rated(verdict: Verdict, was_over: Option<Timestamp>) -> Target {
    let rollout = fixture::paused();
    let counts = Reading::Measured(Counts { errors: 30.0, total: 400.0 });
    let subject = Side {
        role: Role::New,
        pod_hash: rollout.pod_hash.clone(),
        long: counts.clone(),
        short: counts,
        age: Some(2),
        history: Vec::new(),
        last: None,
    };
    let signals = Signals {
        at: at(1_000),
        every: 5,
        rules: Rules::default(),
        template: Some("istio-workload".into()),
        subject,
        reference: None,
        scrape: Some(15),
        verdict,
        over_since: (verdict == Verdict::Over).then(|| at(990)),
        over_began: false,
        was_over,
        looked_back: Some(true),
        notes: Vec::new(),
    };
    Target {
        link: LinkId::new(&"prod-eu".into(), "rollouts"),
        context: "prod-eu".into(),
        environment: Environment::unknown(),
        sets: Vec::new(),
        pods: None,
        runs: None,
        experiments: None,
        events: None,
        managers: None,
        changed: at(0),
        signals: Some(std::sync::Arc::new(signals)),
        rollout: std::sync::Arc::new(rollout),
    }
}

#[test]
fn what_was_over_its_limit_is_until_it_was_measured_fine() {
    let mut world = World::default();
    let id = LinkId::new(&"prod-eu".into(), "prometheus");
    let link = |state| Link { id: id.clone(), state, heard: None, listed: true, notice: Clean::default() };
    assert_eq!(over_limit(&world, &rated(Verdict::Over, None)), None, "no Prometheus is configured");
    world.links.insert(id.clone(), link(LinkState::Live));
    let says = |verdict, was| over_limit(&world, &rated(verdict, was));
    assert_eq!(says(Verdict::Fine, None), None);
    assert_eq!(says(Verdict::NotEnoughData, None), None, "nothing speaks against it");
    let over = says(Verdict::Over, Some(at(1_000))).expect("over");
    assert_eq!(over, "new 7.50 % of 400: over its limit of 5 %");
    let maybe = says(Verdict::Suspect, None).expect("its last minute is empty, or it is a near thing");
    assert_eq!(maybe, "new 7.50 % of 400: maybe over its limit of 5 %");
    let was = says(Verdict::NotEnoughData, Some(at(600))).expect("an abort took the traffic from it");
    assert_eq!(was, "new 7.50 % of 400: not enough data now, and over its limit of 5 % in the 5m up to 00:10:00Z");
    let mut other = rated(Verdict::Over, Some(at(1_000)));
    other.rollout = std::sync::Arc::new(Rollout { pod_hash: "another".into(), ..(*other.rollout).clone() });
    assert_eq!(over_limit(&world, &other), None, "of another version");
    // Prometheus goes down in the very night in which one needs it.
    let unknown = |world: &World, long: Reading| {
        let mut blind = rated(Verdict::NotEnoughData, None);
        let mut signals = (**blind.signals.as_ref().expect("signals")).clone();
        signals.subject.long = long;
        blind.signals = Some(std::sync::Arc::new(signals));
        over_limit(world, &blind)
    };
    assert_eq!(
        unknown(&world, Reading::Unreachable { why: "x".into() }).as_deref(),
        Some("they are not known (unreachable)")
    );
    assert_eq!(unknown(&world, Reading::NoData), None, "who has no requests has no errors");
    let mut unread = rated(Verdict::NotEnoughData, None);
    let mut signals = (**unread.signals.as_ref().expect("signals")).clone();
    signals.looked_back = Some(false);
    unread.signals = Some(std::sync::Arc::new(signals));
    assert!(over_limit(&world, &unread).is_some_and(|why| why.contains("past hour")), "nothing says how it was");
    let down = LinkState::Stale { since: at(900) };
    world.links.insert(id.clone(), link(down));
    let mut unread = rated(Verdict::Fine, None);
    unread.signals = None;
    assert!(over_limit(&world, &unread).is_some_and(|why| why.contains("cannot be reached")));
}
