//! The tables in the documentation are those of the linker, and they are complete.

use linker::Target;

/// `LINKRIG_UPDATE=1` writes them anew.
#[test]
fn the_pages_are_the_tables() {
    for (target, page) in [
        ("aarch64", "relocations-aarch64.md"),
        ("aarch64_ilp32", "relocations-ilp32.md"),
        ("armv7", "relocations-arm.md"),
    ] {
        let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
        let new = harness::command::relocations::markdown(Target::named(target).expect("a target"));
        if std::env::var_os("LINKRIG_UPDATE").is_some() {
            std::fs::write(&path, new).expect("written");
        } else {
            let old = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                old == new,
                "docs/{page} is stale: LINKRIG_UPDATE=1 cargo test -p harness --test program relocations"
            );
        }
    }
}
