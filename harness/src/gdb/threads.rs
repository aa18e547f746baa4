//! The threads of the program: their registers, and how they go on.

use gdbstub::common::{Signal, Tid};
use gdbstub::target::ext::base::multithread::{
    MultiThreadBase, MultiThreadResume, MultiThreadResumeOps, MultiThreadSchedulerLocking,
    MultiThreadSchedulerLockingOps, MultiThreadSingleStep, MultiThreadSingleStepOps,
};
use gdbstub::target::ext::base::single_register_access::{SingleRegisterAccess, SingleRegisterAccessOps};
use gdbstub::target::ext::thread_extra_info::{ThreadExtraInfo, ThreadExtraInfoOps};
use gdbstub::target::{TargetError, TargetResult};

use super::desk::{Go, Scene};
use super::target::{Bytes, Gone, INVALID, NO_MEMORY, Number, Session};

/// A thread as gdb numbers it.
pub(super) fn tid(thread: u32) -> Tid {
    Tid::new(thread as usize).unwrap_or(Tid::MIN)
}

/// The same in the other direction.
fn number(tid: Tid) -> u32 {
    u32::try_from(tid.get()).unwrap_or(u32::MAX)
}

impl MultiThreadBase for Session<'_> {
    fn read_registers(&mut self, registers: &mut Bytes, tid: Tid) -> TargetResult<(), Self> {
        let (file, thread) = (self.file.clone(), number(tid));
        let all = self.ask(move |scene, _| {
            (0..file.len()).flat_map(|number| file.read(number, &|register| scene.get(thread, register))).collect()
        });
        registers.0 = all.map_err(TargetError::Fatal)?;
        Ok(())
    }

    fn write_registers(&mut self, registers: &Bytes, tid: Tid) -> TargetResult<(), Self> {
        let mut rest = &registers.0[..];
        for number in 0..self.file.len() {
            let (bytes, behind) = rest.split_at_checked(self.file.size(number)).ok_or(TargetError::Errno(INVALID))?;
            self.write_register(tid, Number(number), bytes)?;
            rest = behind;
        }
        Ok(())
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, Tid, Self>> {
        Some(self)
    }

    fn read_addrs(&mut self, start: u64, into: &mut [u8], _: Tid) -> TargetResult<usize, Self> {
        let bytes = self.read(start, into.len()).map_err(TargetError::Fatal)?;
        if bytes.is_empty() && !into.is_empty() {
            return Err(TargetError::Errno(NO_MEMORY));
        }
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_addrs(&mut self, start: u64, bytes: &[u8], _: Tid) -> TargetResult<(), Self> {
        let bytes = bytes.to_vec();
        let written = self.ask(move |Scene { processor, .. }, _| processor.write(start, &bytes).is_ok());
        if written.map_err(TargetError::Fatal)? { Ok(()) } else { Err(TargetError::Errno(NO_MEMORY)) }
    }

    fn list_active_threads(&mut self, is_active: &mut dyn FnMut(Tid)) -> Result<(), Gone> {
        let members = self.ask(|scene, _| scene.crew.members())?;
        members.iter().for_each(|member| is_active(tid(member.id)));
        Ok(())
    }

    fn support_resume(&mut self) -> Option<MultiThreadResumeOps<'_, Self>> {
        Some(self)
    }

    fn support_thread_extra_info(&mut self) -> Option<ThreadExtraInfoOps<'_, Self>> {
        Some(self)
    }
}

impl SingleRegisterAccess<Tid> for Session<'_> {
    fn read_register(&mut self, tid: Tid, Number(number): Number, into: &mut [u8]) -> TargetResult<usize, Self> {
        let (file, thread) = (self.file.clone(), self::number(tid));
        let bytes = self.ask(move |scene, _| file.read(number, &|register| scene.get(thread, register)));
        let bytes = bytes.map_err(TargetError::Fatal)?;
        let into = into.get_mut(..bytes.len()).filter(|into| !into.is_empty()).ok_or(TargetError::Errno(INVALID))?;
        into.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_register(&mut self, tid: Tid, Number(number): Number, bytes: &[u8]) -> TargetResult<(), Self> {
        let (file, bytes, thread) = (self.file.clone(), bytes.to_vec(), self::number(tid));
        let written = self.ask(move |scene, _| {
            let new = file.write(number, &bytes, &|register| scene.get(thread, register));
            new.is_some_and(|(register, value)| scene.set(thread, register, value))
        });
        if written.map_err(TargetError::Fatal)? { Ok(()) } else { Err(TargetError::Errno(INVALID)) }
    }
}

impl MultiThreadResume for Session<'_> {
    fn resume(&mut self) -> Result<(), Gone> {
        self.go()
    }

    fn clear_resume_actions(&mut self) -> Result<(), Gone> {
        self.next = Go::default();
        Ok(())
    }

    fn set_resume_action_continue(&mut self, tid: Tid, signal: Option<Signal>) -> Result<(), Gone> {
        self.next.only.get_or_insert(number(tid));
        self.next.signal |= signal.is_some();
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<MultiThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_scheduler_locking(&mut self) -> Option<MultiThreadSchedulerLockingOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadSingleStep for Session<'_> {
    fn set_resume_action_step(&mut self, tid: Tid, signal: Option<Signal>) -> Result<(), Gone> {
        self.next.step = Some(number(tid));
        self.next.signal |= signal.is_some();
        Ok(())
    }
}

impl MultiThreadSchedulerLocking for Session<'_> {
    fn set_resume_action_scheduler_lock(&mut self) -> Result<(), Gone> {
        self.next.alone = true;
        Ok(())
    }
}

impl ThreadExtraInfo for Session<'_> {
    fn thread_extra_info(&self, tid: Tid, into: &mut [u8]) -> Result<usize, Gone> {
        let members = self.ask(|scene, _| scene.crew.members())?;
        let member = members.into_iter().find(|member| member.id == number(tid));
        let text = member.map_or(String::new(), |member| match member.waits {
            Some(what) => format!("{}, waits {what}", member.name),
            None => member.name,
        });
        let length = text.len().min(into.len());
        into[..length].copy_from_slice(&text.as_bytes()[..length]);
        Ok(length)
    }
}
