//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod boxes;
mod keys;
mod releases;
mod screens;
mod worlds;
