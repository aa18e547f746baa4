//! Statements of objects about how they were built, and what follows from them for the whole link: build attributes,
//! properties of all code, and warnings.
//!
//! How attributes are written and what they mean is the architecture's ([`crate::arch::Architecture::attributes`]).

use std::fmt;

use crate::error::Site;
use crate::index::ObjectId;

/// Something about the input that the link can live with and its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub site: Site,
    /// What.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.site, self.text)
    }
}

/// What holds of a link's code because it holds of all its objects (System V ABI for the Arm 64-bit Architecture, Program
/// Property). An object that says nothing clears it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Every place that is branched to indirectly has a landing pad (GNU_PROPERTY_AARCH64_FEATURE_1_BTI).
    pub bti: bool,
    /// Return addresses are signed (GNU_PROPERTY_AARCH64_FEATURE_1_PAC).
    pub pac: bool,
    /// The code can run with a guarded control stack (GNU_PROPERTY_AARCH64_FEATURE_1_GCS).
    pub gcs: bool,
    /// Platform and version of the schema by which pointers are signed (PAuth ABI Extension to ELF, GNU property), of the
    /// objects that say one.
    pub pauth: Option<(u64, u64)>,
}

impl Properties {
    /// What both say, of one object: it has two ways to say it.
    pub(crate) fn or(self, other: Properties) -> Properties {
        Properties {
            bti: self.bti | other.bti,
            pac: self.pac | other.pac,
            gcs: self.gcs | other.gcs,
            pauth: self.pauth.or(other.pauth),
        }
    }

    /// What holds of two objects together.
    pub(crate) fn and(self, other: Properties) -> Properties {
        Properties {
            bti: self.bti & other.bti,
            pac: self.pac & other.pac,
            gcs: self.gcs & other.gcs,
            pauth: self.pauth.or(other.pauth),
        }
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// Text without its end.
    Text(Vec<u8>),
    /// A number and text.
    Both(u64, Vec<u8>),
}

impl Value {
    /// The number, 0 if it has none.
    pub fn number(&self) -> u64 {
        match self {
            Value::Number(number) | Value::Both(number, _) => *number,
            Value::Text(_) => 0,
        }
    }
}

/// One attribute of a whole object, or of the whole link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its tag.
    pub tag: u64,
    /// Its value.
    pub value: Value,
    /// The object that said so first.
    pub from: ObjectId,
}

/// Build attributes: of one object, or merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Sorted by tag, one of each.
    list: Vec<Attribute>,
    /// Those that are properties by another name.
    pub properties: Properties,
    /// What could not be read, of an object.
    pub problem: Option<String>,
    /// What an object requires to be understood, and is not.
    pub refused: Option<String>,
}

impl Attributes {
    /// All of them, by tag.
    pub fn list(&self) -> &[Attribute] {
        &self.list
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The attribute of this tag.
    pub fn get(&self, tag: u64) -> Option<&Attribute> {
        self.list.binary_search_by_key(&tag, |attribute| attribute.tag).ok().map(|index| &self.list[index])
    }

    /// The number of this tag; 0, which is the default of all, if it is not there.
    pub fn number(&self, tag: u64) -> u64 {
        self.get(tag).map_or(0, |attribute| attribute.value.number())
    }

    /// Sets an attribute.
    pub fn set(&mut self, tag: u64, value: Value, from: ObjectId) {
        let attribute = Attribute { tag, value, from };
        match self.list.binary_search_by_key(&tag, |attribute| attribute.tag) {
            Ok(index) => self.list[index] = attribute,
            Err(index) => self.list.insert(index, attribute),
        }
    }
}

/// Two objects that say what does not go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Whether they cannot be linked.
    pub fatal: bool,
    /// What the object at hand says.
    pub problem: String,
    /// The object that said otherwise.
    pub other: Option<ObjectId>,
}
