//! The server of ORC's protocol, as its controllers meet it.

mod garbage;
mod jitlink;
mod session;
mod support;
