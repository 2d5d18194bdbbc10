//! Screens as snapshots with a clock of their own, and the rules of the keys.

mod alarms;
mod boxes;
mod hostile;
mod keys;
mod looks;
mod mouse;
mod rates;
mod releases;
mod safety;
mod screens;
mod sizes;
pub(super) mod worlds;
