use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

fn stands(sim: &Sim, name: &str) -> (String, i64) {
    let (_, ro) = sim.store.list(Kind::Rollout, None).find(|(k, _)| k.name == name).expect("it is there");
    let status = &ro["status"];
    (status["phase"].as_str().unwrap_or_default().to_owned(), status["currentStepIndex"].as_i64().unwrap_or(-1))
}

#[test]
fn the_calm_canary_opens_with_something_of_everything() {
    let sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
    assert_eq!(stands(&sim, "payments"), ("Paused".to_owned(), 1));
    assert_eq!(stands(&sim, "ledger"), ("Degraded".to_owned(), 0));
    assert_eq!(stands(&sim, "search").0, "Paused");
    assert_eq!(stands(&sim, "web"), ("Healthy".to_owned(), 3));
    assert_eq!(stands(&sim, "mail"), ("Healthy".to_owned(), 3));
    assert!(stands(&sim, "cart").1 < 7, "cart is on its way");
}

#[test]
fn seed_and_clock_fix_everything() {
    let run = |seed| {
        let mut sim = Sim::new(&Scenario::calm_canary(), seed, at(0));
        let mut told = Vec::new();
        for second in 0..180 {
            let version = sim.store.version();
            sim.step(at(second));
            let changes = sim.store.since(version).expect("kept");
            told.extend(changes.map(|c| format!("{second} {} {}", c.what, c.object)));
        }
        told
    };
    let (one, again, other) = (run(1), run(1), run(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert!(one.len() > 50, "life goes on: {}", one.len());
}

#[test]
fn a_canary_walks_its_ladder_and_ends_healthy() {
    let mut sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
    let mut seen = Vec::new();
    for second in 0..240 {
        sim.step(at(second));
        let stands = stands(&sim, "cart");
        if seen.last() != Some(&stands) {
            seen.push(stands);
        }
    }
    assert!(seen.iter().any(|(phase, _)| phase == "Healthy"), "{seen:?}");
    assert!(seen.windows(2).all(|w| w[1].1 >= w[0].1 || w[1].1 == 0 || w[0].0 == "Healthy"), "{seen:?}");
}
