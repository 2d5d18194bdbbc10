//! The hermetic tests: they need nothing but Rust. One binary, so that the crate is linked once.

#[path = "architecture/mod.rs"]
mod architecture;
mod demo;
#[path = "support/engine.rs"]
#[expect(dead_code, reason = "shared with the real tests")]
mod engine;
#[path = "parity/mod.rs"]
mod parity_script;
mod pty;
#[path = "support/screen.rs"]
#[expect(dead_code, reason = "shared with the bench")]
mod screen;
