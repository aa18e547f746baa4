//! `cargo bench -p linker`: links in memory, from parsing to every byte fixed up.
//!
//! Reading the files is outside, buffers for the result are pooled as a server would, and heap use is counted: the
//! column `alloc` has the bytes that one link allocates. What to compare with: docs/speed.md.

mod growth;
mod inputs;
mod many;
mod pool;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use inputs::Input;
use linker::link::{Fixed, Resolved};
use linker::{Layout, Options, Parsed, Roots};
use pool::{Pool, outside};

#[global_allocator]
static HEAP: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn parsed(input: &'static Input) -> Parsed<'static> {
    let mut parsed = Parsed::new(input.target, Options::default());
    for (name, data) in &input.files {
        parsed.add(name, data).expect("parses");
    }
    parsed
}

fn resolved(parsed: Parsed<'static>, pool: &mut Pool) -> Resolved<'static, Pool> {
    let reserved = parsed.prune(Roots::All).expect("prunes").reserve(pool, &Layout::Near).expect("fits");
    reserved.resolve(pool, outside()).expect("resolves")
}

fn fixed(resolved: Resolved<'static, Pool>, pool: &mut Pool) -> Fixed<'static, Pool> {
    resolved.fix(pool).expect("every value fits")
}

/// A pool whose buffers have been written to before: their pages are there.
fn warm(input: &'static Input) -> Pool {
    let mut pool = Pool::default();
    fixed(resolved(parsed(input), &mut pool), &mut pool).abandon(&mut pool);
    pool
}

/// The whole link.
#[divan::bench(args = inputs::all())]
fn link(bencher: Bencher<'_, '_>, input: &'static Input) {
    let mut pool = warm(input);
    bencher
        .counter(BytesCount::new(input.size()))
        .bench_local(|| fixed(resolved(parsed(input), &mut pool), &mut pool).abandon(&mut pool));
}

/// The whole link of so many generated objects.
#[divan::bench(args = [250, 1000, 4000])]
fn objects(bencher: Bencher<'_, '_>, count: usize) {
    let input: &Input = Box::leak(Box::new(inputs::generated(count)));
    let mut pool = warm(input);
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| fixed(resolved(parsed(input), &mut pool), &mut pool).abandon(&mut pool));
}

/// Objects to graph.
#[divan::bench(args = inputs::all())]
fn parse(bencher: Bencher<'_, '_>, input: &'static Input) {
    bencher.counter(BytesCount::new(input.size())).bench_local(|| parsed(input));
}

/// Pruning, tables and stubs, layout, and the names from outside.
#[divan::bench(args = inputs::all())]
fn lay_out(bencher: Bencher<'_, '_>, input: &'static Input) {
    bencher
        .counter(BytesCount::new(input.size()))
        .with_inputs(|| (parsed(input), warm(input)))
        .bench_local_values(|(parsed, mut pool)| resolved(parsed, &mut pool));
}

/// Copying and relocating.
#[divan::bench(args = inputs::all())]
fn fix(bencher: Bencher<'_, '_>, input: &'static Input) {
    let input_of = || {
        let mut pool = warm(input);
        (resolved(parsed(input), &mut pool), pool)
    };
    bencher
        .counter(BytesCount::new(input.size()))
        .with_inputs(input_of)
        .bench_local_values(|(resolved, mut pool)| fixed(resolved, &mut pool));
}
