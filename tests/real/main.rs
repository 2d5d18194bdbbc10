//! Tests against real components: see README.md beside this file.

#[path = "../support/engine.rs"]
#[expect(dead_code, reason = "shared with the hermetic tests")]
mod engine;
#[path = "../support/exporter.rs"]
mod exporter;
#[path = "../parity/mod.rs"]
#[expect(dead_code, reason = "shared with the hermetic tests")]
mod parity_script;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../pty/scenario.rs"]
#[expect(dead_code, reason = "shared with the hermetic tests")]
mod scenario;
#[path = "../support/screen.rs"]
#[expect(dead_code, reason = "shared with the bench")]
mod screen;
#[path = "../support/stack.rs"]
mod stack;

mod acts_blue_green;
mod acts_canary;
mod acts_late;
mod acts_plans;
mod acts_refused;
mod acts_states;
mod acts_table;
mod acts_templates;
mod acts_world;
mod audit;
mod ground;
mod keyboard;
mod outcomes;
mod parity;
mod plugin;
mod prometheus;
mod queries;
mod rehearsals;
mod roles;
mod verbs;
