//! The rig: the examples, and what goes wrong and how it is said.

use harness::linker::memory::Protection;
use harness::linker::{Layout, Options};
use harness::machine::{Budget, Exit, FaultKind, Limit, Stop};
use harness::{Error, Pointer, Rig, Symbol};

#[path = "../../examples/call.rs"]
mod call;
#[path = "../../examples/host.rs"]
mod host;
#[path = "../../examples/jit.rs"]
mod jit;
#[path = "../../examples/relocation.rs"]
mod relocation;

#[test]
fn the_examples_run() -> harness::Result {
    call::main()?;
    host::main()?;
    jit::main()?;
    relocation::main()
}

const ALL_TYPES: &str = r#"
signed char narrow(signed char x) { return x - 1; }
unsigned short half(unsigned short x) { return x + 1; }
unsigned word(unsigned x) { return ~x; }
long long wide(int a, long long b) { return a - b; }
float single(float x, double y) { return x / (float) y; }
double mixed(int a, double b, float c, long long d) { return a + b + c + d; }
_Bool truth(int x) { return x > 3; }
int length(const char *text) { int n = 0; while (text[n]) n++; return n; }
int sum(const unsigned char *bytes, int n) { int s = 0; while (n--) s += bytes[n]; return s; }
int many(int a, int b, int c, int d, int e, int f, int g, int h) { return a + 10 * (b + c + d + e + f + g) + 100 * h; }
int value = 5;
void nothing(void) { value = 7; }
int *where(void) { return &value; }
int apply(int (*f)(int, int), int x) { return f(x, 1); }
int add(int a, int b) { return a + b; }
"#;

#[test]
fn types_go_where_compilers_expect_them() -> harness::Result {
    for target in ["armv7", "thumbv7", "aarch64", "armv6", "thumbv7m"] {
        let mut program = Rig::new(target).source("types.c", ALL_TYPES).link()?;
        program.check("narrow", (-128i8,), 127i8)?;
        program.check("half", (65535u16,), 0u16)?;
        program.check("word", (1u32,), 0xffff_fffeu32)?;
        program.check("wide", (1, 1i64 << 40), 1 - (1i64 << 40))?;
        program.check("single", (3.0f32, 2.0), 1.5f32)?;
        program.check("mixed", (1, 2.5, 0.25f32, 1i64 << 33), 3.75 + (1i64 << 33) as f64)?;
        program.check("truth", (4,), true)?;
        program.check("truth", (3,), false)?;
        program.check("length", ("seven",), 5)?;
        program.check("sum", (&[1u8, 2, 250], 3), 253)?;
        program.check("many", (1, 2, 3, 4, 5, 6, 7, 8), 1071)?;
        program.check("apply", (Symbol("add"), 41), 42)?;
        program.call::<()>("nothing", ())?;
        assert_eq!(program.read::<i32>("value")?, 7, "{target}");
        let pointer: Pointer = program.call("where", ())?;
        assert_eq!(pointer.0, program.address("value")?, "{target}");
        program.write(pointer, &[9, 0, 0, 0])?;
        assert_eq!(program.bytes("value+0", 4)?, [9, 0, 0, 0]);
    }
    Ok(())
}

/// The text of the error that a rig or a program gives.
fn says<T>(result: harness::Result<T>) -> String {
    match result {
        Ok(_) => panic!("there was no error"),
        // What a test that returns it prints.
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn what_cannot_be_linked_is_said() {
    let rig = || Rig::new("aarch64").source("a.c", "int f(void); int g(void) { return f() + 1; }");
    for (text, wanted) in [
        (says(Rig::new("z80").link()), "unknown target `z80`, expected one of armv7"),
        (says(rig().link()), "undefined symbol: f\n  wanted by a.c(.text+0x"),
        (says(rig().executor("raspi9").link()), "raspi9"),
        (says(rig().executor("mps2-an385").link()), "mps2-an385 does not run aarch64 code, expected one of thumb"),
        (says(Rig::new("armv7").file("no/such.o").link()), "no/such.o"),
        (says(Rig::new("armv7").source("a.c", "int f( {").link()), "a.c: "),
        (says(Rig::new("armv7").source("a.c", "int f( {").link()), "\na.c:1:8: error:"),
        (says(Rig::new("armv7").source("../a.c", "").link()), "without folders"),
        (says(Rig::new("armv7").source("a.pas", "").link()), "expected one of .c"),
        (says(Rig::new("armv7").object("a.o", *b"no object").link()), "a.o"),
        (
            says(
                Rig::new("aarch64")
                    .source("a.c", "__attribute__((constructor)) void f(void) { __builtin_trap(); }")
                    .link(),
            ),
            "(entry 0 of .init_array) did not return",
        ),
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text}");
    }
}

#[test]
fn a_call_that_goes_wrong_says_where_and_by_which_relocation() -> harness::Result {
    let source = "extern int table[4]; int get(int *p) { return *p + table[1]; } int one(void) { return table[0]; }";
    let mut program = Rig::new("armv7")
        .source("get.c", source)
        .source("table.c", "int table[4] = {1, 2, 3};")
        .options(Options::unrelaxed())
        .link()?;
    let text = says(program.call::<i32>("get", (Pointer(0),)));
    for wanted in [
        "get(0u32): read fault at 0x",
        "address 0x0 in get+0x",
        ", get.c(.text+0x",
        "machine    armv7 on unicorn",
        "against `table`",
        "layout     at:get.c(.text)=0x400000",
        "registers  r0 0x0",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text}");
    }
    let text = says(program.check("one", (), 2));
    assert!(text.starts_with("one(): expected 2, got 1\n") && text.contains("right in memory"), "{text}");
    let text = says(program.call::<i32>("gett", ()));
    assert_eq!(text, "the program has no symbol `gett`; it has `get`");
    assert!(matches!(program.call::<i32>("nobody", ()), Err(Error::NoSymbol { nearest: None, .. })));
    let text = says(program.register("x0"));
    assert!(text.contains("armv7 has no register `x0`, expected one of r0"), "{text}");
    let text = says(program.read::<u32>(0x10u64));
    assert!(text.contains("4 bytes at 0x10: no read access to 0x10"), "{text}");
    Ok(())
}

#[test]
fn a_program_can_be_had_again_as_it_was() -> harness::Result {
    let rig = || {
        Rig::new("thumbv7")
            .source("a.c", "int g(void); int f(void) { return g() + 1; }")
            .source("b.c", "int g(void) { return 1; }")
    };
    let first = rig().layout(Layout::Random(9)).link()?;
    let mut second = rig().layout(first.layout()).link()?;
    for name in ["f", "g"] {
        assert_eq!(first.address(name)?, second.address(name)?);
    }
    second.check("f", (), 2)
}

#[test]
fn bytes_of_a_jit_in_thumb_state() -> harness::Result {
    let mut machine = Rig::new("thumbv7m").link()?;
    // adds r0, #5; bx lr
    let code = machine.place(&[0x05, 0x30, 0x70, 0x47], Protection::ReadExecute)?;
    assert_eq!(machine.call_at::<u32>(Pointer(code.0 | 1), (1u32,))?, 6);
    let text = says(machine.call_at::<u32>(code, (1u32,)));
    assert!(text.contains("state fault"), "{text}");
    Ok(())
}

#[test]
fn how_a_run_ends_can_be_what_is_expected() -> harness::Result {
    let source = "void exit(int); int f(int x) { if (x) exit(x); __builtin_trap(); }";
    let mut program = Rig::new("thumbv7").source("f.c", source).link()?;
    assert_eq!(program.run("f", (3,))?, Stop::Exited(Exit::Code(3)));
    let stop = program.run("f", (0,))?;
    assert!(matches!(&stop, Stop::Fault(fault) if fault.kind == FaultKind::Undefined), "{stop:?}");
    let endless = Budget { instructions: 1000, ..Budget::default() };
    let mut program = Rig::new("aarch64").source("g.c", "void g(void) { for (;;); }").budget(endless).link()?;
    assert_eq!(program.run("g", ())?, Stop::OutOfBudget(Limit::Instructions));
    Ok(())
}

#[test]
fn boards_run_the_same() -> harness::Result {
    for (board, target) in [("raspi3b", "aarch64"), ("raspi2b", "armv7"), ("mps2-an385", "thumbv7m")] {
        if which::which("qemu-system-aarch64").or(which::which("qemu-system-arm")).is_err() {
            eprintln!("skipped: QEMU is not installed");
            return Ok(());
        }
        let mut program = Rig::new(target)
            .source("a.c", "int g(int); int n; int f(int x) { n = g(x); return n + 1; }")
            .host("g", |frame| {
                let x = frame.int()?;
                frame.give_int(2 * x)
            })
            .executor(board)
            .link()?;
        program.check("f", (20,), 41)?;
        assert_eq!(program.read::<i32>("n")?, 40, "{board}");
        let text = says(program.check("f", (20,), 0));
        assert!(text.contains(&format!("{target} on {board}")), "{text}");
    }
    Ok(())
}
