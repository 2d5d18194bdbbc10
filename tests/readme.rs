//! README shows what is so.

use std::path::Path;

use crate::recording::Recording;

/// Each frame in README is one of the recording, as it is.
#[test]
fn the_pictures_are_frames_of_the_recording() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(here.join(file)).expect(file);
    let page = read("README.md");
    let file = "demos/bad-canary.cast";
    let recording = Recording::parse(&read(file));
    assert!(recording.shown_in(file, &page) == page, "README differs from {file}: `demos/record` makes both anew");
    assert!(page.contains(&format!("<!-- frame {file}: ")));
}
