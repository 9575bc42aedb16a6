//! The program: reads the command line, and hands over.

use std::process::ExitCode;

use chatkit_gateway::cli;

fn main() -> ExitCode {
    cli::main()
}
