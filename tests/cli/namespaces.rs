//! A namespace that was named and has no rollout in it is no good news.

use super::demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_slip_in_a_namespace_is_never_green() {
    let (_world, _folder, program) = demo().await;
    let slip = program.run(&["status", "-n", "shpo"]).expect(10);
    assert!(slip.err.contains("there is no namespace \"shpo\"") && slip.err.contains("did you mean shop?"), "{slip:?}");
    assert!(slip.out.contains("no rollouts in shpo"), "{slip:?}");
    program.run(&["status", "-n", "nosuch", "-o", "json"]).expect(10).json();
    let line = program.run(&["status", "--oneline", "-n", "nosuch"]).expect(10);
    assert_eq!(line.out, "? no rollouts in nosuch\n");
    let both = program.run(&["status", "--oneline", "-n", "nosuch", "-n", "shop"]).expect(10);
    assert_eq!(both.out, "? no rollouts in nosuch  ‖ 1\n");
    let rest = program.run(&["status", "-n", "nosuch", "-n", "shop"]).expect(10);
    assert!(rest.out.contains("shop/payments") && rest.err.contains("nosuch"), "{rest:?}");
    // One that is there and has nothing in it, as with kubectl.
    let empty = program.run(&["status", "-n", "default"]).expect(0);
    assert_eq!(empty.out, "no rollouts in default\n");
    assert!(empty.err.contains("warning: no rollouts in default; rollouts are in other, shop"), "{empty:?}");
    // A filter that leaves nothing is another matter.
    let none = program.run(&["status", "-n", "shop", "--filter", "state:healthy"]).expect(0);
    assert!(none.err.is_empty(), "{none:?}");
    let watched = program.run(&["watch", "-n", "nosuch", "--timeout", "2s"]).expect(0);
    assert!(watched.err.contains("warning: no rollouts in nosuch"), "{watched:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_table_says_for_whom_or_what_it_waits() {
    let (_world, _folder, program) = demo().await;
    let person = program.run(&["status", "-n", "shop"]).expect(0).out;
    assert!(person.contains("WHY") && person.contains("Paused  paused for a person, "), "{person}");
    program.run(&["resume", "shop/payments", "--yes"]).expect(0);
    program.run(&["wait", "shop/payments", "--for", "step=4"]).expect(0);
    program.run(&["wait", "shop/payments", "--for", "paused"]).expect(0);
    let timed = program.run(&["status", "-n", "shop"]).expect(0).out;
    assert!(timed.contains("pause 10m: ") && timed.contains(" left"), "{timed}");
}
