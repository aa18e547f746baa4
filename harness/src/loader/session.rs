//! What a loader and the rig say to each other while objects are loaded: the functions of `linkrig-loader.h` that are the rig's.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::host::Host;

/// Calls of one kind that are remembered. More are no loader's.
const MOST: usize = 100_000;

/// Bytes of a name that is looked up.
const LONGEST: u64 = 1 << 16;

/// The functions that loaders may call.
const RESOLVE: &str = "lr_resolve";
const SECTION: &str = "lr_section";
const SYMBOL: &str = "lr_symbol";
const SYNC: &str = "lr_sync";
const AT: &str = "lr_at";

/// What is said of a name: its address, with the Thumb bit, and whether a function is there.
pub(super) type Answer = (u64, bool);

/// What a loader said of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Sections, and where they are.
    pub sections: Vec<(u32, u64)>,
    /// Symbols, and what others are told of them.
    pub symbols: Vec<(Vec<u8>, u64)>,
    /// Memory that the instruction cache is to see: address and bytes.
    pub synced: Vec<(u64, u64)>,
    /// Section and offset of the field that the error is about.
    pub at: Option<(u32, u64)>,
    /// Whether it said more than anybody listens to.
    pub too_much: bool,
}

/// What is known while objects are loaded.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Names that objects may ask for.
    pub known: HashMap<Vec<u8>, Answer>,
    /// What was said of the object in hand.
    pub said: Said,
    /// Names that were asked for and that nobody has.
    pub missing: BTreeSet<Vec<u8>>,
}

fn push<T>(list: &mut Vec<T>, too_much: &mut bool, value: T) {
    if list.len() < MOST {
        list.push(value);
    } else {
        *too_much = true;
    }
}

/// Gives a machine the functions. Returns the address of the one that resolves names.
pub(super) fn define(host: &mut Host, session: &Rc<RefCell<Session>>) -> u64 {
    let own = Rc::clone(session);
    host.define(SECTION, move |frame| {
        let (section, start) = (frame.int()? as u32, frame.word()?);
        let said = &mut own.borrow_mut().said;
        push(&mut said.sections, &mut said.too_much, (section, start));
        frame.done()
    });
    let own = Rc::clone(session);
    host.define(SYMBOL, move |frame| {
        let (name, address) = (frame.word()?, frame.word()?);
        let name = frame.string(name, LONGEST)?;
        let said = &mut own.borrow_mut().said;
        push(&mut said.symbols, &mut said.too_much, (name, address));
        frame.done()
    });
    let own = Rc::clone(session);
    host.define(SYNC, move |frame| {
        let (start, size) = (frame.word()?, frame.word()?);
        let said = &mut own.borrow_mut().said;
        push(&mut said.synced, &mut said.too_much, (start, size));
        frame.done()
    });
    let own = Rc::clone(session);
    host.define(AT, move |frame| {
        let (section, offset) = (frame.int()? as u32, frame.word()?);
        own.borrow_mut().said.at = Some((section, offset));
        frame.done()
    });
    let own = Rc::clone(session);
    host.define(RESOLVE, move |frame| {
        let (name, address) = (frame.word()?, frame.word()?);
        let name = frame.string(name, LONGEST)?;
        let session = &mut *own.borrow_mut();
        let Some(&(found, is_function)) = session.known.get(&name) else {
            if session.missing.len() < MOST {
                session.missing.insert(name);
            }
            return frame.give_int(0);
        };
        let target = frame.target();
        let bytes = target.bytes(found, target.pointer_bytes());
        frame.store(address, &bytes)?;
        frame.give_int(if is_function { 2 } else { 1 })
    })
}
