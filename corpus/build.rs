//! Has the crate compiled again when a file of the corpus comes or goes: the contents are inside of it (`src/corpus.rs`).

fn main() {
    for directory in ["cases", "prebuilt"] {
        println!("cargo::rerun-if-changed={directory}");
    }
}
