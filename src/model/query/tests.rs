use super::*;
use crate::domain::fixture;
use crate::domain::link::Link;

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
