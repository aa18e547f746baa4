//! Target × compiler × flags: the ways to build a case, and what each is called.

use std::fmt;

use linker::target::Target;

use linker::Layout;

/// A family of compilers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// GCC with GNU binutils.
    Gcc,
    /// Clang with its integrated assembler, and lld.
    Clang,
}

impl Family {
    /// Every family, in the order in which builds are listed.
    pub const ALL: [Family; 2] = [Family::Gcc, Family::Clang];

    /// `gcc` or `clang`.
    pub fn name(self) -> &'static str {
        match self {
            Family::Gcc => "gcc",
            Family::Clang => "clang",
        }
    }

    /// The version the corpus is made for, and whose objects are checked in.
    pub fn wanted(self) -> u32 {
        match self {
            Family::Gcc => 12,
            Family::Clang => 19,
        }
    }
}

/// A compiler as labels name it: family and major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolchainId {
    /// Which family.
    pub family: Family,
    /// The major version.
    pub major: u32,
}

impl fmt::Display for ToolchainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.family.name(), self.major)
    }
}

/// Which major version of each family to use for a target: those found, or those of prebuilt objects.
pub type Versions<'a> = &'a dyn Fn(Family, &Target) -> u32;

/// The versions the corpus is made for.
pub fn wanted(family: Family, _target: &Target) -> u32 {
    family.wanted()
}

/// A compiler and flags, as `build:` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Which compiler.
    pub family: Family,
    /// Its flags.
    pub flags: Vec<String>,
}

/// One way to build a case: the objects depend on the case and on this, and on nothing else.
#[derive(Clone, Debug)]
pub struct Build {
    /// For which target.
    pub target: &'static Target,
    /// By which compiler.
    pub toolchain: ToolchainId,
    /// The flags of the recipe; those of the target and of `flags:` are added when building.
    pub flags: Vec<String>,
    /// The stable name: `gcc12-O2.no-pic`.
    pub label: String,
}

impl PartialEq for Build {
    fn eq(&self, other: &Build) -> bool {
        self.target.name == other.target.name && self.toolchain == other.toolchain && self.flags == other.flags
    }
}

impl Eq for Build {}

impl Build {
    /// A build by this recipe.
    pub fn new(target: &'static Target, toolchain: ToolchainId, flags: Vec<String>) -> Build {
        let label = label(toolchain, &flags);
        Build { target, toolchain, flags, label }
    }

    /// The words of the label after the toolchain: `O2`, `no-pic`.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.flags.iter().map(|flag| word(flag))
    }
}

/// Flags that have a shorter word in labels and scopes.
pub const FLAG_WORDS: &[(&str, &str)] = &[
    ("-O0", "O0"),
    ("-O1", "O1"),
    ("-O2", "O2"),
    ("-O3", "O3"),
    ("-Os", "Os"),
    ("-Oz", "Oz"),
    ("-fno-pic", "no-pic"),
    ("-fPIC", "pic"),
    ("-fPIE", "pie"),
    ("-mcmodel=tiny", "tiny"),
    ("-mcmodel=small", "small"),
    ("-mcmodel=large", "large"),
    // Two compilers' words for one thing: addresses come from literal pools.
    ("-mword-relocations", "no-movt"),
    ("-mno-movt", "no-movt"),
    ("-mpure-code", "pure-code"),
    ("-mexecute-only", "pure-code"),
];

/// The word of a flag: the table's, or the flag without its dashes.
fn word(flag: &str) -> &str {
    FLAG_WORDS.iter().find(|row| row.0 == flag).map_or_else(|| flag.trim_start_matches('-'), |row| row.1)
}

fn label(toolchain: ToolchainId, flags: &[String]) -> String {
    let mut label = toolchain.to_string();
    for (index, flag) in flags.iter().enumerate() {
        label.push(if index == 0 { '-' } else { '.' });
        // A label is one component of a path-like name.
        label.extend(word(flag).chars().map(|c| if c == '/' || c.is_whitespace() { '_' } else { c }));
    }
    label
}

/// A code model that some layouts do not keep to. The expected result is then the range error, where the program has one of
/// the model's relocations whose target is that far away.
#[derive(Debug)]
pub struct OutOfReach {
    flag: &'static str,
    layouts: &'static [Layout],
    /// The relocations that count on the model.
    pub relocations: &'static [&'static str],
    /// What they reach to either side, in bytes.
    pub reach: u64,
}

/// The tiny code model puts all code and data within 1 MB (AAELF64, Static AArch64 relocations: -2^20 <= X < 2^20).
static OUT_OF_REACH: &[OutOfReach] = &[OutOfReach {
    flag: "-mcmodel=tiny",
    layouts: &[Layout::Far],
    relocations: &["R_AARCH64_ADR_PREL_LO21", "R_AARCH64_LD_PREL_LO19", "R_AARCH64_GOT_LD_PREL19"],
    reach: 1 << 20,
}];

/// The code model of a build that this layout does not keep to.
pub fn out_of_reach(build: &Build, layout: &Layout) -> Option<&'static OutOfReach> {
    OUT_OF_REACH.iter().find(|row| row.layouts.contains(layout) && build.flags.iter().any(|flag| flag == row.flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let target = Target::named("aarch64").expect("a target");
        let toolchain = ToolchainId { family: Family::Gcc, major: 12 };
        let label =
            |flags: &str| Build::new(target, toolchain, flags.split_whitespace().map(str::to_owned).collect()).label;
        assert_eq!(label("-O2 -fno-pic"), "gcc12-O2.no-pic");
        assert_eq!(label("-O2 -fno-pic -mcmodel=tiny"), "gcc12-O2.no-pic.tiny");
        assert_eq!(label("-O2 -ffunction-sections"), "gcc12-O2.ffunction-sections");
        assert_eq!(label(""), "gcc12");
    }
}
