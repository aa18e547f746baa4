//! `cargo bench -p linker`: links in memory, from parsing to every byte fixed up.
//!
//! Reading the files is outside, buffers for the result are pooled as a server would, and heap use is counted: the
//! column `alloc` has the bytes that one link allocates. What to compare with: docs/speed.md.

mod inputs;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use inputs::Input;
use linker::link::{Fixed, Found, Resolved};
use linker::memory::{Action, InFlight, Memory, MemoryError, Place, Segment};
use linker::{Layout, Options, Parsed, Roots};

#[global_allocator]
static HEAP: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Addresses without anything behind them, and buffers that are used again.
#[derive(Default)]
struct Pool(Vec<Vec<u8>>);

struct Lent(Vec<(u64, Vec<u8>)>);

impl InFlight for Lent {
    fn address(&self, segment: usize) -> u64 {
        self.0[segment].0
    }
    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.0[segment].1
    }
}

impl Memory for Pool {
    type InFlight = Lent;
    type Finalized = ();

    fn page_size(&self) -> u64 {
        4096
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<Lent, MemoryError> {
        let lend = |segment: &Segment| {
            let mut buffer = self.0.pop().unwrap_or_default();
            buffer.clear();
            buffer.resize(segment.content, 0);
            match segment.place {
                Place::At(address) => (address, buffer),
                _ => (0, buffer),
            }
        };
        // The pool is a stack.
        let mut lent: Vec<_> = segments.iter().rev().map(lend).collect();
        lent.reverse();
        Ok(Lent(lent))
    }

    fn finalize(&mut self, memory: Lent, _: &[Action]) -> Result<(), MemoryError> {
        self.abandon(memory);
        Ok(())
    }

    fn abandon(&mut self, memory: Lent) {
        self.0.extend(memory.0.into_iter().map(|(_, buffer)| buffer));
    }

    fn release(&mut self, _: Vec<()>) -> Result<(), MemoryError> {
        Ok(())
    }
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
    let mut next = 0x7000_0000;
    let outside = |_: &str| {
        next += 16;
        Some(Found::Function(next))
    };
    reserved.resolve(pool, outside).expect("resolves")
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

/// The whole link of so many generated objects: the time of each has to stay the same.
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
