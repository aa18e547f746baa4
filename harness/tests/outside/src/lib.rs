//! Stands for a linker, a loader or a compiler that somebody else writes; its tests are in `tests`.
