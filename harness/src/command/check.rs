//! `harness check`: the fields of an image that any linker wrote, judged by the ABI.

use clap::Args as ClapArgs;

use crate::check::{self, Findings, Wrong};
use crate::linking::{Data, Input, number};
use crate::{exit, inputs, wording};

/// Options of `check`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The linked image: an ELF executable, static or position-independent, or a shared object; or a raw binary (objcopy -O binary)
    /// with its map
    pub image: String,
    /// The objects and archives that it was made of; of an archive, the members that are in the image
    #[arg(required = true, value_name = "OBJECT")]
    pub objects: Vec<String>,
    /// What the linker wrote of its layout (-Map): of GNU ld, gold, lld or mold, told by how it begins
    #[arg(long, value_name = "FILE")]
    pub map: Option<String>,
    /// Where the first byte of a raw binary is loaded [default: where the map has its first section with bytes]
    #[arg(long, value_name = "ADDRESS", value_parser = number::address, requires = "map")]
    pub at: Option<u64>,
    /// How many wrong fields to show
    #[arg(long, default_value_t = 20)]
    pub show: usize,
    /// Say, too, what was found how, and every reason for which a field cannot be judged
    #[arg(long, short)]
    pub verbose: bool,
    /// Write a JSON document instead of text
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  harness check app.elf main.o uart.o libdrivers.a
  harness check hello hello.o crt1.o crti.o libc.a libgcc.a crtn.o --map hello.map
  harness check flash.bin main.o uart.o --map flash.map --at 0x8000000

A section is found by the symbols of the image, by the map, by relocations that the linker kept (-q, --emit-relocs), and \
by its bytes, which have to agree in any case. A map that disagrees with the image's own sections and symbols is said to do so. Give the map, and do not strip the image, and more sections are found. \
Nothing is executed but stubs.

A field is right when it is what the ABI's formula comes to; when it leads to a table entry or a stub that does; or when its \
sequence was relaxed to instructions that come to the same. What cannot be placed or judged is counted, with the reason.

The exit status is 0 if no field is wrong, 100 if one is, 4 if nothing could be judged, 65 if a file is malformed.";

/// Runs the command.
pub fn main(args: &Args) -> anyhow::Result<u8> {
    let image = Input::new(&args.image, Data::open(&args.image)?);
    let map =
        args.map.as_ref().map(|map| Ok::<_, outside::FileError>(Input::new(map, Data::open(map)?))).transpose()?;
    let objects = args.objects.iter().map(|path| inputs::open(path)).collect::<anyhow::Result<Vec<_>>>()?;
    if args.at.is_some() && inputs::is_elf(&image.data) {
        return Err(exit::Usage(format!(
            "{} is an ELF file, which says where it is loaded: --at is for a raw binary",
            args.image
        ))
        .into());
    }
    let bar = super::counter();
    bar.set_message(format!("checking {}", args.image));
    bar.enable_steady_tick(std::time::Duration::from_secs(1));
    let findings = match &map {
        Some(map) if !inputs::is_elf(&image.data) => check::check_raw(&image, &objects, map, args.at),
        _ => check::check(&image, &objects, map.as_ref()),
    };
    bar.finish_and_clear();
    let findings = findings?;
    if let (Some(why), Some(map)) = (&findings.map_disagrees, &args.map) {
        note!("warning: {map}: {why}");
    }
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&findings.json())?);
    } else {
        report(args, &findings);
    }
    let total = findings.total();
    Ok(match total.right + total.relaxed + total.wrong {
        0 => exit::NOTHING_SELECTED,
        _ if total.wrong > 0 => exit::FAILURES,
        _ => exit::OK,
    })
}

fn report(args: &Args, findings: &Findings) {
    let total = findings.total();
    outln!(
        "{}: {}, {} objects, {} members of archives are not in it",
        findings.image,
        findings.target.name,
        findings.objects,
        findings.members_left
    );
    for (end, (sections, relocations)) in &findings.sections.by_end {
        outln!("  {sections:7} sections with {relocations:7} relocations {end}");
    }
    if args.verbose {
        for (evidence, sections) in &findings.sections.by_evidence {
            outln!("  {sections:7} of the placed by {evidence}");
        }
    }
    outln!("\n  {:42} {:>9} {:>9} {:>9} {:>9}", "relocation", "right", "relaxed", "wrong", "unknown");
    for (name, tally) in &findings.tallies {
        outln!("  {name:42} {:>9} {:>9} {:>9} {:>9}", tally.right, tally.relaxed, tally.wrong, tally.unknown);
    }
    outln!("  {:42} {:>9} {:>9} {:>9} {:>9}", "all", total.right, total.relaxed, total.wrong, total.unknown);
    if total.followed > 0 {
        outln!("  {} of the right ones by way of a table entry or a stub", total.followed);
    }
    let mut reasons: Vec<_> = findings.unknown.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown = if args.verbose { reasons.len() } else { 5 };
    for (why, count) in reasons.iter().take(shown) {
        outln!("  {count} not judged: {why}");
    }
    if reasons.len() > shown {
        outln!("  and {} more reasons: --verbose", reasons.len() - shown);
    }
    if findings.dropped_records > 0 {
        outln!("  {} in records of call frames or unwinding that the linker has dropped", findings.dropped_records);
    }
    for wrong in findings.wrong.iter().take(args.show) {
        outln!("\n{}", text(wrong));
    }
    if total.wrong > args.show {
        outln!("\n  and {} more: --show {}", total.wrong - args.show, total.wrong);
    }
}

/// A wrong field in full.
fn text(wrong: &Wrong) -> String {
    let site = &wrong.site;
    let s = site.s.map_or("unknown".to_owned(), |s| format!("{s:#x}"));
    let within = match &wrong.within {
        Some((name, 0)) => format!(" <{name}>"),
        Some((name, distance)) => format!(" <{name}+{distance:#x}>"),
        None => String::new(),
    };
    let show = |(bytes, text): &(Vec<u8>, String)| format!("{}  {text}", wording::hex(bytes)).trim_end().to_owned();
    let mut lines = vec![
        format!("  WRONG {} at {site} against `{}`", site.relocation, site.symbol),
        format!("    S {s}  A {:#x}  P {:#x}{within}", site.a, site.p),
        format!("    found    {}", show(&wrong.found)),
    ];
    if let Some(expected) = &wrong.expected {
        lines.push(format!("    expected {}", show(expected)));
    }
    lines.push(format!("    {}", wrong.why));
    lines.join("\n")
}
