use super::*;
use crate::domain::environment::Environment;
use crate::domain::facts::AuditState;
use crate::domain::fixture;
use crate::domain::intent::ActionId;
use crate::domain::link::LinkState;

fn facts() -> Facts {
    Facts {
        applies: Ok(()),
        consequence: "50".to_owned(),
        environment: Environment::unknown(),
        link: LinkState::Live,
        in_flight: None,
        audit: AuditState::Ready,
        missing_rights: Vec::new(),
        do_not_promote: None,
        over_limit: None,
    }
}

fn decided(confirmed: Confirmed, change: impl FnOnce(&mut Facts, &mut Mandate)) -> Decision {
    let mut intent = fixture::intent(&fixture::paused());
    intent.confirmed = confirmed;
    let (mut facts, mut mandate) = (facts(), Mandate::default());
    change(&mut facts, &mut mandate);
    decide(&intent, &facts, &mandate, Timestamp::UNIX_EPOCH)
}

fn rule(decision: &Decision) -> &'static str {
    match decision {
        Decision::Deny { rule, .. } => rule,
        Decision::Allow => "allow",
        Decision::Confirm(_) => "confirm",
    }
}

#[test]
fn each_rule_refuses_and_names_itself() {
    type Change = fn(&mut Facts, &mut Mandate);
    let table: &[(Change, &str)] = &[
        (|_, _| {}, "allow"),
        (|_, m| m.read_only = true, "read-only"),
        (|f, _| f.applies = Err("not paused".into()), "applies"),
        (|f, _| f.in_flight = Some("resume".into()), "in-flight"),
        (|f, _| f.audit = AuditState::Failed { why: "disk full".into() }, "audit"),
        (|f, _| f.link = LinkState::Connecting, "link"),
        (|f, _| f.link = LinkState::Stale { since: Timestamp::UNIX_EPOCH }, "link"),
        (|f, _| f.link = LinkState::Denied { why: "403".into() }, "link"),
        (|_, m| m.stop_only = true, "stop-only"),
        (|_, m| m.reason_in_production = true, "reason"),
        (|_, m| m.insecure = vec!["prod-eu".into()], "insecure"),
        (|_, m| m.insecure = vec!["other".into()], "allow"),
    ];
    for (change, expected) in table {
        let decision = decided(Confirmed::Typed, change);
        assert_eq!(rule(&decision), *expected);
        if let Decision::Deny { why, hint, .. } = decision {
            assert!(!why.is_empty() && !hint.is_empty(), "{expected}");
        }
    }
}

#[test]
fn production_takes_the_typed_consequence_and_elsewhere_one_key() {
    let typed = Decision::Confirm(Confirmation::Type { text: "50".to_owned() });
    assert_eq!(decided(Confirmed::No, |_, _| {}), typed);
    assert_eq!(decided(Confirmed::Pressed, |_, _| {}), typed, "one key is not enough in production");
    let development = |f: &mut Facts, _: &mut Mandate| f.environment.tier = Tier::Development;
    assert_eq!(decided(Confirmed::No, development), Decision::Confirm(Confirmation::Press));
    assert_eq!(decided(Confirmed::Pressed, development), Decision::Allow);
}

fn decided_on(action: ActionId, confirmed: Confirmed, change: impl FnOnce(&mut Facts, &mut Mandate)) -> Decision {
    let mut intent = fixture::intent(&fixture::paused());
    (intent.action, intent.confirmed) = (action, confirmed);
    let (mut facts, mut mandate) = (facts(), Mandate::default());
    change(&mut facts, &mut mandate);
    decide(&intent, &facts, &mandate, Timestamp::UNIX_EPOCH)
}

#[test]
fn what_stops_harm_goes_on_without_a_log_after_one_more_confirmation() {
    let broken = |f: &mut Facts, _: &mut Mandate| f.audit = AuditState::Failed { why: "disk full".into() };
    for stop in [ActionId::Abort, ActionId::Pause, ActionId::Hold] {
        let asked = decided_on(stop, Confirmed::Pressed, broken);
        assert_eq!(asked, Decision::Confirm(Confirmation::WithoutRecord { why: "disk full".into() }), "{stop:?}");
        assert_eq!(decided_on(stop, Confirmed::WithoutRecord, broken), Decision::Allow, "{stop:?}");
        let required = |f: &mut Facts, m: &mut Mandate| {
            broken(f, m);
            m.audit_required = true;
        };
        assert_eq!(rule(&decided_on(stop, Confirmed::WithoutRecord, required)), "audit", "{stop:?}");
    }
    let ready = decided_on(ActionId::PromoteFull, Confirmed::WithoutRecord, |_, _| {});
    assert_eq!(rule(&ready), "confirm", "it does not stand for the typed consequence");
    assert_eq!(decided_on(ActionId::Abort, Confirmed::WithoutRecord, |_, _| {}), Decision::Allow);
    for forward in [ActionId::Resume, ActionId::PromoteFull, ActionId::Undo, ActionId::Retry] {
        assert_eq!(rule(&decided_on(forward, Confirmed::WithoutRecord, broken)), "audit", "{forward:?}");
    }
}

#[test]
fn a_marked_revision_is_not_brought_forward_but_may_be_stopped() {
    let marked = |f: &mut Facts, _: &mut Mandate| f.do_not_promote = Some("leaks memory".into());
    for action in ActionId::ALL {
        let said = rule(&decided_on(action, Confirmed::Typed, marked));
        let expected = match action {
            ActionId::Resume | ActionId::SkipStep | ActionId::PromoteFull | ActionId::Retry | ActionId::Terminate => {
                "do-not-promote"
            }
            ActionId::SetImage => "set-image",
            _ => "allow",
        };
        assert_eq!(said, expected, "{action:?}");
    }
}

#[test]
fn yes_beforehand_does_not_bring_a_version_forward_that_is_over_its_limit() {
    let over = |f: &mut Facts, _: &mut Mandate| f.over_limit = Some("new 12.35 % of 418: over its limit of 5 %".into());
    let promotes = [ActionId::Resume, ActionId::SkipStep, ActionId::PromoteFull, ActionId::Retry, ActionId::Terminate];
    for action in ActionId::ALL {
        let blind = decided_on(action, Confirmed::Unseen, over);
        let expected = match action {
            ActionId::SetImage => "set-image",
            action if promotes.contains(&action) => "over-limit",
            _ => "allow",
        };
        assert_eq!(rule(&blind), expected, "{action:?}");
        if let Decision::Deny { rule: "over-limit", why, hint } = blind {
            assert!(why.contains("12.35 % of 418") && hint.contains("--over-limit"), "{why} {hint}");
        }
        assert_ne!(rule(&decided_on(action, Confirmed::Typed, over)), "over-limit", "{action:?}: it was seen");
        assert_eq!(decided_on(action, Confirmed::Unseen, |_, _| {}), decided_on(action, Confirmed::Typed, |_, _| {}));
    }
    let staging = |f: &mut Facts, m: &mut Mandate| {
        over(f, m);
        f.environment.tier = Tier::Staging;
    };
    assert_eq!(rule(&decided_on(ActionId::Resume, Confirmed::WithoutRecord, staging)), "over-limit", "no way around");
    assert_eq!(decided_on(ActionId::Resume, Confirmed::Pressed, staging), Decision::Allow);
}

#[test]
fn a_mandate_may_let_only_acts_go_that_stop_harm() {
    let only = |_: &mut Facts, m: &mut Mandate| m.stop_only = true;
    for action in ActionId::ALL {
        let expected = if row(action).danger == Danger::Stop { "allow" } else { "stop-only" };
        assert_eq!(rule(&decided_on(action, Confirmed::Typed, only)), expected, "{action:?}");
    }
}

#[test]
fn images_are_set_by_hand_where_the_mandate_allows_it() {
    assert_eq!(rule(&decided_on(ActionId::SetImage, Confirmed::Typed, |_, _| {})), "set-image");
    let allowed = |_: &mut Facts, m: &mut Mandate| m.set_image_in_production = true;
    assert_eq!(decided_on(ActionId::SetImage, Confirmed::Typed, allowed), Decision::Allow);
    let elsewhere = |f: &mut Facts, _: &mut Mandate| f.environment.tier = Tier::Staging;
    assert_eq!(decided_on(ActionId::SetImage, Confirmed::Pressed, elsewhere), Decision::Allow);
}

#[test]
fn what_differs_in_one_context_holds_there_and_only_there() {
    let with = |exceptions: Vec<Exception>| {
        move |_: &mut Facts, m: &mut Mandate| {
            m.exceptions = exceptions.clone();
        }
    };
    let read_only = |context: &str, yes| Exception {
        context: context.to_owned(),
        read_only: Some(yes),
        read_only_by: "policy.read_only of context \"prod-*\"".to_owned(),
        ..Exception::default()
    };
    let here = fixture::intent(&fixture::paused()).context;
    for (exceptions, expected) in [
        (vec![read_only(here.as_str(), true)], "read-only"),
        (vec![read_only("*", true)], "read-only"),
        (vec![read_only("elsewhere-*", true)], "allow"),
        (vec![read_only(here.as_str(), false), read_only("*", true)], "allow"),
    ] {
        assert_eq!(rule(&decided(Confirmed::Typed, with(exceptions.clone()))), expected, "{exceptions:?}");
    }
    let loosened = |_: &mut Facts, m: &mut Mandate| {
        m.read_only = true;
        m.exceptions = vec![read_only("*", false)];
    };
    assert_eq!(rule(&decided(Confirmed::Typed, loosened)), "allow", "the context's own word counts");
    let strict = |_: &mut Facts, m: &mut Mandate| {
        m.exceptions =
            vec![Exception { context: "*".into(), reason_in_production: Some(true), ..Exception::default() }];
    };
    assert_eq!(rule(&decided(Confirmed::Typed, strict)), "reason");
    let Decision::Deny { why, .. } = decided(Confirmed::Typed, with(vec![read_only("*", true)])) else { panic!() };
    assert!(why.contains("context \"prod-*\""), "it says who says so: {why}");
}
