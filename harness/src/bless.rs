//! `--bless`: what a reference gives becomes what a case expects.
//!
//! The reference is never our own linker: the same objects, a driver that makes the calls, GNU ld with the C library of
//! the toolchain, static, under qemu-user. The difference is shown before anything is written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use corpus::Corpus;
use corpus::build::FileKind;
use corpus::case::{Call, CallResult, Case, Expectations};
use corpus::matrix::Family;
use corpus::toolchain::Toolchains;
use corpus::value::Value;
use linker::Target;
use outside::{Limits, Scratch};

use crate::exit;
use crate::machine::Processor;
use crate::plan::Configuration;
use crate::plan::{self, Objects, Source};

/// What a reference may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(20), text: 1 << 20, file: 256 << 20, memory: None };

/// Blesses the first build of each case and target that was selected.
pub fn main(
    batches: Vec<Vec<Configuration<'_>>>,
    source: &Source,
    corpus: &Corpus,
    reference: &str,
) -> anyhow::Result<u8> {
    if reference != "qemu-user" {
        note!(
            "refused: `{reference}` is the linker under test; expectations come from qemu-user with GNU ld, or the ABI"
        );
        return Ok(exit::USAGE);
    }
    let mut first: BTreeMap<(&str, &str), Vec<Configuration<'_>>> = BTreeMap::new();
    for batch in batches {
        first.entry((&batch[0].case.name, batch[0].build.target.name)).or_insert(batch);
    }
    let batches = plan::objects(first.into_values().collect(), source, 1, &|_, _, _| {})?;
    let toolchains = Toolchains::discover();
    let mut edits: BTreeMap<PathBuf, BTreeMap<usize, String>> = BTreeMap::new();
    let mut refused = false;
    for batch in &batches {
        let configuration = &batch.configurations[0];
        let expected = configuration.case.expectations(&configuration.build, &configuration.layout);
        match reference_of(configuration.case, configuration.build.target, &expected, &batch.objects, &toolchains) {
            Err(error) => {
                refused = true;
                note!("{}: cannot be blessed: {error:#}", configuration.name);
            }
            Ok(results) => {
                let path = corpus
                    .file(configuration.case)
                    .with_context(|| format!("{corpus} cannot be written to: --corpus DIR"))?;
                let lines = edits.entry(path.clone()).or_default();
                refused |= !compare(configuration, &expected, &results, &path, lines)?;
            }
        }
    }
    for (path, lines) in edits.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let text = std::fs::read_to_string(&path)?;
        let changed: Vec<String> = text
            .lines()
            .enumerate()
            .map(|(index, line)| lines.get(&(index + 1)).cloned().unwrap_or_else(|| line.to_owned()))
            .collect();
        std::fs::write(&path, changed.join("\n") + "\n").with_context(|| path.display().to_string())?;
        outln!("{}: {} lines written", path.display(), lines.len());
    }
    Ok(if refused { exit::FAILURES } else { exit::OK })
}

/// Shows where the reference differs, and notes the lines to write. False when targets disagree.
fn compare(
    configuration: &Configuration<'_>,
    expected: &Expectations<'_>,
    results: &[Value],
    path: &Path,
    lines: &mut BTreeMap<usize, String>,
) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut agreed = true;
    let blessable = expected.calls.iter().filter(|(call, _)| is_blessable(call));
    for ((call, at), got) in blessable.zip(results) {
        if matches!(&call.result, CallResult::Value(value) if value.same(got)) {
            continue;
        }
        let old = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        let Some((head, _)) = old.rsplit_once(" = ") else { continue };
        let new = format!("{head} = {got}");
        if let Some(other) = lines.get(&at.line)
            && *other != new
        {
            note!("{}: targets disagree: `{other}` and `{new}`; give the directive a scope", configuration.name);
            agreed = false;
            continue;
        }
        outln!("{}:{} ({})\n- {old}\n+ {new}", path.display(), at.line, configuration.build.target.name);
        lines.insert(at.line, new);
    }
    Ok(agreed)
}

/// Whether a reference run can say what a call returns: a number. Addresses are the linker's own.
fn is_blessable(call: &Call) -> bool {
    match &call.result {
        CallResult::Unblessed => true,
        CallResult::Void => false,
        CallResult::Value(value) => !matches!(value, Value::Address(..) | Value::Buffer(_) | Value::List(_)),
    }
}

/// What the calls return in the reference.
fn reference_of(
    case: &Case,
    target: &'static Target,
    expected: &Expectations<'_>,
    objects: &Objects,
    toolchains: &Toolchains,
) -> anyhow::Result<Vec<Value>> {
    if !expected.link_errors.is_empty() || expected.exit.is_some() || expected.fault.is_some() {
        bail!("it ends in an error, an exit or a fault: the expectation comes from the source and the ABI");
    }
    let Objects::Files(files) = objects else { bail!("there are no objects for it") };
    let Some(emulator) = Processor::of(target).and_then(|processor| processor.user_mode) else {
        bail!("no user-mode emulator and C library serve {} as a reference", target.name);
    };
    let emulator = which::which(emulator).with_context(|| format!("{emulator} is missing (package qemu-user)"))?;
    let compiler = &toolchains.get(Family::Gcc, target)?.cc.path;

    let dir = Scratch::new()?;
    let driver = dir.path().join("driver.c");
    std::fs::write(&driver, driver_source(target, expected))?;
    let mut link = Command::new(compiler);
    link.current_dir(dir.path()).args(["-static", "-O1", "-o", "reference", "driver.c"]);
    let (mut archives, mut others) = (Vec::new(), Vec::new());
    for file in files {
        std::fs::write(dir.path().join(&file.name), &file.data)?;
        if file.kind == FileKind::Archive { archives.push(&file.name) } else { others.push(&file.name) }
    }
    link.args(others).arg("-Wl,--start-group").args(archives).arg("-Wl,--end-group");
    for (name, value) in &expected.defines {
        link.arg(format!("-Wl,--defsym={name}={value:#x}"));
    }
    let linked = outside::run(link, &LIMITS)?;
    if !linked.status.success() {
        bail!("the reference does not link {}: {}", case.name, String::from_utf8_lossy(&linked.stderr).trim());
    }
    let mut run = Command::new(emulator);
    run.arg(dir.path().join("reference"));
    let ended = outside::run(run, &LIMITS)?;
    let text = String::from_utf8_lossy(&ended.stderr);
    if !ended.status.success() {
        bail!("the reference ended with {}: {text}", ended.status);
    }
    parse(expected, &text)
}

/// The C type of a value, and how it is written.
fn in_c(target: &Target, value: &Value, names: &mut String, count: &mut usize) -> (&'static str, String) {
    match value {
        Value::I32(value) => ("int", format!("(int){}u", *value as u32)),
        Value::U32(value) => ("unsigned", format!("{value}u")),
        Value::I64(value) => ("long long", format!("(long long){}ull", *value as u64)),
        Value::U64(value) => ("unsigned long long", format!("{value}ull")),
        Value::F32(value) => ("float", format!("((union{{unsigned u; float f;}}){{{}u}}).f", value.to_bits())),
        Value::F64(value) => {
            ("double", format!("((union{{unsigned long long u; double f;}}){{{}ull}}).f", value.to_bits()))
        }
        Value::Buffer(_) | Value::List(_) => {
            *count += 1;
            let bytes = value.pointed(target).unwrap_or_default();
            let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
            let _ = writeln!(
                names,
                "static unsigned char buffer{count}[] __attribute__((aligned(16))) = {{{}}};",
                list.join(",")
            );
            ("void *", format!("buffer{count}"))
        }
        Value::Address(name, offset) => {
            *count += 1;
            let _ = writeln!(names, "extern char symbol{count}[] __asm__(\"{name}\");");
            ("void *", format!("(symbol{count} + {offset})"))
        }
    }
}

/// A program that makes every call and prints what it returns, as bits, on standard error.
fn driver_source(target: &Target, expected: &Expectations<'_>) -> String {
    let (mut names, mut body, mut count) = (String::from("#include <stdio.h>\n"), String::new(), 0);
    for (index, (call, _)) in expected.calls.iter().enumerate() {
        let (types, values): (Vec<&str>, Vec<String>) =
            call.arguments.iter().map(|value| in_c(target, value, &mut names, &mut count)).unzip();
        let result = match &call.result {
            CallResult::Value(value) => in_c(target, value, &mut String::new(), &mut 0).0,
            // Nobody has said the type either.
            CallResult::Unblessed => "int",
            CallResult::Void => "void",
        };
        let types = if types.is_empty() { "void".to_owned() } else { types.join(", ") };
        let _ = writeln!(names, "extern {result} function{index}({types}) __asm__(\"{}\");", call.function);
        let made = format!("function{index}({})", values.join(", "));
        if is_blessable(call) {
            let _ = writeln!(
                body,
                "  {{ union {{ unsigned long long bits; {result} value; }} r = {{0}}; r.value = {made}; fprintf(stderr, \"%llu\\n\", r.bits); }}"
            );
        } else {
            let _ = writeln!(body, "  (void){made};");
        }
    }
    format!("{names}int main(void) {{\n{body}  return 0;\n}}\n")
}

fn parse(expected: &Expectations<'_>, text: &str) -> anyhow::Result<Vec<Value>> {
    let mut lines = text.lines();
    let mut results = Vec::new();
    for (call, _) in expected.calls.iter().filter(|(call, _)| is_blessable(call)) {
        let bits: u64 = lines.next().and_then(|line| line.parse().ok()).context("the reference printed too little")?;
        results.push(match &call.result {
            CallResult::Value(Value::U32(_)) => Value::U32(bits as u32),
            CallResult::Value(Value::I64(_)) => Value::I64(bits as i64),
            CallResult::Value(Value::U64(_)) => Value::U64(bits),
            CallResult::Value(Value::F32(_)) => Value::F32(f32::from_bits(bits as u32)),
            CallResult::Value(Value::F64(_)) => Value::F64(f64::from_bits(bits)),
            _ => Value::I32(bits as i32),
        });
    }
    Ok(results)
}
