use super::*;
use crate::domain::fixture;
use crate::domain::intent::Params;
use crate::domain::sight::Sight;
use crate::domain::steps::Step;

#[test]
fn resume_says_what_follows_up_to_the_next_stop() {
    let resume = row(crate::domain::intent::ActionId::Resume);
    let mut rollout = fixture::paused();
    let said = (resume.consequence)(&Sight::of(&rollout), &Params::None);
    assert_eq!((said.text.as_str(), said.typed.as_str()), ("weight 50 %, then pause 10m", "50"));
    rollout.step_index = Some(3);
    let said = (resume.consequence)(&Sight::of(&rollout), &Params::None);
    assert_eq!(
        (said.text.as_str(), said.typed.as_str()),
        ("weight 100 %, then all traffic: the last step", "full payments")
    );
    if let crate::domain::rollout::Strategy::Canary(canary) = &mut rollout.strategy {
        canary.steps.insert(4, Step::Analysis);
    }
    let said = (resume.consequence)(&Sight::of(&rollout), &Params::None);
    assert_eq!((said.text.as_str(), said.typed.as_str()), ("analysis", "resume payments"));
}

#[test]
fn resume_applies_to_what_is_paused_and_seen() {
    let applies = row(crate::domain::intent::ActionId::Resume).applies;
    let mut rollout = fixture::paused();
    assert_eq!(applies(&Sight::of(&rollout), &Params::None), Ok(()));
    rollout.generation += 1;
    assert!(applies(&Sight::of(&rollout), &Params::None).is_err());
    rollout.generation -= 1;
    rollout.pause_conditions.clear();
    assert_eq!(applies(&Sight::of(&rollout), &Params::None), Err("already resuming".to_owned()));
    rollout.controller_pause = false;
    assert_eq!(applies(&Sight::of(&rollout), &Params::None), Err("not paused".to_owned()));
    rollout.spec_paused = true;
    assert_eq!(applies(&Sight::of(&rollout), &Params::None), Ok(()));
}
