//! `cargo xtask bench-inputs`: SQLite and Lua, compiled at -O2. The sources come out of crates that bundle them, through
//! Cargo as any dependency, and are never part of the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{installed, metadata, target_directory};
use crate::step::status;

/// Sources to compile: the name of the input, a crate, its version, and the directory of its .c files.
const SOURCES: [(&str, &str, &str, &str); 2] =
    [("sqlite", "libsqlite3-sys", "0.35.0", "sqlite3"), ("lua", "lua-src", "548.1.2", "lua-5.4.8")];

/// Files in those directories that are not part of the library.
const LEFT_OUT: [&str; 2] = ["lua.c", "luac.c"];

/// Compilers: the target, the names of the program, and the flags before -O2.
#[rustfmt::skip]
const COMPILERS: [(&str, &[&str], &[&str]); 2] = [
    ("aarch64", &["aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc"], &[]),
    ("thumbv7", &["arm-linux-gnueabihf-gcc-12", "arm-linux-gnueabihf-gcc", "arm-linux-gnu-gcc"], &["-mthumb"]),
];

/// Makes what is not there yet; where everything is.
pub(crate) fn make() -> Result<PathBuf> {
    let all = target_directory()?.join("bench-inputs");
    for (target, compilers, flags) in COMPILERS {
        for source in SOURCES {
            let directory = all.join(format!("{}-{target}", source.0));
            if directory.exists() {
                eprintln!("    {}: there", directory.display());
                continue;
            }
            let Some(compiler) = installed(compilers) else {
                bail!("there is no {}: cargo xtask setup", compilers[0]);
            };
            // Renamed when complete.
            let partial = all.join("partial");
            let _ = std::fs::remove_dir_all(&partial);
            std::fs::create_dir_all(&partial)?;
            for file in sources(&all, source)? {
                let stem = file.file_stem().context("a source without a name")?;
                let object = partial.join(stem).with_extension("o");
                status(Command::new(compiler).args(flags).args(["-O2", "-c"]).arg(&file).arg("-o").arg(object))?;
            }
            std::fs::rename(&partial, &directory)?;
        }
    }
    Ok(all)
}

/// The .c files of a source.
fn sources(all: &Path, (_, name, version, directory): (&str, &str, &str, &str)) -> Result<Vec<PathBuf>> {
    let root = fetched(&all.join("sources"), name, version)?.join(directory);
    let files = c_files(&root, &LEFT_OUT)?;
    // SQLite: the amalgamation, not the parts beside it.
    if let Some(whole) = files.iter().find(|file| file.ends_with("sqlite3.c")) {
        return Ok(vec![whole.clone()]);
    }
    Ok(files)
}

/// Where a crate's own files are, fetched by Cargo for a manifest in `beside` that depends on it.
pub(crate) fn fetched(beside: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let package = beside.join(name);
    std::fs::create_dir_all(package.join("src"))?;
    std::fs::write(package.join("src/lib.rs"), "")?;
    let manifest = package.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"bench-input\"\nedition = \"2024\"\n\n[dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    std::fs::write(&manifest, text)?;
    let metadata = metadata(&["--manifest-path", &manifest.to_string_lossy()])?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found =
        packages.filter(|package| package["name"] == name).find_map(|package| package["manifest_path"].as_str());
    let manifest = PathBuf::from(found.with_context(|| format!("cargo did not fetch {name}"))?);
    Ok(manifest.parent().context("a manifest is in a directory")?.to_owned())
}

/// The .c files in a directory but for some, in order.
pub(crate) fn c_files(directory: &Path, left_out: &[&str]) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".c") && !left_out.contains(&&*name)
    });
    files.sort();
    Ok(files)
}
