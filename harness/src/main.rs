//! The command-line program.

fn main() -> std::process::ExitCode {
    harness::cli::main()
}
