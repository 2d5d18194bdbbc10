//! The production code against a server that misbehaves.

mod focus;
mod logins;
mod prometheus;
mod questions;
mod reads;
mod reconcile;
mod scopes;
mod witness;
mod writes;
