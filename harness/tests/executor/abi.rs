//! Arguments and results against code that a compiler made of the same types: the proof of the allocation rules.
//!
//! The machine code below is gcc 12's for these sources, at -O1 for each target's own calling convention:
//! ```c
//! struct out { int a, b, c; float f[6]; long long l, m; double d[9]; };
//! void mix(int a, float f0, double d0, float f1, long long l, int b, double d1, float f2, double d2, double d3, double d4,
//!          double d5, double d6, double d7, float f3, double d8, float f4, int c, long long m, float f5, struct out *o)
//! { /* stores each into its field */ }
//! int var(int (*p)(const char *, ...), const char *f, const char *s, int i, long long l, double d)
//! { return p(f, i, l, d, s, i + 1, d); }
//! float rf(float a) { return a; }
//! double rd(int i, double a) { return a; }
//! long long rl(int i, long long a) { return a; }
//! ```

use crate::support::*;
use corpus::value::Value;
use harness::call::{self, CallError, Type};
use harness::executor::{Executor, Stop, Unicorn};

struct Code {
    target: &'static str,
    thumb: u64,
    mix: &'static str,
    var: &'static str,
    ret: &'static str,
    /// Where `rf`, `rd` and `rl` are in `ret`.
    offsets: [u64; 3],
}

const CODE: [Code; 6] = [
    Code {
        target: "aarch64",
        thumb: 0,
        mix: "a00000b9a20400b9a30800b9a00c00bda21000bda41400bde01b40bda01800bde02b40bda01c00bde03340bda02000bda114\
            00f9a41800f9a11c00fda32000fda52400fda62800fda72c00fde00340fda03000fde00740fda03400fde00b40fda03800fd\
            e01340fda03c00fdc0035fd6",
        var: "fd7bbfa9fd030091e50300aae00301aae60302aae103032ae20304aa0140601e64040011e30306aaa0003fd6fd7bc1a8c003\
            5fd6",
        ret: "c0035fd6c0035fd6e00301aac0035fd6",
        offsets: [0, 4, 8],
    },
    Code {
        target: "armv7",
        thumb: 0,
        mix: "30002de90240a0e10350a0e144309de5000083e508209de5042083e534209de5082083e5030a83ed040ac3ed053a83ed2020\
            9de5182083e530209de51c2083e540209de5202083e5f842c3e1d803cde1f003c3e10e1b83ed102b83ed124b83ed145b83ed\
            166b83ed187b83edd001cde1f806c3e1d801cde1f007c3e1d802cde1f807c3e13000bde81eff2fe1",
        var: "10402de918d04de20040a0e10100a0e10310a0e1040b8ded013083e20c308de508208de5000b8dedd022cde134ff2fe118d0\
            8de21080bde8",
        ret: "1eff2fe11eff2fe10200a0e10310a0e11eff2fe1",
        offsets: [0, 4, 8],
    },
    Code {
        target: "thumbv7",
        thumb: 1,
        mix: "30b414461d46119b1860029a5a600d9a9a6083ed030ac3ed040a83ed053a089a9a610c9ada61109a1a62c3e90a45dde90e01\
            c3e90c0183ed0e1b83ed102b83ed124b83ed145b83ed166b83ed187bdde90401c3e91a01dde90601c3e91c01dde90a01c3e9\
            1e0130bc7047",
        var: "10b586b00446084619468ded040b0133039302928ded000bdde90823a04706b010bd",
        ret: "70477047104619467047",
        offsets: [0, 2, 4],
    },
    Code {
        target: "armv6",
        thumb: 0,
        mix: "30002de90240a0e10350a0e184309de5000083e518209de5042083e574209de5082083e50c1083e508209de5102083e52820\
            9de5142083e560209de5182083e570209de51c2083e580209de5202083e5d001cde1f802c3e1d807cde1f003c3e1f843c3e1\
            d002cde1f004c3e1d003cde1f804c3e1d803cde1f005c3e1d004cde1f805c3e1d804cde1f006c3e1d005cde1f806c3e1d805\
            cde1f007c3e1d806cde1f807c3e13000bde81eff2fe1",
        var: "70402de918d04de20060a0e10100a0e10310a0e1d043cde1f041cde1013083e20c308de508208de5f040cde1d822cde136ff\
            2fe118d08de27080bde8",
        ret: "1eff2fe10200a0e10310a0e11eff2fe10200a0e10310a0e11eff2fe1",
        offsets: [0, 4, 16],
    },
    Code {
        target: "thumbv6m",
        thumb: 1,
        mix: "30b514001d00229b1860079a5a601e9a9a60d960039a1a610b9a5a61199a9a611d9ada61219a1a620599069a9962da621f99\
            209a19635a639c63dd6309990a9a19645a640d990e9a9964da640f99109a19655a651199129a9965da651399149a19665a66\
            1599169a9966da661799189a19675a671b991c9a9967da6730bd",
        var: "70b586b00400080019000c9d0d9e049505960133039302922a003300009201930a9a0b9ba04706b070bd",
        ret: "7047100019007047100019007047",
        offsets: [0, 2, 8],
    },
    Code {
        target: "thumbv7m",
        thumb: 1,
        mix: "30b414461d46219b1860069a5a601d9a9a60d960029a1a610a9a5a61189a9a611c9ada61209a1a62dde90401c3e90a01dde9\
            1e01c3e90c01c3e90e45dde90801c3e91001dde90c01c3e91201dde90e01c3e91401dde91001c3e91601dde91201c3e91801\
            dde91401c3e91a01dde91601c3e91c01dde91a01c3e91e0130bc7047",
        var: "70b586b0064608461946dde90c45cde90445013303930292cde90045dde90a23b04706b070bd",
        ret: "7047104619467047104619467047",
        offsets: [0, 2, 8],
    },
];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hexadecimal") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

const MIX: u64 = 0x40_0000;
const VAR: u64 = 0x41_0000;
const RET: u64 = 0x42_0000;

fn ready(code: &Code) -> Unicorn {
    let mut machine = machine(code.target);
    code_at(&mut machine, MIX, &bytes(code.mix));
    code_at(&mut machine, VAR, &bytes(code.var));
    code_at(&mut machine, RET, &bytes(code.ret));
    machine
}

#[test]
fn every_argument_arrives() {
    for code in &CODE {
        let mut machine = ready(code);
        let out = machine.buffer(&[0xee; 160]).expect("room");
        let d = |n: i32| Value::F64(f64::from(n) + 0.25);
        let f = |n: i16| Value::F32(f32::from(n) + 0.5);
        let arguments = [
            Value::I32(-1),
            f(0),
            d(0),
            f(1),
            Value::I64(-0x1122_3344_5566_7788),
            Value::U32(0x8000_0001),
            d(1),
            f(2),
            d(2),
            d(3),
            d(4),
            d(5),
            d(6),
            d(7),
            f(3),
            d(8),
            f(4),
            Value::I32(77),
            Value::U64(0x8877_6655_4433_2211),
            f(5),
            Value::Address("out".to_owned(), 0),
        ];
        let symbol = |name: &str| (name == "out").then_some(out);
        let stop = call::call(&mut machine, MIX | code.thumb, &arguments, &symbol).expect("placed");
        assert_eq!(stop, Stop::Returned, "{}", code.target);
        let mut got = [0; 136];
        machine.peek(out, &mut got).expect("mapped");
        let mut expected = Vec::new();
        for word in [-1i32, 0x8000_0001u32 as i32, 77] {
            expected.extend_from_slice(&word.to_le_bytes());
        }
        for n in 0..6i16 {
            expected.extend_from_slice(&(f32::from(n) + 0.5).to_le_bytes());
        }
        // Fields of 8 bytes begin at a multiple of 8 on both architectures.
        expected.resize(40, 0xee);
        expected.extend_from_slice(&(-0x1122_3344_5566_7788i64).to_le_bytes());
        expected.extend_from_slice(&0x8877_6655_4433_2211u64.to_le_bytes());
        for n in 0..9 {
            expected.extend_from_slice(&(f64::from(n) + 0.25).to_le_bytes());
        }
        expected.resize(136, 0xee);
        assert_eq!(got[..128], expected[..128], "{}", code.target);
    }
}

#[test]
fn results_come_back() {
    for code in &CODE {
        let mut machine = ready(code);
        let none = |_: &str| None;
        let at = |n: usize| (RET + code.offsets[n]) | code.thumb;
        let cases: [(usize, Vec<Value>, Value); 4] = [
            (0, vec![Value::F32(1.5)], Value::F32(1.5)),
            (1, vec![Value::I32(3), Value::F64(-2.75)], Value::F64(-2.75)),
            (2, vec![Value::I32(3), Value::I64(-(5 << 33))], Value::I64(-(5 << 33))),
            (2, vec![Value::I32(3), Value::U64(u64::MAX - 1)], Value::U64(u64::MAX - 1)),
        ];
        for (function, arguments, expected) in cases {
            let stop = call::call(&mut machine, at(function), &arguments, &none).expect("placed");
            assert_eq!(stop, Stop::Returned, "{}", code.target);
            assert_eq!(call::result(&mut machine, Type::of(&expected)), Ok(expected), "{}", code.target);
        }
    }
}

#[test]
fn variadic_arguments_of_compiled_code_are_read() {
    for code in &CODE {
        let mut machine = ready(code);
        let printf = machine.host().lookup("printf").expect("printf");
        let arguments = [
            Value::Address("printf".to_owned(), 0),
            Value::Buffer(b"%d %lld %.2f %s %d %g\n\0".to_vec()),
            Value::Buffer(b"text\0".to_vec()),
            Value::I32(-7),
            Value::I64(1 << 40),
            Value::F64(2.5),
        ];
        let symbol = |_: &str| Some(printf);
        let stop = call::call(&mut machine, VAR | code.thumb, &arguments, &symbol).expect("placed");
        assert_eq!(stop, Stop::Returned, "{}", code.target);
        let text = String::from_utf8_lossy(machine.host().printed()).into_owned();
        assert_eq!(text, "-7 1099511627776 2.50 text -6 2.5\n", "{}", code.target);
        assert_eq!(call::result(&mut machine, Type::I32), Ok(Value::I32(34)));
    }
}

#[test]
fn pointers_and_buffers() {
    let mut machine = machine("thumbv7");
    // bx lr: returns its first argument
    code_at(&mut machine, MIX, &halves(&[0x4770]));
    let text = Value::Buffer(b"some bytes\0".to_vec());
    let stop = call::call(&mut machine, MIX | 1, std::slice::from_ref(&text), &|_| None).expect("placed");
    assert_eq!(stop, Stop::Returned);
    assert_eq!(call::result(&mut machine, Type::of(&text)), Ok(text));
    let symbol = |name: &str| (name == "here").then_some(0xffff_fff0);
    let address = Value::Address("here".to_owned(), 0x18);
    call::call(&mut machine, MIX | 1, &[address], &symbol).expect("placed");
    assert_eq!(call::result(&mut machine, Type::Pointer), Ok(Value::U64(8)), "addresses wrap");
    let missing = call::call(&mut machine, MIX | 1, &[Value::Address("there".to_owned(), 0)], &symbol);
    assert_eq!(missing, Err(CallError::UnknownSymbol("there".to_owned())));
    // More than there is room for at first.
    let large = Value::Buffer(vec![7; 1 << 21]);
    call::call(&mut machine, MIX | 1, std::slice::from_ref(&large), &symbol).expect("placed");
    assert_eq!(call::result(&mut machine, Type::of(&large)), Ok(large));
}
