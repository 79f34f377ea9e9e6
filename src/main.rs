//! The `dockeropt` program: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    dockeropt::cli::main()
}
