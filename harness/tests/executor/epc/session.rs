//! A controller of our own speaks to the server, in the dialects of LLVM 18 to 23: what llvm-jitlink 19 never says is said here.

use harness::epc::place::Terms;
use harness::executor::{Executor, Guest};
use harness::orc::error::ServeError;
use harness::orc::sps::{self, Error, Expected};
use harness::orc::wire::{Message, Opcode};
use harness::orc::{AddressRange, AllocationAction, FinalizeRequest, Segment, SymbolDefinition, WrapperCall};

use super::support::{Client, Code, Objects, machine, session};

const RESERVE: &str = "__llvm_orc_SimpleExecutorMemoryManager_reserve_wrapper";
const FINALIZE: &str = "__llvm_orc_SimpleExecutorMemoryManager_finalize_wrapper";
const DEALLOCATE: &str = "__llvm_orc_SimpleExecutorMemoryManager_deallocate_wrapper";
const INITIALIZE: &str = "__llvm_orc_SimpleExecutorMemoryManager_initialize_wrapper";
const DEINITIALIZE: &str = "__llvm_orc_SimpleExecutorMemoryManager_deinitialize_wrapper";
const RELEASE: &str = "__llvm_orc_SimpleExecutorMemoryManager_release_wrapper";
const OPEN: &str = "__llvm_orc_SimpleExecutorDylibManager_open_wrapper";
const LOOKUP: &str = "__llvm_orc_SimpleExecutorDylibManager_lookup_wrapper";
const RESOLVE: &str = "__llvm_orc_SimpleExecutorDylibManager_resolve_wrapper";
const MAIN: &str = "__llvm_orc_bootstrap_run_as_main_wrapper";
const VOID: &str = "__llvm_orc_bootstrap_run_as_void_function_wrapper";
const INT: &str = "__llvm_orc_bootstrap_run_as_int_function_wrapper";
const FRAMES: &str = "llvm_orc_registerEHFrameAllocAction";
const READ: &str = "__llvm_orc_bootstrap_mem_read_buffers_wrapper";
const PAGE: u64 = 0x1000;

/// Functions as ORC's run-time library has them: results of one byte in the record, longer ones in memory from malloc, and an
/// error is text and no length. The first argument is always a function of the host.
const CODE: &str = "
typedef struct { char *pointer; unsigned long size; } Result;
typedef char *Host(unsigned long);
static inline Host *host(const char *at) {
    unsigned long address = 0;
    for (int i = sizeof address; i--;) address = address << 8 | (unsigned char)at[i];
    return (Host *)address;
}
Result say(const char *a, unsigned long n) {
    host(a)((unsigned long)(a + 8));
    return (Result){0, 1};
}
Result echo(const char *a, unsigned long n) {
    char *copy = host(a)(n - 8);
    for (unsigned long i = 8; i < n; i++) copy[i - 8] = a[i];
    return (Result){copy, n - 8};
}
Result refuse(const char *a, unsigned long n) {
    char *copy = host(a)(n - 8);
    for (volatile unsigned long i = 8; i < n; i++) copy[i - 8] = a[i];
    return (Result){copy, 0};
}
Result nothing(const char *a, unsigned long n) { return (Result){0, 0}; }
Result crash(const char *a, unsigned long n) { *(volatile char *)16 = 0; return (Result){0, 1}; }
int seven(void) { return 7; }
int less(int x) { return x - 1; }
";

fn instance(client: &Client) -> u64 {
    client.symbol("__llvm_orc_SimpleExecutorMemoryManager_Instance")
}

fn reserve(client: &mut Client, size: u64) -> Result<u64, String> {
    let arguments = (instance(client), size);
    client.call::<Expected<u64>>(RESERVE, &arguments).0
}

fn request<'a>(segments: &[(u8, u64, u64, &'a [u8])]) -> FinalizeRequest<'a> {
    let segment = |&(group, address, size, content)| Segment { group, address, size, content };
    FinalizeRequest { segments: segments.iter().map(segment).collect(), actions: Vec::new() }
}

fn finalize(client: &mut Client, request: FinalizeRequest<'_>) -> Result<(), String> {
    let arguments = (instance(client), request);
    client.call::<Error>(FINALIZE, &arguments).0
}

fn give_back(client: &mut Client, name: &str, addresses: &[u64]) -> Result<(), String> {
    let arguments = (instance(client), addresses);
    client.call::<Error>(name, &arguments).0
}

fn open(client: &mut Client) -> u64 {
    let instance = client.symbol("__llvm_orc_SimpleExecutorDylibManager_Instance");
    client.call::<Expected<u64>>(OPEN, &(instance, "", 0u64)).0.expect("a handle")
}

fn look_up(client: &mut Client, name: &str) -> u64 {
    let handle = open(client);
    let found = client.call::<Expected<Vec<SymbolDefinition>>>(LOOKUP, &(0u64, handle, [(name, true)].as_slice()));
    found.0.expect("found")[0].address
}

fn read(client: &mut Client, start: u64, size: u64) -> Vec<u8> {
    let range = AddressRange { start, end: start + size };
    client.call::<Vec<Vec<u8>>>(READ, &vec![range]).remove(0)
}

#[test]
fn what_each_generation_asks_for_is_offered() {
    for name in ["aarch64", "armv7", "thumbv7", "thumbv7m", "armebv7", "aarch64_be", "aarch64_ilp32"] {
        session(name, |client| {
            let triple = if name.starts_with("aarch64") { "aarch64" } else { "arm" };
            assert!(
                client.setup.triple.contains(triple) || client.setup.triple.contains("thumb"),
                "{}",
                client.setup.triple
            );
            assert_eq!((client.setup.page_size, client.setup.map.len()), (PAGE, 0));
            for required in [
                // LLVM 19, found by leaving out one at a time.
                "__llvm_orc_SimpleRemoteEPC_dispatch_ctx",
                "__llvm_orc_SimpleRemoteEPC_dispatch_fn",
                "__llvm_orc_SimpleExecutorDylibManager_Instance",
                OPEN,
                LOOKUP,
                "__llvm_orc_SimpleExecutorMemoryManager_Instance",
                RESERVE,
                FINALIZE,
                DEALLOCATE,
                MAIN,
                VOID,
                INT,
                "llvm_orc_registerEHFrameSectionWrapper",
                "llvm_orc_deregisterEHFrameSectionWrapper",
                // 21
                FRAMES,
                "llvm_orc_deregisterEHFrameAllocAction",
                "llvm_orc_registerJITLoaderGDBAllocAction",
                "__llvm_orc_bootstrap_mem_write_uint8s_wrapper",
                "__llvm_orc_bootstrap_mem_write_uint64s_wrapper",
                "__llvm_orc_bootstrap_mem_write_pointers_wrapper",
                "__llvm_orc_bootstrap_mem_write_buffers_wrapper",
                "__llvm_orc_bootstrap_mem_read_strings_wrapper",
                READ,
                // 22 and 23
                RESOLVE,
                INITIALIZE,
                DEINITIALIZE,
                RELEASE,
                "orc_rt_ci_SimpleNativeMemoryMap_Instance",
                "orc_rt_ci_sps_SimpleNativeMemoryMap_releaseMultiple",
            ] {
                client.symbol(required);
            }
            // No address of any machine, and each another.
            let mut addresses: Vec<u64> = client.setup.symbols.iter().map(|(_, address)| *address).collect();
            addresses.sort_unstable();
            addresses.dedup();
            assert!(
                addresses.len() == client.setup.symbols.len() && addresses.iter().all(|address| address >> 63 == 1)
            );
        })
        .well();
    }
}

#[test]
fn libraries_and_names() {
    session("thumbv7m", |mut client| {
        let instance = client.symbol("__llvm_orc_SimpleExecutorDylibManager_Instance");
        for (path, mode, says) in
            [("", 1u64, "mode is 0x1, expected 0"), ("libm.so", 0, "libm.so: this machine has no files")]
        {
            let error = client.call::<Expected<u64>>(OPEN, &(instance, path, mode)).0.expect_err("refused");
            assert!(error.contains(says), "{error}");
        }
        let handle = open(&mut client);
        let ask = |client: &mut Client, handle: u64, names: &[(&str, bool)]| {
            client.call::<Expected<Vec<SymbolDefinition>>>(LOOKUP, &(instance, handle, names)).0
        };
        let found = ask(&mut client, handle, &[("puts", true), ("nope", false), ("stdout", true)]).expect("found");
        let addresses: Vec<u64> = found.iter().map(|symbol| symbol.address).collect();
        // A function of Thumb code is odd; a variable is not; what is not there is at 0.
        assert!(addresses[0] & 1 == 1 && addresses[1] == 0 && addresses[2] > 0 && addresses[2] & 1 == 0, "{found:?}");
        assert!(found.iter().all(|symbol| (symbol.flags, symbol.target_flags) == (0x10, 0)));
        let missing = ask(&mut client, handle, &[("puts", true), ("nope", true)]);
        assert_eq!(missing, Err("Missing definition for nope".to_owned()));
        let error = ask(&mut client, 5, &[("puts", true)]).expect_err("no handle");
        assert!(error.contains("0x5 is not the handle"), "{error}");
        // What a real executor exports to its dynamic linker, and what it does not.
        let exported = ["llvm_orc_registerJITLoaderGDBWrapper", MAIN].map(|name| (name, false));
        let found = ask(&mut client, handle, &exported).expect("found");
        assert_eq!((found[0].address, found[1].address), (client.symbol(exported[0].0), 0));
        // LLVM 22: with flags and without the instance. 23: the other way round.
        let names = [("puts", true), ("nope", true), ("nope", false)];
        let resolved = client.call::<Expected<Vec<Option<SymbolDefinition>>>>(RESOLVE, &(handle, names.as_slice()));
        let definition = |address| Some(SymbolDefinition { address, flags: 0x10, target_flags: 0 });
        assert_eq!(resolved.0, Ok(vec![definition(addresses[0]), None, definition(0)]));
        let resolved = client.call::<Expected<Vec<Option<u64>>>>(RESOLVE, &(instance, handle, names.as_slice()));
        assert_eq!(resolved.0, Ok(vec![Some(addresses[0]), None, Some(0)]));
    })
    .well();
}

#[test]
fn memory_is_what_was_asked_for() {
    for name in ["aarch64", "armv7", "armebv7", "thumbv6m"] {
        session(name, |mut client| {
            let c = &mut client;
            let first = reserve(c, 3 * PAGE).expect("room");
            let second = reserve(c, 1).expect("room");
            assert!(
                first.is_multiple_of(PAGE)
                    && second.is_multiple_of(PAGE)
                    && (second >= first + 3 * PAGE || second + PAGE <= first)
            );
            let wide = name == "aarch64";
            assert!(wide || first.max(second) < 1 << 32);
            for size in if wide { [0, u64::MAX, 1 << 63] } else { [0, u64::MAX, 1 << 32] } {
                let reserved = reserve(c, size);
                assert!(wide && size == 1 << 63 || reserved.is_err_and(|why| why.contains("no room")), "{size:#x}");
            }
            let content = [0xaa; 0x20];
            finalize(
                c,
                request(&[
                    (5, first, PAGE, &content),
                    (1, first + PAGE, PAGE, &content),
                    (3, first + 2 * PAGE, PAGE, &[]),
                ]),
            )
            .expect("finalized");
            for (page, bytes) in [(0, 0x20), (1, 0x20), (2, 0)] {
                let found = read(c, first + page * PAGE, PAGE);
                assert!(
                    found[..bytes].iter().all(|&byte| byte == 0xaa) && found[bytes..].iter().all(|&byte| byte == 0)
                );
            }
            // Only the last can be written; a call that fails has an empty result.
            for (page, written) in [(0, false), (1, false), (2, true)] {
                let at = first + page * PAGE + 0x100;
                let answer = c.raw(
                    c.symbol("__llvm_orc_bootstrap_mem_write_buffers_wrapper"),
                    sps::encode(&vec![(at, &b"new"[..])]),
                );
                assert!(answer.is_empty());
                assert_eq!(read(c, at, 3), if written { *b"new" } else { [0; 3] });
            }
            for (wrong, says) in [
                (request(&[(1, 0x10, PAGE, &[])]), "nothing is reserved at 0x10"),
                (request(&[(1, second, 2 * PAGE, &[])]), "is not inside reserved memory"),
                (request(&[(7, second, PAGE, &[])]), "protection rwx, expected r--, rw- or r-x"),
                (request(&[(0, second, PAGE, &[])]), "protection ---"),
                (request(&[(1, second, 2, b"abc")]), "0x3 bytes of content in 0x2"),
                (request(&[(1, second, u64::MAX, &[])]), "beyond the address space"),
                (request(&[(1, first, PAGE, &[])]), "is in use already"),
            ] {
                let error = finalize(c, wrong).expect_err(says);
                assert!(error.contains(says), "{error}");
                // The reservation is gone with it, and the next one may be the same.
                if says.contains("protection")
                    || says.contains("content")
                    || says.contains("inside")
                    || says.contains("beyond")
                {
                    assert_eq!(reserve(c, 1), Ok(second), "{says}");
                }
            }
            assert_eq!(finalize(c, request(&[])), Ok(()));
            let action = WrapperCall { function: 1, arguments: &[] };
            let actions = vec![AllocationAction { finalize: action, deallocate: action }];
            let error = finalize(c, FinalizeRequest { segments: Vec::new(), actions }).expect_err("no segments");
            assert!(error.contains("no segments"), "{error}");
            // What is unknown does not keep the others.
            let error = give_back(c, DEALLOCATE, &[0x123, first, second]).expect_err("unknown");
            assert_eq!(error, "nothing is reserved at 0x123");
            assert_eq!(
                give_back(c, DEALLOCATE, &[first]).expect_err("twice"),
                format!("nothing is reserved at {first:#x}")
            );
            let gone = c.raw(c.symbol(READ), sps::encode(&vec![AddressRange { start: first, end: first + 1 }]));
            assert!(gone.is_empty());
        })
        .well();
    }
}

#[test]
fn numbers_have_the_order_of_the_machine() {
    for (name, first) in [("armv7", [4, 3, 2, 1]), ("armebv7", [1, 2, 3, 4])] {
        session(name, |mut client| {
            let c = &mut client;
            let base = reserve(c, PAGE).expect("room");
            finalize(c, request(&[(3, base, PAGE, b"\0\0\0\0text\0")])).expect("finalized");
            let all = |what: &str| format!("__llvm_orc_bootstrap_mem_{what}_wrapper");
            let () = c.call(&all("write_uint32s"), &vec![(base, 0x0102_0304u32)]);
            assert_eq!(read(c, base, 4), first);
            assert_eq!(c.call::<Vec<u32>>(&all("read_uint32s"), &vec![base]), [0x0102_0304]);
            assert_eq!(c.call::<Vec<u64>>(&all("read_pointers"), &vec![base]), [0x0102_0304]);
            assert_eq!(c.call::<Vec<u8>>(&all("read_uint8s"), &vec![base, base + 3]), [first[0], first[3]]);
            assert_eq!(c.call::<Vec<String>>(&all("read_strings"), &vec![base + 4, base + 6]), ["text", "xt"]);
            let at = base + 0x80;
            let () = c.call(&all("write_pointers"), &vec![(at, 0x1234_5678u64)]);
            let () = c.call(&all("write_uint8s"), &vec![(at + 4, 9u8)]);
            let () = c.call(&all("write_uint64s"), &vec![(at + 8, 7u64)]);
            let () = c.call(&all("write_uint16s"), &vec![(at + 16, 6u16)]);
            assert_eq!(c.call::<Vec<u64>>(&all("read_uint64s"), &vec![at + 8]), [7]);
            assert_eq!(c.call::<Vec<u16>>(&all("read_uint16s"), &vec![at + 16]), [6]);
            assert_eq!(c.call::<Vec<u64>>(&all("read_pointers"), &vec![at]), [0x1234_5678]);
            assert_eq!(read(c, at + 4, 4), [9, 0, 0, 0]);
        })
        .well();
    }
}

/// Bytes that a function of [`CODE`] takes.
fn words(host: u64, text: &str) -> Vec<u8> {
    [&host.to_le_bytes()[..], text.as_bytes(), &[0]].concat()
}

#[test]
fn functions_of_the_machine() {
    for name in ["aarch64", "armv7", "thumbv7", "thumbv7m"] {
        let code = Code::compile(&Objects::new(name), CODE);
        let served = session(name, |mut client| {
            let c = &mut client;
            let base = reserve(c, PAGE).expect("room");
            finalize(c, request(&[(5, base, PAGE, &code.bytes)])).expect("finalized");
            let at = |function: &str| base + code.at(function);
            let [puts, malloc] = ["puts", "malloc"].map(|name| look_up(c, name));
            assert_eq!(c.raw(at("say"), words(puts, "said")), [0]);
            assert_eq!(c.raw(at("echo"), words(malloc, "a long text")), b"a long text\0");
            assert_eq!(c.raw(at("nothing"), Vec::new()), [0; 0]);
            // An error does not cross the wire.
            assert_eq!(c.raw(at("refuse"), words(malloc, "why not")), [0; 0]);
            assert_eq!(c.raw(at("crash"), Vec::new()), [0; 0]);
            // More than the executor has for arguments by itself.
            let large = "x".repeat(0xf_0000);
            for _ in 0..4 {
                assert_eq!(c.raw(at("say"), words(puts, &large)), [0]);
            }
            assert_eq!(c.call::<i32>(VOID, &at("seven")), 7);
            assert_eq!(c.call::<i32>(INT, &(at("less"), i32::MIN + 1)), i32::MIN);
            // main's arguments are as given; its result is an int.
            assert_eq!(c.call::<i64>(MAIN, &(at("less"), Vec::<String>::new())), -1);
            assert_eq!(c.call::<i64>(MAIN, &(at("less"), vec!["a".to_owned(), "b".to_owned()])), 1);
        });
        let [why, crash] = &served.reported[..] else { panic!("{name}: {:?}", served.reported) };
        assert!(why.ends_with(": why not") && crash.contains("write fault at"), "{name}: {why} {crash}");
        assert!(served.well().printed.starts_with("said\nxxx"), "{name}");
    }
}

#[test]
fn actions_run_in_order_and_back() {
    for name in ["aarch64", "armv7", "thumbv7"] {
        let code = Code::compile(&Objects::new(name), CODE);
        let served = session(name, |mut client| {
            let c = &mut client;
            let [puts, malloc] = ["puts", "malloc"].map(|name| look_up(c, name));
            let base = reserve(c, PAGE).expect("room");
            finalize(c, request(&[(5, base, PAGE, &code.bytes)])).expect("finalized");
            let [say, refuse, crash] = ["say", "refuse", "crash"].map(|function| base + code.at(function));
            let frames = c.symbol(FRAMES);
            let range = sps::encode(&AddressRange { start: base, end: base + 4 });
            let texts = ["one", "two", "three", "back one", "back two", "back three"].map(|text| words(puts, text));
            let why = words(malloc, "why not");
            let call = |function, arguments: &'static [u8]| WrapperCall { function, arguments };
            let said = |number: usize| WrapperCall { function: say, arguments: &texts[number] };
            let pair = |number: usize| AllocationAction { finalize: said(number), deallocate: said(3 + number) };
            let plain = |address, action| {
                let actions = vec![
                    pair(0),
                    AllocationAction {
                        finalize: WrapperCall { function: frames, arguments: &range },
                        deallocate: call(0, &[]),
                    },
                    pair(1),
                    action,
                ];
                FinalizeRequest { actions, ..request(&[(3, address, PAGE, &[])]) }
            };
            let second = reserve(c, PAGE).expect("room");
            finalize(c, plain(second, pair(2))).expect("finalized");
            let () = c.call("__llvm_orc_bootstrap_mem_write_uint8s_wrapper", &Vec::<(u64, u8)>::new());
            give_back(c, DEALLOCATE, &[second]).expect("given back");
            // The last one fails, in three ways.
            for (finalize_call, says) in [
                (WrapperCall { function: refuse, arguments: &why }, "why not"),
                (WrapperCall { function: crash, arguments: &[] }, "write fault at"),
                (WrapperCall { function: c.symbol(RESERVE), arguments: &range }, "its result: a sequence at byte 1"),
            ] {
                let _ = c.raw(say, words(puts, "--"));
                let second = reserve(c, PAGE).expect("room");
                let action = AllocationAction { finalize: finalize_call, deallocate: call(say, &[]) };
                let error = finalize(c, plain(second, action)).expect_err(says);
                assert!(error.starts_with("action 3 at 0x") && error.contains(says), "{error}");
                assert!(give_back(c, DEALLOCATE, &[second]).is_err());
            }
            // One that gives back the memory it is for, and an action of an action.
            let _ = c.raw(say, words(puts, "##"));
            let second = reserve(c, PAGE).expect("room");
            let arguments = sps::encode(&(0u64, vec![second]));
            let back = WrapperCall { function: c.symbol(DEALLOCATE), arguments: &arguments };
            let error = finalize(c, plain(second, AllocationAction { finalize: back, deallocate: call(0, &[]) }));
            assert!(error.expect_err("gone").contains("was given back by an action"));
            let outer = reserve(c, PAGE).expect("room");
            let inner = reserve(c, PAGE).expect("room");
            let arguments = sps::encode(&(0u64, plain(inner, pair(2))));
            let nested = WrapperCall { function: c.symbol(FINALIZE), arguments: &arguments };
            let action = AllocationAction { finalize: nested, deallocate: call(0, &[]) };
            let error = finalize(c, FinalizeRequest { actions: vec![action], ..request(&[(3, outer, PAGE, &[])]) });
            assert!(error.expect_err("nested").contains("it is an action of an action"));
            let _ = c.raw(say, words(puts, "=="));
            // Left behind when the controller goes.
            let third = reserve(c, PAGE).expect("room");
            finalize(c, plain(third, pair(2))).expect("finalized");
        });
        let back = "back three\nback two\nback one\n";
        let undone = "--\none\ntwo\nback two\nback one\n";
        let expected = format!(
            "one\ntwo\nthree\n{back}{undone}{undone}{undone}##\none\ntwo\nback two\nback one\n==\none\ntwo\nthree\n{back}"
        );
        assert_eq!(served.well().printed, expected, "{name}");
    }
}

/// LLVM 22: a reservation is used in parts.
#[test]
fn parts_of_a_reservation() {
    session("aarch64", |mut client| {
        let c = &mut client;
        let base = reserve(c, 4 * PAGE).expect("room");
        let initialize = |c: &mut Client, segments: &[(u8, u64, u64, &[u8])]| {
            let arguments = (instance(c), request(segments));
            c.call::<Expected<u64>>(INITIALIZE, &arguments).0
        };
        let high =
            initialize(c, &[(1, base + 2 * PAGE, PAGE, b"high"), (3, base + 3 * PAGE, PAGE, b"")]).expect("room");
        // The second segment is needed only while the actions run, of which there are none.
        let low = initialize(c, &[(3, base, PAGE, b"low"), (11, base + PAGE, PAGE, b"gone")]).expect("room");
        assert_eq!((low, high), (base, base + 2 * PAGE));
        assert_eq!((read(c, low, 3), read(c, high, 4)), (b"low".to_vec(), b"high".to_vec()));
        let gone = sps::encode(&vec![AddressRange { start: base + PAGE, end: base + PAGE + 1 }]);
        assert!(c.raw(c.symbol(READ), gone).is_empty());
        let error = initialize(c, &[(3, base + 3 * PAGE, PAGE, b"")]).expect_err("twice");
        assert!(error.contains("in use already"), "{error}");
        let error = initialize(c, &[]).expect_err("nothing");
        assert!(error.contains("no segments"), "{error}");
        // What fails leaves the reservation as it is.
        assert_eq!(give_back(c, DEINITIALIZE, &[high, 1]), Err("nothing is in use at 0x1".to_owned()));
        assert_eq!(initialize(c, &[(1, high, 2 * PAGE, b"new")]), Ok(high));
        assert_eq!(read(c, high, 4), b"new\0");
        assert_eq!(give_back(c, RELEASE, &[base]), Ok(()));
        assert_eq!(give_back(c, DEINITIALIZE, &[low]), Err(format!("nothing is in use at {low:#x}")));
        // 23 calls the same things by other names.
        let instance = c.symbol("orc_rt_ci_SimpleNativeMemoryMap_Instance");
        let name = |what: &str| format!("orc_rt_ci_sps_SimpleNativeMemoryMap_{what}");
        let base = c.call::<Expected<u64>>(&name("reserve"), &(instance, PAGE)).0.expect("room");
        let key = c.call::<Expected<u64>>(&name("initialize"), &(instance, request(&[(3, base, PAGE, b"")])));
        assert_eq!(key.0, Ok(base));
        for what in ["deinitializeMultiple", "releaseMultiple"] {
            assert_eq!(c.call::<Error>(&name(what), &(instance, vec![base])).0, Ok(()));
        }
    })
    .well();
}

/// Eight bytes of a message ask for a whole string, and a message can ask for many.
#[test]
fn one_call_reads_no_more_than_it_may() {
    let served = session("aarch64", |mut client| {
        let c = &mut client;
        let (size, length) = (0x41000, 0x40000);
        let base = reserve(c, size).expect("room");
        finalize(c, request(&[(3, base, size, &vec![b'x'; length])])).expect("finalized");
        let strings = c.symbol("__llvm_orc_bootstrap_mem_read_strings_wrapper");
        let buffers = c.symbol(READ);
        // Sixty-four are what a call may read.
        let answer = c.raw(strings, sps::encode(&vec![base; 64]));
        assert_eq!(answer.len(), 8 + 64 * (8 + length));
        assert!(c.raw(strings, sps::encode(&vec![base; 1000])).is_empty());
        assert!(c.raw(strings, sps::encode(&vec![base; 65])).is_empty());
        let range = AddressRange { start: base, end: base + length as u64 };
        assert_eq!(c.raw(buffers, sps::encode(&vec![range; 64])).len(), 8 + 64 * (8 + length));
        assert!(c.raw(buffers, sps::encode(&vec![range; 65])).is_empty());
        // Up to the last byte before memory that is not there.
        let end = vec![base + size - 1];
        assert_eq!(c.raw(strings, sps::encode(&end)).len(), 16);
    });
    let reported = served.well().reported;
    assert_eq!(reported.len(), 3, "{reported:?}");
    assert!(reported[0].contains("the strings have more than 0x1000000 bytes together"), "{reported:?}");
}

#[test]
fn bad_calls_are_answered_and_bad_messages_end_it() {
    let served = session("armv7", |mut client| {
        let c = &mut client;
        let error = c.call::<Expected<u64>>(RESERVE, &7u32).0.expect_err("too short");
        assert!(error.contains("bad arguments: the message ends at byte 4"), "{error}");
        for function in ["__llvm_orc_SimpleExecutorMemoryManager_Instance", MAIN, READ] {
            assert!(c.raw(c.symbol(function), vec![1]).is_empty());
        }
        // Nothing of ours, and nothing in the machine.
        for function in [0, 0x10, 1 << 63, u64::MAX, c.symbol(MAIN) + 1, 0xffff_fff0] {
            assert!(c.raw(function, vec![1; 100]).is_empty(), "{function:#x}");
        }
        assert!(reserve(c, 1).is_ok());
        c.say(&Message { opcode: Opcode::Hangup, sequence: 0, tag: 0, payload: vec![0] });
    });
    let reported = served.well().reported;
    assert_eq!(reported.len(), 9, "{reported:?}");
    for says in [
        "__llvm_orc_SimpleExecutorMemoryManager_Instance was called, which is no function",
        "__llvm_orc_bootstrap_run_as_main_wrapper: bad arguments: the message ends at byte 1",
        "the function at 0x10: fetch fault at 0x10",
    ] {
        assert!(reported.iter().any(|why| why.starts_with(says)), "{says}: {reported:?}");
    }
    for opcode in [Opcode::Setup, Opcode::Result] {
        let say = |mut client: Client| client.say(&Message { opcode, sequence: 0, tag: 0, payload: Vec::new() });
        let served = session("armv7", say).ended;
        assert!(matches!(served, Err(ServeError::Unexpected(known)) if known == opcode), "{served:?}");
    }
}

/// A machine can be used for something else after a session.
#[test]
fn nothing_is_left_behind() {
    let mut used = machine("aarch64");
    let mut alone = Vec::new();
    session("aarch64", |mut client| {
        let base = reserve(&mut client, PAGE).expect("room");
        finalize(&mut client, request(&[(3, base, PAGE, b"left")])).expect("finalized");
        alone = client.said.clone();
    })
    .well();
    harness::epc::server::serve(&mut used, Terms::default(), alone.as_slice(), std::io::sink(), &mut |_| ())
        .expect("a whole session");
    assert!(used.read(0x40_0000, &mut [0; 4]).is_err());
    assert_eq!(used.host().printed(), b"");
}
