//! What lies behind a Kubernetes API server, and the transport to it that other systems share.

pub mod call;
pub mod claims;
pub mod client;
pub mod decode;
pub mod events;
pub mod feed;
pub mod focused;
pub mod history;
pub mod housekeeping;
pub mod login;
pub mod logs;
pub mod managed;
mod plugin;
pub mod pods;
pub mod rights;
pub mod scope;
pub mod seen;
pub mod timings;
pub mod watch;
pub mod witness;
pub mod yaml;
