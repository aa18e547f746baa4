//! A64: references in x19 to x21, their scratch in x9 to x11, second words in x12 to x14, the sum in w23. The entry has the
//! number of the check in x25 and its argument in w26.

use super::{Code, Dialect, Kind, Pair, Reach, lines, plus};
use crate::fuzz::model::{Form, Part, PointerKind, Sequence, Shape, Use};

/// The instruction set of AArch64.
pub(super) struct A64;

fn result(number: usize) -> usize {
    19 + number
}

fn scratch(number: usize) -> usize {
    9 + number
}

fn other(number: usize) -> usize {
    12 + number
}

/// The address of a symbol into a register, whatever the symbol is.
fn address(register: &str, symbol: &str) -> [String; 2] {
    [format!("adrp {register}, {symbol}"), format!("add {register}, {register}, :lo12:{symbol}")]
}

const ALL_SHAPES: &[Shape] = &[
    Shape::Straight,
    Shape::Straight,
    Shape::Apart,
    Shape::Spaced,
    Shape::Tail { taken: true },
    Shape::Tail { taken: false },
    Shape::Back,
    Shape::Shared(1),
];

const SUM: &str = "add w23, w23, w23, lsl #1";

impl Dialect for A64 {
    fn forms(&self, kind: Kind) -> &'static [Form] {
        use Form::{
            Call, Descriptor, GeneralDynamic, GotOrigin, GotPage, InitialExec, Jump, Literal, LiteralRelative,
            LocalDynamic, LocalExec, LocalExecMoves, Moves, Page, PageLoad,
        };
        match kind {
            Kind::Data => &[Page, PageLoad, PageLoad, GotPage, GotPage, GotOrigin, Moves, Literal, LiteralRelative],
            Kind::Function => {
                &[Page, GotPage, GotPage, GotOrigin, Moves, Literal, LiteralRelative, Call, Call, Call, Jump]
            }
            Kind::Absolute => &[Page, GotPage, GotOrigin, Moves, Literal],
            Kind::Nowhere => &[GotPage, GotOrigin, Moves, Literal, Call, Jump],
            Kind::Thread => {
                &[LocalExec, LocalExecMoves, InitialExec, InitialExec, GeneralDynamic, LocalDynamic, Descriptor]
            }
        }
    }

    fn shapes(&self, form: Form) -> &'static [Shape] {
        match form {
            Form::Page | Form::PageLoad | Form::GotPage => ALL_SHAPES,
            Form::GotOrigin | Form::InitialExec => &ALL_SHAPES[..7],
            _ => &ALL_SHAPES[..1],
        }
    }

    fn reaches(&self) -> &'static [Reach] {
        const NEXT: i64 = 4;
        const TEST: i64 = 1 << 15;
        const FAR: i64 = 1 << 20;
        &[
            Reach { back: -TEST, ahead: TEST - NEXT, branch: "tbz w0, #5, {}", before: "mov w0, #1", behind: "" },
            Reach { back: -TEST, ahead: TEST - NEXT, branch: "tbnz w0, #0, {}", before: "mov w0, #1", behind: "" },
            Reach { back: -FAR, ahead: FAR - NEXT, branch: "cbnz w0, {}", before: "mov w0, #1", behind: "" },
            Reach { back: -FAR, ahead: FAR - NEXT, branch: "b.eq {}", before: "cmp w0, w0", behind: "" },
            Reach { back: -FAR, ahead: FAR - NEXT, branch: "adr x1, {}", before: "mov w0, #1", behind: "br x1" },
        ]
    }

    fn head(&self) -> &'static str {
        "    .arch armv8-a\n"
    }

    fn function(&self, symbol: &str) -> String {
        format!("    .type {symbol}, %function\n")
    }

    fn sequence(&self, sequence: &Sequence, number: usize, symbol: &str, label: &str) -> Code {
        let bytes = 4 * sequence.addend;
        let to = &plus(symbol, bytes);
        let (r, s, o) = (result(number), scratch(number), other(number));
        let more = match sequence.shape {
            Shape::Shared(more) => plus(symbol, bytes + 4 * more),
            _ => to.clone(),
        };
        let pair = |first: &dyn Fn(&str) -> String, second: &dyn Fn(&str, &str) -> String, other: String| {
            let pair = Pair {
                result: format!("{r}"),
                scratch: format!("{s}"),
                first,
                second,
                other: Some(other),
                idle: "mov w8, #0",
                flag: &|taken| format!("mov w8, #{}", u8::from(taken)),
                branch: &|to| format!("cbnz w8, {to}"),
            };
            pair.lay(sequence.shape, label)
        };
        let mut code = Code::default();
        match sequence.form {
            Form::Page => {
                let first = |r: &str| format!("adrp x{r}, {to}");
                let second = |r: &str, b: &str| format!("add x{r}, x{b}, :lo12:{to}");
                (code.lines, code.whole) = pair(&first, &second, format!("add x{o}, x{s}, :lo12:{more}"));
                code.added = true;
            }
            Form::PageLoad => {
                let first = |r: &str| format!("adrp x{r}, {to}");
                let second = |r: &str, b: &str| format!("ldr w{r}, [x{b}, :lo12:{to}]");
                (code.lines, code.whole) = pair(&first, &second, format!("ldr w{o}, [x{s}, :lo12:{more}]"));
                (code.added, code.value) = (true, true);
            }
            Form::GotPage => {
                let first = |r: &str| format!("adrp x{r}, :got:{symbol}");
                let second = |r: &str, b: &str| format!("ldr x{r}, [x{b}, :got_lo12:{symbol}]");
                (code.lines, code.whole) = pair(&first, &second, format!("ldr x{o}, [x{s}, :got_lo12:{symbol}]"));
            }
            Form::GotOrigin => {
                let first = |r: &str| format!("adrp x{r}, _GLOBAL_OFFSET_TABLE_");
                let second = |r: &str, b: &str| format!("ldr x{r}, [x{b}, :gotpage_lo15:{symbol}]");
                (code.lines, code.whole) = pair(&first, &second, String::new());
            }
            Form::InitialExec => {
                let first = |r: &str| format!("adrp x{r}, :gottprel:{symbol}");
                let second = |r: &str, b: &str| format!("ldr x{r}, [x{b}, :gottprel_lo12:{symbol}]");
                (code.lines, code.whole) = pair(&first, &second, String::new());
                code.lines.extend([format!("mrs x{s}, tpidr_el0"), format!("add x{r}, x{r}, x{s}")]);
            }
            Form::Moves => {
                code.lines = vec![
                    format!("movz x{r}, #:abs_g3:{to}"),
                    format!("movk x{r}, #:abs_g2_nc:{to}"),
                    format!("movk x{r}, #:abs_g1_nc:{to}"),
                    format!("movk x{r}, #:abs_g0_nc:{to}"),
                ];
                code.added = true;
            }
            Form::Literal => {
                code.lines = vec![format!("ldr x{r}, {label}p")];
                code.pool = vec!["    .balign 8".to_owned(), format!("{label}p: .xword {to}")];
                code.added = true;
            }
            Form::LiteralRelative => {
                code.lines =
                    vec![format!("adr x{s}, {label}p"), format!("ldrsw x{r}, [x{s}]"), format!("add x{r}, x{r}, x{s}")];
                code.pool = vec!["    .balign 4".to_owned(), format!("{label}p: .word {to} - .")];
                code.added = true;
            }
            Form::LocalExec => {
                code.lines = vec![
                    format!("mrs x{r}, tpidr_el0"),
                    format!("add x{r}, x{r}, :tprel_hi12:{to}"),
                    format!("add x{r}, x{r}, :tprel_lo12_nc:{to}"),
                ];
                code.added = true;
            }
            Form::LocalExecMoves => {
                code.lines = vec![
                    format!("movz x{r}, #:tprel_g1:{to}"),
                    format!("movk x{r}, #:tprel_g0_nc:{to}"),
                    format!("mrs x{s}, tpidr_el0"),
                    format!("add x{r}, x{r}, x{s}"),
                ];
                code.added = true;
            }
            Form::GeneralDynamic => {
                code.lines = vec![
                    format!("adrp x0, :tlsgd:{symbol}"),
                    format!("add x0, x0, :tlsgd_lo12:{symbol}"),
                    "bl __tls_get_addr".to_owned(),
                    "nop".to_owned(),
                    format!("mov x{r}, x0"),
                ];
                code.whole = true;
            }
            Form::LocalDynamic => {
                code.lines = vec![
                    format!("adrp x0, :tlsldm:{symbol}"),
                    format!("add x0, x0, :tlsldm_lo12_nc:{symbol}"),
                    "bl __tls_get_addr".to_owned(),
                    "nop".to_owned(),
                    format!("add x0, x0, #:dtprel_hi12:{to}"),
                    format!("add x{r}, x0, #:dtprel_lo12_nc:{to}"),
                ];
                (code.whole, code.added) = (true, true);
            }
            Form::Descriptor => {
                code.lines = vec![
                    format!("adrp x0, :tlsdesc:{symbol}"),
                    format!("ldr x1, [x0, :tlsdesc_lo12:{symbol}]"),
                    format!("add x0, x0, :tlsdesc_lo12:{symbol}"),
                    format!(".tlsdesccall {symbol}"),
                    "blr x1".to_owned(),
                    "mrs x1, tpidr_el0".to_owned(),
                    format!("add x{r}, x1, x0"),
                ];
                code.whole = true;
            }
            Form::Jump => {
                code.lines = vec![
                    "mov w0, #0".to_owned(),
                    format!("bl {label}j"),
                    format!("b {label}k"),
                    format!("{label}j:"),
                    format!("b {symbol}"),
                    format!("{label}k:"),
                    format!("mov w{r}, w0"),
                ];
                (code.whole, code.value) = (true, true);
            }
            _ => {
                code.lines = vec!["mov w0, #0".to_owned(), format!("bl {symbol}"), format!("mov w{r}, w0")];
                (code.whole, code.value) = (true, true);
            }
        }
        // Calls destroy what other references have in registers for themselves.
        code.whole |= sequence.then == Use::Call && code.value;
        code
    }

    fn open(&self) -> &'static [&'static str] {
        &[
            "stp x29, x30, [sp, #-64]!",
            "stp x19, x20, [sp, #16]",
            "stp x21, x22, [sp, #32]",
            "str x23, [sp, #48]",
            "mov w23, #0",
        ]
    }

    fn close(&self) -> &'static [&'static str] {
        &[
            "mov w0, w23",
            "ldr x23, [sp, #48]",
            "ldp x21, x22, [sp, #32]",
            "ldp x19, x20, [sp, #16]",
            "ldp x29, x30, [sp], #64",
            "ret",
        ]
    }

    fn load(&self, number: usize, bytes: u32) -> String {
        let r = result(number);
        format!("ldr w{r}, [x{r}, #{bytes}]")
    }

    fn load_other(&self, number: usize, bytes: Option<u32>) -> Vec<String> {
        let (r, o) = (result(number), other(number));
        let load = bytes.map(|bytes| format!("ldr w{o}, [x{o}, #{bytes}]"));
        load.into_iter().chain([format!("add w{r}, w{r}, w{o}")]).collect()
    }

    fn follow(&self, number: usize, bytes: u32, kind: PointerKind) -> Vec<String> {
        let r = result(number);
        let relative = |load: &str| {
            vec![format!("add x{r}, x{r}, #{bytes}"), format!("{load} x8, [x{r}]"), format!("add x{r}, x{r}, x8")]
        };
        match kind {
            PointerKind::Absolute => vec![format!("ldr x{r}, [x{r}, #{bytes}]")],
            PointerKind::Absolute32 => vec![format!("ldr w{r}, [x{r}, #{bytes}]")],
            PointerKind::Absolute16 => vec![format!("ldrh w{r}, [x{r}, #{bytes}]")],
            PointerKind::Relative32 => relative("ldrsw"),
            PointerKind::Relative64 => relative("ldr"),
        }
    }

    fn call(&self, number: usize) -> Vec<String> {
        let r = result(number);
        vec![format!("blr x{r}"), format!("mov w{r}, w0")]
    }

    fn aligned(&self, number: usize, bytes: u32) -> Vec<String> {
        let r = result(number);
        vec![format!("mov x8, #{}", bytes - 1), format!("tst x{r}, x8"), format!("cset w{r}, eq")]
    }

    fn same(&self, number: usize, other: usize) -> Vec<String> {
        let r = result(number);
        vec![format!("cmp x{r}, x{}", result(other)), format!("cset w{r}, eq")]
    }

    fn append(&self, number: usize) -> Vec<String> {
        vec![SUM.to_owned(), format!("add w23, w23, w{}", result(number))]
    }

    fn constant(&self, constant: u16, calls: Option<&str>) -> Vec<String> {
        match calls {
            None => vec![format!("mov w0, #{constant}"), "ret".to_owned()],
            Some(function) => vec![
                "stp x29, x30, [sp, #-16]!".to_owned(),
                format!("bl {function}"),
                format!("mov w1, #{constant}"),
                "add w0, w0, w1".to_owned(),
                "ldp x29, x30, [sp], #16".to_owned(),
                "ret".to_owned(),
            ],
        }
    }

    fn returns_word(&self, symbol: &str) -> Vec<String> {
        vec![format!("adrp x0, {symbol}"), format!("ldr w0, [x0, :lo12:{symbol}]"), "ret".to_owned()]
    }

    fn walk(&self, start: &str, stop: &str) -> Vec<String> {
        let mut text: Vec<String> = address("x9", start).into_iter().chain(address("x10", stop)).collect();
        text.extend(lines(&[
            "mov w0, #0",
            "1: cmp x9, x10",
            "b.hs 2f",
            "ldr w11, [x9], #4",
            "add w0, w0, w0, lsl #1",
            "add w0, w0, w11",
            "b 1b",
            "2: ret",
        ]));
        text
    }

    fn scan(&self, start: &str, stop: &str) -> Vec<String> {
        let mut text: Vec<String> = address("x9", start).into_iter().chain(address("x10", stop)).collect();
        text.extend(lines(&[
            "mov w0, #0",
            "1: cmp x9, x10",
            "b.hs 2f",
            "ldrb w11, [x9], #1",
            "orr w0, w0, w11",
            "b 1b",
            "2: ret",
        ]));
        text
    }

    fn compare(&self, symbol: &str, with: [&str; 3]) -> Vec<String> {
        let mut text: Vec<String> = address("x9", symbol).to_vec();
        text.push("mov w0, #0".to_owned());
        for (bit, (with, condition)) in with.into_iter().zip(["lo", "hs", "lo"]).enumerate() {
            text.extend(address("x10", with));
            text.extend(lines(&["cmp x9, x10"]));
            text.extend([format!("cset w11, {condition}"), format!("orr w0, w0, w11, lsl #{bit}")]);
        }
        text.push("ret".to_owned());
        text
    }

    fn part(&self, part: Part, function: &str, last: &str) -> Vec<String> {
        let sum = "add w19, w19, w19, lsl #1";
        match part {
            Part::First => lines(&["stp x29, x30, [sp, #-32]!", "str x19, [sp, #16]", "mov w19, #0"]),
            Part::Add(number) => vec![format!("mov w9, #{number}"), sum.to_owned(), "add w19, w19, w9".to_owned()],
            Part::Call(_) => vec![format!("bl {function}"), sum.to_owned(), "add w19, w19, w0".to_owned()],
            Part::Skip { taken } => vec![format!("mov w9, #{}", u8::from(taken)), format!("cbnz w9, {last}")],
            Part::Last => lines(&["mov w0, w19", "ldr x19, [sp, #16]", "ldp x29, x30, [sp], #32", "ret"]),
        }
    }

    fn trace(&self, digit: u32, symbol: &str) -> Vec<String> {
        let mut text = address("x9", symbol).to_vec();
        text.extend(lines(&["ldr w10, [x9]", "add w10, w10, w10, lsl #1"]));
        text.extend([format!("add w10, w10, #{digit}"), "str w10, [x9]".to_owned(), "ret".to_owned()]);
        text
    }

    fn tls_get_addr(&self, offset: u32) -> Vec<String> {
        vec![
            "ldr x0, [x0, #8]".to_owned(),
            "mrs x1, tpidr_el0".to_owned(),
            "add x0, x0, x1".to_owned(),
            format!("mov x1, #{offset}"),
            "add x0, x0, x1".to_owned(),
            "ret".to_owned(),
        ]
    }

    fn pointer(&self, kind: PointerKind, to: &str) -> String {
        match kind {
            PointerKind::Absolute => format!("    .balign 8\n    .xword {to}\n"),
            PointerKind::Absolute32 => format!("    .word {to}\n"),
            PointerKind::Absolute16 => format!("    .hword {to}\n    .hword 0\n"),
            PointerKind::Relative32 => format!("    .word {to} - .\n"),
            PointerKind::Relative64 => format!("    .balign 8\n    .xword {to} - .\n"),
        }
    }

    fn pointer_bytes(&self, kind: PointerKind) -> u32 {
        if matches!(kind, PointerKind::Absolute | PointerKind::Relative64) { 8 } else { 4 }
    }

    fn resolver(&self, function: &str) -> Vec<String> {
        let [page, offset] = address("x0", function);
        vec![page, offset, "ret".to_owned()]
    }

    fn enter(&self, chosen: bool, constructors: bool) -> Vec<String> {
        let mut text = lines(&[
            "stp x29, x30, [sp, #-64]!",
            "stp x19, x20, [sp, #16]",
            "stp x25, x26, [sp, #32]",
            "mov w26, w0",
            "mov w25, #0",
        ]);
        if chosen {
            // Offset, type and addend of each R_AARCH64_IRELATIVE.
            text.extend(address("x19", "__rela_iplt_start"));
            text.extend(address("x20", "__rela_iplt_end"));
            text.extend(lines(&["3: cmp x19, x20", "b.hs 4f", "ldr x0, [x19, #16]", "blr x0", "ldr x1, [x19], #24"]));
            text.extend(lines(&["str x0, [x1]", "b 3b", "4:"]));
        }
        if constructors {
            text.extend(address("x19", "__init_array_start"));
            text.extend(address("x20", "__init_array_end"));
            text.extend(lines(&["1: cmp x19, x20", "b.hs 2f", "ldr x0, [x19], #8", "blr x0", "b 1b", "2:"]));
        }
        text
    }

    fn check(&self, number: u32, symbol: &str, needs: u32, value: u32) -> Vec<String> {
        let mut text = vec![format!("mov w25, #{number}")];
        if needs != 0 {
            text.push(format!("mov w9, #{needs}"));
            text.extend(lines(&["and w10, w26, w9", "cmp w10, w9"]));
            text.push(format!("b.ne .Lskip{number}"));
        }
        text.extend([
            format!("bl {symbol}"),
            format!("movz w9, #{}", value & 0xffff),
            format!("movk w9, #{}, lsl #16", value >> 16),
            "cmp w0, w9".to_owned(),
            "b.ne .Lwrong".to_owned(),
            format!(".Lskip{number}:"),
        ]);
        text
    }

    fn leave(&self) -> Vec<String> {
        lines(&[
            "mov w25, #0",
            ".Lwrong:",
            "mov w1, w0",
            "mov w0, w25",
            "ldp x25, x26, [sp, #32]",
            "ldp x19, x20, [sp, #16]",
            "ldp x29, x30, [sp], #64",
            "ret",
        ])
    }

    fn start(&self) -> &'static str {
        START
    }
}

/// The auxiliary vector leads to the program headers, where PT_TLS is. The thread's variables go below the stack. The entry's
/// argument is the number of the process' arguments.
const START: &str = "\
    .globl _start
_start:
    mov x0, sp
    ldr x21, [x0], #8
    add x0, x0, x21, lsl #3
    add x0, x0, #8
    mov x19, #0
    mov x20, #0
1:  ldr x1, [x0], #8
    cbnz x1, 1b
2:  ldp x1, x2, [x0], #16
    cbz x1, 3f
    cmp x1, #3
    csel x19, x2, x19, eq
    cmp x1, #5
    csel x20, x2, x20, eq
    b 2b
3:  cbz x20, 7f
    ldr w1, [x19]
    cmp w1, #7
    b.eq 4f
    add x19, x19, #56
    sub x20, x20, #1
    b 3b
4:  ldr x1, [x19, #16]
    ldr x2, [x19, #32]
    ldr x3, [x19, #40]
    ldr x7, [x19, #48]
    sub x4, sp, #16, lsl #12
    and x4, x4, #-4096
    mov sp, x4
    msr tpidr_el0, x4
    sub x5, x7, #1
    add x6, x5, #16
    bic x6, x6, x5
    add x4, x4, x6
5:  cbz x3, 7f
    mov w5, #0
    cbz x2, 6f
    ldrb w5, [x1], #1
    sub x2, x2, #1
6:  strb w5, [x4], #1
    sub x3, x3, #1
    b 5b
7:  sub w0, w21, #1
    bl entry
    mov x8, #93
    svc #0
";
