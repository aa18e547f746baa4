//! Another linker: made to put every section where ours has it, and its output read back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use linker::Target;
use linker::graph::{Binding, Definition, Flags, Kind};
use linker::index::Id;
use linker::link::Finalized;
use linker::memory::Lifetime;
use outside::{Limits, Scratch};

use super::name;
use super::output::{self, ORIGIN, Output};
use super::patched::unmerged;
use crate::executor::image::ImageFile;
use crate::linking::{Data, Input};

/// What a peer may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(60), text: 64 << 10, file: 1 << 32, memory: None };

/// A linker to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Peer {
    /// GNU ld.
    Ld,
    /// LLVM's lld.
    Lld,
    /// LLVM's JITLink.
    #[value(name = "llvm-jitlink")]
    Jitlink,
}

impl Peer {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Ld => "GNU ld",
            Peer::Lld => "lld",
            Peer::Jitlink => "llvm-jitlink",
        }
    }

    /// The names that its program goes by, and the package that has it.
    fn programs(self, target: &Target) -> (&'static [&'static str], &'static str) {
        match (self, target.register_bits) {
            (Peer::Ld, 64) => (&["aarch64-linux-gnu-ld", "aarch64-none-elf-ld"], "binutils-aarch64-linux-gnu"),
            (Peer::Ld, _) => (
                &["arm-linux-gnueabihf-ld", "arm-linux-gnueabi-ld", "arm-none-eabi-ld"],
                "binutils-arm-linux-gnueabihf",
            ),
            // The user's own first, which may be the one to be tried; then Debian's, whose names have a version.
            (Peer::Lld, _) => (&["ld.lld", "ld.lld-19"], "lld-19"),
            (Peer::Jitlink, _) => (&["llvm-jitlink", "llvm-jitlink-19"], "llvm-19"),
        }
    }

    /// What it has to be told of a target; lld looks at its input.
    pub(crate) fn flags(self, target: &Target) -> &'static [&'static str] {
        match (self, target.big_endian, target.register_bits, target.pointer_bits) {
            (_, true, 32, _) => &["-EB", "--be8"],
            (Peer::Ld, true, ..) => &["-EB"],
            (Peer::Ld, _, 64, 32) => &["-m", "aarch64linux32"],
            _ => &[],
        }
    }

    /// Whether it links for a target at all.
    pub fn check(self, target: &Target) -> Result<()> {
        let jitlink = self == Peer::Jitlink && (target.big_endian || target.pointer_bits != target.register_bits);
        if jitlink {
            bail!("llvm-jitlink links for armv*, thumbv* and aarch64, not for {}", target.name);
        }
        Ok(())
    }

    /// Its program.
    pub fn find(self, target: &Target) -> Result<std::path::PathBuf> {
        let (names, package) = self.programs(target);
        let found = names.iter().find_map(|name| which::which(name).ok());
        found.with_context(|| {
            format!("{} is not installed: none of {} (package {package})", self.name(), names.join(", "))
        })
    }

    /// What a program says of its version, on one line.
    pub fn version(program: &Path) -> String {
        corpus::toolchain::first_line(program, "--version").unwrap_or_else(|| "it does not say its version".to_owned())
    }

    /// Links the objects of `linked`, of which `inputs` are the files in order, at its addresses.
    pub fn link(self, program: &Path, linked: &Finalized<'_, ImageFile>, inputs: &[Input]) -> Result<Output<'static>> {
        let script = script(linked)?;
        let directory = Scratch::new()?;
        for (number, input) in inputs.iter().enumerate() {
            std::fs::write(directory.path().join(format!("{number}.o")), unmerged(&input.data))?;
        }
        std::fs::write(directory.path().join("script"), script)?;
        let mut command = Command::new(program);
        command.current_dir(directory.path()).args(["-static", "--no-relax", "--no-check-sections", "-z", "norelro"]);
        if linked.graph().target.register_bits == 32 {
            command.arg("--no-merge-exidx-entries");
            let platform = linked.graph().platform;
            command.args(platform.target1.map(|meaning| format!("--target1-{}", meaning.name())));
            command.args(platform.target2.map(|meaning| format!("--target2={}", meaning.name())));
        }
        command.args(self.flags(linked.graph().target));
        command.args(["-T", "script", "-o", "out"]);
        command.args((0..inputs.len()).map(|number| format!("{number}.o")));
        if let Err(error) = corpus::build::run_within(command, LIMITS) {
            bail!("{} refuses: {error}", self.name());
        }
        // Mapped, and not read: sections far apart make a large file with little in it.
        Output::read(&Data::open(directory.path().join("out"))?, linked)
    }
}

/// A linker script that puts each section where it is in our link.
fn script(linked: &Finalized<'_, ImageFile>) -> Result<String> {
    let graph = linked.graph();
    let mut sections: Vec<(u64, usize)> = Vec::new();
    for (id, section) in graph.sections.iter() {
        let Some(first) = section.block_ids().find(|&block| graph.blocks[block].live) else { continue };
        let size: u64 = section.block_ids().map(|block| graph.blocks[block].content.size()).sum();
        let rewritten = section.kind == Kind::Frames || output::is_index(graph, id);
        if size > 0 && !section.is_made() && section.lifetime != Lifetime::NoAlloc && !rewritten {
            sections.push((graph.blocks[first].address, id.index()));
        }
    }
    sections.sort();
    name::check(graph)?;
    let input = |id: usize| {
        let section = &graph.sections.as_slice()[id];
        // Object 0 is the linker itself.
        format!("KEEP(\"{}.o\"({}))", section.object.index() - 1, name::pattern(section.name))
    };
    let is_thread_local = |id: usize| graph.sections.as_slice()[id].thread_local;
    // The tables go where ours are, which nothing else is near, or behind everything.
    let behind = sections.last().map_or(0, |last| (last.0 + 0x100_0000) & !0xffff);
    let mut outputs: Vec<(u64, String)> = Vec::new();
    // The image of threads is one.
    let threads: Vec<_> = sections.iter().filter(|section| is_thread_local(section.1)).collect();
    if let Some(first) = threads.first() {
        let list: Vec<String> = threads.iter().map(|section| input(section.1)).collect();
        outputs.push((first.0, format!(".tdata {:#x} : {{ {} }}", first.0, list.join(" "))));
    }
    for &(address, id) in sections.iter().filter(|section| !is_thread_local(section.1)) {
        outputs.push((address, format!(".at.{id} {address:#x} : {{ {} }}", input(id))));
    }
    let got = graph.got.map_or(behind, |got| graph.blocks[got].address);
    outputs.push((got, format!(".got {got:#x} : {{ *(.got) *(.got.plt) *(.igot) *(.igot.plt) }}")));
    let plt = behind + 0x10_0000;
    outputs.push((plt, format!(".plt {plt:#x} : {{ *(.plt) *(.iplt) }}\n  .common : {{ *(COMMON) }}")));
    // What linkers write anew, each as it likes.
    let frames = behind + 0x20_0000;
    let index = graph.arch.unwind_index().map(|index| String::from_utf8_lossy(index.section).into_owned());
    let index = index.map(|name| format!("\n  {name} : {{ *({name}*) }}")).unwrap_or_default();
    outputs.push((frames, format!(".eh_frame {frames:#x} : {{ *(.eh_frame) }}{index}")));
    outputs.sort();
    let lines: Vec<String> = outputs.into_iter().map(|(_, line)| format!("  {line}\n")).collect();
    // The ends of sections and the like, which linkers define when somebody asks.
    let bounds: String = graph
        .symbols
        .iter()
        .filter(|(_, symbol)| symbol.binding != Binding::Local && symbol.name != ORIGIN)
        // Names of bounds are identifiers. One that is not is a number of an object's own, which a peer sees there.
        .filter(|(_, symbol)| name::is_plain(symbol.name))
        .filter_map(|(_, symbol)| match symbol.definition {
            Definition::Absolute(address) if !symbol.flags.has(Flags::EXTERNAL) => Some((symbol.name, address)),
            _ => None,
        })
        .map(|(name, address)| format!("PROVIDE_HIDDEN({} = {address:#x});\n", String::from_utf8_lossy(name)))
        .collect();
    Ok(format!("{bounds}SECTIONS {{\n{}  /DISCARD/ : {{ *(.comment) *(.note*) *(.debug*) }}\n}}\n", lines.concat()))
}
