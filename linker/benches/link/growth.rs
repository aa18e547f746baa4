//! `cargo bench -p linker growth`: links of more and more of one thing. The time of each item has to stay what it
//! is: the column `Kitem/s` of a bench varies by less than two from its first line to its last.
//!
//! The inputs are generated. What came out: docs/speed.md.

use divan::Bencher;
use divan::counter::ItemsCount;
use linker::{Layout, Options, Parsed, Roots};

use crate::inputs::Files;
use crate::pool::{Pool, outside};
use crate::{inputs, many};

/// How many of each.
const COUNTS: [usize; 5] = [2_500, 5_000, 10_000, 20_000, 40_000];

/// What is measured: the whole link, with a buffer for the result that has been used before.
fn link(bencher: Bencher<'_, '_>, count: usize, roots: Roots<'static>, layout: &Layout, files: Files) {
    let files: &'static Files = Box::leak(Box::new(files));
    let mut pool = Pool::default();
    let mut run = || {
        let mut parsed = Parsed::new(inputs::target("aarch64"), Options::default());
        for (name, data) in files {
            parsed.add(name, data).expect("parses");
        }
        let reserved = parsed.prune(roots).expect("prunes").reserve(&mut pool, layout).expect("fits");
        let resolved = reserved.resolve(&mut pool, outside()).expect("resolves");
        resolved.fix(&mut pool).expect("every value fits").abandon(&mut pool);
    };
    run();
    bencher.counter(ItemsCount::new(count)).bench_local(run);
}

/// Sections of code, each of which calls another.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn sections_near(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::sections(count));
}

#[divan::bench(args = COUNTS, sample_count = 10)]
fn sections_far(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Far, many::sections(count));
}

#[divan::bench(args = COUNTS, sample_count = 10)]
fn sections_random(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Random(1), many::sections(count));
}

/// The same, dropped but for what one function reaches: all of them, one after the other.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn sections_reached(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::Names(&["function_0"]), &Layout::Near, many::sections(count));
}

/// Sections of different names, of whose bounds somebody asks.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn bounds(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::bounds(count));
}

/// Members of an archive, each of which pulls in the next, before it in the archive.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn members(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::members(count));
}

/// Global symbols of one section, each referred to by another object.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn symbols(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::symbols(count));
}

/// Entries of the global offset table.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn entries(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::entries(count));
}

/// Calls out of reach, each to another function, in sections that move by themselves.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn stubs(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::stubs(count, false));
}

/// The same in sections of one name, which move as one.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn stubs_of_one_unit(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Near, many::stubs(count, true));
}

/// Offsets to functions out of reach, for which stubs stand beside the nearest code.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn stubs_for_data(bencher: Bencher<'_, '_>, count: usize) {
    link(bencher, count, Roots::All, &Layout::Random(1), many::stubs_for_data(count));
}
