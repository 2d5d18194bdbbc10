use super::*;

#[test]
fn the_scenarios_that_come_along_are_sound() {
    for name in Scenario::names() {
        if let Err(error) = Scenario::named(name) {
            panic!("{name}: {error}");
        }
    }
    assert!(Scenario::calm_canary().rollouts.len() >= 5);
    let fleet = Scenario::named("fleet-300").expect("a fleet");
    assert_eq!(fleet.rollouts.len() + fleet.stamps.len(), 300);
    let error = Scenario::named("sad-canary").expect_err("there is none");
    assert!(error.contains("calm-canary, bad-canary"), "{error}");
    assert!(Scenario::named("fleet-0").expect_err("too small").contains("fleet-300"));
}

#[test]
fn errors_name_the_place_and_what_would_be_right() {
    let good = "[[rollout]]\nnamespace = 'a'\nname = 'b'\nimage = 'c'\nversion = '1'\n";
    let event = |more: &str| format!("{good}[[event]]\n{more}");
    for (text, said) in [
        ("colour = 1".to_owned(), "line 1"),
        (String::new(), "no [[rollout]]"),
        (format!("{good}{good}"), "two [[rollout]]"),
        (format!("{good}steps = ['5']"), "step \"5\": write 5%"),
        (format!("{good}steps = ['101%']"), "step \"101%\""),
        (format!("{good}steps = ['analysis']"), "analysis NAME"),
        (format!("{good}steps = ['analysis x']"), "no such [[analysis]] in a"),
        (format!("{good}router = 'istio'"), "knows nginx"),
        (format!("{good}strategy = 'rolling'"), "write canary or blue-green"),
        (format!("{good}preview_replicas = 1"), "belongs to strategy = \"blue-green\""),
        (format!("{good}dynamic_stable = true"), "needs a router"),
        (format!("{good}strategy = 'blue-green'\nsteps = ['5%']"), "belong to a canary"),
        (format!("{good}strategy = 'blue-green'\nauto_promotion = 'soon'"), "write yes, no or a time"),
        (format!("{good}errors = {{ '1' = 8 }}"), "write a share as 0.08"),
        (format!("{good}scale_down = 'late'"), "a/b: scale_down = \"late\": write it as"),
        (format!("{good}[[analysis]]\nnamespace = 'a'\nname = 'x'"), "say success or failure"),
        (format!("{good}[[application]]\nname = 'x'\ntargets = ['a/z']"), "a/z: there is no such"),
        (event("at = 'soon'\ntarget = 'a/b'\ndo = 'abort'"), "at = \"soon\": write it as"),
        (event("at = '1s'\ntarget = 'a/x'\ndo = 'abort'"), "a/x: there is no such"),
        (event("at = '1s'\ntarget = 'b'\ndo = 'abort'"), "NAMESPACE/NAME"),
        (event("at = '1s'\ndo = 'abort'"), "target is missing"),
        (event("at = '1s'\ntarget = 'a/b'\ndo = 'explode'"), "one of release"),
        (event("at = '1s'\ntarget = 'a/b'\ndo = 'scale'"), "needs replicas"),
        (format!("{good}[[traffic]]\ntarget = 'a/x'"), "a/x: there is no such"),
        (format!("{good}[[traffic]]\ntarget = 'a/b'\nrps = -1"), "rps is requests per second"),
        (event("at = '1s'\ndo = 'silence'"), "needs for = \"90s\""),
        (event("at = '1s'\ntarget = 'a/b'\ndo = 'silence'\nfor = '1s'"), "about the whole world"),
    ] {
        let error = Scenario::parse(&text).expect_err(&text);
        assert!(error.contains(said), "{text:?} gave {error:?}");
    }
}
