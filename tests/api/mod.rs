//! The production code against a server that misbehaves.

mod prometheus;
mod reads;
mod writes;
