//! Files from the command line: objects and archives as they are, sources compiled first.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Context;
use clap::Args as ClapArgs;
use corpus::toolchain::Toolchains;
use linker::arch::arm::cores;
use linker::error::text;
use linker::index::ObjectId;
use linker::platform::{Meaning, Platform};
use linker::{Layout, Options, TARGETS, Target, archive, foreign};
use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64, SHT_ARM_ATTRIBUTES};
use object::read::archive::{ArchiveFile, ArchiveOffset};
use object::read::elf::{FileHeader, SectionHeader};

use crate::exit::{BadInput, Usage};
use crate::linking::number;
use crate::linking::{Data, Input};
use crate::script;

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
    /// What R_ARM_TARGET1 means [default: abs]
    #[arg(long, value_name = "abs|rel", value_parser = target1)]
    pub target1: Option<Meaning>,
    /// What R_ARM_TARGET2 means, by which exceptions find types [default: rel for microcontrollers and objects with small
    /// enumerations, got-rel for others, as on Linux]
    #[arg(long, value_name = "abs|rel|got-rel")]
    pub target2: Option<Meaning>,
    /// Where sections go: near far high random:SEED at:FILE(SECTION)=ADDR,...
    #[arg(long, value_name = "L", default_value = "near")]
    pub layout: Layout,
}

impl Args {
    /// All files that it names.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.files.iter().chain(&self.libraries).map(String::as_str)
    }

    /// One file for a target.
    pub(crate) fn of_file(path: &Path, target: &Target, flags: &[String]) -> Args {
        Args {
            files: vec![path.display().to_string()],
            libraries: Vec::new(),
            arch: Some(target.name.to_owned()),
            flags: flags.to_vec(),
            no_relax: false,
            target1: None,
            target2: None,
            layout: Layout::Near,
        }
    }

    /// The choices of the link.
    pub fn options(&self) -> Options {
        let platform = Platform { target1: self.target1, target2: self.target2 };
        Options { platform, ..if self.no_relax { Options::unrelaxed() } else { Options::default() } }
    }
}

fn target1(name: &str) -> Result<Meaning, String> {
    name.parse().ok().filter(|meaning| *meaning != Meaning::GotRelative).ok_or_else(|| "expected abs or rel".to_owned())
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
    let mut wanted: Vec<String> = paths.iter().chain(libraries).rev().cloned().collect();
    let mut scripts = 0;
    while let Some(path) = wanted.pop() {
        let file = open(&path)?;
        if script::is_script(&file.data) {
            wanted.extend(stands_for(&path, &file.data)?.into_iter().rev());
            // A text may name itself.
            scripts += 1;
            if scripts == MOST_SCRIPTS {
                bad_input!("{path}: linker scripts name each other without end");
            }
            continue;
        }
        if foreign::describe(&file.data) == "text" && corpus::build::is_source(Path::new(&path)) {
            sources.push(files.len());
        }
        files.push(file);
    }
    let target = match named.or_else(|| files.iter().find_map(target_of)) {
        Some(target) => target,
        None if sources.is_empty() => bad_input!("{}", nothing_to_link(&files)),
        None => {
            let problem = "a source does not tell what it is for: say it with --arch, for instance --arch aarch64";
            return Err(Usage(problem.to_owned()).into());
        }
    };
    if !sources.is_empty() {
        let toolchains = Toolchains::discover();
        for index in sources {
            let path = Path::new(&files[index].name).to_owned();
            let (object, said) = corpus::build::compile_with_warnings(&path, target, None, flags, &toolchains)?;
            // Warnings, in the compiler's own words.
            if !said.is_empty() {
                note!("{}", said.trim_end());
            }
            files[index].data = Data::Read(object);
        }
    }
    Ok(Inputs { target, files })
}

/// Whether a file says that it is an ELF file.
pub fn is_elf(data: &[u8]) -> bool {
    data.starts_with(b"\x7fELF")
}

/// Whether a file is an executable, at a fixed address or anywhere.
pub fn is_executable(data: &[u8]) -> bool {
    let kind = match (data.get(..4), data.get(5), data.get(16..18)) {
        (Some(b"\x7fELF"), Some(&order), Some(&[first, second])) => {
            let bytes = [first, second];
            if order == elf::ELFDATA2MSB.0 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        }
        _ => return false,
    };
    kind == elf::ET_EXEC.0 || kind == elf::ET_DYN.0
}

/// The same for who links them. Whoever gives an executable is told who takes those.
pub fn read_to_link(args: &Args) -> anyhow::Result<Inputs> {
    let inputs = read(args)?;
    if let Some(file) = inputs.files.iter().find(|file| is_executable(&file.data)) {
        note!("note: {} is linked already: `harness exec` runs it, and `harness check` looks at its fields", file.name);
    }
    Ok(inputs)
}

/// A target by name.
pub fn target(name: &str) -> anyhow::Result<&'static Target> {
    Target::named(name).ok_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        Usage(format!("unknown target `{name}`, expected one of {}", known.join(", "))).into()
    })
}

/// How many linker scripts a link reads.
const MOST_SCRIPTS: usize = 1000;

/// The files that a text stands for which takes the place of a library: beside it, where they are not named by a whole path.
pub(crate) fn stands_for(path: &str, data: &[u8]) -> anyhow::Result<Vec<String>> {
    let read =
        script::parse(&String::from_utf8_lossy(data)).map_err(|problem| BadInput(format!("{path}: {problem}")))?;
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    let file = |named: script::Named| match named {
        script::Named::File(name) => Ok(directory.join(name).to_string_lossy().into_owned()),
        script::Named::Library(name) => bad_input!("{path}: -l{name}: only `harness ld` looks for libraries"),
    };
    read.files.into_iter().map(file).collect()
}

/// A file with what belongs to it.
pub(crate) fn open(path: &str) -> anyhow::Result<Input> {
    let data = Data::open(path)?;
    let mut input = Input::new(path, data);
    if archive::is_thin(&input.data) {
        let members = archive::thin_members(&input.data)
            .ok_or_else(|| BadInput(format!("{path}: a thin archive that is cut short or damaged")))?;
        let directory = Path::new(path).parent().unwrap_or(Path::new(""));
        for member in members {
            let shown = text(&member.path);
            let data = thin_member(&directory.join(OsStr::from_bytes(&member.path)), member.nested)
                .with_context(|| format!("{path}({shown}): the thin archive names a file that cannot be read"))?;
            input.members.push((shown, data));
        }
    }
    Ok(input)
}

/// The content of a member of a thin archive: a file, or a member of an archive that is there.
fn thin_member(path: &Path, nested: Option<u64>) -> anyhow::Result<Data> {
    let data = Data::open(path)?;
    let Some(offset) = nested else { return Ok(data) };
    let damaged = |error: object::Error| BadInput(format!("{}: {error}", path.display()));
    let archive = ArchiveFile::parse(&*data).map_err(damaged)?;
    let member = archive.member(ArchiveOffset(offset)).map_err(damaged)?;
    Ok(Data::Read(member.data(&*data).map_err(damaged)?.to_vec()))
}

/// The members of an archive, of either sort: name and content. None if the file is no archive.
pub fn members(file: &Input) -> Option<Vec<(String, &[u8])>> {
    if archive::is_thin(&file.data) {
        return Some(file.members.iter().map(|(name, data)| (name.clone(), &**data)).collect());
    }
    if !archive::is_archive(&file.data) {
        return None;
    }
    let members = ArchiveFile::parse(&*file.data).ok().map(|archive| archive.members());
    let members = members.into_iter().flatten().flatten();
    Some(members.filter_map(|member| Some((text(member.name()), member.data(&*file.data).ok()?))).collect())
}

/// Why there is no target: what each file is.
pub(crate) fn nothing_to_link(files: &[Input]) -> String {
    const SHOWN: usize = 8;
    let say = |file: &Input| match members(file) {
        None => format!("{} is {}", file.name, foreign::describe(&file.data)),
        Some(members) => match members.first() {
            None => format!("{} is an archive without members", file.name),
            Some((name, data)) => {
                format!(
                    "{} is an archive without an object for a known target; {name} is {}",
                    file.name,
                    foreign::describe(data)
                )
            }
        },
    };
    let mut lines: Vec<String> = files.iter().take(SHOWN).map(say).collect();
    if files.len() > SHOWN {
        lines.push(format!("and {} more", files.len() - SHOWN));
    }
    format!("{}: expected ELF objects for ARM or AArch64, archives of them, or sources with --arch", lines.join(", "))
}

/// What an object, or the first object of an archive, is for.
pub(crate) fn target_of(file: &Input) -> Option<&'static Target> {
    match members(file) {
        Some(members) => members.iter().find_map(|(_, data)| target_of_data(data)),
        None => target_of_data(&file.data),
    }
}

fn target_of_data(data: &[u8]) -> Option<&'static Target> {
    match *data.get(4)? {
        class if class == object::elf::ELFCLASS64.0 => target_of_object::<FileHeader64<Endianness>>(data, 64),
        _ => target_of_object::<FileHeader32<Endianness>>(data, 32),
    }
}

/// The target of this machine whose core the build attributes name. Of microcontrollers, where none has that core, the one that comes
/// nearest to it from below; or else the first of this machine.
fn target_of_object<Elf: FileHeader<Endian = Endianness>>(data: &[u8], bits: u32) -> Option<&'static Target> {
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let big = endian == Endianness::Big;
    let machine = header.e_machine(endian).0;
    let mut targets = TARGETS
        .iter()
        .filter(|target| target.machine == machine && target.pointer_bits == bits && target.big_endian == big);
    let first = targets.next()?;
    // A file that is cut short is for this machine all the same: the linker says what is wrong with it.
    let sections = header.sections(endian, data).unwrap_or_default();
    let attributes = sections.iter().find(|section| section.sh_type(endian) == SHT_ARM_ATTRIBUTES);
    let core = attributes
        .and_then(|section| section.data(endian, data).ok())
        .map(|bytes| first.architecture.core(&first.architecture.attributes(bytes, big, ObjectId::default())))
        .unwrap_or_default();
    let mut all = std::iter::once(first).chain(targets);
    if core == linker::arch::Core::default() {
        return Some(first);
    }
    let is_small = |core| cores::abilities(core).is_microcontroller();
    let nearest = all.clone().filter(|target| is_small(core) && is_small(target.core) && target.core <= core);
    let nearest = nearest.max_by_key(|target| target.core);
    Some(all.find(|target| target.core == core).or(nearest).unwrap_or(first))
}

/// `NAME=ADDRESS`
pub fn definition(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=ADDRESS")?;
    Ok((name.to_owned(), number::address(value)?))
}
