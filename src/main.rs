//! The binary: arguments to [`portcullis::cli`], and an exit status back.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Gives memory that is no longer used back to the system. What a start and many calls at once leave
/// behind stays with the system's allocator of glibc: 13 MB after the start alone.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    portcullis::cli::main()
}
