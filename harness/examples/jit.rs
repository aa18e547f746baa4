//! Puts the bytes that a JIT made into the memory of an emulated machine, and runs them. No linker, no compiler.
//!
//! `cargo run -p harness --example jit`

use harness::linker::memory::Protection;
use harness::{Pointer, Rig};

/// A very small JIT: `x0 = x0 * factor + addend`, for AArch64.
fn compile(factor: u16, addend: u16) -> Vec<u8> {
    let words = [
        0xd280_0001 | u32::from(factor) << 5, // mov x1, #factor
        0xd280_0002 | u32::from(addend) << 5, // mov x2, #addend
        0x9b01_0800,                          // madd x0, x0, x1, x2
        0xd65f_03c0,                          // ret
    ];
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

pub(crate) fn main() -> harness::Result {
    let mut machine = Rig::new("aarch64").link()?;
    let function: Pointer = machine.place(&compile(10, 7), Protection::ReadExecute)?;
    for x in [0u64, 1, 6] {
        let y: u64 = machine.call_at(function, (x,))?;
        println!("{x} * 10 + 7 = {y}");
        assert_eq!(y, x * 10 + 7);
    }

    // Memory is never writable and executable: data of a JIT is not run by accident.
    let data = machine.place(&compile(1, 1), Protection::ReadWrite)?;
    let error = machine.call_at::<u64>(data, (1u64,)).expect_err("it is data");
    println!("{error}");
    assert!(error.to_string().contains("fetch fault"));
    Ok(())
}
