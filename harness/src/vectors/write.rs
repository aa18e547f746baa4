//! The files of a directory of vectors.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use outside::Output;
use serde::Serialize;

use super::data::{FORMAT, File, Index, LICENSE, Listed, Record, Vector};
use super::make::{Made, generator};

/// The schema of the JSON files, which goes with them.
pub const SCHEMA: &str = include_str!("../../../vectors/schema.json");

/// A directory that vectors are written to.
#[derive(Debug)]
pub struct Writer<'a> {
    directory: &'a Path,
    targets: Vec<Listed>,
    abi: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    /// Makes the directory, where it is not there.
    pub fn new(directory: &'a Path) -> anyhow::Result<Writer<'a>> {
        make_directory(directory)?;
        Ok(Writer { directory, targets: Vec::new(), abi: BTreeSet::new() })
    }

    fn file(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        Output::at(self.directory.join(name))?.write(|out| out.write_all(content))?;
        Ok(())
    }

    /// Writes the files of a target.
    pub fn target(&mut self, made: &Made) -> anyhow::Result<()> {
        let file = &made.file;
        make_directory(&self.directory.join(&file.target))?;
        for (path, data) in &made.objects {
            self.file(path, data)?;
        }
        let listed = Listed {
            target: file.target.clone(),
            file: format!("{}.json", file.target),
            text: format!("{}.txt", file.target),
            relocations: file.relocations.len(),
            counts: file.counts.clone(),
            left_out: file.left_out.len(),
        };
        self.file(&listed.file, json(file)?.as_bytes())?;
        self.file(&listed.text, text(made).as_bytes())?;
        self.abi.extend(file.abi.iter().cloned());
        self.targets.push(listed);
        Ok(())
    }

    /// Writes what is about all of them.
    pub fn finish(self) -> anyhow::Result<()> {
        let index = Index {
            format: FORMAT,
            license: LICENSE.to_owned(),
            generator: generator(),
            abi: self.abi.iter().cloned().collect(),
            targets: self.targets.clone(),
        };
        self.file("index.json", format!("{}\n", serde_json::to_string_pretty(&index)?).as_bytes())?;
        self.file("schema.json", SCHEMA.as_bytes())
    }
}

fn make_directory(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path)
        .map_err(|error| crate::exit::BadOutput(format!("{}: cannot be made: {error}", path.display())).into())
}

/// The JSON of a target, with a line for each vector: what differs between two releases of the ABI is then seen by `diff`.
fn json(file: &File) -> anyhow::Result<String> {
    fn list<T: Serialize>(list: &[T]) -> serde_json::Result<String> {
        let list: Vec<String> = list.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        Ok(if list.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", list.join(",\n")) })
    }
    fn one<T: Serialize>(value: &T) -> serde_json::Result<String> {
        serde_json::to_string(value)
    }
    let members = [
        ("format", one(&file.format)?),
        ("license", one(&file.license)?),
        ("generator", one(&file.generator)?),
        ("abi", one(&file.abi)?),
        ("target", one(&file.target)?),
        ("description", one(&file.description)?),
        ("machine", one(&file.machine)?),
        ("class", one(&file.class)?),
        ("data", one(&file.data)?),
        ("counts", one(&file.counts)?),
        ("relocations", list(&file.relocations)?),
        ("left_out", list(&file.left_out)?),
        ("vectors", list(&file.vectors)?),
    ];
    let members = members.map(|(name, value)| format!("\"{name}\": {value}"));
    Ok(format!("{{\n{}\n}}\n", members.join(",\n")))
}

/// The columns of the text form.
const COLUMNS: &str = "id number kind record P S T A GOT G B TLS tp FUNCDESC before after";

/// A vector a line, in words: for programs that read no JSON.
fn text(made: &Made) -> String {
    let file = &made.file;
    let mut text = format!(
        "# Relocation vectors of {}, format {}, {}, from {}. License: {}.\n# {COLUMNS}\n",
        file.target,
        file.format,
        file.generator,
        file.abi.join(", "),
        file.license,
    );
    for vector in &file.vectors {
        let term = |name: &str| vector.terms.get(name).map_or("0x0", |value| value);
        let _ = writeln!(
            text,
            "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}",
            vector.id,
            vector.number,
            vector.kind.name(),
            if vector.record == Record::Rel { "rel" } else { "rela" },
            vector.p,
            vector.s,
            vector.t,
            vector.a,
            term("GOT"),
            term("G"),
            term("B"),
            term("TLS"),
            term("tp"),
            term("FUNCDESC"),
            if vector.before.is_empty() { "-" } else { &vector.before },
            after(vector),
        );
    }
    text
}

/// The bytes after, all that are right, or the error behind a mark.
fn after(vector: &Vector) -> String {
    match (&vector.after, vector.error) {
        (Some(after), _) if after.is_empty() => "-".to_owned(),
        (Some(after), _) => [&[after.clone()][..], &vector.also].concat().join(","),
        (None, error) => format!("!{}", error.map_or("", |error| error.name())),
    }
}

/// Reads what a directory has, to the objects that vectors name.
pub fn read(directory: &Path) -> anyhow::Result<Vec<File>> {
    /// Bytes of a file of vectors.
    const LARGEST: u64 = 256 << 20;
    let text = |name: &str| -> anyhow::Result<String> { Ok(outside::read_text(directory.join(name), LARGEST)?) };
    let index: Index = serde_json::from_str(&text("index.json")?).context("index.json")?;
    let files = index.targets.iter();
    files.map(|listed| serde_json::from_str(&text(&listed.file)?).with_context(|| listed.file.clone())).collect()
}
