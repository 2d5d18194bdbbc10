//! Every decoder of bytes from outside, with inputs that nobody meant.
//!
//! Inputs are mutations of seeds: objects captured from a real cluster, samples, and what once broke something
//! (`corpus/`). A decoder may refuse anything; it may not panic, and what it lets through is clean text.
//! A short run, the same every time, is part of the tests; `tests/fuzz/run 10m` runs for as long as it is told.
//! Compiled into the crate, since some decoders are nobody else's business.

#[path = "../support/random.rs"]
#[allow(dead_code, reason = "shared with the bench")]
mod random;

mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mutate::Mutator;
use random::Random;
use targets::{TARGETS, Target};

/// How often each target runs where no time is given.
const SHORT: usize = 250;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

/// `10m`, `30s`: for all targets together.
fn asked() -> Option<Duration> {
    let text = std::env::var("FLIGHTDECK_FUZZ").ok()?;
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: u64 = number.parse().expect("FLIGHTDECK_FUZZ is written 30s, 10m or 1h");
    Some(Duration::from_secs(match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        _ => panic!("FLIGHTDECK_FUZZ is written 30s, 10m or 1h"),
    }))
}

fn regressions(target: &str) -> Vec<Vec<u8>> {
    let Ok(files) = std::fs::read_dir(corpus(target)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = files.flatten().map(|f| f.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a regression")).collect()
}

/// Runs one input; says what broke.
fn one(target: &Target, input: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })
}

fn broke(target: &Target, input: &[u8], why: &str) -> ! {
    let path = corpus(target.name).join(format!(
        "found-{:08x}",
        input.iter().fold(7_u32, |h, b| { h.wrapping_mul(31).wrapping_add(u32::from(*b)) })
    ));
    let kept = asked().is_some()
        && std::fs::create_dir_all(corpus(target.name)).and_then(|()| std::fs::write(&path, input)).is_ok();
    let shown = String::from_utf8_lossy(&input[..input.len().min(400)]).into_owned();
    let place = if kept { format!("; the input is kept in {}", path.display()) } else { String::new() };
    panic!("{}: {why}{place}\n{shown:?}", target.name);
}

fn run(target: &Target, seed: u64, until: impl Fn(usize) -> bool) -> usize {
    let known = regressions(target.name);
    let mut seeds = (target.seeds)();
    seeds.extend(known);
    for input in &seeds {
        one(target, input).unwrap_or_else(|why| broke(target, input, &why));
    }
    let mut mutator = Mutator::new(seeds, target.json, Random::new(seed));
    let mut executions = 0;
    while until(executions) {
        let input = mutator.next();
        one(target, &input).unwrap_or_else(|why| broke(target, &input, &why));
        executions += 1;
    }
    executions
}

#[test]
fn no_decoder_breaks_on_what_nobody_meant() {
    let Some(time) = asked() else {
        std::thread::scope(|scope| {
            for chunk in TARGETS.chunks(TARGETS.len().div_ceil(2)) {
                scope.spawn(move || {
                    for target in chunk {
                        run(target, 1, |n| n < SHORT);
                    }
                });
            }
        });
        return;
    };
    // Not what is tried, but what broke, is worth a line.
    std::panic::set_hook(Box::new(|_| {}));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(TARGETS.len());
    let each = time
        .mul_f64(f64::from(u32::try_from(threads).unwrap_or(1)) / f64::from(u32::try_from(TARGETS.len()).unwrap_or(1)));
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |t| t.as_secs());
    let next = AtomicUsize::new(0);
    let all = AtomicUsize::new(0);
    let broken = std::sync::Mutex::new(Vec::new());
    println!("{} targets, {} s each, on {threads} threads, seed {seed}", TARGETS.len(), each.as_secs());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let begun = Instant::now();
                    let done = catch_unwind(|| run(target, seed, |_| begun.elapsed() < each));
                    match done {
                        Ok(executions) => {
                            all.fetch_add(executions, Ordering::SeqCst);
                            println!("{:<28} {executions:>10} executions, clean", target.name);
                        }
                        Err(panic) => {
                            let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                            println!("{:<28} BROKE: {why}", target.name);
                            broken.lock().expect("the list").push(target.name);
                        }
                    }
                }
            });
        }
    });
    println!("{} executions in all", all.into_inner());
    let broken = broken.into_inner().expect("the list");
    assert!(broken.is_empty(), "{broken:?}");
}
