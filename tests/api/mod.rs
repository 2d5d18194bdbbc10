//! The production code against a server that misbehaves.

mod reads;
mod witness;
mod writes;
