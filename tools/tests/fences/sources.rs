//! The sources of the workspace, as the fences read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The path of a module in its crate, without `crate`.
pub(crate) type Module = Vec<String>;

/// The files of a crate by module: a library's root and that of its program are one.
pub(crate) type Sources = BTreeMap<Module, Vec<String>>;

/// Reads the sources of a crate.
fn sources(directory: &Path) -> Sources {
    let root = directory.join("src");
    let mut sources = Sources::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below the root").with_extension("");
                let mut module: Module = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
                let text = std::fs::read_to_string(&path).expect("a source");
                sources.entry(module).or_default().push(text);
            }
        }
    }
    sources
}

/// The directory of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The crates of the workspace by name.
pub(crate) fn crates() -> Vec<(String, Sources)> {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let members = manifest["workspace"]["members"].as_array().expect("a list");
    let named = |member: &toml::Value| {
        let name = member.as_str().expect("a name");
        (name.to_owned(), sources(&workspace().join(name)))
    };
    members.iter().map(named).collect()
}

/// Whether an item is compiled for unit tests only.
pub(crate) fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}
