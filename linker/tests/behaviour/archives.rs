//! Archives: members on demand, all archives one group.

use super::elf::{GLOBAL, WEAK, archive};
use super::*;

#[test]
fn two_archives_may_need_each_other() {
    let first = archive(&[("a.o", calls("a", &["b"]).bytes(), &["a"]), ("c.o", calls("c", &["d"]).bytes(), &["c"])]);
    let second = archive(&[("d.o", calls("d", &[]).bytes(), &["d"]), ("b.o", calls("b", &["c"]).bytes(), &["b"])]);
    let files = [("main.o", calls("main", &["a"]).bytes()), ("libone.a", first), ("libtwo.a", second)];
    let linked = link("aarch64", &files).expect("links");
    for name in ["a", "b", "c", "d"] {
        assert!(linked.address(name).is_some(), "{name}");
    }
}

#[test]
fn a_member_that_nobody_needs_stays_out() {
    let library =
        archive(&[("a.o", calls("a", &[]).bytes(), &["a"]), ("bad.o", calls("bad", &["nowhere"]).bytes(), &["bad"])]);
    let files = [("libone.a", library), ("main.o", calls("main", &["a"]).bytes())];
    assert!(link("aarch64", &files).expect("links").symbol("bad").is_none());
}

#[test]
fn a_weak_reference_pulls_nothing_until_a_strong_one_does() {
    let library = archive(&[
        ("x.o", defines(GLOBAL, "x", 7).bytes(), &["x"]),
        // Wants `x` for good, but comes to the link behind the weak reference.
        ("y.o", points_to(&["x"]).bytes(), &["p_x"]),
    ]);
    let mut weak = calls("main", &["x"]);
    weak.symbols[1].1 = WEAK;
    let files = [("main.o", weak.bytes()), ("libone.a", library)];
    assert_eq!(link("aarch64", &files).expect("links").address("x"), None);
    let more = [files[0].clone(), ("p.o", points_to(&["p_x"]).bytes()), files[1].clone()];
    assert_eq!(pointer(&link("aarch64", &more).expect("links"), "x"), 7);
}

#[test]
fn the_first_archive_that_has_it_counts() {
    let one = |value| archive(&[("x.o", defines(GLOBAL, "x", value).bytes(), &["x"])]);
    let files = [("main.o", points_to(&["x"]).bytes()), ("libone.a", one(1)), ("libtwo.a", one(2))];
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 1);
}

#[test]
fn what_is_wrong_with_a_member_is_said_with_its_name() {
    let library = archive(&[("x.o", b"nonsense".to_vec(), &["x"])]);
    let files = [("main.o", points_to(&["x"]).bytes()), ("libone.a", library)];
    assert_eq!(error("aarch64", &files), "libone.a(x.o): not an object file, expected ELF");
}

#[test]
fn members_do_not_share_bytes() {
    // The content of the one member is an archive's member too, header and all.
    let inner = defines(GLOBAL, "x", 1).bytes();
    let mut outer = defines(GLOBAL, "y", 1);
    let header = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "x.o/", 0, 0, 0, 644, inner.len());
    outer.section("inner", 1, 0, &[header.as_bytes(), &inner].concat());
    let mut library = archive(&[("y.o", outer.bytes(), &["y", "x"])]);
    let at = library.windows(60).position(|window| window == header.as_bytes()).expect("it is in there") as u32;
    library[76..80].copy_from_slice(&at.to_be_bytes());
    assert!(library.len() < outer.bytes().len() + inner.len());
    let files = [("main.o", points_to(&["y", "x"]).bytes()), ("libone.a", library)];
    assert_eq!(error("aarch64", &files), "libone.a: archive: its members overlap");
}

#[test]
fn an_archive_needs_its_symbol_table() {
    let mut library = archive(&[("x.o", defines(GLOBAL, "x", 1).bytes(), &["x"])]);
    // Its header, and a number, an offset and a name.
    library.drain(8..8 + 60 + 4 + 4 + 2);
    assert_eq!(
        error("aarch64", &[("libone.a", library)]),
        "libone.a: the archive has no symbol table, expected one (run ranlib)"
    );
}
