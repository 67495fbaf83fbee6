//! The binary: arguments to [`portcullis::cli`], and an exit status back.

use std::process::ExitCode;

/// The system's allocator gives memory back late and contends between threads; this one keeps a
/// proxy of small, short-lived buffers small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    portcullis::cli::main()
}
