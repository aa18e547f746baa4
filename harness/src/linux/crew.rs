//! The threads of a process as whoever attends it sees them.

use super::threads::{Thread, Threads, Wanted};
use crate::executor::Register;
use crate::executor::attendant::{Crew, Member};
use crate::executor::hosted::engine::Context;

impl<C: Context> Crew for Threads<C> {
    fn current(&self) -> u32 {
        self.current.id
    }

    fn members(&self) -> Vec<Member> {
        let member = |thread: &Thread<C>| Member {
            id: thread.id,
            name: thread.called(),
            waits: thread.waits.as_ref().map(|wait| wait.on.to_string()),
        };
        let mut members: Vec<Member> = self.iter().map(member).collect();
        members.sort_by_key(|member| member.id);
        members
    }

    fn get(&self, thread: u32, register: Register) -> Option<u128> {
        let thread = self.iter().find(|other| other.id == thread)?;
        Some(thread.registers.as_ref()?.get(register))
    }

    fn set(&mut self, thread: u32, register: Register, value: u128) -> bool {
        let registers = self.get_mut(thread).and_then(|thread| thread.registers.as_mut());
        registers.map(|registers| registers.set(register, value)).is_some()
    }

    fn prefer(&mut self, thread: u32, alone: bool) {
        self.wanted = Some(Wanted { thread, alone });
    }

    fn share(&mut self) {
        self.wanted = None;
    }
}
