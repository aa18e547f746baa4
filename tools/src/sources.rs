//! `cargo xtask sources`: libraries that everybody knows, each with a program of ours that has it work and checks what it does, linked
//! by our linker in several layouts and run on our emulator, beside GNU ld and qemu-user. The libraries come out of crates that bundle
//! their sources, and nothing of them is kept here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::inputs::{c_files, fetched};
use crate::bench::{installed, target_directory};
use crate::step::{cargo, root, status};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these: lua, sqlite, zlib, zstd
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    source: Vec<String>,
    /// Only these targets: aarch64, armv7, thumbv7
    #[arg(long, value_name = "A,..", value_delimiter = ',')]
    arch: Vec<String>,
    /// Only these compilers: gcc, clang
    #[arg(long, value_name = "CC,..", value_delimiter = ',')]
    cc: Vec<String>,
    /// Levels of optimisation
    #[arg(long = "level", default_values = ["-O0", "-O2"], allow_hyphen_values = true)]
    levels: Vec<String>,
    /// Layouts, as `exec` has them
    #[arg(long = "layout", default_values = ["near", "far", "random:1"])]
    layouts: Vec<String>,
}

/// A library.
struct Source {
    name: &'static str,
    /// The crate that bundles it, and its version.
    from: (&'static str, &'static str),
    /// Where its sources are in there, and files among them that are left out.
    directories: &'static [&'static str],
    left_out: &'static [&'static str],
    flags: &'static [&'static str],
    /// What has it work.
    program: &'static str,
}

const SOURCES: [Source; 4] = [
    Source {
        name: "lua",
        from: ("lua-src", "548.1.2"),
        directories: &["lua-5.4.8"],
        left_out: &["lua.c", "luac.c"],
        flags: &["-DLUA_USE_POSIX"],
        program: include_str!("sources/lua.c"),
    },
    Source {
        name: "sqlite",
        from: ("libsqlite3-sys", "0.35.0"),
        directories: &["sqlite3"],
        left_out: &["wasm32-wasi-vfs.c"],
        flags: &["-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_THREADSAFE=0"],
        program: include_str!("sources/sqlite.c"),
    },
    Source {
        name: "zlib",
        from: ("libz-sys", "1.1.22"),
        directories: &["src/zlib"],
        left_out: &["gzclose.c", "gzlib.c", "gzread.c", "gzwrite.c"],
        flags: &[],
        program: include_str!("sources/zlib.c"),
    },
    Source {
        name: "zstd",
        from: ("zstd-sys", "2.0.16"),
        directories: &["zstd/lib/common", "zstd/lib/compress", "zstd/lib/decompress"],
        left_out: &[],
        flags: &["-DZSTD_DISABLE_ASM"],
        program: include_str!("sources/zstd.c"),
    },
];

/// What the programs of the compressors work on.
const DATA: &str = include_str!("sources/data.h");

/// A target: GCC, which links the reference, what it and clang are told, and qemu-user's program.
struct Row {
    target: &'static str,
    gcc: &'static [&'static str],
    flags: &'static [&'static str],
    triple: &'static str,
    emulator: &'static [&'static str],
}

const ROWS: [Row; 3] = [
    Row {
        target: "aarch64",
        gcc: &["aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc"],
        flags: &[],
        triple: "aarch64-linux-gnu",
        emulator: &["qemu-aarch64", "qemu-aarch64-static"],
    },
    Row {
        target: "armv7",
        gcc: &["arm-linux-gnueabihf-gcc-12", "arm-linux-gnueabihf-gcc"],
        flags: &["-marm"],
        triple: "arm-linux-gnueabihf",
        emulator: &["qemu-arm", "qemu-arm-static"],
    },
    Row {
        target: "thumbv7",
        gcc: &["arm-linux-gnueabihf-gcc-12", "arm-linux-gnueabihf-gcc"],
        flags: &["-mthumb"],
        triple: "arm-linux-gnueabihf",
        emulator: &["qemu-arm", "qemu-arm-static"],
    },
];

const CLANG: &[&str] = &["clang-19", "clang"];

/// How a program ended: its status, if it has one, and what it printed.
type Ended = (Option<i32>, String);

/// What CI runs: what is compiled in seconds.
pub(crate) fn sample() -> Result<()> {
    let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    run(&Options {
        source: some(&["lua", "zlib"]),
        arch: some(&["thumbv7"]),
        cc: some(&["gcc"]),
        levels: some(&["-O2"]),
        layouts: some(&["far", "random:1"]),
    })
}

pub(crate) fn run(options: &Options) -> Result<()> {
    status(&mut cargo(&["build", "--package", "harness"]))?;
    let all = target_directory()?.join("sources");
    let wanted = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
    let (mut right, mut wrong) = (0, Vec::new());
    for source in SOURCES.iter().filter(|source| wanted(&options.source, source.name)) {
        let library = fetched(&all, source.from.0, source.from.1)?;
        for row in ROWS.iter().filter(|row| wanted(&options.arch, row.target)) {
            let gcc = found(row.gcc)?;
            let compilers =
                [("gcc", vec![gcc.to_owned()]), ("clang", vec![String::new(), format!("--target={}", row.triple)])];
            for (cc, mut compiler) in compilers.into_iter().filter(|(cc, _)| wanted(&options.cc, cc)) {
                if cc == "clang" {
                    found(CLANG)?.clone_into(&mut compiler[0]);
                }
                compiler.extend(row.flags.iter().map(|flag| (*flag).to_owned()));
                for level in &options.levels {
                    let directory = all.join(format!("{}-{}-{cc}{level}", source.name, row.target));
                    eprintln!("    {} for {} by {cc} {level}", source.name, row.target);
                    let objects = compile(source, &library, &compiler, level, &directory)?;
                    let expected = reference(gcc, found(row.emulator)?, &objects, &directory)?;
                    let what = format!("{} {} {cc} {level}", source.name, row.target);
                    if expected.0 != Some(0) || expected.1.is_empty() {
                        bail!("{what}: linked by GNU ld, under qemu-user: {expected:?}");
                    }
                    for layout in &options.layouts {
                        let ended = ours(&objects, layout)?;
                        let same = ended == expected;
                        println!("{what} {layout}: {}", if same { "the same" } else { "NOT the same" });
                        if same {
                            right += 1;
                        } else {
                            wrong.push(format!("{what} {layout}: {ended:?}, expected {expected:?}"));
                        }
                    }
                }
            }
        }
    }
    wrong.iter().for_each(|wrong| println!("{wrong}"));
    println!("{right} programs do what they do as GNU ld links them, under qemu-user");
    if right == 0 || !wrong.is_empty() {
        bail!("{} of {} programs do something else", wrong.len(), right + wrong.len());
    }
    Ok(())
}

fn found(names: &[&'static str]) -> Result<&'static str> {
    installed(names).with_context(|| format!("there is no {}: cargo xtask setup", names[0]))
}

/// Compiles a library and its program; what is there from another time is taken as it is. The objects.
fn compile(
    source: &Source,
    library: &Path,
    compiler: &[String],
    level: &str,
    directory: &Path,
) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("data.h"), DATA)?;
    let program = directory.join("main.c");
    if std::fs::read_to_string(&program).unwrap_or_default() != source.program {
        std::fs::write(&program, source.program)?;
        let _ = std::fs::remove_file(program.with_extension("o"));
    }
    let directories: Vec<PathBuf> = source.directories.iter().map(|name| library.join(name)).collect();
    let mut files = vec![program];
    for directory in &directories {
        files.extend(c_files(directory, source.left_out)?);
    }
    if let Some(whole) = files.iter().find(|file| file.ends_with("sqlite3.c")).cloned() {
        files.truncate(1);
        files.push(whole);
    }
    let mut objects = Vec::new();
    for file in files {
        let object = directory.join(file.file_stem().context("a source without a name")?).with_extension("o");
        if !object.exists() {
            // Renamed when complete.
            let partial = object.with_extension("partial");
            let mut command = Command::new(&compiler[0]);
            command.args(&compiler[1..]).args([level, "-w", "-fno-pie", "-c"]).args(source.flags);
            command.args(
                directories.iter().chain([&library.join("zstd/lib")]).map(|path| format!("-I{}", path.display())),
            );
            done(command.arg(&file).arg("-o").arg(&partial))?;
            std::fs::rename(&partial, &object)?;
        }
        objects.push(object);
    }
    Ok(objects)
}

/// How it ends as GNU ld links it, under qemu-user.
fn reference(gcc: &str, emulator: &str, objects: &[PathBuf], directory: &Path) -> Result<Ended> {
    let program = directory.join("program");
    done(Command::new(gcc).arg("-static").args(objects).arg("-lm").arg("-o").arg(&program))?;
    ended(Command::new(emulator).arg(&program))
}

/// How it ends as our linker links it in a layout, on our emulator.
fn ours(objects: &[PathBuf], layout: &str) -> Result<Ended> {
    let mut command = Command::new(root().join("target/debug/harness"));
    command.args(["exec", "--crt", "glibc", "--layout", layout, "--timeout", "600"]).args(objects);
    ended(&mut command)
}

/// Has a command done whose line would say little: there is one for each file.
fn done(command: &mut Command) -> Result<()> {
    let ended = command.status().with_context(|| format!("{command:?}"))?;
    if ended.success() { Ok(()) } else { bail!("{command:?}: {ended}") }
}

fn ended(command: &mut Command) -> Result<Ended> {
    let output = command.stderr(std::process::Stdio::inherit()).output().with_context(|| format!("{command:?}"))?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}
