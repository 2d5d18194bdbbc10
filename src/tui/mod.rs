//! The cockpit.

use std::io;

use crate::runtime::handle::Handle;

/// How it looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether only ASCII may be used.
    pub ascii: bool,
    /// A badge in the corner, e.g. `DEMO`.
    pub badge: Option<&'static str>,
}

/// Runs the cockpit until the person leaves it.
#[allow(clippy::unused_async)]
pub async fn run(_handle: Handle, _look: Look) -> io::Result<()> {
    Ok(())
}
