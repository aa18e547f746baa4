//! Maps and sets whose keys are names or numbers that objects choose. Objects are untrusted, so the hash has a seed of this
//! process: nobody can write down names, or addends, that all fall together. Nothing walks through such a map, so outputs do not depend on it.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// Something for each name, or for each key that holds an addend.
pub(crate) type NameMap<K, V> = HashMap<K, V, RandomState>;

/// Names.
pub(crate) type NameSet<K> = HashSet<K, RandomState>;
