//! What counts as proof: each row against the ABI, mutants of the rows, peers on the same objects, and generated programs.

mod checkers;
mod differ;
mod fuzz;
mod jitlink;
mod mutate;
mod oracle;
mod rows;
mod structure_protection;
mod vectors;
