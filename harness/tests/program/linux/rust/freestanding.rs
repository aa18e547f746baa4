//! A program without `std`: the host (a C library here) gives memory and takes what is printed, and the panic handler is its own.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(at: *mut u8);
    fn write(file: i32, text: *const u8, size: usize) -> isize;
    fn exit(status: i32) -> !;
}

struct Host;

unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { malloc(layout.size()) }
    }

    unsafe fn dealloc(&self, at: *mut u8, _: Layout) {
        unsafe { free(at) }
    }
}

#[global_allocator]
static HOST: Host = Host;

fn print(text: &str) {
    unsafe { write(1, text.as_ptr(), text.len()) };
}

#[panic_handler]
fn report(info: &core::panic::PanicInfo) -> ! {
    print(&format!("{info}\n"));
    unsafe { exit(101) }
}

#[unsafe(no_mangle)]
extern "C" fn main(count: i32, _: *const *const u8) -> i32 {
    let numbers: Vec<i32> = (0..10).map(|number| number * count).collect();
    let texts: BTreeMap<i32, String> = numbers.iter().map(|number| (*number, format!("{number:>4}"))).collect();
    let line: String = texts.values().map(String::as_str).collect();
    print(&format!("{line} {:.3} {:e}\n", 1.5 * f64::from(count), 12345.678_f32));
    let large = [i32::MAX, count];
    if count == 1 { 7 } else { large[0] + large[1] }
}
