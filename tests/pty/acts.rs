//! Acts from the keyboard at 80x24, each to its end: what was pressed is done, on record, and seen.

use super::{Demo, scenario};

/// A canary behind a router that waits for a person.
const CANARY: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "cart"
image = "shop/cart"
version = "1"
replicas = 4
router = "nginx"
steps = ["50%", "pause", "100%"]
[[rollout]]
namespace = "shop"
name = "mail"
image = "shop/mail"
version = "1"
replicas = 2
steps = ["50%", "pause", "100%"]
[[event]]
at = "-2m"
target = "shop/cart"
do = "release"
version = "2"
[[event]]
at = "-2m"
target = "shop/mail"
do = "release"
version = "2"
"#;

/// A preview that waits for a person; the old version stays up for ten minutes after the switch.
const BLUE_GREEN: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "web"
image = "shop/web"
version = "1"
strategy = "blue-green"
replicas = 2
auto_promotion = "no"
scale_down = "10m"
[[event]]
at = "-1m"
target = "shop/web"
do = "release"
version = "2"
"#;

#[test]
fn a_canary_is_aborted_by_the_chord() {
    let demo = Demo::new(CANARY);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/cart");
    screen.press("\r");
    screen.until("the target", |text| text.contains("ladder") && text.contains("canary"));
    screen.press("\x0b");
    scenario::yes(&mut screen, "abort");
    screen.until("the outcome", |text| text.contains("done after") && text.contains("on record as number"));
    screen.press("\x1b");
    screen.until("what came of it", |text| {
        !text.contains("on record as number")
            && text.contains("RolloutAborted")
            && text.contains("aborted: nothing moves")
    });
    screen.press("q");
    screen.until("the board", |text| text.contains("WHY HERE"));
    scenario::audit_holds(&mut screen);
}

#[test]
fn a_blue_green_is_promoted_and_rolled_back_by_a_plan() {
    let demo = Demo::new(BLUE_GREEN);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/web");
    screen.until("the preview", |text| text.contains("preview ‖") && text.contains("rev 1 live"));
    scenario::menu(&mut screen, "p");
    assert_eq!(scenario::confirm(&mut screen, "resume"), "live web");
    screen.until("the outcome", |text| text.contains("done after"));
    screen.press("\x1b");
    screen.until("the switch", |text| {
        text.contains("shop/web: done") && text.contains("rev 2 live") && text.contains("baking")
    });
    scenario::menu(&mut screen, "r");
    screen.until("the plan", |text| text.contains("step 1") && text.contains("its pods are up"));
    assert_eq!(scenario::confirm(&mut screen, "roll back"), "rev 1");
    screen.until("its end", |text| text.contains("all done after"));
    screen.press("\x1b");
    // An undo gives the old version a new number.
    screen.until("the old version", |text| text.contains("on shop/web:") && text.contains("rev 3 live"));
    scenario::audit_holds(&mut screen);
}

#[test]
fn marked_canaries_are_aborted_together() {
    let demo = Demo::new(CANARY);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("both", |text| text.matches("for a person").count() == 2);
    screen.press("  ");
    screen.until("the marks", |text| text.contains("2 marked targets"));
    screen.press("\x0b");
    scenario::yes(&mut screen, "abort 2 of 2");
    screen.until("their end", |text| text.contains("all done after"));
    screen.press("\x1b");
    screen.until("both aborted", |text| {
        text.contains("mark  ") && text.lines().filter(|line| line.contains("aborted")).count() == 2
    });
    scenario::audit_holds(&mut screen);
}

#[test]
fn logs_revisions_and_difference_open_and_lead_back() {
    let demo = Demo::new(CANARY);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/cart");
    screen.press("l");
    screen.until("a log", |text| text.contains("all pods of rev 2") && !text.contains("nothing yet"));
    screen.until("following", |text| text.contains("following"));
    screen.press("f");
    screen.until("it stands still", |text| text.contains("standing still"));
    screen.press("\x1b");
    screen.until("the board", |text| text.contains("WHY HERE"));
    screen.press("d");
    screen.until("the difference", |text| text.contains("shop/cart:1") && text.contains("shop/cart:2"));
    screen.press("\x1b");
    screen.until("the board", |text| text.contains("WHY HERE"));
    screen.press("v");
    screen.until("the revisions", |text| text.contains("canary") && text.contains("stable"));
    screen.press("y");
    screen.until("the YAML", |text| text.contains("kind: ReplicaSet"));
    screen.press("\x1b");
    screen.until("the revisions", |text| text.contains("HASH"));
    screen.press("q");
    screen.until("the board", |text| text.contains("WHY HERE"));
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    scenario::restored(&screen);
}
