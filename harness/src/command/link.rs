//! `harness link`: the linked image as an ELF file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use linker::Roots;
use linker::error::{object_name, text};
use linker::graph::{Binding, Bytes, Definition, Flags};
use linker::index::Id;
use linker::link::Finalized;

use crate::executor::image::{Image, ImageFile, ImageSection, ImageSymbol, Labels, SymbolKind};
use crate::exit;
use crate::inputs;
use crate::linking::{self, Externals, Job, Timings};
use crate::messages;

/// Options of `link`.
#[derive(Clone, Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    inputs: inputs::Args,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where a process of it starts; keeps only what this reaches
    #[arg(long, value_name = "SYM")]
    pub entry: Option<String>,
    /// A symbol at a fixed address
    #[arg(long, value_name = "NAME=ADDR", value_parser = inputs::definition)]
    pub defsym: Vec<(String, u64)>,
    /// Put what nobody defines on a page behind the image, instead of failing
    #[arg(long)]
    pub phony_externals: bool,
    /// Write a map: segments, sections and symbols with their addresses
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Leave out the symbol table
    #[arg(long)]
    pub strip: bool,
    /// Print what each phase took
    #[arg(long)]
    pub timings: bool,
}

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let mut timings = Timings::default();
    let inputs = timings.phase("read", || inputs::read(&args.inputs))?;
    let mut image = Image::new(inputs.target);
    let options = args.inputs.options();
    let roots: Vec<&str> = args.entry.as_deref().into_iter().collect();
    let job = Job {
        target: inputs.target,
        inputs: &inputs.files,
        defines: &args.defsym,
        roots: if roots.is_empty() { Roots::All } else { Roots::Names(&roots) },
        layout: &args.inputs.layout,
        options: &options,
    };
    let externals = if args.phony_externals { Externals::Phony } else { Externals::Table(&|_| None) };
    let linked = match linking::link(&job, &mut image, &externals, &mut timings) {
        Ok(linked) => linked,
        Err(error) => {
            messages::error(&error);
            return Ok(exit::FAILURES);
        }
    };
    messages::warnings(linked.graph());
    if let Some(map) = &args.map {
        std::fs::write(map, map_of(&linked)).with_context(|| map.display().to_string())?;
    }
    let labels = labels(&linked, args);
    let file = timings.phase("write", || {
        let bytes = linked.handle.write(&labels).map_err(|error| anyhow::anyhow!(error))?;
        overwrite(&args.output, &bytes).with_context(|| args.output.display().to_string())
    });
    file?;
    if args.timings {
        for (phase, time) in &timings.phases {
            eprintln!("{phase:10} {:>12.1} us", time.as_secs_f64() * 1e6);
        }
    }
    Ok(exit::OK)
}

/// Writes a file over what was there: giving up its pages first, only to take new ones, is half of the time.
fn overwrite(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(false).open(path)?;
    file.write_all(bytes)?;
    // Not everything that can be written to has a length: /dev/stdout, for one.
    if file.metadata()?.is_file() { file.set_len(bytes.len() as u64) } else { Ok(()) }
}

fn labels(linked: &Finalized<'_, ImageFile>, args: &Args) -> Labels {
    let graph = linked.graph();
    let mut labels = Labels {
        entry: args.entry.as_deref().and_then(|entry| linked.address(entry)).unwrap_or(0),
        ..Labels::default()
    };
    for (_, section) in graph.sections.iter() {
        let mut live = section.block_ids().filter(|&block| graph.blocks[block].live);
        let Some(first) = live.next() else { continue };
        let last = live.next_back().unwrap_or(first);
        let (first, last) = (&graph.blocks[first], &graph.blocks[last]);
        let segment = first.segment as usize;
        let size = (last.address + last.content.size()).saturating_sub(first.address);
        labels.sections.push(ImageSection {
            name: String::from_utf8_lossy(section.name).into_owned(),
            segment,
            offset: first.address.wrapping_sub(linked.plan().segments[segment].address),
            size,
        });
    }
    if args.strip {
        return labels;
    }
    for (id, symbol) in graph.symbols.iter() {
        let live = !matches!(symbol.definition, Definition::Block(block, _) if !graph.blocks[block].live);
        if symbol.name.is_empty() || !live {
            continue;
        }
        let Some(address) = graph.value(id) else { continue };
        labels.symbols.push(ImageSymbol {
            name: String::from_utf8_lossy(symbol.name).into_owned(),
            address,
            size: symbol.size,
            kind: if symbol.flags.has(Flags::FUNCTION) { SymbolKind::Function } else { SymbolKind::Object },
            global: symbol.binding != Binding::Local,
        });
    }
    for &(block, offset, bytes) in graph.mapping.iter().filter(|(block, ..)| graph.blocks[*block].live) {
        let name = match bytes {
            Bytes::Data => "$d",
            Bytes::Thumb => "$t",
            Bytes::Code if graph.target.register_bits == 64 => "$x",
            Bytes::Code => "$a",
        };
        let address = graph.blocks[block].address + offset;
        labels.symbols.push(ImageSymbol {
            name: name.to_owned(),
            address,
            size: 0,
            kind: SymbolKind::Label,
            global: false,
        });
    }
    labels
}

/// Segments, the sections in them and the symbols in those, by address.
fn map_of(linked: &Finalized<'_, ImageFile>) -> String {
    let graph = linked.graph();
    let mut map = String::new();
    for segment in &linked.plan().segments {
        let _ = writeln!(map, "{:#012x} {:#10x} {}", segment.address, segment.size, segment.protection.letters());
        for &block in &segment.blocks {
            let here = &graph.blocks[block];
            let section = &graph.sections[here.section];
            let file = object_name(&graph.objects[section.object]);
            let name = text(section.name);
            let _ = writeln!(map, "  {:#012x} {:#8x} {file}({name})", here.address, here.content.size());
            for (id, symbol) in graph.symbols.iter().filter(|(id, _)| id.index() > 0) {
                if matches!(symbol.definition, Definition::Block(own, _) if own == block) && !symbol.name.is_empty() {
                    let _ = writeln!(map, "    {:#012x} {}", graph.value(id).unwrap_or(0), graph.symbol_name(id));
                }
            }
        }
    }
    messages::demangled(&map)
}
