//! The targets as compilers know them: one table of flags, triplets and packages.

use linker::target::Target;

use crate::abi::Class;
use crate::matrix::{Build, Family};

/// A target as compilers see it.
#[derive(Debug)]
pub struct Row {
    /// The target's name in [`linker::target::TARGETS`].
    pub name: &'static str,
    /// `clang --target=`.
    pub clang: &'static str,
    /// The names in front of `-gcc`, `-ld` and so on, the best first.
    pub triplets: &'static [&'static str],
    /// Flags that both compilers understand.
    pub flags: &'static [&'static str],
    /// Flags that say to GCC what `--target` says to clang.
    pub gcc: &'static [&'static str],
    /// The name in front of `-gcc` of the compiler for sources that nothing else is said of, where that is another one: it has the
    /// headers of the library that programs for this target are linked with.
    pub bare: Option<&'static str>,
    /// The target's name for rustc.
    pub rust: &'static str,
    /// Debian's and Ubuntu's name of the architecture, as in `gcc-12-NAME`.
    pub debian: &'static str,
    /// The target of which it is a variant: cases for that one are for this one, too.
    pub variant_of: Option<&'static str>,
    /// The numbering and names of its relocations.
    pub class: Class,
    /// Whether its Thumb code is that before Thumb-2, so that a call reaches 4 MiB and not 16 (AAELF32, R_ARM_THM_CALL).
    pub before_thumb2: bool,
    /// What `@standard` has on top of every optimisation with every kind of position independence: compiler, flags. Neither
    /// compiler takes the large model together with position independence.
    pub extra: &'static [(Option<Family>, &'static [&'static str])],
    /// Flags that GNU ld needs for `-r`; lld looks at its input.
    pub ld: &'static [&'static str],
    /// The compilers that compile C for it; both assemble.
    pub compilers: &'static [Family],
}

const AARCH64: &[&str] =
    &["aarch64-linux-gnu", "aarch64-none-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-redhat-linux"];
/// All of them compile for every ARM core: what differs are the libraries, which no case uses.
const ARM: &[&str] = &[
    "arm-linux-gnueabihf",
    "arm-none-linux-gnueabihf",
    "armv7l-unknown-linux-gnueabihf",
    "arm-linux-gnu",
    "arm-linux-gnueabi",
    "arm-none-eabi",
];
const HF: &str = "arm-linux-gnueabihf";
const V7: [&str; 3] = ["-march=armv7-a", "-mfpu=vfpv3-d16", "-mfloat-abi=hard"];

/// The code models besides the small one, which compilers take to be meant.
const MODELS: &[(Option<Family>, &[&str])] =
    &[(None, &["-O2", "-fno-pic", "-mcmodel=tiny"]), (None, &["-O2", "-fno-pic", "-mcmodel=large"])];
/// Two compilers' words for one thing: addresses come from literal pools.
const NO_MOVT: &[(Option<Family>, &[&str])] = &[
    (Some(Family::Gcc), &["-O2", "-fno-pic", "-mword-relocations"]),
    (Some(Family::Clang), &["-O2", "-fno-pic", "-mno-movt"]),
];

/// Every target that can be compiled for.
#[rustfmt::skip]
pub static ROWS: &[Row] = &[
    Row { name: "armv7", clang: HF, triplets: ARM, flags: &["-marm", V7[0], V7[1], V7[2]], gcc: &[], bare: None,
          rust: "armv7-unknown-linux-gnueabihf", debian: HF, variant_of: None, class: Class::Arm, before_thumb2: false, extra: NO_MOVT, ld: &[], compilers: &Family::ALL },
    Row { name: "thumbv7", clang: HF, triplets: ARM, flags: &["-mthumb", V7[0], V7[1], V7[2]], gcc: &[], bare: None,
          rust: "thumbv7neon-unknown-linux-gnueabihf", debian: HF, variant_of: None, class: Class::Arm, before_thumb2: false, extra: NO_MOVT, ld: &[], compilers: &Family::ALL },
    Row { name: "armv6", clang: "arm-linux-gnueabi", triplets: ARM, flags: &["-marm", "-march=armv6", "-mfloat-abi=soft"], gcc: &[], bare: None,
          rust: "arm-unknown-linux-gnueabi", debian: HF, variant_of: None, class: Class::Arm, before_thumb2: true, extra: &[], ld: &[], compilers: &Family::ALL },
    Row { name: "thumbv6m", clang: "thumbv6m-none-eabi", triplets: ARM, flags: &["-mthumb", "-mcpu=cortex-m0", "-mfloat-abi=soft"], gcc: &[], bare: Some("arm-none-eabi"),
          rust: "thumbv6m-none-eabi", debian: HF, variant_of: None, class: Class::Arm, before_thumb2: false, extra: &[], ld: &[], compilers: &Family::ALL },
    Row { name: "thumbv7m", clang: "thumbv7m-none-eabi", triplets: ARM, flags: &["-mthumb", "-mcpu=cortex-m3", "-mfloat-abi=soft"], gcc: &[], bare: Some("arm-none-eabi"),
          rust: "thumbv7m-none-eabi", debian: HF, variant_of: None, class: Class::Arm, before_thumb2: false, extra: &[], ld: &[], compilers: &Family::ALL },
    Row { name: "aarch64", clang: "aarch64-linux-gnu", triplets: AARCH64, flags: &["-mno-outline-atomics"], gcc: &[], bare: None,
          rust: "aarch64-unknown-linux-gnu", debian: "aarch64-linux-gnu", variant_of: None, class: Class::Lp64, before_thumb2: false, extra: MODELS, ld: &[], compilers: &Family::ALL },
    Row { name: "armebv7", clang: "armebv7-linux-gnueabihf", triplets: ARM, flags: &["-mbig-endian", "-marm", V7[0], V7[1], V7[2]], gcc: &[], bare: None,
          rust: "armebv7r-none-eabihf", debian: HF, variant_of: Some("armv7"), class: Class::Arm, before_thumb2: false, extra: &[], ld: &["-EB"], compilers: &Family::ALL },
    Row { name: "thumbebv7", clang: "thumbebv7-linux-gnueabihf", triplets: ARM, flags: &["-mbig-endian", "-mthumb", V7[0], V7[1], V7[2]], gcc: &[], bare: None,
          rust: "armebv7r-none-eabihf", debian: HF, variant_of: Some("thumbv7"), class: Class::Arm, before_thumb2: false, extra: &[], ld: &["-EB"], compilers: &Family::ALL },
    Row { name: "aarch64_be", clang: "aarch64_be-linux-gnu", triplets: AARCH64, flags: &["-mbig-endian", "-mno-outline-atomics"], gcc: &[], bare: None,
          rust: "aarch64_be-unknown-linux-gnu", debian: "aarch64-linux-gnu", variant_of: Some("aarch64"), class: Class::Lp64, before_thumb2: false, extra: &[], ld: &["-EB"], compilers: &Family::ALL },
    Row { name: "aarch64_ilp32", clang: "aarch64-linux-gnu_ilp32", triplets: AARCH64, flags: &["-mno-outline-atomics"], gcc: &["-mabi=ilp32"], bare: None,
          rust: "aarch64-unknown-linux-gnu_ilp32", debian: "aarch64-linux-gnu", variant_of: Some("aarch64"), class: Class::Ilp32, before_thumb2: false, extra: &[], ld: &["-m", "aarch64linux32"], compilers: &[Family::Gcc] },
];

/// Flags of every compilation.
///
/// `-ffreestanding`: no C library's headers, and a `printf` in a case stays one instead of turning into `puts`.
/// `-fno-pic` comes first so that a build that says nothing does not get the compiler's default; a later one wins.
/// Unwind tables are left on: their relocations are to be covered. No `-g`, so nothing names a directory.
const COMMON: &[&str] = &["-ffreestanding", "-fno-stack-protector", "-fno-pic"];

/// Flags of C++ on top: there is no C++ library to link against. A case that brings its own says `flags: -frtti`.
const CXX: &[&str] = &["-std=c++17", "-nostdinc++", "-fno-exceptions", "-fno-rtti"];

/// Flags of one compiler: clang warns about flags that a kind of source does not use.
const FAMILY: &[(Family, &[&str])] =
    &[(Family::Gcc, &[]), (Family::Clang, &["-Wno-unused-command-line-argument", "-Wno-override-module"])];

/// A target that nothing is known of here: one that a program has made itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is known of how `{0}` is compiled for: it is none of the targets of the table")]
pub struct UnknownTarget(pub String);

/// The row of a target.
pub fn find(target: &Target) -> Result<&'static Row, UnknownTarget> {
    ROWS.iter().find(|row| row.name == target.name).ok_or_else(|| UnknownTarget(target.name.to_owned()))
}

/// The row of a target of the linker's table, each of which has one here.
///
/// # Panics
///
/// On a target that is none of them: no row is better than that of another one.
pub fn row(target: &Target) -> &'static Row {
    find(target).unwrap_or_else(|unknown| panic!("{unknown}"))
}

/// The flags of target, compiler and language for a part of this name.
pub(crate) fn flags(build: &Build, part: &str) -> Vec<String> {
    let row = row(build.target);
    let family = build.toolchain.family;
    let mut flags = Vec::new();
    if family == Family::Clang {
        flags.push(format!("--target={}", row.clang));
    }
    if family == Family::Gcc {
        flags.extend(row.gcc.iter().map(|&flag| flag.to_owned()));
    }
    let own = FAMILY.iter().filter(|known| known.0 == family).flat_map(|known| known.1);
    let cxx: &[&str] = if part.ends_with(".cc") { CXX } else { &[] };
    flags.extend(row.flags.iter().chain(COMMON).chain(own).chain(cxx).map(|&flag| flag.to_owned()));
    flags
}

impl Row {
    /// Whether it is a 32-bit ARM target.
    pub fn is_arm(&self) -> bool {
        std::ptr::eq(self.triplets, ARM)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_row_for_each_target() {
        let names: Vec<_> = super::ROWS.iter().map(|row| row.name).collect();
        let targets: Vec<_> = linker::target::TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names, targets);
    }
}
