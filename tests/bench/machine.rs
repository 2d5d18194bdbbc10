//! P0: how fast this machine is today, beside the one that the targets were set on. Times of the other rows are read
//! with it; it judges nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::screen::Screen;
use super::table::{Row, Spread};
use super::{Mode, WIDE};

/// What the same two measurements gave there (`cat` behind a pseudo-terminal, p50 in ms; SHA-256 of 1 MiB, GB/s).
const THERE: (f64, f64) = (0.094, 1.89);

/// The row.
pub fn today(_: Mode) -> Vec<Row> {
    let (echo, hash) = (echo(), hash());
    vec![Row::note(
        "P0",
        "this machine today: a key's echo by `cat` behind the same terminal; SHA-256 on one core",
        format!(
            "p50 {:.3} ms, p99 {:.3}: {:.1} times as long as where the targets are from; {hash:.2} GB/s: {:.1} times",
            echo.at(0.5),
            echo.at(0.99),
            echo.at(0.5) / THERE.0,
            THERE.1 / hash,
        ),
        "taken first; a processor that is shared with others shows here",
    )]
}

fn echo() -> Spread {
    let script = ["-c", "stty raw -echo; echo ready; exec cat"];
    let mut screen = Screen::start(Path::new("/bin/sh"), &script, &[], WIDE.0, WIDE.1);
    screen.until("the shell", |text| text.contains("ready"));
    let times: Vec<Duration> = (0..300)
        .map(|_| {
            screen.settle(Duration::from_millis(3));
            let at = screen.press("j");
            screen.next(Duration::from_secs(5)).expect("an echo").duration_since(at)
        })
        .collect();
    Spread::of(&times)
}

fn hash() -> f64 {
    let block = vec![7_u8; 1 << 20];
    let rounds = 200_u32;
    let begun = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(Sha256::digest(std::hint::black_box(&block)));
    }
    f64::from(rounds) * f64::from(1 << 20) / begun.elapsed().as_secs_f64() / 1e9
}
