use super::*;

#[test]
fn the_tree_is_sound() {
    command().debug_assert();
}

#[test]
fn every_act_is_a_verb() {
    let tree = command();
    for action in TABLE {
        assert!(tree.find_subcommand(action.verb).is_some(), "{}", action.verb);
    }
}

#[test]
fn durations() {
    assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
    assert!(duration("soon").is_err() && duration("-1s").is_err());
}

#[test]
fn moments() {
    assert_eq!(moment("2026-11-25T10:00:00+01:00"), "2026-11-25T09:00:00Z".parse().map_err(|_| String::new()));
    assert_eq!(moment("2026-11-25"), "2026-11-25T00:00:00Z".parse().map_err(|_| String::new()));
    let ago = Timestamp::now().duration_since(moment("24h").expect("a duration"));
    assert!((86_399..86_460).contains(&ago.as_secs()), "{ago:?}");
    assert!(moment("yesterday").is_err() && moment("-1h").is_err());
}
