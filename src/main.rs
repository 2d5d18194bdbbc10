//! The program: see the library's documentation for its map.

use std::process::ExitCode;

fn main() -> ExitCode {
    flightdeck::cli::main()
}
