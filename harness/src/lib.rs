//! Linkrig's harness: links relocatable objects into emulated machines, runs them, and judges what comes out.

pub mod bless;
pub mod call;
pub mod cli;
pub mod command;
pub mod disassembly;
pub mod epc;
pub mod executor;
pub mod exit;
pub mod fuzz;
pub mod held;
pub mod host;
pub mod inputs;
pub mod judge;
pub mod linking;
pub mod machine;
pub mod messages;
pub mod oracle;
pub mod orc;
pub mod plan;
pub mod proof;
pub mod response;
pub mod run;
pub mod script;
pub mod suspects;
pub mod wording;
