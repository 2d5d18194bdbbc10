//! The running program: one engine that owns the world, the control that carries out acts, and the handle of the faces.

pub mod handle;
