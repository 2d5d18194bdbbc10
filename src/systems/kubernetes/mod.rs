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
pub mod logs;
pub mod managed;
pub mod pods;
pub mod rights;
pub mod scope;
pub mod watch;
pub mod witness;
pub mod yaml;
