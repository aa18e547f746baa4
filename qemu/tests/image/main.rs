//! Images that are read for real: little ones, of made-up files, right and wrong.

mod build;
mod contents;
mod cpio;
mod dtb;
mod errors;
mod mutation;
