//! Host functions, called directly: a call may start at one, as a branch from guest code would.

use crate::support::*;
use corpus::value::Value;
use harness::call::{self, Type};
use harness::executor::{Executor, Exit, FaultKind, Guest, Register, Stop, Unicorn};
use linker::memory::Protection;

const TARGETS: [&str; 6] = ["aarch64", "armv7", "armv6", "thumbv7", "thumbv6m", "thumbv7m"];

fn text(bytes: &str) -> Value {
    Value::Buffer(format!("{bytes}\0").into_bytes())
}

fn call(machine: &mut Unicorn, name: &str, arguments: &[Value]) -> Stop {
    let function = machine.host().lookup(name).unwrap_or_else(|| panic!("{name}"));
    call::call(machine, function, arguments, &|_| None).expect("placed")
}

fn value(machine: &mut Unicorn, name: &str, arguments: &[Value], of: Type) -> Value {
    assert_eq!(call(machine, name, arguments), Stop::Returned, "{name}");
    call::result(machine, of).expect("readable")
}

#[test]
fn printing() {
    for target in TARGETS {
        let mut machine = machine(target);
        call(&mut machine, "puts", &[text("one")]);
        call(&mut machine, "putchar", &[Value::I32(0x100 + 0x41)]);
        call(&mut machine, "fputs", &[text("!"), Value::U32(2)]);
        assert_eq!(machine.host().printed(), b"one\nA!", "{target}");
    }
}

/// What glibc's printf prints, one argument at a time. On the base standard and on AArch64 a variadic call and this one are the
/// same; compiled hard-float callers are in executor_abi.rs.
#[test]
fn formats() {
    use Value::{F64, I32, I64, U32, U64};
    let cases: Vec<(&str, Vec<Value>, &str)> = vec![
        ("%d|%i|%u", vec![I32(-1), I32(5), U32(u32::MAX)], "-1|5|4294967295"),
        ("%5d|%-5d|%05d|%+d|% d", vec![I32(42), I32(42), I32(42), I32(42), I32(42)], "   42|42   |00042|+42| 42"),
        ("%.3d|%6.3d|%-6.3d|%.0d|", vec![I32(7), I32(7), I32(-7), I32(0)], "007|   007|-007  ||"),
        ("%x|%X|%#x|%#X|%08x|%o|%#o", vec![U32(0xbeef); 7], "beef|BEEF|0xbeef|0XBEEF|0000beef|137357|0137357"),
        ("%#x|%#o", vec![U32(0), U32(0)], "0|0"),
        ("%#010x", vec![U32(0xbeef)], "0x0000beef"),
        (
            "%lld|%llu|%llx",
            vec![I64(-(1 << 40)), U64(u64::MAX), U64(1 << 63)],
            "-1099511627776|18446744073709551615|8000000000000000",
        ),
        ("%hhd|%hd|%hhu|%hu", vec![I32(0x1ff), I32(0x1_8000), I32(-1), I32(-1)], "-1|-32768|255|65535"),
        ("%c%c|%3c|%-3c|", vec![I32(65), I32(66), I32(67), I32(68)], "AB|  C|D  |"),
        (
            "%s|%5s|%-5s|%.2s|%s",
            vec![text("abc"), text("abc"), text("abc"), text("abc"), U32(0)],
            "abc|  abc|abc  |ab|(null)",
        ),
        (
            "%*d|%-*d|%.*f|%*d",
            vec![I32(5), I32(1), I32(4), I32(2), I32(1), F64(2.55), I32(-3), I32(7)],
            "    1|2   |2.5|7  ",
        ),
        ("%p|%p", vec![Value::U32(0x1234), U32(0)], "0x1234|(nil)"),
        ("100%%", vec![], "100%"),
        (
            "%f|%.0f|%#.0f|%.3f|%8.2f|%-8.2f|%08.2f|%+f",
            vec![F64(1.5); 8],
            "1.500000|2|2.|1.500|    1.50|1.50    |00001.50|+1.500000",
        ),
        (
            "%e|%.2e|%E|%e",
            vec![F64(12345.678), F64(0.00012345), F64(1e100), F64(0.0)],
            "1.234568e+04|1.23e-04|1.000000E+100|0.000000e+00",
        ),
        (
            "%g|%g|%g|%g|%g",
            vec![F64(0.0001), F64(0.00001), F64(123456.0), F64(1234567.0), F64(100.0)],
            "0.0001|1e-05|123456|1.23457e+06|100",
        ),
        (
            "%g|%.3g|%#g|%G|%g",
            vec![F64(0.5), F64(1234.5), F64(1.0), F64(1e-10), F64(0.0)],
            "0.5|1.23e+03|1.00000|1E-10|0",
        ),
        (
            "%f|%F|%5.1f|%-6g|%06f",
            vec![F64(f64::INFINITY), F64(f64::NEG_INFINITY), F64(f64::NAN), F64(f64::INFINITY), F64(f64::INFINITY)],
            "inf|-INF|  nan|inf   |   inf",
        ),
        ("%f|%g|%d", vec![F64(-0.0), F64(-1.5), I32(i32::MIN)], "-0.000000|-1.5|-2147483648"),
    ];
    for target in ["aarch64", "armv6", "thumbv7m"] {
        for (format, arguments, expected) in &cases {
            let mut machine = machine(target);
            let mut all = vec![text(format)];
            all.extend(arguments.iter().cloned());
            let length = value(&mut machine, "printf", &all, Type::I32);
            let printed = String::from_utf8_lossy(machine.host().printed()).into_owned();
            assert_eq!(&printed, expected, "{target}: {format}");
            assert_eq!(length, Value::I32(expected.len() as i32));
        }
    }
}

#[test]
fn long_and_size_are_as_wide_as_a_register() {
    let mut wide = machine("aarch64");
    call(
        &mut wide,
        "printf",
        &[text("%ld %lu %zu %zx"), Value::I64(-1), Value::U64(1 << 40), Value::U64(7), Value::U64(1 << 63)],
    );
    assert_eq!(wide.host().printed(), b"-1 1099511627776 7 8000000000000000");
    let mut narrow = machine("armv6");
    call(&mut narrow, "printf", &[text("%ld %lu %zu"), Value::I32(-1), Value::U32(u32::MAX), Value::U32(7)]);
    assert_eq!(narrow.host().printed(), b"-1 4294967295 7");
}

#[test]
fn printing_into_memory() {
    let mut machine = machine("aarch64");
    let room = machine.buffer(&[0x7e; 16]).expect("room");
    let stop = call(
        &mut machine,
        "snprintf",
        &[Value::U64(room), Value::U64(6), text("%d-%d"), Value::I32(1234), Value::I32(5678)],
    );
    assert_eq!(stop, Stop::Returned);
    assert_eq!(result(&machine), 9, "what it would have been");
    let mut bytes = [0; 8];
    machine.peek(room, &mut bytes).expect("mapped");
    assert_eq!(&bytes, b"1234-\0~~");
    assert_eq!(value(&mut machine, "sprintf", &[Value::U64(room), text("<%s>"), text("x")], Type::I32), Value::I32(3));
    machine.peek(room, &mut bytes).expect("mapped");
    assert_eq!(&bytes[..4], b"<x>\0");
}

#[test]
fn memory_and_strings() {
    for target in TARGETS {
        let mut machine = machine(target);
        let copy = value(&mut machine, "malloc", &[Value::U32(100)], Type::Pointer);
        let Value::U64(address) = copy else { panic!("{copy:?}") };
        let pointer = Value::U32(address as u32);
        let got = value(&mut machine, "strcpy", &[pointer.clone(), text("hello")], Type::Bytes(6));
        assert_eq!(got, text("hello"), "{target}");
        assert_eq!(value(&mut machine, "strlen", std::slice::from_ref(&pointer), Type::U32), Value::U32(5));
        assert_eq!(value(&mut machine, "strcmp", &[pointer.clone(), text("hellp")], Type::I32), Value::I32(-1));
        assert_eq!(
            value(&mut machine, "strncmp", &[pointer.clone(), text("hellp"), Value::U32(4)], Type::I32),
            Value::I32(0)
        );
        assert_eq!(
            value(&mut machine, "memcmp", &[pointer.clone(), text("hallo"), Value::U32(5)], Type::I32),
            Value::I32(1)
        );
        // Overlapping, towards higher addresses.
        call(&mut machine, "memmove", &[Value::U32(address as u32 + 1), pointer.clone(), Value::U32(6)]);
        call(&mut machine, "memset", &[pointer.clone(), Value::I32(b'<'.into()), Value::U32(1)]);
        let mut bytes = [0; 7];
        machine.peek(address, &mut bytes).expect("mapped");
        assert_eq!(&bytes, b"<hello\0", "{target}");
        let larger = value(&mut machine, "realloc", &[pointer.clone(), Value::U32(1000)], Type::Bytes(7));
        assert_eq!(larger, text("<hello"));
        assert_eq!(
            call(&mut machine, "free", std::slice::from_ref(&pointer)),
            Stop::Exited(Exit::Abort("free(): invalid pointer".to_owned()))
        );
        assert_eq!(call(&mut machine, "free", &[Value::U32(0)]), Stop::Returned);
        assert_eq!(
            value(&mut machine, "calloc", &[Value::U32(4), Value::U32(2)], Type::Bytes(8)),
            Value::Buffer(vec![0; 8])
        );
        assert_eq!(value(&mut machine, "malloc", &[Value::U32(u32::MAX)], Type::Pointer), Value::U64(0));
    }
}

#[test]
fn freed_memory_is_used_again() {
    let mut machine = machine("armv7");
    for _ in 0..100 {
        let block = value(&mut machine, "malloc", &[Value::U32(500_000)], Type::U32);
        assert_ne!(block, Value::U32(0));
        assert_eq!(call(&mut machine, "free", &[block]), Stop::Returned);
    }
}

#[test]
fn bad_pointers_are_faults_of_the_guest_in_the_host_function() {
    for target in TARGETS {
        let mut machine = machine(target);
        load_at(&mut machine, 0x60_0000, b"constant\0", Protection::Read);
        let bad = Value::U32(0x5000_0000);
        for (name, arguments, kind, address) in [
            ("puts", vec![bad.clone()], FaultKind::Read, 0x5000_0000),
            ("strlen", vec![Value::U32(0)], FaultKind::Read, 0),
            ("strcpy", vec![Value::U32(0x60_0000), text("x")], FaultKind::Write, 0x60_0000),
            ("memset", vec![bad.clone(), Value::I32(0), Value::U32(u32::MAX)], FaultKind::Write, 0x5000_0000),
            ("memcpy", vec![bad.clone(), bad.clone(), Value::U32(u32::MAX)], FaultKind::Read, 0x5000_0000),
            ("printf", vec![text("%s"), bad.clone()], FaultKind::Read, 0x5000_0000),
            // Runs off the end of a page.
            (
                "memcmp",
                vec![Value::U32(0x60_0000), Value::U32(0x60_0000), Value::U32(0x1001)],
                FaultKind::Read,
                0x60_1000,
            ),
        ] {
            let stop = call(&mut machine, name, &arguments);
            let fault = stop.fault().unwrap_or_else(|| panic!("{target}: {name}: {stop:?}"));
            assert_eq!((fault.kind, fault.address), (kind, Some(address)), "{target}: {name}");
            assert_eq!(fault.host.as_deref(), Some(name));
        }
    }
}

#[test]
fn a_string_that_ends_where_memory_ends() {
    let mut machine = machine("aarch64");
    load_at(&mut machine, 0x60_0ffc, b"abc\0", Protection::Read);
    assert_eq!(value(&mut machine, "strlen", &[Value::U64(0x60_0ffc)], Type::U64), Value::U64(3));
}

#[test]
fn ending() {
    let mut machine = machine("thumbv7");
    assert_eq!(call(&mut machine, "exit", &[Value::I32(3)]), Stop::Exited(Exit::Code(3)));
    assert_eq!(call(&mut machine, "_exit", &[Value::I32(-1)]), Stop::Exited(Exit::Code(255)));
    assert_eq!(call(&mut machine, "abort", &[]), Stop::Exited(Exit::Abort(String::new())));
    let stop = call(&mut machine, "__assert_fail", &[text("a == b"), text("f.c"), Value::U32(12), text("main")]);
    let message = "f.c:12: main: Assertion `a == b' failed.";
    assert_eq!(stop, Stop::Exited(Exit::Abort(message.to_owned())));
    assert_eq!(machine.host().printed(), format!("{message}\n").as_bytes());
    assert!(matches!(call(&mut machine, "__cxa_pure_virtual", &[]), Stop::Exited(Exit::Abort(_))));
    assert!(matches!(call(&mut machine, "__stack_chk_fail", &[]), Stop::Exited(Exit::Abort(_))));
}

#[test]
fn functions_registered_for_exit_run_in_reverse() {
    for target in TARGETS {
        let mut machine = machine(target);
        let putchar = machine.host().lookup("putchar").expect("putchar") as u32;
        for letter in [b'a', b'b', b'c'] {
            let arguments = [Value::U32(putchar), Value::I32(letter.into()), Value::U32(0)];
            assert_eq!(value(&mut machine, "__cxa_atexit", &arguments, Type::I32), Value::I32(0));
        }
        assert_eq!(call(&mut machine, "__cxa_finalize", &[Value::U32(0)]), Stop::Returned, "{target}");
        assert_eq!(machine.host().printed(), b"cba", "{target}");
        let arguments = [Value::I32(b'x'.into()), Value::U32(putchar), Value::U32(0)];
        call(&mut machine, "__aeabi_atexit", &arguments);
        assert_eq!(call(&mut machine, "exit", &[Value::I32(9)]), Stop::Exited(Exit::Code(9)), "{target}");
        assert_eq!(machine.host().printed(), b"cbax", "{target}");
    }
}

#[test]
fn arm_run_time_helpers() {
    use Value::{F32, F64, I32, I64, U32, U64};
    // The base standard everywhere: armv6 and the M profile use it for the call, too.
    for target in ["armv6", "thumbv6m", "thumbv7m"] {
        let mut machine = machine(target);
        let cases: Vec<(&str, Vec<Value>, Value)> = vec![
            ("__aeabi_idiv", vec![I32(-7), I32(2)], I32(-3)),
            ("__aeabi_idiv", vec![I32(i32::MIN), I32(-1)], I32(i32::MIN)),
            ("__aeabi_idiv", vec![I32(1), I32(0)], I32(0)),
            ("__aeabi_uidiv", vec![U32(u32::MAX), U32(2)], U32(0x7fff_ffff)),
            ("__aeabi_idivmod", vec![I32(-7), I32(2)], U64(0xffff_ffff_ffff_fffd)),
            ("__aeabi_uidivmod", vec![U32(7), U32(2)], U64(1 << 32 | 3)),
            ("__aeabi_lmul", vec![I64(-3), I64(1 << 40)], I64(-(3 << 40))),
            ("__aeabi_ldivmod", vec![I64(-(7 << 40)), I64(2 << 40)], I64(-3)),
            ("__aeabi_uldivmod", vec![U64(u64::MAX), U64(2)], U64(u64::MAX / 2)),
            ("__aeabi_llsl", vec![U64(3), I32(40)], U64(3 << 40)),
            ("__aeabi_llsr", vec![U64(3 << 40), I32(40)], U64(3)),
            ("__aeabi_lasr", vec![I64(-(3 << 40)), I32(40)], I64(-3)),
            ("__aeabi_lcmp", vec![I64(-1), I64(1)], I32(-1)),
            ("__aeabi_ulcmp", vec![I64(-1), I64(1)], I32(1)),
            ("__aeabi_fadd", vec![F32(1.5), F32(2.25)], F32(3.75)),
            ("__aeabi_fsub", vec![F32(1.5), F32(2.25)], F32(-0.75)),
            ("__aeabi_frsub", vec![F32(1.5), F32(2.25)], F32(0.75)),
            ("__aeabi_ddiv", vec![F64(1.0), F64(4.0)], F64(0.25)),
            ("__aeabi_drsub", vec![F64(1.0), F64(4.0)], F64(3.0)),
            ("__aeabi_dcmplt", vec![F64(1.0), F64(4.0)], I32(1)),
            ("__aeabi_dcmpun", vec![F64(f64::NAN), F64(4.0)], I32(1)),
            ("__aeabi_dcmpge", vec![F64(f64::NAN), F64(4.0)], I32(0)),
            ("__aeabi_f2d", vec![F32(1.5)], F64(1.5)),
            ("__aeabi_d2f", vec![F64(1.5)], F32(1.5)),
            ("__aeabi_i2d", vec![I32(-3)], F64(-3.0)),
            ("__aeabi_ui2d", vec![U32(u32::MAX)], F64(4294967295.0)),
            ("__aeabi_ul2d", vec![U64(1 << 63)], F64(9223372036854775808.0)),
            ("__aeabi_l2f", vec![I64(-(1 << 40))], F32(-1099511627776.0)),
            ("__aeabi_d2iz", vec![F64(-2.75)], I32(-2)),
            ("__aeabi_d2uiz", vec![F64(3e9)], U32(3_000_000_000)),
            ("__aeabi_f2lz", vec![F32(-1099511627776.0)], I64(-(1 << 40))),
        ];
        for (name, arguments, expected) in cases {
            let got = value(&mut machine, name, &arguments, Type::of(&expected));
            assert_eq!(got, expected, "{target}: {name} {arguments:?}");
        }
        // The rest of a 64-bit division is in r2 and r3.
        call(&mut machine, "__aeabi_uldivmod", &[U64(u64::MAX), U64(10)]);
        assert_eq!((machine.get(Register::Core(2)), machine.get(Register::Core(3))), (5, 0));
        // Comparisons by flags leave the registers alone.
        for (a, b, zero, carry) in [(1.0, 2.0, 0, 0), (2.0, 2.0, 1, 1), (3.0, 2.0, 0, 1), (f64::NAN, 2.0, 0, 1)] {
            call(&mut machine, "__aeabi_cdcmple", &[F64(a), F64(b)]);
            let status = machine.get(Register::Status);
            assert_eq!(((status >> 30) & 1, (status >> 29) & 1), (zero, carry), "{target}: {a} {b}");
            assert_eq!(machine.get(Register::Core(3)), u128::from(b.to_bits() >> 32));
        }
        let room = machine.buffer(&[9; 16]).expect("room") as u32;
        call(&mut machine, "__aeabi_memset", &[U32(room), U32(4), I32(7)]);
        call(&mut machine, "__aeabi_memclr4", &[U32(room + 8), U32(4)]);
        let mut bytes = [1; 16];
        machine.peek(room.into(), &mut bytes).expect("mapped");
        assert_eq!(bytes, [7, 7, 7, 7, 9, 9, 9, 9, 0, 0, 0, 0, 9, 9, 9, 9]);
    }
}

#[test]
fn every_function_with_wild_arguments_ends_in_some_way() {
    for target in TARGETS {
        let mut machine = machine(target);
        let names: Vec<String> = machine.host().names().map(str::to_owned).collect();
        for name in names.iter().filter(|name| machine.host().is_function(name)).cloned().collect::<Vec<_>>() {
            for wild in [0, 1, 0xffff_ffff, 0x8000_0000] {
                machine.reset();
                let stop = call(
                    &mut machine,
                    &name,
                    &[Value::U32(wild), Value::U32(wild), Value::U32(wild), Value::U32(wild)],
                );
                let ends = matches!(stop, Stop::Returned | Stop::Fault(_) | Stop::Exited(_));
                assert!(ends, "{target}: {name}({wild:#x}...): {stop:?}");
            }
        }
    }
}

#[test]
fn names_and_addresses() {
    for target in TARGETS {
        let machine = machine(target);
        let m_profile = machine.info().m_profile;
        let host = machine.host();
        let mut seen = std::collections::HashSet::new();
        for name in host.names() {
            let address = host.lookup(name).expect("its own name");
            assert!(seen.insert(address), "{target}: {name} shares an address");
            assert_eq!(address & 1 == 1, host.is_function(name) && m_profile, "{target}: {name}");
        }
        assert_eq!(host.lookup("no such function"), None);
        assert!(host.lookup("stdout").is_some() && !host.is_function("stdout"));
        assert_eq!(host.lookup("__aeabi_idiv").is_some(), target != "aarch64");
    }
}

#[test]
fn functions_of_ones_own() {
    let mut machine = machine("armv7");
    let twice = machine.host_mut().define("twice", |frame| {
        let value = frame.int()?;
        frame.give_int(value * 2)
    });
    assert_eq!(machine.host().lookup("twice"), Some(twice));
    assert_eq!(value(&mut machine, "twice", &[Value::I32(21)], Type::I32), Value::I32(42));
    // Replacing keeps the address, and a reset keeps the function.
    let again = machine.host_mut().define("twice", |frame| {
        let value = frame.double()?;
        frame.give_double(value * 2.0)
    });
    assert_eq!(again, twice);
    machine.reset();
    assert_eq!(value(&mut machine, "twice", &[Value::F64(1.25)], Type::F64), Value::F64(2.5));
}
