//! The cases of the tree, and cases made up to be wrong.

use corpus::case::{self, Call, CallResult, Case};
use corpus::matrix::{self, Family};
use corpus::value::Value;
use linker::Layout;
use proptest::prelude::*;

fn one(text: &str) -> Case {
    let mut cases = parse(text).unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"));
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

fn parse(text: &str) -> Result<Vec<Case>, Vec<corpus::directive::DirectiveError>> {
    case::parse("g/x.c", text)
}

#[test]
fn the_cases_of_the_tree_are_right_and_in_order() {
    let cases = case::load_all(&case::default_dir()).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(!cases.is_empty());
    let again = case::load_all(&case::default_dir()).expect("as before");
    let names = |cases: &[Case]| cases.iter().map(|case| case.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&cases), names(&again));
    let builds: usize = cases.iter().map(|case| case.builds(&[], &matrix::wanted).len()).sum();
    println!("{} cases, {builds} builds", cases.len());
}

#[test]
fn defaults() {
    let case = one("// call: f(2i32, \"a\") = &f+4\nint f;\n");
    let targets: Vec<&str> = case.targets.iter().map(|target| target.name).collect();
    assert_eq!(targets, ["armv7", "thumbv7", "aarch64", "armebv7", "thumbebv7", "aarch64_be", "aarch64_ilp32"]);
    let builds = case.builds(&["aarch64"], &matrix::wanted);
    assert_eq!(builds.len(), 22);
    assert_eq!(builds[0].label, "gcc12-O0.no-pic");
    assert_eq!(case.layouts(case.targets[0]), case::DEFAULT_LAYOUTS);
    assert_eq!(
        case.configuration_name(&builds[0], &Layout::Far, "unicorn"),
        "elf/aarch64/g/x/gcc12-O0.no-pic/far/unicorn"
    );
    let expected = case.expectations(&builds[0], &Layout::Near);
    let arguments = vec![Value::I32(2), Value::Buffer(b"a\0".to_vec())];
    let result = CallResult::Value(Value::Address("f".into(), 4));
    assert_eq!(expected.calls[0].0, &Call { function: "f".into(), arguments, result });
    assert!(case::parse("g/x.S", "// call: f() = void\nf:\n").expect("right")[0].recipes(case.targets[0]).len() == 2);
    let ir = case::parse("g/x.ll", "; call: f() = void\ndefine void @f() { ret void }\n").expect("right");
    assert_eq!(ir[0].recipes(case.targets[0])[0].family, Family::Clang);
}

#[test]
fn values_of_a_for_make_variants() {
    let text =
        "// for: N = 1 -2\n// for: NN = 3 4\n// call: f() = $Ni32\n// call(N=1): g() = ${NN}i64\nint f = N + NN;\n";
    let cases = parse(text).expect("right");
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["g/x-1-3", "g/x-1-4", "g/x--2-3", "g/x--2-4"]);
    assert_eq!(cases[1].calls.len(), 2);
    assert_eq!(cases[1].calls[1].value.result, CallResult::Value(Value::I64(4)));
    assert_eq!(cases[2].calls.len(), 1);
    assert_eq!(cases[2].calls[0].value.result, CallResult::Value(Value::I32(-2)));
    assert_ne!(cases[0].fingerprint(cases[0].targets[0]), cases[1].fingerprint(cases[0].targets[0]));
}

#[test]
fn scopes_choose() {
    let case = one("// call(arm): f() = 1i32\n// call(aarch64): f() = 2i32\n// flags: -O1\n// flags(gcc, b.c): -fx\n\
         // layout: near\n// layout(aarch64): near far\n// xfail(clang, tiny, far): why\nint f;\n//--- b.c\nint b;\n");
    for build in case.builds(&[], &matrix::wanted) {
        let aarch64 = build.target.name.starts_with("aarch64");
        let gcc = build.toolchain.family == Family::Gcc;
        assert_eq!(case.layouts(build.target).len(), if aarch64 { 2 } else { 1 });
        assert_eq!(case.flags(&build, "x.c"), ["-O1"]);
        assert_eq!(case.flags(&build, "b.c"), if gcc { vec!["-O1", "-fx"] } else { vec!["-O1"] });
        let expected = case.expectations(&build, &Layout::Far);
        assert_eq!(expected.calls.len(), 1);
        assert_eq!(expected.xfail.is_some(), aarch64 && !gcc && build.label.ends_with("tiny"));
    }
}

#[test]
fn variants_come_along() {
    let case = one("// arch: aarch64 armv7 -armebv7\n// call(big): f() = 1i32\n// call(little): f() = 2i32\nint f;\n");
    let targets: Vec<&str> = case.targets.iter().map(|target| target.name).collect();
    assert_eq!(targets, ["armv7", "aarch64", "aarch64_be", "aarch64_ilp32"]);
    let builds = case.builds(&["aarch64_be"], &matrix::wanted);
    let labels: Vec<&str> = builds.iter().map(|build| build.label.as_str()).collect();
    assert_eq!(labels, ["gcc12-O2.no-pic", "clang19-O2.no-pic"]);
    let call = case.expectations(&builds[0], &Layout::Near).calls[0].0;
    assert_eq!(call.result, CallResult::Value(Value::I32(1)));
    let taken = parse("// arch: -armv7 -aarch64_be -aarch64_ilp32\n// call: f() = void\nint f;\n").expect("right");
    assert_eq!(
        taken[0].targets.iter().map(|t| t.name).collect::<Vec<_>>(),
        ["thumbv7", "aarch64", "armebv7", "thumbebv7"]
    );
    assert!(parse("// arch: armv7 -aarch64\n// call: f() = void\nint f;\n").is_err());
}

#[test]
fn new_expectations_make_no_object_stale() {
    let print = |text: &str| {
        let case = one(text);
        case.fingerprint(case.targets[0])
    };
    let old = print("// call: f() = ?\nint f;\n");
    assert_eq!(old, print("// call: f() = 5i32\n// memory: f = 1i32\nint f;\n"));
    assert_ne!(old, print("// call: f() = ?\nint g;\n"));
    assert_ne!(old, print("// call: f() = ?\n// flags: -O1\nint f;\n"));
    assert_ne!(old, print("// call: f() = ?\n// build: @one\nint f;\n"));
}

/// Text, and what the error must say, place included.
#[rustfmt::skip]
const WRONG: &[(&str, &str)] = &[
    ("int f;\n", "1:1: nothing is expected of armv7 in near"),
    ("// call: f() = void\n", "1:1: there is no code"),
    ("// call(armv7): f() = void\nint f;\n", "1:1: nothing is expected of thumbv7"),
    ("// call: f(\nint f;\n", "1:12: `call`: expected a value"),
    ("// call: f(1i32 2i32) = void\nint f;\n", "1:17: `call`: expected `,` or `)`"),
    ("// call: f()\nint f;\n", "1:13: `call`: expected `= RESULT`"),
    ("// call: f() = \"x\"\nint f;\n", "1:16: `call`: expected a number or an address"),
    ("// call: f() = 5\nint f;\n", "1:16: `call`: expected a number with its type"),
    ("// call: é() = 5i32\nint f;\n", "1:10: `call`: expected the name of a symbol"),
    ("// call: f(\"é\", 5) = 5i32\nint f;\n", "1:17: `call`: expected a number with its type"),
    ("// call: f() = void\n// arch: armv8\nint f;\n", "2:10: `arch`: expected an architecture of"),
    ("// call: f() = void\n// build: gcc -O2 | clnag\nint f;\n", "2:21: `build`: expected `gcc FLAGS`"),
    ("// call: f() = void\n// build: @standrad\nint f;\n", "did you mean `@standard`"),
    ("// call: f() = void\n// build: gcc O2\nint f;\n", "2:15: `build`: expected a flag"),
    ("// call: f() = void\n// build: gcc -O2 | gcc -O2\nint f;\n", "2:4: two builds for armv7 are called gcc12-O2"),
    ("// call: f() = void\n// for: N = 1 2\nint f;\n", "2:4: nothing uses `N`"),
    ("// call: f() = $M\nint f;\n", "1:10: there is no `for: M`"),
    ("// call: f() = void\n// call(N=1): f() = void\nint f;\n", "2:4: `N=1` is no value"),
    ("// call: f() = void\n// archive: libx.a = y.c\nint f;\n", "there is no part `y.c`"),
    ("// call: f() = void\n// archive: x = x.c\nint f;\n", "2:13: `archive`: expected libNAME.a"),
    ("// call: f() = void\n// archive: liba.a = x.c\n// partial: b.o = x.c\nint f;\n", "`x.c` is in another file already"),
    ("// call: f() = void\n// partial: b.o = x.lds\nint f;\n//--- x.lds\nSECTIONS { }\n", "a linker script alone joins nothing"),
    ("// call: f() = void\n// archive: libb.a = y.c x.lds\nint f;\n//--- y.c\nint y;\n//--- x.lds\nSECTIONS { }\n", "there is no part `x.lds`"),
    ("// call: f() = void\nint f;\n//--- x.lds\nSECTIONS { }\n", "3:1: nothing is joined by `x.lds`: name it in `partial`"),
    ("// call: f() = void\n// partial: b.o = y.c w.lds x.lds\nint f;\n//--- y.c\nint y;\n//--- w.lds\n//--- x.lds\n", "one linker script joins parts"),
    ("// call: f() = void\n// layout: near nera\nint f;\n", "2:17: `layout`: expected a layout"),
    ("// call: f() = void\n// layout: near\n// layout: far\nint f;\n", "3:4: `layout` stands already in line 2"),
    ("// call: f() = void\n// prints(gcc): \"a\"\n// prints(armv7): \"b\"\nint f;\n", "3:4: this and line 2 both hold"),
    ("// call: f() = void\n// register: x19 = 1\nint f;\n", "2:4: armv7 has no register `x19`"),
    ("// call: f() = void\n// memory: f = 1i32 zz\nint f;\n", "2:21: `memory`: expected a number"),
    ("// call: f() = void\n// fault: raed\nint f;\n", "2:11: `fault`: expected a kind"),
    ("// call: f() = void\n// exit: 1x\nint f;\n", "2:10: `exit`: expected"),
    ("// call: f() = void\n// budget: 0\nint f;\n", "2:12: `budget`: expected a number of instructions above 0"),
    ("// call: f() = void\n// budget: 5 s\nint f;\n", "`budget`: expected"),
    ("// call: f() = void\n// budget: 5\n// budget: 6\nint f;\n", "3:4: `budget` stands already in line 2"),
    ("// call: f() = void\n// prints: a\nint f;\n", "2:12: `prints`: expected `\"`"),
    ("// call: f() = void\n// covers: CALL26\nint f;\n", "2:12: `covers`: expected R_ARM_"),
    ("// call: f() = void\n// covers(armv7): R_AARCH64_CALL26\nint f;\n", "2:4: `R_AARCH64_CALL26` belongs to no target"),
    ("// call: f() = void\n// xfail(tiny): x\n// arch: armv7\nint f;\n", "2:4: `xfail` has no effect"),
    ("// call: f() = void\n// flags(armv6): -O1\nint f;\n", "2:4: `flags` has no effect"),
    ("// call: f() = void\n// link-error: no\n// exit: 1\nint f;\n", "3:4: `exit` has no effect"),
    ("// call: f() = void\n// xfail:\nint f;\n", "2:10: `xfail`: expected the reason"),
    ("// call: f() = void\nint f;\n//--- x.S\nnop\n", "3:1: `x.c` and `x.S` would both become `x.o`"),
    ("// call: f() = void\nint f;\n//--- y.ll\n; build: @one\ndefine\n", "gcc compiles no LLVM IR"),
];

#[test]
fn wrong_cases_say_what_and_where() {
    for (text, expected) in WRONG {
        let errors = parse(text).expect_err(text);
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|error| error.contains(expected)), "{text}\nexpected {expected}\ngot {all:#?}");
        assert!(all.iter().all(|error| error.starts_with("g/x.c:")));
    }
}

fn line() -> impl Strategy<Value = String> {
    let names: Vec<String> = corpus::directive::DIRECTIVES.iter().map(|spec| spec.name.to_owned()).collect();
    let scopes = ["", "(gcc)", "(aarch64, far)", "(N=1)", "(x.c)", "(é)", "("];
    let values = [
        "f(1i32) = 2i32",
        "N = 1 2",
        "x19 = $N",
        "sym+4 = 01 02",
        "near random:1",
        "@standard | gcc -O1",
        "liba.a = x.c",
        "read at f+4",
        "\"\\x4\"",
        "R_ARM_CALL",
        "&f-9223372036854775808",
        "armv7",
        "$é ${ $",
        "a.o = x.c y.c",
    ];
    let directive = (
        proptest::sample::select(names),
        proptest::sample::select(scopes.to_vec()),
        proptest::sample::select(values.to_vec()),
    )
        .prop_map(|(name, scope, value)| format!("// {name}{scope}: {value}"));
    prop_oneof![
        4 => directive,
        1 => Just("//--- y.c".to_owned()),
        1 => Just("int N;".to_owned()),
        1 => "// [a-z]{1,6}(\\([a-z,=.]{0,8}\\))?: \\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|\n){0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_directives_make_the_parser_panic(lines in proptest::collection::vec(line(), 0..12)) {
        let _ = parse(&lines.join("\n"));
    }
}
