//! A32 and T32: references in r4 to r6, their scratch in r0 to r2, second words in r8 to r10, the sum in r7. The entry has the
//! number of the check in r11 and its argument in r9.

use super::{Code, Dialect, Kind, Pair, Reach, lines, plus};
use crate::fuzz::model::{Form, Part, PointerKind, Sequence, Shape};

/// An instruction set of 32-bit ARM.
pub(super) struct Arm {
    /// T32, or else A32.
    pub(super) thumb: bool,
}

fn result(number: usize) -> usize {
    4 + number
}

fn other(number: usize) -> usize {
    8 + number
}

/// The address of a symbol into a register, whatever the symbol is.
fn address(register: &str, symbol: &str) -> [String; 2] {
    [format!("movw {register}, #:lower16:{symbol}"), format!("movt {register}, #:upper16:{symbol}")]
}

const PAIRS: &[Shape] = &[
    Shape::Straight,
    Shape::Straight,
    Shape::Spaced,
    Shape::Tail { taken: true },
    Shape::Tail { taken: false },
    Shape::Back,
];

impl Arm {
    /// How far the program counter that an instruction reads is ahead of it.
    fn bias(&self) -> u32 {
        if self.thumb { 4 } else { 8 }
    }

    /// `register += pc`, with a label on the same line: nothing may come between the two.
    fn add_pc(&self, register: &str, label: &str) -> String {
        let add = if self.thumb { format!("add {register}, pc") } else { format!("add {register}, pc, {register}") };
        format!("{label}: {add}")
    }
}

impl Dialect for Arm {
    fn forms(&self, kind: Kind) -> &'static [Form] {
        use Form::{
            Call, Conditional, Descriptor, GeneralDynamic, GotOrigin, GotPage, InitialExec, Jump, Literal,
            LiteralFromGot, LiteralRelative, LocalDynamic, LocalExec, Moves, MovesRelative,
        };
        match kind {
            Kind::Data => &[Moves, Moves, MovesRelative, Literal, LiteralRelative, GotPage, GotOrigin, LiteralFromGot],
            Kind::Function if self.thumb => {
                &[Moves, Literal, LiteralRelative, GotPage, GotOrigin, Call, Call, Call, Jump]
            }
            Kind::Function => {
                &[Moves, Literal, LiteralRelative, GotPage, GotOrigin, Call, Call, Call, Jump, Conditional]
            }
            Kind::Absolute => &[Moves, Literal, GotPage, GotOrigin],
            Kind::Nowhere => &[Moves, Literal, GotPage, GotOrigin, Call, Jump],
            Kind::Thread => &[LocalExec, InitialExec, InitialExec, GeneralDynamic, LocalDynamic, Descriptor],
        }
    }

    fn shapes(&self, form: Form) -> &'static [Shape] {
        if form == Form::Moves { PAIRS } else { &PAIRS[..1] }
    }

    fn reaches(&self) -> &'static [Reach] {
        const SHORT: i64 = 1 << 8;
        const LONG: i64 = 1 << 20;
        if self.thumb {
            &[
                Reach { back: 4 - SHORT, ahead: SHORT + 2, branch: "beq.n {}", before: "cmp r0, r0", behind: "" },
                Reach { back: 4 - LONG, ahead: LONG + 2, branch: "beq.w {}", before: "cmp r0, r0", behind: "" },
                Reach { back: 4 - 2048, ahead: 2050, branch: "b.n {}", before: "movs r0, #0", behind: "" },
            ]
        } else {
            &[]
        }
    }

    fn head(&self) -> &'static str {
        "    .syntax unified\n    .arch armv7-a\n    .eabi_attribute 28, 1\n"
    }

    fn function(&self, symbol: &str) -> String {
        let state = if self.thumb { "    .thumb\n    .thumb_func\n" } else { "    .arm\n" };
        format!("    .type {symbol}, %function\n{state}")
    }

    fn sequence(&self, sequence: &Sequence, number: usize, symbol: &str, label: &str) -> Code {
        let to = &plus(symbol, 4 * sequence.addend);
        let (r, s) = (format!("r{}", result(number)), format!("r{number}"));
        let bias = self.bias();
        let literal = |register: &str, pool: &str| format!("ldr {register}, {label}{pool}");
        let align = || "    .balign 4".to_owned();
        let anchor = format!("{label}x");
        let relocated =
            |what: &str| vec![align(), format!("{label}p: .word {symbol}({what}) + (. - ({anchor} + {bias}))")];
        let mut code = Code::default();
        match sequence.form {
            Form::Moves => {
                let first = |r: &str| format!("movw {r}, #:lower16:{to}");
                let second = |r: &str, _: &str| format!("movt {r}, #:upper16:{to}");
                let pair = Pair {
                    result: r.clone(),
                    scratch: s.clone(),
                    first: &first,
                    second: &second,
                    other: None,
                    idle: "mov r3, #0",
                    flag: &|taken| format!("movs r3, #{}", u8::from(taken)),
                    // Moves of halves leave the flags alone.
                    branch: &|to| format!("bne {to}"),
                };
                (code.lines, code.whole) = pair.lay(sequence.shape, label);
                code.added = true;
            }
            Form::MovesRelative => {
                // The addition is the third of three instructions of four bytes.
                let ahead = 8 + bias;
                code.lines = vec![
                    format!("movw {r}, #:lower16:({to} - . - {ahead})"),
                    format!("movt {r}, #:upper16:({to} - . - {})", ahead - 4),
                ];
                code.lines.push(self.add_pc(&r, &anchor));
                (code.whole, code.added) = (true, true);
            }
            Form::Literal => {
                code.lines = vec![literal(&r, "p")];
                code.pool = vec![align(), format!("{label}p: .word {to}")];
                code.added = true;
            }
            Form::LiteralRelative => {
                code.lines = vec![literal(&r, "p")];
                code.lines.push(self.add_pc(&r, &anchor));
                code.pool = vec![align(), format!("{label}p: .word {to} - ({anchor} + {bias})")];
                code.added = true;
            }
            Form::GotPage => {
                code.lines = vec![literal(&r, "p")];
                code.lines.push(self.add_pc(&r, &anchor));
                code.lines.push(format!("ldr {r}, [{r}]"));
                code.pool = relocated("GOT_PREL");
            }
            Form::GotOrigin | Form::LiteralFromGot => {
                let through = sequence.form == Form::GotOrigin;
                code.lines = vec![literal(&s, "p")];
                code.lines.push(self.add_pc(&s, &anchor));
                code.lines.push(literal(&r, "q"));
                let (last, offset) = if through {
                    (format!("ldr {r}, [{s}, {r}]"), format!("{symbol}(GOT)"))
                } else {
                    // With an addend, the assembler adds the symbol's offset in its section as well.
                    (format!("add {r}, {s}, {r}"), format!("{symbol}(GOTOFF)"))
                };
                code.lines.push(last);
                code.pool = vec![
                    align(),
                    format!("{label}p: .word _GLOBAL_OFFSET_TABLE_ - ({anchor} + {bias})"),
                    format!("{label}q: .word {offset}"),
                ];
            }
            Form::LocalExec => {
                code.lines =
                    vec![literal(&r, "p"), format!("mrc p15, 0, {s}, c13, c0, 3"), format!("add {r}, {r}, {s}")];
                code.pool = vec![align(), format!("{label}p: .word {symbol}(tpoff) + {}", 4 * sequence.addend)];
                code.added = true;
            }
            Form::InitialExec => {
                code.lines = vec![literal(&r, "p")];
                code.lines.push(self.add_pc(&r, &anchor));
                code.lines.extend([
                    format!("ldr {r}, [{r}]"),
                    format!("mrc p15, 0, {s}, c13, c0, 3"),
                    format!("add {r}, {r}, {s}"),
                ]);
                code.pool = relocated("gottpoff");
            }
            Form::GeneralDynamic | Form::LocalDynamic => {
                let local = sequence.form == Form::LocalDynamic;
                code.lines = vec![literal("r0", "p")];
                code.lines.push(self.add_pc("r0", &anchor));
                code.lines.push("bl __tls_get_addr".to_owned());
                code.pool = relocated(if local { "tlsldm" } else { "tlsgd" });
                if local {
                    code.lines.extend([literal(&r, "q"), format!("add {r}, {r}, r0")]);
                    // Without an addend: as above.
                    code.pool.push(format!("{label}q: .word {symbol}(tlsldo)"));
                } else {
                    code.lines.push(format!("mov {r}, r0"));
                }
                code.whole = true;
            }
            Form::Descriptor => {
                code.lines = vec![
                    literal("r0", "p"),
                    format!("{label}n:"),
                    format!("bl {symbol}(tlscall)"),
                    "mrc p15, 0, r1, c13, c0, 3".to_owned(),
                    format!("add {r}, r0, r1"),
                ];
                let state = u32::from(self.thumb);
                code.pool = vec![align(), format!("{label}p: .word {symbol}(tlsdesc) + (. - {label}n + {state})")];
                code.whole = true;
            }
            Form::Jump => {
                code.lines = vec![
                    "mov r0, #0".to_owned(),
                    format!("bl {label}j"),
                    format!("b {label}k"),
                    // The function that was called is in the same state as the rest.
                    format!("{label}j:"),
                    format!("b {symbol}"),
                    format!("{label}k:"),
                    format!("mov {r}, r0"),
                ];
                (code.whole, code.value) = (true, true);
            }
            Form::Conditional => {
                code.lines = vec![
                    "mov r0, #0".to_owned(),
                    "cmp r0, r0".to_owned(),
                    format!("bleq {symbol}"),
                    format!("mov {r}, r0"),
                ];
                (code.whole, code.value) = (true, true);
            }
            _ => {
                code.lines = vec!["mov r0, #0".to_owned(), format!("bl {symbol}"), format!("mov {r}, r0")];
                (code.whole, code.value) = (true, true);
            }
        }
        code
    }

    fn open(&self) -> &'static [&'static str] {
        &["push {r4-r10, lr}", "mov r7, #0"]
    }

    fn close(&self) -> &'static [&'static str] {
        &["mov r0, r7", "pop {r4-r10, pc}"]
    }

    fn load(&self, number: usize, bytes: u32) -> String {
        let r = result(number);
        format!("ldr r{r}, [r{r}, #{bytes}]")
    }

    fn load_other(&self, number: usize, bytes: Option<u32>) -> Vec<String> {
        let (r, o) = (result(number), other(number));
        let load = bytes.map(|bytes| format!("ldr r{o}, [r{o}, #{bytes}]"));
        load.into_iter().chain([format!("add r{r}, r{r}, r{o}")]).collect()
    }

    fn follow(&self, number: usize, bytes: u32, kind: PointerKind) -> Vec<String> {
        let r = result(number);
        match kind {
            PointerKind::Absolute16 => vec![format!("ldrh r{r}, [r{r}, #{bytes}]")],
            PointerKind::Absolute | PointerKind::Absolute32 => vec![format!("ldr r{r}, [r{r}, #{bytes}]")],
            PointerKind::Relative32 | PointerKind::Relative64 => {
                vec![format!("add r{r}, r{r}, #{bytes}"), format!("ldr r3, [r{r}]"), format!("add r{r}, r{r}, r3")]
            }
        }
    }

    fn call(&self, number: usize) -> Vec<String> {
        let r = result(number);
        vec![format!("blx r{r}"), format!("mov r{r}, r0")]
    }

    fn aligned(&self, number: usize, bytes: u32) -> Vec<String> {
        let r = result(number);
        vec![
            format!("movw r3, #{}", bytes - 1),
            format!("ands r3, r{r}, r3"),
            "ite eq".to_owned(),
            format!("moveq r{r}, #1"),
            format!("movne r{r}, #0"),
        ]
    }

    fn same(&self, number: usize, other: usize) -> Vec<String> {
        let r = result(number);
        vec![
            format!("cmp r{r}, r{}", result(other)),
            "ite eq".to_owned(),
            format!("moveq r{r}, #1"),
            format!("movne r{r}, #0"),
        ]
    }

    fn append(&self, number: usize) -> Vec<String> {
        vec!["add r7, r7, r7, lsl #1".to_owned(), format!("add r7, r7, r{}", result(number))]
    }

    fn constant(&self, constant: u16, calls: Option<&str>) -> Vec<String> {
        match calls {
            None => vec![format!("movw r0, #{constant}"), "bx lr".to_owned()],
            Some(function) => vec![
                "push {r4, lr}".to_owned(),
                format!("bl {function}"),
                format!("movw r1, #{constant}"),
                "add r0, r0, r1".to_owned(),
                "pop {r4, pc}".to_owned(),
            ],
        }
    }

    fn returns_word(&self, symbol: &str) -> Vec<String> {
        address("r0", symbol).into_iter().chain(lines(&["ldr r0, [r0]", "bx lr"])).collect()
    }

    fn walk(&self, start: &str, stop: &str) -> Vec<String> {
        let mut text: Vec<String> = address("r1", start).into_iter().chain(address("r2", stop)).collect();
        text.extend(lines(&[
            "mov r0, #0",
            "1: cmp r1, r2",
            "bhs 2f",
            "ldr r3, [r1], #4",
            "add r0, r0, r0, lsl #1",
            "add r0, r0, r3",
            "b 1b",
            "2: bx lr",
        ]));
        text
    }

    fn scan(&self, start: &str, stop: &str) -> Vec<String> {
        let mut text: Vec<String> = address("r1", start).into_iter().chain(address("r2", stop)).collect();
        text.extend(lines(&[
            "mov r0, #0",
            "1: cmp r1, r2",
            "bhs 2f",
            "ldrb r3, [r1], #1",
            "orr r0, r0, r3",
            "b 1b",
            "2: bx lr",
        ]));
        text
    }

    fn compare(&self, symbol: &str, with: [&str; 3]) -> Vec<String> {
        let mut text: Vec<String> = address("r1", symbol).to_vec();
        text.push("mov r0, #0".to_owned());
        for (bit, (with, condition)) in with.into_iter().zip(["lo", "hs", "lo"]).enumerate() {
            text.extend(address("r2", with));
            text.extend(["cmp r1, r2".to_owned(), format!("it {condition}")]);
            text.push(format!("orr{condition} r0, r0, #{}", 1 << bit));
        }
        text.push("bx lr".to_owned());
        text
    }

    fn part(&self, part: Part, function: &str, last: &str) -> Vec<String> {
        let sum = "add r4, r4, r4, lsl #1";
        match part {
            Part::First => lines(&["push {r4, lr}", "mov r4, #0"]),
            Part::Add(number) => vec![format!("movw r1, #{number}"), sum.to_owned(), "add r4, r4, r1".to_owned()],
            Part::Call(_) => vec![format!("bl {function}"), sum.to_owned(), "add r4, r4, r0".to_owned()],
            Part::Skip { taken } => vec![format!("movs r1, #{}", u8::from(taken)), format!("bne {last}")],
            Part::Last => lines(&["mov r0, r4", "pop {r4, pc}"]),
        }
    }

    fn trace(&self, digit: u32, symbol: &str) -> Vec<String> {
        let mut text = address("r1", symbol).to_vec();
        text.extend(lines(&["ldr r2, [r1]", "add r2, r2, r2, lsl #1"]));
        text.extend([format!("add r2, r2, #{digit}"), "str r2, [r1]".to_owned(), "bx lr".to_owned()]);
        text
    }

    fn tls_get_addr(&self, offset: u32) -> Vec<String> {
        vec![
            "ldr r0, [r0, #4]".to_owned(),
            "mrc p15, 0, r1, c13, c0, 3".to_owned(),
            "add r0, r0, r1".to_owned(),
            format!("movw r1, #{offset}"),
            "add r0, r0, r1".to_owned(),
            "bx lr".to_owned(),
        ]
    }

    fn pointer(&self, kind: PointerKind, to: &str) -> String {
        match kind {
            PointerKind::Absolute16 => format!("    .hword {to}\n    .hword 0\n"),
            PointerKind::Absolute | PointerKind::Absolute32 => format!("    .word {to}\n"),
            PointerKind::Relative32 | PointerKind::Relative64 => format!("    .word {to} - .\n"),
        }
    }

    fn pointer_bytes(&self, _: PointerKind) -> u32 {
        4
    }

    fn resolver(&self, function: &str) -> Vec<String> {
        let [low, high] = address("r0", function);
        vec![low, high, "bx lr".to_owned()]
    }

    fn enter(&self, chosen: bool, constructors: bool) -> Vec<String> {
        let mut text = lines(&["push {r4-r11, lr}", "sub sp, sp, #4", "mov r9, r0", "mov r11, #0"]);
        if chosen {
            // Offset and type of each R_ARM_IRELATIVE; the resolver is in the slot.
            text.extend(address("r4", "__rel_iplt_start"));
            text.extend(address("r5", "__rel_iplt_end"));
            text.extend(lines(&["3: cmp r4, r5", "bhs 4f", "ldr r6, [r4], #8", "ldr r0, [r6]", "blx r0"]));
            text.extend(lines(&["str r0, [r6]", "b 3b", "4:"]));
        }
        if constructors {
            text.extend(address("r4", "__init_array_start"));
            text.extend(address("r5", "__init_array_end"));
            text.extend(lines(&["1: cmp r4, r5", "bhs 2f", "ldr r0, [r4], #4", "blx r0", "b 1b", "2:"]));
        }
        text
    }

    fn check(&self, number: u32, symbol: &str, needs: u32, value: u32) -> Vec<String> {
        let mut text = vec![format!("mov r11, #{number}")];
        if needs != 0 {
            text.extend([format!("and r1, r9, #{needs}"), format!("cmp r1, #{needs}"), format!("bne .Lskip{number}")]);
        }
        text.extend([
            format!("bl {symbol}"),
            format!("movw r1, #{}", value & 0xffff),
            format!("movt r1, #{}", value >> 16),
            "cmp r0, r1".to_owned(),
            "bne .Lwrong".to_owned(),
            format!(".Lskip{number}:"),
        ]);
        text
    }

    fn leave(&self) -> Vec<String> {
        lines(&["mov r11, #0", ".Lwrong:", "mov r1, r0", "mov r0, r11", "add sp, sp, #4", "pop {r4-r11, pc}"])
    }

    fn start(&self) -> &'static str {
        START
    }
}

/// The auxiliary vector leads to the program headers, where PT_TLS is. The thread's variables go below the stack. The entry's
/// argument is the number of the process' arguments. The kernel sets the thread pointer.
const START: &str = "\
    .globl _start
    .arm
    .type _start, %function
_start:
    ldr r10, [sp]
    add r0, sp, #8
    add r0, r0, r10, lsl #2
    mov r4, #0
    mov r5, #0
1:  ldr r1, [r0], #4
    cmp r1, #0
    bne 1b
2:  ldr r1, [r0], #4
    ldr r2, [r0], #4
    cmp r1, #3
    moveq r4, r2
    cmp r1, #5
    moveq r5, r2
    cmp r1, #0
    bne 2b
3:  cmp r5, #0
    beq 8f
    ldr r1, [r4]
    cmp r1, #7
    beq 4f
    add r4, r4, #32
    sub r5, r5, #1
    b 3b
4:  ldr r1, [r4, #8]
    ldr r2, [r4, #16]
    ldr r3, [r4, #20]
    ldr r6, [r4, #28]
    sub r0, sp, #65536
    bfc r0, #0, #12
    mov sp, r0
    sub r6, r6, #1
    add r8, r6, #8
    bic r8, r8, r6
    add r8, r0, r8
5:  cmp r3, #0
    beq 7f
    mov r5, #0
    cmp r2, #0
    beq 6f
    ldrb r5, [r1], #1
    sub r2, r2, #1
6:  strb r5, [r8], #1
    sub r3, r3, #1
    b 5b
7:  movw r7, #5
    movt r7, #15
    svc #0
8:  sub r0, r10, #1
    bl entry
    mov r7, #1
    svc #0
";
