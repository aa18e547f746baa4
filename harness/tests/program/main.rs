//! The program as its users start it: its command line, what it reads and writes, and the pages that it is the source of.

mod backtrace;
mod bench;
mod blame;
mod check;
mod cli;
mod drivers;
mod exec;
mod gdb;
mod html;
mod image;
mod inputs;
mod linux;
mod loaders;
mod printf;
mod raw;
mod reduce;
mod relocations;
mod robust;
mod room;
mod running;
mod semihosting;
mod subjects;
mod suite;
mod trace;
mod wishes;
