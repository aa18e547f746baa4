//! The vectors of a target.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use corpus::abi::{self, Check, Place, Refusal, Relocation, Unresolved};
use linker::Target;
use linker::relocation::hex;

use super::data::{ErrorKind, FORMAT, File, Kind, LICENSE, LeftOut, Record, Row, Symbol, Vector};
use super::evaluate::{Evaluated, TLS, evaluate};
use super::object::object;
use super::pick::{Pick, Picker};
use super::reasons::{missing_kinds, no_vectors};
use crate::proof::elf::{Definition, GUARD};
use crate::proof::on_core;
use crate::proof::scene::{Aim, Scene, ZERO};

/// All of a target: what the file says, and the objects that it names.
#[derive(Debug)]
pub struct Made {
    /// The vectors.
    pub file: File,
    /// The objects by their path.
    pub objects: BTreeMap<String, Vec<u8>>,
}

/// The program and its version.
pub(super) fn generator() -> String {
    format!("linkrig {}", env!("CARGO_PKG_VERSION"))
}

/// Makes the vectors of a target.
pub fn make(target: &'static Target) -> anyhow::Result<Made> {
    let class = corpus::target::find(target)?.class;
    let mut maker =
        Maker { target, left_out: Vec::new(), objects: BTreeMap::new(), paths: HashMap::new(), taken: HashMap::new() };
    let (mut rows, mut vectors) = (Vec::new(), Vec::new());
    for relocation in abi::of(class).relocations.iter().filter(|relocation| relocation.class == class) {
        let relocation: Cow<'_, Relocation> = on_core(target, relocation);
        let made = maker.of(&relocation);
        if !made.is_empty() {
            rows.push(row(&relocation));
        }
        vectors.extend(made);
    }
    let abi: BTreeSet<String> = rows.iter().map(|row| row.release.clone()).collect();
    let mut counts = BTreeMap::new();
    vectors.iter().for_each(|vector: &Vector| *counts.entry(vector.kind).or_insert(0) += 1);
    let file = File {
        format: FORMAT,
        license: LICENSE.to_owned(),
        generator: generator(),
        abi: abi.into_iter().collect(),
        target: target.name.to_owned(),
        description: target.description.to_owned(),
        machine: target.machine,
        class: target.pointer_bits,
        data: if target.big_endian { "big" } else { "little" }.to_owned(),
        relocations: rows,
        counts,
        left_out: maker.left_out,
        vectors,
    };
    Ok(Made { file, objects: maker.objects })
}

fn row(relocation: &Relocation) -> Row {
    let (low, high) = match relocation.check {
        Check::Range(low, high) => (Some(hex(low)), Some(hex(high))),
        Check::None | Check::Group => (None, None),
    };
    Row {
        number: relocation.number,
        name: relocation.name.clone(),
        release: relocation.release.clone(),
        section: relocation.section.clone(),
        formula: relocation.formula.as_ref().map_or(String::new(), |formula| formula.text().to_owned()),
        place: place_name(relocation.form.place).to_owned(),
        low,
        high,
        multiple_of: relocation.align,
        veneer: relocation.veneer,
    }
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::None => "none",
        Place::Data8 => "data8",
        Place::Data16 => "data16",
        Place::Data32 => "data32",
        Place::Data64 => "data64",
        Place::A64 => "a64",
        Place::A32 => "a32",
        Place::T32 => "t32",
        Place::T16 => "t16",
    }
}

struct Maker {
    target: &'static Target,
    left_out: Vec<LeftOut>,
    objects: BTreeMap<String, Vec<u8>>,
    /// Where an object with this content is.
    paths: HashMap<Vec<u8>, String>,
    /// How many vectors have names that begin like this: two numbers can have one name.
    taken: HashMap<String, usize>,
}

impl Maker {
    /// The vectors of a relocation, or why there are none.
    fn of(&mut self, relocation: &Relocation) -> Vec<Vector> {
        let left_out = |kind, reason: &str| LeftOut {
            number: relocation.number,
            relocation: relocation.name.clone(),
            kind,
            reason: reason.to_owned(),
        };
        if let Some(reason) = no_vectors(self.target, relocation) {
            self.left_out.push(left_out(None, reason));
            return Vec::new();
        }
        let picks = if relocation.form.place == Place::None {
            vec![nothing(self.target)]
        } else {
            Picker::new(self.target, relocation).all()
        };
        let kinds: BTreeSet<Kind> = picks.iter().map(|pick| pick.kind).collect();
        let mut vectors = Vec::new();
        for pick in picks {
            let stem = format!("{}/{}", relocation.name, pick.kind.name());
            let number = self.taken.entry(stem.clone()).or_insert(0);
            *number += 1;
            let id = format!("{stem}/{number}");
            vectors.extend(self.vector(relocation, &pick, id));
        }
        for (kind, reason) in missing_kinds(self.target, relocation, &kinds) {
            self.left_out.push(left_out(Some(kind), reason));
        }
        vectors
    }

    fn vector(&mut self, relocation: &Relocation, pick: &Pick, id: String) -> Option<Vector> {
        let Pick { kind, scene, definition, record } = pick;
        let place = relocation.form.place;
        let (evaluated, also) = outcome(self.target, relocation, pick)?;
        let bytes = |word| in_memory(self.target, place, word);
        let (after, error) = match evaluated.outcome {
            Ok(word) => (Some(bytes(word)), None),
            Err(Refusal::OutOfRange) => (None, Some(ErrorKind::OutOfRange)),
            Err(Refusal::Misaligned) => (None, Some(ErrorKind::Misaligned)),
            Err(Refusal::State) => (None, Some(ErrorKind::State)),
        };
        let inputs = evaluated.inputs;
        Some(Vector {
            object: self.object(relocation, pick, &id),
            id,
            relocation: relocation.name.clone(),
            number: relocation.number,
            kind: *kind,
            record: *record,
            offset: GUARD.len() as u64,
            sections: sections(self.target, scene, *definition),
            symbol: symbol(scene, *definition),
            p: hex(inputs.p.into()),
            s: hex(inputs.s.into()),
            a: hex(inputs.a.into()),
            t: u8::from(inputs.t),
            terms: terms(relocation, &evaluated),
            x: hex(evaluated.x.into()),
            before: bytes(scene.word),
            after,
            also: also.into_iter().map(bytes).collect(),
            error,
        })
    }

    /// The path of the vector's object, which others with the same content share.
    fn object(&mut self, relocation: &Relocation, pick: &Pick, id: &str) -> Option<String> {
        let data = object(self.target, relocation, pick)?;
        let path = self.paths.entry(data).or_insert_with_key(|data| {
            let path = format!("{}/{}.o", self.target.name, id.replace('/', "."));
            self.objects.insert(path.clone(), data.clone());
            path
        });
        Some(path.clone())
    }
}

/// The vector of a relocation that writes nothing.
fn nothing(target: &Target) -> Pick {
    let scene = Scene { word: 0, a: 0, p: 0x1_1000, aim: Aim::Label(0x2_2000), got: None, before: 0, pair: None };
    let record = if target.register_bits == 32 { Record::Rel } else { Record::Rela };
    Pick { kind: Kind::Nothing, scene, definition: Definition::Absolute, record }
}

/// What the ABI says of a pick, and words that are as good as the one that comes of it.
fn outcome(target: &Target, relocation: &Relocation, pick: &Pick) -> Option<(Evaluated, Vec<u64>)> {
    if pick.kind == Kind::Nothing {
        let inputs = abi::Inputs { s: 0x2_2000, p: pick.scene.p, ..abi::Inputs::default() };
        return Some((Evaluated { inputs, x: 0, outcome: Ok(0) }, Vec::new()));
    }
    let evaluated = evaluate(target, relocation, &pick.scene)?;
    if pick.definition != Definition::Undefined {
        return Some((evaluated, Vec::new()));
    }
    let word = pick.scene.word;
    if relocation.symbol.is_some() {
        // A patch that nobody defines leaves what is there.
        return Some((Evaluated { outcome: Ok(word), ..evaluated }, Vec::new()));
    }
    let mut inputs = evaluated.inputs;
    match relocation.unresolved(&inputs) {
        Unresolved::Value(s) => {
            inputs.s = s;
            let x = relocation.value(&inputs)?;
            Some((Evaluated { inputs, x, outcome: relocation.expected(word, x, None) }, Vec::new()))
        }
        Unresolved::Next => {
            // What the program counter reads is ahead of the place, and the next instruction behind it.
            let (x, nops): (i64, &[u64]) = match relocation.form.place {
                Place::A32 => (-4, &[0xe320_f000, 0xe1a0_0000]),
                Place::T32 => (0, &[0xf3af_8000, 0xbf00_bf00, 0x46c0_46c0, 0xe000_bf00]),
                _ => (4, &[0xd503_201f]),
            };
            // The S by which the formula comes to it.
            inputs.s = target.wrap(inputs.p.wrapping_add_signed(x).wrapping_sub(inputs.a as u64));
            Some((Evaluated { inputs, x, outcome: relocation.expected(word, x, None) }, nops.to_vec()))
        }
        Unresolved::Unspecified => None,
    }
}

/// A word as its bytes in memory, where code is little-endian.
fn in_memory(target: &Target, place: Place, word: u64) -> String {
    let mut bytes = place.bytes(word);
    if target.big_endian && !place.is_code() {
        bytes.reverse();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn symbol(scene: &Scene, definition: Definition) -> Symbol {
    let (definition, kind) = match (scene.aim, definition) {
        (Aim::Label(_), Definition::Absolute) => ("absolute", "label"),
        (Aim::Label(_), Definition::Local) => ("local", "label"),
        (Aim::Label(_), Definition::Section) => ("section", "label"),
        (Aim::Label(_), Definition::Weak) => ("weak", "label"),
        (Aim::Label(_), Definition::Common) => ("common", "label"),
        (Aim::Label(_), Definition::Undefined) | (Aim::Nothing, _) => ("undefined", "label"),
        (Aim::Function(_, true), _) => ("absolute", "thumb-function"),
        (Aim::Function(_, false), _) => ("absolute", "function"),
        (Aim::Inside(_), _) => ("defined", "label"),
        (Aim::ThreadLocal(_), _) => ("defined", "thread-local"),
        // The linker's own.
        (Aim::Origin, _) => ("undefined", "label"),
    };
    Symbol { definition: definition.to_owned(), kind: kind.to_owned() }
}

/// Where the sections of the object have to be.
fn sections(target: &Target, scene: &Scene, definition: Definition) -> BTreeMap<String, String> {
    let mut list = BTreeMap::new();
    let mut at = |name: &str, address: u64| drop(list.insert(name.to_owned(), hex(target.wrap(address).into())));
    at(".place", scene.p.wrapping_sub(GUARD.len() as u64));
    at(".tdata", TLS);
    match (scene.aim, definition) {
        (Aim::Label(address), Definition::Local | Definition::Section | Definition::Weak) => at(".target", address),
        (Aim::Label(address), Definition::Common) => at("COMMON", address),
        (Aim::Inside(_), _) => at(".zero", ZERO),
        _ => {}
    }
    if let Some(got) = scene.got {
        at(".got", got);
    }
    list
}

/// What the formula mentions besides S, A, P and T.
fn terms(relocation: &Relocation, evaluated: &Evaluated) -> BTreeMap<String, String> {
    let Some(formula) = &relocation.formula else { return BTreeMap::new() };
    let inputs = &evaluated.inputs;
    let all = [
        ("GOT", formula.mentions("GOT") || formula.mentions("GOT_ORG"), inputs.got),
        ("G", formula.entry().is_some(), inputs.entry),
        ("B", formula.mentions("B"), inputs.base),
        ("TLS", formula.mentions("TLS") || formula.mentions("DTPREL"), inputs.tls),
        ("tp", formula.mentions("tp") || formula.mentions("TPREL"), inputs.tp),
        ("FUNCDESC", formula.mentions("FUNCDESC") && formula.entry().is_none(), inputs.descriptor),
    ];
    let mentioned = all.into_iter().filter(|(_, mentioned, _)| *mentioned);
    mentioned.map(|(name, _, value)| (name.to_owned(), hex(value.into()))).collect()
}
