//! What is concluded from error rates: R7 and R8.

use flightdeck::domain::signal::reading::Freshness;
use flightdeck::domain::signal::verdict::verdict;
use flightdeck::domain::signal::{Raw, Reading, Rules, Value, Verdict};

use super::Mode;
use super::random::Random;
use super::table::{Row, Spread, thousands};

/// A number as a broken or hostile Prometheus may give it.
fn any(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Absent,
        1 => Value::Many(2 + random.below(5)),
        2 => Value::One(f64::NAN),
        3 => Value::One(f64::INFINITY),
        4 => Value::One(0.0),
        5 => Value::One(-random.share() * 1000.0),
        _ => Value::One((random.share() * 12.0).exp()),
    }
}

const FRESH: Freshness = Freshness::Now { age: Some(3.0), scrape: 15.0 };

/// One blind state: numbers with which nothing may be concluded, in every window.
fn blind(random: &mut Random, rules: &Rules) -> (&'static str, (Reading, Reading)) {
    let all = |errors, total| Raw {
        errors_long: errors,
        total_long: total,
        errors_short: errors,
        total_short: total,
        ..Raw::default()
    };
    let (errors, total) = (random.share() * 1e5, 1e5 + random.share() * 1e6);
    match random.below(6) {
        0 => {
            let why = || if random_why(errors) { "refused".into() } else { "timed out".into() };
            ("down", (Reading::Unreachable { why: why() }, Reading::Unreachable { why: why() }))
        }
        1 => {
            let nan = Value::One(if random.once_in(2) { f64::NAN } else { f64::INFINITY });
            let raw = match random.below(3) {
                0 => all(nan, Value::One(total)),
                1 => all(Value::One(errors), nan),
                _ => all(nan, nan),
            };
            ("NaN", raw.readings(rules, FRESH))
        }
        2 => ("empty", Raw::default().readings(rules, FRESH)),
        3 => {
            let scrape = 1.0 + random.share() * 59.0;
            let age = (!random.once_in(5)).then(|| 2.0 * scrape + 0.001 + random.share() * 1e4);
            let raw = all(Value::One(errors), Value::One(total));
            ("stale", raw.readings(rules, Freshness::Now { age, scrape }))
        }
        4 => {
            // Fewer than the minimum in each window.
            let long = random.share() * (f64::from(u32::try_from(rules.minimum).unwrap_or(0)) - 0.01);
            let short = random.share() * long.min(f64::from(u32::try_from(rules.minimum_short()).unwrap_or(0)) - 0.01);
            let raw = Raw {
                errors_long: Value::One(random.share() * long),
                total_long: Value::One(long),
                errors_short: Value::One(random.share() * short),
                total_short: Value::One(short),
                ..Raw::default()
            };
            ("low traffic", raw.readings(rules, FRESH))
        }
        _ => {
            // Whatever it says, one number of each pair is none.
            let (e, t) = (any(random), any(random));
            let raw = match random.below(3) {
                0 => all(e, Value::Absent),
                1 => all(e, Value::Many(2)),
                _ => all(Value::Many(3), t),
            };
            ("wrong query", raw.readings(rules, FRESH))
        }
    }
}

fn random_why(number: f64) -> bool {
    number > 5e4
}

/// R7: no verdict in a blind state.
pub fn blind_states(_: Mode) -> Vec<Row> {
    const TIMES: usize = 600_000;
    let rules = Rules::default();
    let mut random = Random::new(17);
    let mut counts = std::collections::BTreeMap::<&str, (usize, usize)>::new();
    for _ in 0..TIMES {
        let (state, (long, short)) = blind(&mut random, &rules);
        let said = verdict(&long, &short, &rules);
        let entry = counts.entry(state).or_default();
        entry.0 += 1;
        entry.1 += usize::from(matches!(said, Verdict::Over | Verdict::Fine));
    }
    let wrong: usize = counts.values().map(|(_, wrong)| wrong).sum();
    let fewest = counts.values().map(|(n, _)| *n).min().unwrap_or(0);
    let states: Vec<&str> = counts.keys().copied().collect();
    vec![Row::judged(
        "R7",
        "verdicts *over* or *fine* in blind states",
        format!("{wrong} of {}; at least {} in each of: {}", thousands(TIMES), thousands(fewest), states.join(", ")),
        "0 of 100,000",
        "readings and verdict of the program, random numbers; there is no guard that rolls back yet",
        wrong == 0 && TIMES >= 100_000,
    )]
}

/// How many of `n` requests fail, by inversion; the table of a binomial distribution.
struct Binomial(Vec<f64>);

impl Binomial {
    fn new(n: u32, p: f64) -> Self {
        let mut mass = (1.0 - p).powi(i32::try_from(n).unwrap_or(0));
        let mut sum = 0.0;
        let mut table = Vec::new();
        for k in 0..=n {
            sum += mass;
            table.push(sum);
            mass *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
        }
        Self(table)
    }

    fn draw(&self, random: &mut Random) -> u32 {
        let share = random.share();
        let at = self.0.iter().position(|sum| share < *sum).unwrap_or(self.0.len() - 1);
        u32::try_from(at).unwrap_or(0)
    }
}

/// Seconds of traffic in which errors are counted at once, and between two readings.
const BIN: usize = 5;

/// The last five minutes and the last minute of a version's traffic.
struct Windows {
    bins: std::collections::VecDeque<(u32, u32)>,
    long: (u32, u32),
    short: (u32, u32),
}

impl Windows {
    fn new() -> Self {
        Self { bins: std::collections::VecDeque::new(), long: (0, 0), short: (0, 0) }
    }

    fn add(&mut self, errors: u32, total: u32) {
        self.bins.push_back((errors, total));
        self.long = (self.long.0 + errors, self.long.1 + total);
        self.short = (self.short.0 + errors, self.short.1 + total);
        if self.bins.len() > 60 / BIN {
            let (e, t) = self.bins[self.bins.len() - 1 - 60 / BIN];
            self.short = (self.short.0 - e, self.short.1 - t);
        }
        if self.bins.len() > 300 / BIN {
            let (e, t) = self.bins.pop_front().unwrap_or_default();
            self.long = (self.long.0 - e, self.long.1 - t);
        }
    }

    fn verdict(&self, rules: &Rules) -> Verdict {
        let one = |n: u32| Value::One(f64::from(n));
        let raw = Raw {
            errors_long: one(self.long.0),
            total_long: one(self.long.1),
            errors_short: one(self.short.0),
            total_short: one(self.short.1),
            ..Raw::default()
        };
        let (long, short) = raw.readings(rules, FRESH);
        verdict(&long, &short, rules)
    }
}

/// Requests in a bin that lasts [`BIN`] seconds, as even as they can be.
fn requests(per_minute: u32, bin: usize) -> u32 {
    let upto = |n: usize| u64::from(per_minute) * (n * BIN) as u64 / 60;
    u32::try_from(upto(bin + 1) - upto(bin)).unwrap_or(0)
}

/// Seconds until *over*, when errors begin after so many bins of health.
fn detect(per_minute: u32, healthy: usize, every: usize, rules: &Rules, random: &mut Random) -> f64 {
    let sizes: Vec<u32> = (0..12).map(|bin| requests(per_minute, bin)).collect();
    let tables: Vec<(Binomial, Binomial)> =
        sizes.iter().map(|n| (Binomial::new(*n, 0.02), Binomial::new(*n, 0.2))).collect();
    let mut windows = Windows::new();
    let phase = random.below(every);
    for bin in 0..10_000 {
        let (good, bad) = &tables[bin % 12];
        let errors = if bin < healthy { good.draw(random) } else { bad.draw(random) };
        windows.add(errors, sizes[bin % 12]);
        if bin >= healthy && bin % every == phase && windows.verdict(rules) == Verdict::Over {
            #[expect(clippy::cast_precision_loss, reason = "some minutes")]
            return ((bin + 1 - healthy) * BIN) as f64;
        }
    }
    f64::INFINITY
}

/// R8: false alarms, and how long a real one takes.
pub fn alarms(mode: Mode) -> Vec<Row> {
    /// A moving rollout's rates are read as often as this.
    const EVERY: usize = 3;
    let rules = Rules::default();
    let rollouts = mode.pick(60_000, 2_000);
    let bins = 24 * 3600 / BIN;
    let threads = 2;
    let false_alarms: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|thread| {
                let rules = &rules;
                scope.spawn(move || {
                    let mut random = Random::new(1000 + thread as u64);
                    let sizes: Vec<u32> = (0..12).map(|bin| requests(100, bin)).collect();
                    let tables: Vec<Binomial> = sizes.iter().map(|n| Binomial::new(*n, 0.02)).collect();
                    let mut alarms = 0;
                    for _ in 0..rollouts / threads {
                        let mut windows = Windows::new();
                        for bin in 0..bins {
                            windows.add(tables[bin % 12].draw(&mut random), sizes[bin % 12]);
                            // Most readings are far from any alarm: those need no judgement.
                            let close = windows.long.0 * 20 > windows.long.1 || windows.short.0 * 20 > windows.short.1;
                            if bin % EVERY == 0 && close && windows.verdict(rules) == Verdict::Over {
                                alarms += 1;
                                break;
                            }
                        }
                    }
                    alarms
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().expect("counted")).sum()
    });
    #[expect(clippy::cast_precision_loss, reason = "a share to look at")]
    let share = false_alarms as f64 / rollouts as f64;
    let mut random = Random::new(4);
    let times = mode.pick(5_000, 1_000);
    let mut spread = |per_minute, healthy| {
        Spread::new((0..times).map(|_| detect(per_minute, healthy, EVERY, &rules, &mut random)).collect())
    };
    let (fresh, late) = (spread(100, 0), spread(100, 600 / BIN));
    let more: Vec<String> = [300, 1000]
        .iter()
        .map(|n| {
            let (fresh, late) = (spread(*n, 0), spread(*n, 600 / BIN));
            format!("{n}/min: {:.0} s and {:.0} s", fresh.at(0.99), late.at(0.99))
        })
        .collect();
    let how = "simulated traffic, seeded; the program's rules (5 min and 1 min windows, Wilson 99 %), read every 15 s";
    vec![
        Row::judged(
            "R8",
            "false *over* in 24 h at a true error rate of 2 %, 100 requests/min",
            format!("{false_alarms} of {} rollouts ({share:.1e})", thousands(rollouts)),
            "< 1e-4 a rollout",
            how,
            share < 1e-4,
        )
        .quick(mode),
        Row::judged(
            "R8",
            "20 % errors to *over*, p99, 100 requests/min",
            format!(
                "a new version bad from its start: {:.0} s (p50 {:.0}); one that was well for 10 min: {:.0} s (p50 {:.0}); {}",
                fresh.at(0.99),
                fresh.at(0.5),
                late.at(0.99),
                late.at(0.5),
                more.join("; ")
            ),
            "≤ 60 s",
            how,
            fresh.at(0.99).max(late.at(0.99)) <= 60.0,
        )
        .quick(mode),
    ]
}
