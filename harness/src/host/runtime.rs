//! The functions that compilers call besides the C library's, and the host's variables.

use super::Table;
use super::frame::{Frame, Outcome};
use super::libc::{free, malloc};
use super::output::{STDERR, STDOUT};
use crate::machine::TargetInfo;

/// C++ allocation, the unwinder's entry points, and things that must never be called.
pub(super) const FUNCTIONS: Table = &[
    // operator new: size_t is `unsigned int` on 32-bit ARM and `unsigned long` on AArch64.
    ("_Znwj", new),
    ("_Znaj", new),
    ("_Znwm", new),
    ("_Znam", new),
    ("_ZnwjRKSt9nothrow_t", malloc),
    ("_ZnajRKSt9nothrow_t", malloc),
    ("_ZnwmRKSt9nothrow_t", malloc),
    ("_ZnamRKSt9nothrow_t", malloc),
    ("_ZdlPv", free),
    ("_ZdaPv", free),
    ("_ZdlPvj", free),
    ("_ZdaPvj", free),
    ("_ZdlPvm", free),
    ("_ZdaPvm", free),
    // Guards of local statics: the first byte says that it is done. There is one thread.
    ("__cxa_guard_acquire", guard_acquire),
    ("__cxa_guard_release", guard_release),
    ("__cxa_guard_abort", |f| f.done()),
    ("__cxa_pure_virtual", |f| f.abort("pure virtual method called".to_owned())),
    ("__cxa_deleted_virtual", |f| f.abort("deleted virtual method called".to_owned())),
    ("__stack_chk_fail", |f| f.abort("*** stack smashing detected ***".to_owned())),
    ("__gxx_personality_v0", |f| f.abort("an exception was thrown: __gxx_personality_v0".to_owned())),
    ("_Unwind_Resume", |f| f.abort("an exception was thrown: _Unwind_Resume".to_owned())),
    ("__cxa_end_cleanup", |f| f.abort("an exception was thrown: __cxa_end_cleanup".to_owned())),
    ("__cxa_begin_catch", |f| f.abort("an exception was thrown: __cxa_begin_catch".to_owned())),
    ("__cxa_end_catch", |f| f.abort("an exception was thrown: __cxa_end_catch".to_owned())),
    ("__cxa_rethrow", |f| f.abort("an exception was thrown: __cxa_rethrow".to_owned())),
    ("__cxa_throw", |f| f.abort("an exception was thrown: __cxa_throw".to_owned())),
    ("__cxa_allocate_exception", malloc),
    ("_ZSt9terminatev", |f| f.abort("terminate called".to_owned())),
    ("__aeabi_unwind_cpp_pr0", |f| f.abort("an exception was thrown: __aeabi_unwind_cpp_pr0".to_owned())),
    ("__aeabi_unwind_cpp_pr1", |f| f.abort("an exception was thrown: __aeabi_unwind_cpp_pr1".to_owned())),
    ("__aeabi_unwind_cpp_pr2", |f| f.abort("an exception was thrown: __aeabi_unwind_cpp_pr2".to_owned())),
    ("__tls_get_addr", tls_get_addr),
    ("__aeabi_read_tp", |f| {
        let pointer = f.state().thread.0;
        f.give(pointer)
    }),
    // One processor, in order.
    ("__sync_synchronize", |f| f.done()),
];

fn new(f: &mut Frame<'_>) -> Outcome {
    let size = f.word()?;
    match f.allocate(size, 0) {
        0 => f.abort("an exception was thrown: std::bad_alloc".to_owned()),
        address => f.give(address),
    }
}

/// The address of a thread-local variable, from its module and its offset there. There is one module.
fn tls_get_addr(f: &mut Frame<'_>) -> Outcome {
    let entry = f.word()?;
    let target = f.guest().info().target;
    let width = target.pointer_bytes();
    let bytes = f.bytes(entry, 2 * width as u64)?;
    let (module, offset) = (target.number(&bytes[..width]), target.number(&bytes[width..]));
    let block = f.state().thread.1;
    if module != 1 || block == 0 {
        return f.abort(format!("__tls_get_addr: there is no module {module} with thread-local variables"));
    }
    f.give(block.wrapping_add(offset))
}

fn guard_acquire(f: &mut Frame<'_>) -> Outcome {
    let guard = f.word()?;
    let done = f.bytes(guard, 1)?;
    f.give_int(i32::from(done[0] & 1 == 0))
}

fn guard_release(f: &mut Frame<'_>) -> Outcome {
    let guard = f.word()?;
    f.store(guard, &[1])?;
    f.done()
}

/// Names and addresses of the host's variables, and the page they are in. The page is read-only.
pub(super) fn variables(info: &TargetInfo, page: u64) -> (Vec<(&'static str, u64)>, Vec<u8>) {
    let width = info.target.pointer_bytes();
    let words: [(&str, u64); 6] = [
        // A FILE is never looked into.
        ("stdin", 1),
        ("stdout", STDOUT),
        ("stderr", STDERR),
        // With a zero byte, as real ones have.
        ("__stack_chk_guard", 0x5bd1_e900),
        ("__dso_handle", page),
        ("environ", 0),
    ];
    let mut bytes = Vec::new();
    let mut names = Vec::new();
    for (name, value) in words {
        names.push((name, page + bytes.len() as u64));
        bytes.extend(info.target.bytes(value, width));
    }
    (names, bytes)
}
