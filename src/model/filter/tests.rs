use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::environment::Environment;
use crate::domain::fixture;
use crate::domain::link::LinkId;
use crate::domain::rollout::Phase;

fn now() -> Timestamp {
    "2026-11-24T10:06:30Z".parse().expect("a time")
}

/// A paused canary of `shop/payments` in production.
fn payments() -> Target {
    let mut rollout = fixture::paused();
    rollout.labels = vec![("team".into(), "checkout".into()), ("tier".into(), "front end".into())];
    Target {
        rollout: Arc::new(rollout),
        context: "prod-eu".into(),
        environment: Environment { name: "live".into(), tier: Tier::Production, named: true },
        sets: Vec::new(),
        pods: None,
        signals: None,
        runs: None,
        experiments: None,
        events: None,
        managers: None,
        link: LinkId::new(&"prod-eu".into(), "rollouts"),
        changed: now(),
    }
}

#[test]
fn words_are_anded_and_each_asks_one_thing() {
    let target = payments();
    let mut healthy = payments();
    let mut rollout = (*healthy.rollout).clone();
    rollout.phase = Phase::Healthy;
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout.stable_hash = rollout.pod_hash.clone();
    healthy.rollout = Arc::new(rollout);
    for (text, paused_has, healthy_has) in [
        ("", true, true),
        ("pay", true, true),
        ("PAY shop", true, true),
        ("shop/payments", true, true),
        ("cart", false, false),
        ("!cart", true, true),
        ("!pay", false, false),
        ("8ab41e0", true, true),
        ("state:paused", true, false),
        ("state:pau", true, false),
        ("state:healthy", false, true),
        ("state:paused,healthy", true, true),
        ("!state:paused", false, true),
        ("env:prod", true, true),
        ("env:live", true, true),
        ("env:l*", true, true),
        ("env:staging", false, false),
        ("band:needs", true, false),
        ("band:\"needs you\"", true, false),
        ("band:steady", false, true),
        ("ns:shop", true, true),
        ("ns:sho", false, false),
        ("ns:sh*", true, true),
        ("context:prod-*", true, true),
        ("context:staging", false, false),
        ("label:team=checkout", true, true),
        ("label:team=check*", true, true),
        ("label:team", true, true),
        ("label:team=other", false, false),
        ("label:\"tier=front end\"", true, true),
        ("image:payments:8ab", true, true),
        ("image:cart", false, false),
        ("version:8ab41", true, true),
        ("version:payments", false, false),
        ("\"shop payments\"", false, false),
        ("\"shop/payments\"", true, true),
        ("shop/payments:8ab41e0", true, true),
        ("pay state:paused !env:staging", true, false),
    ] {
        let filter = Filter::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(filter.matches(&target, now()), paused_has, "{text} on the paused one");
        assert_eq!(filter.matches(&healthy, now()), healthy_has, "{text} on the healthy one");
    }
}

#[test]
fn what_is_not_understood_says_how_it_is_written() {
    for (text, says) in [
        ("stat:paused", "did you mean `state`?"),
        ("state:", "state: takes paused"),
        ("state:,", "state: takes paused"),
        ("state:p", "state: is one of paused"),
        ("state:broken", "not \"broken\""),
        ("band:none", "band: is one of needs, moving, steady"),
        ("payments:8ab", "quotes make it text"),
        ("!", "`!` negates"),
        ("pay !state:", "state: takes"),
    ] {
        let why = Filter::parse(text).expect_err(text);
        assert!(why.contains(says), "{text}: {why}");
    }
    assert!(Filter::parse("\"payments:8ab\"").is_ok());
}

#[test]
fn a_quote_that_is_not_closed_goes_on_to_the_end() {
    let word = |value: &str| Word { negated: false, key: None, value: value.to_owned() };
    assert_eq!(words("\"a b"), [word("a b")]);
    assert_eq!(words(" a  b "), [word("a"), word("b")]);
    assert_eq!(words("!x:\"y z\""), [Word { negated: true, key: Some("x".to_owned()), value: "y z".to_owned() }]);
}

proptest! {
    #[test]
    fn nothing_that_is_typed_breaks_it(text in "\\PC{0,60}|[!:\",=*a-z ]{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            let _ = filter.matches(&payments(), now());
        }
    }

    #[test]
    fn a_word_and_its_negation_never_agree(text in "[a-z0-9/.-]{1,12}") {
        let holds = |text: &str| Filter::parse(text).expect("plain words").matches(&payments(), now());
        prop_assert_ne!(holds(&text), holds(&format!("!{text}")));
    }
}
