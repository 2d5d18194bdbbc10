//! The production code against a server that misbehaves.

mod prometheus;
mod reads;
mod reconcile;
mod witness;
mod writes;
