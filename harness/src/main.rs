//! The command-line program.

fn main() -> std::process::ExitCode {
    // `harness ... | head`: that nobody reads on is no error, and nothing to panic about.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if text.starts_with("failed printing to stdout: Broken pipe") {
            std::process::exit(0);
        }
        usual(panic);
    }));
    harness::cli::main()
}
