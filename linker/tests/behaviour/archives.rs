//! Archives: members on demand, all archives one group.

use super::elf::{Elf, GLOBAL, WEAK, archive};
use super::symbols::common;
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

/// As with GNU ld and lld: the strong definition of an archive counts, wherever it stands, and what is common there pulls nothing.
#[test]
fn a_common_symbol_pulls_the_first_strong_definition() {
    let main = |common: Elf| [("main.o", points_to(&["x"]).bytes()), ("common.o", common.bytes())];
    let object = |name: &'static str, elf: Elf| (name, elf.bytes(), &["x"][..]);
    let weak = archive(&[object("weak.o", defines(WEAK, "x", 3))]);
    let tentative = archive(&[object("tentative.o", common(64, 8))]);
    let strong = archive(&[object("tentative.o", common(64, 8)), object("strong.o", defines(GLOBAL, "x", 7))]);
    let mut files = main(common(8, 8)).to_vec();
    files.extend([("libweak.a", weak), ("libtentative.a", tentative)]);
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 0);
    files.push(("libstrong.a", strong));
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 7);
    // What is weakly defined and becomes common wants it, too.
    files.insert(0, ("weak.o", defines(WEAK, "x", 3).bytes()));
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 7);
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
    assert_eq!(error("aarch64", &files), "libone.a(x.o): is text, expected an ELF object");
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

/// An archive without the table of what its members define.
fn without_table(mut archive: Vec<u8>) -> Vec<u8> {
    let size: usize = String::from_utf8_lossy(&archive[56..66]).trim().parse().expect("a number");
    archive.drain(8..68 + size.next_multiple_of(2));
    archive
}

#[test]
fn without_a_symbol_table_members_are_asked() {
    let members: [(&str, Vec<u8>, &[&str]); 4] = [
        ("README", b"what this is".to_vec(), &[]),
        ("empty", Vec::new(), &[]),
        ("x.o", defines(GLOBAL, "x", 1).bytes(), &["x"]),
        ("x.o", defines(GLOBAL, "y", 2).bytes(), &["y"]),
    ];
    for library in [without_table(archive(&members)), archive(&members)] {
        let files = [("main.o", points_to(&["x", "y"]).bytes()), ("libone.a", library)];
        let linked = link("aarch64", &files).expect("links");
        assert_eq!((pointer(&linked, "x"), pointer(&linked, "y")), (1, 2));
    }
}

#[test]
fn an_empty_table_is_none() {
    let library = archive(&[("x.o", defines(GLOBAL, "x", 1).bytes(), &[])]);
    let files = [("main.o", points_to(&["x"]).bytes()), ("libone.a", library)];
    assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 1);
}

#[test]
fn a_default_version_is_pulled_for_the_plain_name_and_for_its_own() {
    let library = archive(&[("x.o", defines(GLOBAL, "x@@V2", 2).bytes(), &["x@@V2"])]);
    for library in [library.clone(), without_table(library)] {
        for name in ["x", "x@V2"] {
            let files = [("main.o", points_to(&[name]).bytes()), ("libone.a", library.clone())];
            assert_eq!(pointer(&link("aarch64", &files).expect("links"), "x"), 2, "{name}");
        }
    }
}

#[test]
fn members_may_be_given_one_by_one() {
    let (main, x) = (points_to(&["x"]).bytes(), defines(GLOBAL, "x", 5).bytes());
    let thin = b"!<thin>\n".to_vec();
    let mut parsed = Parsed::new(Target::named("aarch64").expect("known"), Options::default());
    parsed.add("main.o", &main).expect("reads");
    let error = parsed.add("libthin.a", &thin).expect_err("it has no members").to_string();
    assert!(error.contains("libthin.a: the archive is thin"), "{error}");
    parsed.add_members("libthin.a", [(&b"x.o"[..], &x[..])]);
    let pruned = parsed.prune(Roots::All).expect("prunes");
    assert!(pruned.graph().symbols.iter().any(|(_, symbol)| symbol.name == b"x" && !symbol.is_undefined()));
}

#[test]
fn thin_archives_name_files() {
    use linker::archive::{ThinMember, thin_members};
    let header = |name: &str, size: usize| format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
    let names = "sub/a long name.o/\nin/lib.a/\n";
    let mut file = format!("!<thin>\n{}\0\0\0\0{}{names}", header("/", 4), header("//", names.len()));
    file += &"\n".repeat(names.len() % 2);
    file += &[header("a.o/", 77), header("/0", 5), header("/19:132", 9)].concat();
    let member = |path: &str, nested, size| ThinMember { path: path.into(), nested, size };
    let expected = [member("a.o", None, 77), member("sub/a long name.o", None, 5), member("in/lib.a", Some(132), 9)];
    assert_eq!(thin_members(file.as_bytes()).as_deref(), Some(&expected[..]));
    for cut in 0..file.len() {
        assert_ne!(thin_members(&file.as_bytes()[..cut]).as_deref(), Some(&expected[..]));
    }
}

#[test]
fn weak_references_that_become_strong_one_by_one_take_no_longer() {
    // Each member makes the next weak reference a strong one, against the order of the references.
    const COUNT: usize = 300;
    let mut main = points_to(&["x0"]);
    for index in (1..COUNT).rev() {
        main.symbol(&format!("x{index}"), WEAK, super::elf::UNDEFINED, 0);
    }
    let members: Vec<_> = (0..COUNT)
        .map(|index| {
            let mut elf = defines(GLOBAL, &format!("x{index}"), index as u64);
            elf.wants(&format!("x{}", (index + 1) % COUNT));
            (format!("{index}.o"), elf.bytes(), format!("x{index}"))
        })
        .collect();
    let names: Vec<[&str; 1]> = members.iter().map(|member| [member.2.as_str()]).collect();
    let members: Vec<(&str, Vec<u8>, &[&str])> = members
        .iter()
        .zip(&names)
        .map(|((name, data, _), defines)| (name.as_str(), data.clone(), &defines[..]))
        .collect();
    let files = [("main.o", main.bytes()), ("libone.a", archive(&members))];
    let linked = link("aarch64", &files).expect("links");
    assert_eq!(pointer(&linked, "x299"), 299);
}
