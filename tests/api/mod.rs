//! The production code against a server that misbehaves.

mod focus;
mod prometheus;
mod reads;
mod reconcile;
mod witness;
mod writes;
