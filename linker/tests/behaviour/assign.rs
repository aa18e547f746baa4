//! What the caller says of symbols: expressions, other names, references of its own, the first of several definitions.

use linker::assign::Term;

use super::elf::{ARM_CALL, CODE, Elf, FUNC, GLOBAL, PROGBITS, archive};
use super::*;

/// Reads these, lets `say` speak, and links.
fn linked<'data>(
    target: &str,
    files: &'data [(&'data str, Vec<u8>)],
    options: &Options,
    roots: Roots<'_>,
    say: impl FnOnce(&mut Parsed<'data>) -> Result<()>,
) -> Result<Linked<'data>> {
    let mut ram = Ram::default();
    let mut parsed = parse(target, files, options)?;
    say(&mut parsed)?;
    let reserved = parsed.prune(roots)?.reserve(&mut ram, &Layout::Near)?;
    let outside = |name: &str| (name == "outside").then_some(Found::Function(0x7000));
    let resolved = reserved.resolve(&mut ram, outside);
    assert_eq!(ram.abandoned, usize::from(resolved.is_err()), "an error gives back what was reserved");
    resolved?.fix(&mut ram)?.finalize(&mut ram)
}

fn assigned(files: &[(&str, Vec<u8>)], list: &[(&str, &[Term<&str>])]) -> Result<Vec<u64>> {
    // The names live as long as the graph.
    let linked = linked("aarch64", files, &Options::default(), Roots::All, |parsed| {
        list.iter().try_for_each(|(name, terms)| parsed.assign(name, terms))
    })?;
    Ok(list.iter().map(|(name, _)| linked.address(name).expect("assigned")).collect())
}

#[test]
fn an_expression_is_computed_from_numbers_and_addresses() {
    let files = [("x.o", defines(GLOBAL, "x", 1).bytes()), ("p.o", points_to(&["a", "x"]).bytes())];
    let a = [Term::Symbol("x"), Term::Number(3), Term::Multiply, Term::Symbol("p_x"), Term::Negate, Term::Add];
    let values = assigned(
        &files,
        // About each other, in any order.
        &[("sum", &[Term::Symbol("a"), Term::Symbol("b"), Term::Subtract]), ("a", &a), ("b", &[Term::Number(0x30)])],
    )
    .expect("links");
    let plain = link("aarch64", &files[..1]).expect("links").address("x").expect("there");
    let p_x = linked("aarch64", &files, &Options::default(), Roots::All, |p| p.assign("a", &[Term::Number(0)]));
    let p_x = p_x.expect("links").address("p_x").expect("there");
    let expected = plain.wrapping_mul(3).wrapping_sub(p_x);
    assert_eq!(values, [expected.wrapping_sub(0x30), expected, 0x30]);
}

#[test]
fn an_assignment_counts_more_than_objects_before_and_behind_it() {
    let file = ("x.o", defines(GLOBAL, "x", 1).bytes());
    let users = ("p.o", points_to(&["x"]).bytes());
    let before = [file.clone(), users.clone()];
    assert_eq!(assigned(&before, &[("x", &[Term::Number(0x5678)])]).expect("links"), [0x5678]);
    // A member that defines it is not even looked at.
    let library = archive(&[("x.o", b"nonsense".to_vec(), &["x"])]);
    let files = [users, ("libx.a", library)];
    assert_eq!(assigned(&files, &[("x", &[Term::Number(7)])]).expect("links"), [7]);
}

#[test]
fn another_name_of_a_function_is_its_code_and_its_state() {
    let mut thumb = Elf::arm();
    let text = thumb.section(".text", PROGBITS, CODE, &[0x70, 0x47, 0x00, 0xbf]);
    thumb.symbol("f", GLOBAL | FUNC, text, 1);
    let mut main = Elf::arm();
    let text = main.section(".text", PROGBITS, CODE, &0xeb00_0000u32.to_le_bytes());
    main.symbol("main", GLOBAL | FUNC, text, 0);
    let g = main.wants("g");
    main.relocate(text, 0, ARM_CALL, g, 0);
    let files = [("main.o", main.bytes()), ("f.o", thumb.bytes())];
    let link = |roots| linked("thumbv7", &files, &Options::default(), roots, |p| p.assign("g", &[Term::Symbol("f")]));
    // Kept by what refers to the other name, called by an instruction that changes state.
    let linked = link(Roots::Names(&["main"])).expect("links");
    let (f, g) = (linked.address("f").expect("kept"), linked.address("g").expect("kept"));
    assert_eq!((f, f & 1), (g, 1));
    assert_eq!(read(&linked, linked.address("main").expect("kept"), 4) >> 25, 0x7d, "BLX");
}

#[test]
fn an_assignment_may_name_what_comes_from_outside_or_from_an_archive() {
    let files = [("p.o", points_to(&["a"]).bytes())];
    let terms: &[Term<&str>] = &[Term::Symbol("outside"), Term::Number(16), Term::Add];
    assert_eq!(assigned(&files, &[("a", terms)]).expect("links"), [0x7010]);
    let library = archive(&[("x.o", defines(GLOBAL, "x", 9).bytes(), &["x"])]);
    let files = [("p.o", points_to(&["a"]).bytes()), ("libx.a", library)];
    let linked = linked("aarch64", &files, &Options::default(), Roots::All, |p| p.assign("a", &[Term::Symbol("x")]))
        .expect("links");
    assert_eq!(pointer(&linked, "a"), 9);
    assert_eq!(pointer(&linked, "p_a"), linked.address("x").expect("pulled"));
}

#[test]
fn what_is_wrong_with_an_assignment_is_an_error() {
    let files = [("p.o", points_to(&["a"]).bytes())];
    let circle: &[(&str, &[Term<&str>])] = &[("a", &[Term::Symbol("b")]), ("b", &[Term::Symbol("a")])];
    let says = |list: &[(&str, &[Term<&str>])]| assigned(&files, list).expect_err("refused").to_string();
    assert_eq!(says(circle), "symbol a is defined by itself, expected an expression of other symbols");
    assert_eq!(says(&[("a", &[Term::Symbol("nobody")])]), "undefined symbol: nobody");
    assert!(says(&[("a", &[Term::Number(1), Term::Add])]).contains("symbol a"));
}

#[test]
fn wrapping_turns_references_but_not_definitions() {
    let files = [
        ("main.o", points_to(&["f"]).bytes()),
        ("wrap.o", {
            let mut elf = points_to(&["__real_f"]);
            let section = elf.symbols[0].3;
            elf.symbol("__wrap_f", GLOBAL, section, 0);
            elf.bytes()
        }),
        ("f.o", defines(GLOBAL, "f", 1).bytes()),
    ];
    let linked = linked("aarch64", &files, &Options::default(), Roots::All, |_| Ok(()));
    assert_eq!(linked.expect_err("nobody has it").to_string().lines().next(), Some("undefined symbol: __real_f"));
    let wrapped = wrapped(&files);
    assert_eq!(pointer(&wrapped, "p_f"), wrapped.address("__wrap_f").expect("there"));
    assert_eq!(pointer(&wrapped, "p___real_f"), wrapped.address("f").expect("there"));
}

fn wrapped<'data>(files: &'data [(&'data str, Vec<u8>)]) -> Linked<'data> {
    let mut ram = Ram::default();
    let mut parsed = Parsed::new(Target::named("aarch64").expect("a target"), Options::default());
    parsed.redirect("f", "__wrap_f");
    parsed.redirect("__real_f", "f");
    files.iter().try_for_each(|(name, data)| parsed.add(name, data)).expect("objects");
    let reserved =
        parsed.prune(Roots::All).and_then(|pruned| pruned.reserve(&mut ram, &Layout::Near)).expect("lays out");
    let resolved = reserved.resolve(&mut ram, |_| None).expect("nothing is missing");
    resolved.fix(&mut ram).and_then(|fixed| fixed.finalize(&mut ram)).expect("links")
}

#[test]
fn what_is_wanted_is_pulled_and_kept_and_may_be_missing() {
    let library = archive(&[("x.o", defines(GLOBAL, "x", 9).bytes(), &["x"])]);
    let files = [("main.o", calls("main", &[]).bytes()), ("libx.a", library)];
    for roots in [Roots::All, Roots::Names(&["main"])] {
        let linked = linked("aarch64", &files, &Options::default(), roots, |parsed| {
            ["x", "nobody"].into_iter().try_for_each(|name| parsed.want(name))
        });
        assert_eq!(pointer(&linked.expect("links"), "x"), 9, "{roots:?}");
    }
}

#[test]
fn the_first_of_several_strong_definitions_counts_where_that_is_allowed() {
    let options = Options { allow_duplicates: true, ..Options::default() };
    let files = [("a.o", defines(GLOBAL, "x", 1).bytes()), ("b.o", defines(GLOBAL, "x", 2).bytes())];
    let linked = linked("aarch64", &files, &options, Roots::All, |_| Ok(())).expect("links");
    assert_eq!(pointer(&linked, "x"), 1);
}

#[test]
fn a_whole_archive_is_all_of_its_members() {
    let library =
        archive(&[("a.o", defines(GLOBAL, "a", 1).bytes(), &["a"]), ("b.o", defines(GLOBAL, "b", 2).bytes(), &["b"])]);
    let linked = linked("aarch64", &[], &Options::default(), Roots::All, |parsed| {
        parsed.add_whole_archive("lib.a", Box::leak(library.into_boxed_slice()))
    });
    let linked = linked.expect("links");
    assert_eq!((pointer(&linked, "a"), pointer(&linked, "b")), (1, 2));
}

#[test]
fn a_branch_to_a_number_in_reach_needs_no_stub() {
    let files = [("f.o", calls("f", &["near", "far"]).bytes())];
    let linked = linked("aarch64", &files, &Options::default(), Roots::All, |parsed| {
        parsed.assign("near", &[Term::Number(0x40_2000), Term::Number(0x10), Term::Add])?;
        parsed.assign("far", &[Term::Symbol("near"), Term::Number(0x1000_0000), Term::Add])
    });
    let linked = linked.expect("links");
    assert_eq!(linked.graph().stubs.len(), 1, "for the far one");
}
