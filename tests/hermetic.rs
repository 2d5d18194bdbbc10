//! The hermetic tests: they need nothing but Rust. One binary, so that the crate is linked once.

#[path = "architecture/mod.rs"]
mod architecture;
