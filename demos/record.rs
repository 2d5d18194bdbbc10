//! Records the cockpit on a demo scenario, as somebody at the keyboard would see it: `demos/record`.
//!
//! It writes `demos/bad-canary.cast` (text; `asciinema play` plays it) and puts the frames that it marks into README.

#[path = "../tests/support/recording.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod recording;
#[path = "../tests/pty/scenario.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod scenario;
#[path = "../tests/support/screen.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod screen;

use std::path::Path;
use std::time::{Duration, Instant};

use recording::Recording;
use screen::Screen;

const SIZE: (u16, u16) = (100, 24);

/// How long somebody looks at a screen before the next key.
const LOOK: Duration = Duration::from_millis(1800);

struct Tour {
    screen: Screen,
    marks: Vec<(Instant, &'static str)>,
}

impl Tour {
    /// Stays on what is there, for the one who watches.
    fn look(&mut self, name: &'static str) {
        let until = Instant::now() + LOOK;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.screen.next(left);
        }
        self.marks.push((Instant::now(), name));
    }

    fn press(&mut self, keys: &str, what: &str, shows: impl Fn(&str) -> bool) {
        self.screen.press(keys);
        self.screen.until(what, shows);
    }
}

fn bad_canary(tour: &mut Tour) {
    tour.screen.until("the bad canary", |text| text.contains("OVER") && text.contains("pods do not come"));
    tour.screen.press("g");
    tour.screen.until("the cursor on it", |text| text.contains("on shop/checkout:"));
    tour.look("board");
    tour.press("\r", "its screen", |text| text.contains("ladder"));
    tour.look("target");
    tour.press("a", "the act menu", |text| text.contains("act on"));
    tour.look("menu");
    tour.press("r", "the plan", |text| text.contains("type \"rev 1\""));
    tour.look("roll back");
    scenario::confirm(&mut tour.screen, "roll back");
    tour.screen.until("the end of the plan", |text| text.contains("all done after"));
    tour.look("rolled back");
    tour.press("\x1b", "the target again", |text| !text.contains("all done after"));
    tour.press("A", "the record", |text| text.contains("outcome"));
    tour.press("v", "the verdict", |text| text.contains("holds"));
    tour.look("audit");
}

fn main() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let name = "bad-canary";
    let args = ["demo", "--scenario", name];
    let program = Path::new(env!("CARGO_BIN_EXE_flightdeck"));
    let mut screen = scenario::start(program, &args, home.path(), &[], SIZE.0, SIZE.1);
    screen.chunks = Some(Vec::new());
    let started = screen.started;
    let mut tour = Tour { screen, marks: Vec::new() };
    bad_canary(&mut tour);
    let chunks = tour.screen.chunks.take().unwrap_or_default();
    let mut recording = Recording::new(SIZE.0, SIZE.1);
    let seconds = |at: Instant| at.duration_since(started).as_secs_f64();
    let mut marks = tour.marks.into_iter().peekable();
    let mut held = Vec::new();
    for chunk in chunks {
        while let Some((at, name)) = marks.next_if(|(at, _)| *at < chunk.at) {
            recording.push(seconds(at), "m", name);
        }
        held.extend(chunk.bytes);
        // A character may be cut in two between two reads.
        let whole = std::str::from_utf8(&held).map_or_else(|e| e.valid_up_to(), str::len);
        recording.push(seconds(chunk.at), "o", &String::from_utf8_lossy(&held[..whole]));
        held.drain(..whole);
    }
    for (at, name) in marks {
        recording.push(seconds(at), "m", name);
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = format!("demos/{name}.cast");
    std::fs::write(here.join(&file), recording.print("flightdeck demo --scenario bad-canary")).expect("the recording");
    let readme = here.join("README.md");
    let page = std::fs::read_to_string(&readme).expect("README");
    std::fs::write(&readme, recording.shown_in(&file, &page)).expect("README");
    println!("{file}: {} frames, README has them", recording.frames().len());
}
