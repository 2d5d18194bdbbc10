//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod board;
mod boxes;
mod hostile;
mod jumps;
mod keys;
mod looks;
mod palette;
mod rates;
mod releases;
mod screens;
pub(super) mod worlds;
