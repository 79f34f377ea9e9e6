//! The `dockeropt` program: arguments in, exit code out.

/// A third of the run over many files went into the system's allocator: small strings, made and dropped by every pass.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dockeropt::cli::main()
}
