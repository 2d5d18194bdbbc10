//! Tests against real components: see README.md beside this file.

#[path = "../support/engine.rs"]
mod engine;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/stack.rs"]
mod stack;

mod outcomes;
mod plugin;
mod verbs;
