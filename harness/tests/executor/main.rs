//! Executors: what is loaded, called, stopped and faulted on the emulator, the host functions, the image backend, and the server of
//! ORC's protocol.

mod abi;
mod calls;
mod damaged;
mod deaths;
mod epc;
mod executables;
mod faults;
mod host;
mod hostile;
mod image;
mod linux;
mod memory;
mod reset;
mod support;
