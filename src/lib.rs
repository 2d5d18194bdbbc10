//! Flightdeck: a release cockpit for the terminal.

pub mod actions;
pub mod audit;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod effects;
pub mod error;
pub mod model;
pub mod policy;
pub mod runtime;
pub mod systems;
pub mod tui;
