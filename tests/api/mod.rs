//! The production code against a server that misbehaves.

mod focus;
mod reads;
mod writes;
