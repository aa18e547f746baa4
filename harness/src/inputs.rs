//! Files from the command line: objects and archives as they are, sources compiled first.

use std::path::Path;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use corpus::toolchain::Toolchains;
use linker::{Layout, Options, TARGETS, Target};
use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, SHT_ARM_ATTRIBUTES};
use object::read::elf::{FileHeader, SectionHeader};

use crate::linking::{Data, Input};

/// The options of every command that takes files.
#[derive(Clone, Debug, ClapArgs)]
#[group(skip)]
pub struct Args {
    /// Objects, archives or sources (C, C++, assembly, LLVM IR, Rust)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Archives, whose members are pulled on demand; all form one group
    #[arg(long = "lib", value_name = "ARCHIVE")]
    pub libraries: Vec<String>,
    /// Target; objects tell for themselves, sources do not
    #[arg(long, value_name = "A")]
    pub arch: Option<String>,
    /// A flag for the compiler, for sources
    #[arg(long = "cflag", value_name = "FLAG", allow_hyphen_values = true)]
    pub flags: Vec<String>,
    /// Leave instructions as they are: no shorter way to an address, a stub or a thread-local variable
    #[arg(long)]
    pub no_relax: bool,
    /// Where sections go: near far high random:SEED at:FILE(SECTION)=ADDR,...
    #[arg(long, value_name = "L", default_value = "near")]
    pub layout: Layout,
}

impl Args {
    /// The choices of the link.
    pub fn options(&self) -> Options {
        if self.no_relax { Options::unrelaxed() } else { Options::default() }
    }
}

/// What files are for, and what is in them.
pub struct Inputs {
    /// Named, or told by the first object.
    pub target: &'static Target,
    /// In the order given, archives behind.
    pub files: Vec<Input>,
}

/// Reads objects, archives and sources.
pub fn read(args: &Args) -> anyhow::Result<Inputs> {
    let Args { files: paths, libraries, arch, flags, .. } = args;
    let named = arch.as_deref().map(target).transpose()?;
    let mut files = Vec::new();
    let mut sources = Vec::new();
    for path in paths.iter().chain(libraries) {
        let data = Data::open(path).with_context(|| path.clone())?;
        if !is_binary(&data) && corpus::build::is_source(Path::new(path)) {
            sources.push(files.len());
        }
        files.push(Input { name: path.clone(), data });
    }
    let target = match named.or_else(|| files.iter().find_map(|file| target_of(&file.data))) {
        Some(target) => target,
        None if sources.is_empty() => bail!("{}: no object tells what it is for; say it with --arch", paths.join(", ")),
        None => bail!("a source does not tell what it is for: say it with --arch, for instance --arch aarch64"),
    };
    if !sources.is_empty() {
        let toolchains = Toolchains::discover();
        for index in sources {
            let path = Path::new(&files[index].name).to_owned();
            files[index].data = Data::Read(corpus::build::compile_file(&path, target, None, flags, &toolchains)?);
        }
    }
    Ok(Inputs { target, files })
}

/// A target by name.
pub fn target(name: &str) -> anyhow::Result<&'static Target> {
    Target::named(name).with_context(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("unknown target `{name}`, expected one of {}", known.join(", "))
    })
}

fn is_binary(data: &[u8]) -> bool {
    data.starts_with(&object::elf::ELFMAG) || data.starts_with(&object::archive::MAGIC)
}

/// Whether a file is a static archive.
pub(crate) fn is_archive(data: &[u8]) -> bool {
    data.starts_with(&object::archive::MAGIC) || data.starts_with(&object::archive::THIN_MAGIC)
}

/// What an object, or the first object of an archive, is for.
pub(crate) fn target_of(data: &[u8]) -> Option<&'static Target> {
    if data.starts_with(&object::archive::MAGIC) {
        let archive = object::read::archive::ArchiveFile::parse(data).ok()?;
        return archive.members().flatten().find_map(|member| target_of(member.data(data).ok()?));
    }
    match *data.get(4)? {
        class if class == object::elf::ELFCLASS64.0 => target_of_object::<FileHeader64<Endianness>>(data, 64),
        _ => target_of_object::<FileHeader32<Endianness>>(data, 32),
    }
}

/// The target of this machine whose core the build attributes name, or else the first of this machine.
fn target_of_object<Elf: FileHeader<Endian = Endianness>>(data: &[u8], bits: u32) -> Option<&'static Target> {
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let big = endian == Endianness::Big;
    let machine = header.e_machine(endian).0;
    let mut targets = TARGETS
        .iter()
        .filter(|target| target.machine == machine && target.pointer_bits == bits && target.big_endian == big);
    let first = targets.next()?;
    let sections = header.sections(endian, data).ok()?;
    let attributes = sections.iter().find(|section| section.sh_type(endian) == SHT_ARM_ATTRIBUTES);
    let core = attributes
        .and_then(|section| section.data(endian, data).ok())
        .and_then(|bytes| first.architecture.attributes(bytes, big).ok())
        .unwrap_or_default();
    let mut exact = std::iter::once(first).chain(targets).filter(|target| {
        core != linker::arch::Core::default() && target.architecture.default_core(target.name) == core
    });
    Some(exact.next().unwrap_or(first))
}

/// An address: decimal, or hexadecimal behind `0x`.
pub fn address(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is not an address, expected a number, decimal or behind 0x"))
}

/// `NAME=ADDRESS`
pub fn definition(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=ADDRESS")?;
    Ok((name.to_owned(), address(value)?))
}
