//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod boxes;
mod hostile;
mod keys;
mod looks;
mod rates;
mod releases;
mod screens;
pub(super) mod worlds;
