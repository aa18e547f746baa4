//! The programs and packages that the machine has to have, in one table.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::status;

/// What something is needed for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Building and running the harness.
    Run,
    /// Testing everything.
    Test,
}

/// How to see that something is there on a system without dpkg.
enum Probe {
    /// One of these programs.
    Program(&'static [&'static str]),
    /// libclang, where bindgen looks for it.
    LibClang,
    /// A header below the root.
    File(&'static str),
}

struct Package {
    need: Need,
    /// The name in Debian, of the version that is wanted.
    name: &'static str,
    /// The name to take where a release does not have that version.
    fallback: Option<&'static str>,
    probe: Probe,
    reason: &'static str,
}

const fn row(
    need: Need,
    name: &'static str,
    fallback: Option<&'static str>,
    probe: Probe,
    reason: &'static str,
) -> Package {
    Package { need, name, fallback, probe, reason }
}

use Need::{Run, Test};
use Probe::{File, LibClang, Program};

/// Versioned names as Debian 12 (bookworm) has them; they are the versions that the prebuilt objects were made with.
#[rustfmt::skip]
static PACKAGES: &[Package] = &[
    row(Run, "gcc", None, Program(&["cc"]), "compiles Unicorn and Capstone"),
    row(Run, "make", None, Program(&["make", "ninja"]), "builds Unicorn"),
    row(Run, "pkgconf", Some("pkg-config"), Program(&["pkg-config"]), "Unicorn's configure script asks for it"),
    row(Run, "cmake", None, Program(&["cmake"]), "configures Unicorn"),
    row(Run, "libclang-19-dev", Some("libclang-dev"), LibClang, "reads Unicorn's headers (bindgen)"),
    row(Test, "gcc-12-aarch64-linux-gnu", Some("gcc-aarch64-linux-gnu"), Program(&["aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc"]), "compiles the corpus for aarch64"),
    row(Test, "g++-12-aarch64-linux-gnu", Some("g++-aarch64-linux-gnu"), Program(&["aarch64-linux-gnu-g++-12", "aarch64-linux-gnu-g++"]), "compiles the C++ cases for aarch64"),
    row(Test, "binutils-aarch64-linux-gnu", None, Program(&["aarch64-linux-gnu-ld"]), "assembles for aarch64; GNU ld to compare with"),
    row(Test, "libc6-dev-arm64-cross", None, File("usr/aarch64-linux-gnu/include/stdio.h"), "whole programs for aarch64"),
    row(Test, "gcc-12-arm-linux-gnueabihf", Some("gcc-arm-linux-gnueabihf"), Program(&["arm-linux-gnueabihf-gcc-12", "arm-linux-gnueabihf-gcc", "arm-linux-gnu-gcc"]), "compiles the corpus for ARM"),
    row(Test, "g++-12-arm-linux-gnueabihf", Some("g++-arm-linux-gnueabihf"), Program(&["arm-linux-gnueabihf-g++-12", "arm-linux-gnueabihf-g++", "arm-linux-gnu-g++"]), "compiles the C++ cases for ARM"),
    row(Test, "binutils-arm-linux-gnueabihf", None, Program(&["arm-linux-gnueabihf-ld", "arm-linux-gnu-ld"]), "assembles for ARM; GNU ld to compare with"),
    row(Test, "libc6-dev-armhf-cross", None, File("usr/arm-linux-gnueabihf/include/stdio.h"), "whole programs for ARM"),
    row(Test, "gcc-arm-none-eabi", None, Program(&["arm-none-eabi-gcc"]), "compiles programs for bare metal"),
    row(Test, "libnewlib-arm-none-eabi", None, File("usr/lib/arm-none-eabi/newlib/libc.a"), "their C library"),
    row(Test, "libstdc++-arm-none-eabi-newlib", None, File("usr/lib/arm-none-eabi/newlib/libstdc++.a"), "their C++ library"),
    row(Test, "clang-19", Some("clang"), Program(&["clang-19", "clang"]), "compiles the corpus for every target"),
    row(Test, "lld-19", Some("lld"), Program(&["ld.lld-19", "ld.lld"]), "joins clang's objects; lld to compare with"),
    row(Test, "mold", None, Program(&["mold"]), "executables of another linker, to be loaded"),
    row(Test, "llvm-19", Some("llvm"), Program(&["llvm-jitlink-19", "llvm-jitlink"]), "llvm-jitlink to compare with"),
    row(Test, "llvm-22", Some("llvm"), Program(&["llvm-jitlink-22", "llvm-jitlink"]), "llvm-jitlink of a later release, as a controller"),
    row(Test, "qemu-user", None, Program(&["qemu-aarch64", "qemu-aarch64-static"]), "a second engine to run on"),
    row(Test, "gdb-multiarch", Some("gdb"), Program(&["gdb-multiarch"]), "debugs programs on the emulator, as its users have it"),
    row(Test, "meson", None, Program(&["meson"]), "runs programs by way of ours, as its users have it"),
    row(Test, "dejagnu", None, Program(&["runtest"]), "the same"),
    row(Test, "mmdebstrap", None, Program(&["mmdebstrap"]), "unpacks Debian's packages into images"),
    row(Test, "uidmap", None, Program(&["newuidmap"]), "lets users unpack packages as root of a name space"),
    row(Test, "mtools", None, Program(&["mformat"]), "writes the boot partition of images"),
    row(Test, "e2fsprogs", None, Program(&["mke2fs"]), "writes the root file system of images"),
    row(Test, "fdisk", None, Program(&["sfdisk"]), "writes the partition table of images"),
    row(Test, "qemu-system-arm", None, Program(&["qemu-system-aarch64"]), "the boards"),
    row(Test, "qemu-utils", None, Program(&["qemu-img"]), "overlays, so that images are not written"),
    row(Test, "device-tree-compiler", None, Program(&["dtc"]), "reads device trees, to compare with"),
    row(Test, "cpio", None, Program(&["cpio"]), "reads initramfs archives, to compare with"),
    row(Test, "xz-utils", None, Program(&["xz"]), "packs kernels and modules as distributions do"),
    row(Test, "chromium", None, Program(&["chromium", "chromium-browser", "google-chrome"]), "opens the HTML report, as its readers do"),
];

/// Whether the table has this package.
#[cfg(test)]
pub(crate) fn knows(name: &str) -> bool {
    PACKAGES.iter().any(|package| package.name == name)
}

impl Package {
    fn is_there(&self, debian: bool) -> bool {
        if debian && [Some(self.name), self.fallback].into_iter().flatten().any(installed) {
            return true;
        }
        match self.probe {
            // On Debian the version counts, so the package does.
            Program(_) | LibClang if debian && self.fallback.is_some() => false,
            Program(names) => names.iter().any(|name| which::which(name).is_ok()),
            LibClang => libclang(),
            File(path) => Path::new("/").join(path).exists(),
        }
    }
}

/// Whether dpkg has installed this package.
fn installed(name: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", name]).stderr(Stdio::null()).output();
    query.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// Where bindgen looks, roughly.
fn libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() || which::which("llvm-config").is_ok() {
        return true;
    }
    let mut directories: Vec<std::path::PathBuf> =
        ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/opt/llvm/lib"].iter().map(Into::into).collect();
    let versions = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    directories.extend(versions.map(|entry| entry.path().join("lib")));
    let holds = |directory: &std::path::PathBuf| {
        let mut files = std::fs::read_dir(directory).into_iter().flatten().flatten();
        files.any(|file| {
            file.file_name().to_str().is_some_and(|n| n.starts_with("libclang.so") || n.starts_with("libclang.dylib"))
        })
    };
    directories.iter().any(holds)
}

/// The machine's release, as /etc/os-release has it.
struct Release {
    name: String,
    debian: bool,
}

fn release() -> Release {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    parse_release(&text)
}

fn parse_release(text: &str) -> Release {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let family = format!("{} {}", value("ID"), value("ID_LIKE"));
    let debian = family.split_whitespace().any(|id| ["debian", "ubuntu"].contains(&id));
    let name = Some(value("PRETTY_NAME")).filter(|name| !name.is_empty());
    Release {
        name: name.unwrap_or_else(|| std::env::consts::OS.to_owned()),
        debian: debian && which::which("apt-get").is_ok(),
    }
}

fn missing(need: Need, debian: bool) -> Vec<&'static Package> {
    PACKAGES.iter().filter(|package| package.need <= need && !package.is_there(debian)).collect()
}

/// Prints what is missing; whether nothing is.
pub(crate) fn list(need: Need) -> Result<bool> {
    let release = release();
    let missing = missing(need, release.debian);
    print_missing(&missing, &release);
    Ok(missing.is_empty())
}

fn print_missing(missing: &[&Package], release: &Release) {
    if missing.is_empty() {
        eprintln!("    nothing is missing on this {}", release.name);
        return;
    }
    eprintln!("    missing on this {}:", release.name);
    for package in missing {
        eprintln!("      {:<28} {}", package.name, package.reason);
    }
}

/// Installs what is missing.
pub(crate) fn install(need: Need) -> Result<()> {
    let release = release();
    let missing = missing(need, release.debian);
    print_missing(&missing, &release);
    if need == Need::Test {
        components()?;
        targets();
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !release.debian {
        let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
        bail!("this is not Debian or Ubuntu: install what they call {}, then start again", names.join(" "));
    }
    apt(&["update"])?;
    let mut names = Vec::new();
    for package in &missing {
        match [Some(package.name), package.fallback].into_iter().flatten().find(|name| available(name)) {
            Some(name) => {
                if name != package.name {
                    eprintln!("    {} has no {}: {name} instead", release.name, package.name);
                }
                names.push(name);
            }
            None if package.need == Need::Run => {
                bail!("{} has no package {}: {}", release.name, package.name, package.reason)
            }
            None => {
                eprintln!("    {} has no {}: what needs it is skipped ({})", release.name, package.name, package.reason)
            }
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    apt(&[&["install", "--yes", "--no-install-recommends"], &names[..]].concat())
}

/// Whether apt could install this package.
fn available(name: &str) -> bool {
    let policy = Command::new("apt-cache").args(["policy", name]).env("LC_ALL", "C").output();
    let text = policy.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines()
        .any(|line| line.trim().strip_prefix("Candidate:").is_some_and(|candidate| candidate.trim() != "(none)"))
}

pub(crate) fn apt(arguments: &[&str]) -> Result<()> {
    let user = Command::new("id").arg("-u").output().context("cannot start id")?;
    let mut command = if user.stdout.trim_ascii() == b"0" {
        Command::new("apt-get")
    } else if which::which("sudo").is_ok() {
        let mut command = Command::new("sudo");
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    } else {
        bail!("not root, and there is no sudo: as root, run apt-get {}", arguments.join(" "));
    };
    status(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Libraries of Rust for programs that tests run. Where they cannot be had, the tests say that they are skipped.
fn targets() {
    for target in ["aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"] {
        let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        let is_there = |said: std::process::Output| Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir();
        if !libraries.is_ok_and(is_there) && which::which("rustup").is_ok() {
            println!("installing Rust's libraries for {target}, in which tests write programs");
            if let Err(error) = status(Command::new("rustup").args(["target", "add", target])) {
                println!("{error:#}: their tests are skipped");
            }
        }
    }
}

/// rustfmt and clippy, which a minimal Rust does not have.
fn components() -> Result<()> {
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        let works = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if works.is_ok_and(|status| status.success()) {
            continue;
        }
        if which::which("rustup").is_err() {
            bail!("there is no {component}, and no rustup to add it: install it beside cargo");
        }
        status(Command::new("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        let bookworm = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nID=debian\n";
        assert_eq!(parse_release(bookworm).name, "Debian GNU/Linux 12 (bookworm)");
        assert!(!parse_release("PRETTY_NAME=\"Fedora Linux 41\"\nID=fedora\n").debian);
        assert!(!parse_release("").debian);
    }

    #[test]
    fn each_package_once_and_with_a_reason() {
        for (index, package) in PACKAGES.iter().enumerate() {
            assert!(!package.reason.is_empty());
            assert!(PACKAGES[..index].iter().all(|other| other.name != package.name), "{}", package.name);
        }
    }

    /// What discovery calls missing is what set-up would install.
    #[test]
    fn packages_that_toolchains_name_are_in_the_table() {
        for (missing, _) in corpus::toolchain::Toolchains::default().all_missing() {
            assert!(PACKAGES.iter().any(|package| package.name == missing.package), "{missing}");
        }
        for target in linker::target::TARGETS {
            for family in corpus::matrix::Family::ALL {
                let missing =
                    corpus::toolchain::Toolchains::default().get(family, target).expect_err("nothing was found");
                assert!(PACKAGES.iter().any(|package| package.name == missing.package), "{missing}");
            }
        }
    }
}
