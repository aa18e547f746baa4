//! What the sources of the workspace must not do, read off them.

mod circles;
mod sources;
mod targets;
