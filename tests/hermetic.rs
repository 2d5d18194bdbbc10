//! The hermetic tests: they need nothing but Rust. One binary, so that the crate is linked once.

#[path = "api/mod.rs"]
mod api;
#[path = "architecture/mod.rs"]
mod architecture;
mod cli;
mod config;
mod demo;
#[path = "support/engine.rs"]
mod engine;
#[path = "parity/mod.rs"]
mod parity_script;
#[path = "support/program.rs"]
mod program;
mod pty;
#[path = "support/random.rs"]
#[expect(dead_code, reason = "shared with the bench")]
mod random;
mod readme;
#[path = "support/recording.rs"]
#[expect(dead_code, reason = "shared with the recorder")]
mod recording;
#[path = "support/screen.rs"]
#[expect(dead_code, reason = "shared with the bench")]
mod screen;
#[path = "support/scripted.rs"]
mod scripted;
