//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod keys;
mod screens;
mod worlds;
