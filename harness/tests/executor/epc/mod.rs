//! The server of ORC's protocol, as its controllers meet it.

mod connection;
mod dialect;
mod garbage;
mod jitlink;
mod place;
mod session;
mod support;
