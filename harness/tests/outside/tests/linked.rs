//! One function, for several processors, in several layouts.

use harness::{Layout, Result, Rig};
use rstest::rstest;

#[rstest]
fn calls_reach(
    #[values("aarch64", "armv7", "thumbv7")] target: &str,
    #[values(Layout::Near, Layout::Far, Layout::High, Layout::Random(1))] layout: Layout,
) -> Result {
    let mut program = Rig::new(target)
        .source("caller.c", "int callee(int); int caller(int x) { return callee(x) + 1; }")
        .source("callee.c", "int callee(int x) { return 2 * x; }")
        .layout(layout)
        .link()?;
    program.check("caller", (20,), 41)
}
