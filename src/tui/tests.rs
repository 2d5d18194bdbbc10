//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod alarms;
mod board;
mod boxes;
mod due;
mod hostile;
mod jumps;
mod keys;
mod looks;
mod mouse;
mod palette;
mod rates;
mod releases;
mod safety;
mod screens;
mod sizes;
mod words;
pub(super) mod worlds;
