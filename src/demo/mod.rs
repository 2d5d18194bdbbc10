//! The embedded demo world.

use std::io;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario;

impl Scenario {
    /// The calm canary.
    pub fn calm_canary() -> Self {
        Self
    }

    /// Parses a scenario file.
    pub fn parse(_text: &str) -> Result<Self, String> {
        Ok(Self)
    }
}

/// The running world.
pub struct World;

impl World {
    /// Starts it.
    #[allow(clippy::unused_async)]
    pub async fn start(_scenario: &Scenario, _seed: u64) -> io::Result<Self> {
        Ok(Self)
    }

    /// Its kubeconfig.
    pub fn kubeconfig(&self) -> String {
        String::new()
    }

    /// Ends it.
    #[allow(clippy::unused_async)]
    pub async fn stop(self) {}
}
