//! The production code against a server that misbehaves.

mod reads;
mod writes;
