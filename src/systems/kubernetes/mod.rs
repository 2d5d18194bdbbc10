//! What lies behind a Kubernetes API server, and the transport to it that other systems share.

pub mod call;
pub mod client;
pub mod decode;
pub mod feed;
pub mod history;
pub mod housekeeping;
pub mod logs;
pub mod managed;
pub mod pods;
pub mod watch;
pub mod witness;
pub mod yaml;
