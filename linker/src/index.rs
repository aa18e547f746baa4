//! Typed indexes into arenas: four bytes, no reference counting, no way to use a block's number for a symbol.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// What an arena is indexed by.
pub trait Id: Copy {
    /// The id of element number `index`.
    fn new(index: usize) -> Self;
    /// The number of the element.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(u32);

        impl Id for $name {
            fn new(index: usize) -> Self {
                // Arenas are bounded by `Limits`, far below the width of an id.
                $name(index as u32)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// One input file, or one member of an archive.
    ObjectId
    /// One section of an object, or one the linker made.
    SectionId
    /// A section group of an object.
    GroupId
    /// A run of bytes that moves as one.
    BlockId
    /// A name for a place, or for something outside.
    SymbolId
    /// One relocation.
    EdgeId
}

/// A vector that is indexed by its own kind of id only.
#[derive(Clone, Debug)]
pub struct Arena<I, T> {
    items: Vec<T>,
    id: PhantomData<I>,
}

impl<I: Id, T> Arena<I, T> {
    /// The id that the next element gets.
    pub fn next(&self) -> I {
        I::new(self.items.len())
    }

    /// Adds an element.
    pub fn push(&mut self, item: T) -> I {
        let id = self.next();
        self.items.push(item);
        id
    }

    /// Makes room for this many more elements.
    pub fn reserve(&mut self, more: usize) {
        self.items.reserve(more);
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::new)
    }

    /// All elements with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.items.iter().enumerate().map(|(index, item)| (I::new(index), item))
    }

    /// The elements as a slice, in order of their ids.
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }

    /// The elements as a slice, in order of their ids.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<I, T> Default for Arena<I, T> {
    fn default() -> Self {
        Arena { items: Vec::new(), id: PhantomData }
    }
}

impl<I: Id, T> Index<I> for Arena<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Arena<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}
