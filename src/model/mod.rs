//! Pure state: what the systems said, joined per target. The engine in `runtime` is its only writer (invariant 3).

pub mod choose;
pub mod filter;
mod index;
pub mod query;
pub mod rollback;
pub mod settle;
pub mod sort;
mod update;
pub mod world;

pub use index::State;
pub use update::{Event, update};
pub use world::{AuditView, Target, Warning, World};
