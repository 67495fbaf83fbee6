//! The binary: arguments to [`portcullis::cli`], and an exit status back.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis::cli::main()
}
