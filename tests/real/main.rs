//! Tests against real components: see README.md beside this file.

#[path = "../support/engine.rs"]
#[expect(dead_code, reason = "shared with the hermetic tests")]
mod engine;
#[path = "../parity/mod.rs"]
#[expect(dead_code, reason = "shared with the hermetic tests")]
mod parity_script;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../pty/scenario.rs"]
mod scenario;
#[path = "../support/screen.rs"]
#[expect(dead_code, reason = "shared with the bench")]
mod screen;
#[path = "../support/stack.rs"]
mod stack;

mod audit;
mod keyboard;
mod outcomes;
mod parity;
mod plugin;
mod verbs;
