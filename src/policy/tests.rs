use super::*;
use crate::domain::environment::Environment;
use crate::domain::facts::AuditState;
use crate::domain::fixture;
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
        (|_, m| m.reason_in_production = true, "reason"),
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
