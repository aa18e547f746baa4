//! Where a controller's memory is: chosen places with a controller of our own, and with a stock llvm-jitlink.

use corpus::matrix::Family;
use harness::epc::place::{Policy, Terms};
use harness::executor::{Executor, Guest};
use harness::orc::sps::{Error, Expected};
use harness::orc::{FinalizeRequest, Segment};

use super::support::{Client, Code, Ended, HARNESS, Objects, jitlink, machine, run, session_with};

const MEMORY: &str = "__llvm_orc_SimpleExecutorMemoryManager";
const PAGE: u64 = 0x1000;

fn memory(client: &Client) -> u64 {
    client.symbol(&format!("{MEMORY}_Instance"))
}

fn reserve(client: &mut Client, size: u64) -> Result<u64, String> {
    let arguments = (memory(client), size);
    client.call::<Expected<u64>>(&format!("{MEMORY}_reserve_wrapper"), &arguments).0
}

fn finalize(client: &mut Client, group: u8, address: u64, content: &[u8]) {
    let segment = Segment { group, address, size: PAGE, content };
    let arguments = (memory(client), FinalizeRequest { segments: vec![segment], actions: Vec::new() });
    assert_eq!(client.call::<Error>(&format!("{MEMORY}_finalize_wrapper"), &arguments).0, Ok(()), "{address:#x}");
}

fn give_back(client: &mut Client, base: u64) {
    let arguments = (memory(client), vec![base]);
    assert_eq!(client.call::<Error>(&format!("{MEMORY}_deallocate_wrapper"), &arguments).0, Ok(()));
}

/// Code runs in every place there is, and calls the host from there; what is not room is refused.
#[test]
fn code_runs_in_every_place() {
    let source =
        "int start(int argc, char **argv) { return ((int (*)(char *))(unsigned long)STRLEN)(argv[argc - 1]); }";
    for target in ["aarch64", "armv7", "thumbv7m"] {
        let objects = Objects::new(target);
        let strlen = machine(target).host().lookup("strlen").expect("a host function");
        let code = Code::compile(&objects, &source.replace("STRLEN", &format!("{strlen}ul")));
        let wide = machine(target).info().is_64();
        for place in ["near", "far", "random:5", "straddle", "top", "scatter", "reuse", "distance:0x8000000"] {
            for page_size in [None, Some(0x4000), Some(0x1_0000)] {
                let terms = Terms { place: place.parse().expect("a place"), page_size };
                session_with(target, terms, |mut client| {
                    let c = &mut client;
                    let page = page_size.unwrap_or(PAGE);
                    assert_eq!(c.setup.page_size, page);
                    let bases: Vec<u64> = (0..4).map(|_| reserve(c, page + 1).expect(place)).collect();
                    for &base in &bases {
                        assert!(base.is_multiple_of(page), "{target} {place}: {base:#x}");
                        assert!(wide || base + 2 * page <= 1 << 32, "{target} {place}: {base:#x}");
                        finalize(c, 5, base, &code.bytes);
                    }
                    for &base in &bases {
                        let arguments = (base + code.at("start"), vec!["one", "three"]);
                        let result = c.call::<i64>("__llvm_orc_bootstrap_run_as_main_wrapper", &arguments);
                        assert_eq!(result, 5, "{target} {place}: {base:#x}");
                        give_back(c, base);
                    }
                    let error = reserve(c, u64::MAX - (1 << 20)).expect_err("too much");
                    assert!(error.contains("no room for"), "{error}");
                    assert!(place == "near" || error.contains(&format!("placed {place}: ")), "{error}");
                })
                .well();
            }
        }
    }
}

/// The same seed is the same luck, and addresses that were given back come again.
#[test]
fn luck_comes_again() {
    let bases = |place: Policy| {
        let mut bases = Vec::new();
        let terms = Terms { place, page_size: None };
        session_with("armv7", terms, |mut client| {
            bases = (0..8).map(|_| reserve(&mut client, 3 * PAGE).expect("room")).collect();
        })
        .well();
        bases
    };
    assert_eq!(bases(Policy::Random(11)), bases(Policy::Random(11)));
    assert_ne!(bases(Policy::Random(11)), bases(Policy::Random(12)));
    session_with("aarch64", Terms { place: Policy::Reuse, page_size: None }, |mut client| {
        let c = &mut client;
        let [first, second, third] = [1, 3, 1].map(|pages| reserve(c, pages * PAGE).expect("room"));
        finalize(c, 3, second, b"old");
        give_back(c, first);
        give_back(c, second);
        let again = reserve(c, 2 * PAGE).expect("room");
        assert_eq!(again, second);
        // Nothing is left there of what was.
        finalize(c, 3, again, b"");
        assert_eq!(reserve(c, PAGE), Ok(first));
        assert!(third != first);
    })
    .well();
}

const MAIN: &str = "
extern int sum(int, int), counter;
extern int puts(const char *);
int main(int argc, char **argv) { puts(\"started\"); counter += sum(argc, 40); return counter; }
";
const SUM: &str = "int counter = 1; int sum(int a, int b) { return a + b; }";

/// Objects that go through tables and stubs only are linked by a stock llvm-jitlink wherever they are.
#[test]
fn a_stock_controller_has_bad_luck() {
    for (target, flags) in [("aarch64", &["-O1", "-fPIC"][..]), ("armv7", &["-O1"]), ("thumbv7", &["-O1"])] {
        let objects = Objects::new(target);
        let files = [("main", MAIN), ("sum", SUM)].map(|(name, text)| objects.make(name, text, Family::Clang, flags));
        for place in ["far", "random", "random:3", "straddle", "top", "scatter", "reuse"] {
            for page in ["4K", "64K"] {
                let mut command = jitlink(objects.target);
                command.arg(format!("--oop-executor={HARNESS}")).args(&files).args(["--args", "a"]);
                command.env("LINKRIG_ARCH", target).env("LINKRIG_PLACE", place).env("LINKRIG_PAGE_SIZE", page);
                let Ended { status, out, err } = run(&mut command);
                assert_eq!((status, out.as_str()), (42, "started\n"), "{target} {place} {page}: {err}");
                let seed = "reservations are placed by random:";
                assert_eq!(err.contains(seed), place == "random", "{place}: {err}");
            }
        }
    }
}

/// What the ABI wants to be any distance of 32 bits, llvm-jitlink takes for a signed one: see docs/epc.md.
#[test]
fn a_stock_controller_fails_across_the_address_space() {
    let objects = Objects::new("armv7");
    let source = "extern int counter __attribute__((visibility(\"hidden\"))); int main(void) { return counter; }";
    let main = objects.make("main", source, Family::Clang, &["-O1", "-fPIC"]);
    let data = objects.make("data", "int counter = 42;", Family::Clang, &["-O1"]);
    for (place, fails) in [("near", false), ("far", false), ("scatter", true)] {
        let mut command = jitlink(objects.target);
        command.arg(format!("--oop-executor={HARNESS}")).args([&main, &data]);
        let Ended { status, err, .. } = run(command.env("LINKRIG_ARCH", "armv7").env("LINKRIG_PLACE", place));
        let says = "out of range of Data_Delta32 fixup";
        assert_eq!((status, err.contains(says)), if fails { (1, true) } else { (42, false) }, "{place}: {err}");
    }
}

/// Where the distance at which it fails is known beforehand: ADRP reaches 4 GiB.
#[test]
fn a_sweep_finds_the_smallest_distance() {
    let objects = Objects::new("aarch64");
    let main = objects.make("main", MAIN, Family::Gcc, &["-O1", "-fno-pie"]);
    let sum = objects.make("sum", SUM, Family::Gcc, &["-O1", "-fno-pie"]);
    let near = objects.make("near", "int main(void) { return 5; }", Family::Gcc, &["-O1"]);
    let controller = jitlink(objects.target);
    let program = controller.get_program().to_str().expect("text");
    let (launch, connect) = (format!("--oop-executor={HARNESS}"), "--oop-executor-connect={address}");
    let sweep = |words: &[&str]| {
        let mut command = std::process::Command::new(HARNESS);
        command.args(["serve", "--place", "sweep", "--arch", "aarch64", "--", program]).args(words);
        run(&mut command)
    };
    for way in [launch.as_str(), connect] {
        let Ended { status, out, err } = sweep(&[way, &main, &sum]);
        assert_eq!(status, 100, "{way}: {out} {err}");
        let number = out.strip_prefix("the smallest distance that makes a difference is 0x").expect("it says so");
        let (number, _) = number.split_once(':').expect("and goes on");
        let distance = u64::from_str_radix(number, 16).expect("a number");
        // Main's object is reserved first or second, and its variable has a page of its own behind the other's code.
        assert!(distance.abs_diff(1 << 32) < 1 << 16, "{way}: {out}");
        assert!(out.contains("it ends with status 1 instead of status 41"), "{way}: {out}");
        assert!(out.contains("out of range of Page21 fixup"), "{way}: {out}");
        assert!(out.contains(&format!("--place distance:{distance:#x} does the same again")), "{way}: {out}");
        assert!(err.contains("at 0x1000 the command ends with status 41"), "{way}: {err}");
    }
    let Ended { status, out, .. } = sweep(&[&launch, &near]);
    assert_eq!((status, out.as_str()), (0, "no distance up to 0x1000000000 makes a difference\n"));
}

#[test]
fn words_for_luck_that_make_no_sense() {
    for (words, status, says) in [
        (&["--listen", "0", "--place", "nearby"][..], 2, "expected near, far, random"),
        (&["--listen", "0", "--place", "random:x"], 2, "`x` is not a seed, expected a number"),
        (&["--listen", "0", "--place", "distance:0"], 2, "`0` is not a distance"),
        (&["--listen", "0", "--page-size", "5000"], 2, "expected 4K, 16K, 64K"),
        (&["--listen", "0", "--place", "sweep"], 2, "wants its command behind --"),
        (&["--place", "far", "--", "true"], 2, "is for --place sweep"),
        (&["--listen", "0", "--place", "sweep", "--", "true"], 2, "cannot be used with"),
        (&["--keep", "--place", "sweep", "--", "true"], 2, "cannot be used with"),
        (&["--place", "sweep", "--", "/nowhere/at/all"], 69, "/nowhere/at/all"),
    ] {
        let Ended { status: got, err, .. } = run(std::process::Command::new(HARNESS).arg("serve").args(words));
        assert!(got == status && err.contains(says), "{words:?}: {got} {err}");
    }
    // A command that does something else every time.
    let words = ["serve", "--place", "sweep", "--", "sh", "-c", "date +%N"];
    let Ended { status, err, .. } = run(std::process::Command::new(HARNESS).args(words));
    assert!(status == 65 && err.contains("does not do the same twice"), "{status} {err}");
}
