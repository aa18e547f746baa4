//! Whole programs: compiler drivers call us for the linker, what we write starts under qemu-user, and does what the program
//! does that GNU ld links. Where a compiler or a library is not installed, its part is skipped and said so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolSection, elf};

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A directory that has us under the name of the linker, and sources.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new(sources: &[(&str, &str)]) -> Bench {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::os::unix::fs::symlink(HARNESS, directory.path().join("ld")).expect("a link");
        for (name, text) in sources {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        Bench { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a program in the directory. None, and said so, when it is not installed.
    fn run(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        let Ok(path) = which::which(program) else {
            println!("skipped: {program} is not installed");
            return None;
        };
        let output = Command::new(path).args(arguments).current_dir(self.directory.path()).output();
        Some(output.expect("it starts"))
    }

    /// Runs it and has to succeed.
    fn done(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.run(program, arguments)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Compiles and links twice, by GNU ld and by us, and compares what the programs print and how they end. `compiler` may
    /// carry options. Whether both are there.
    fn compare(&self, compiler: &str, emulator: &str, options: &[&str]) -> bool {
        let mut words = compiler.split_whitespace();
        let program = words.next().expect("a compiler");
        let mut line: Vec<&str> = words.collect();
        line.extend_from_slice(options);
        line.extend(["-o", "program"]);
        let build = |extra: &[&str]| self.done(program, &[line.as_slice(), extra].concat()).is_some();
        let Some(expected) = build(&[]).then(|| self.run(emulator, &["./program", "a", "b"])).flatten() else {
            return false;
        };
        std::fs::remove_file(self.path("program")).expect("it was made");
        assert!(build(&["-B", "."]));
        let file = std::fs::read(self.path("program")).expect("a program");
        assert!(is_ours(&file), "{line:?}: linked by somebody else");
        let output = self.run(emulator, &["./program", "a", "b"]).expect("installed");
        let shown = |output: &Output| (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned());
        assert_eq!(shown(&output), shown(&expected), "{compiler} {options:?}: {output:?}");
        true
    }
}

/// Ours have a segment for the headers alone, which GNU ld's static programs do not.
fn is_ours(file: &[u8]) -> bool {
    first_segment(file).0 == elf::PF_R.0
}

/// Flags, alignment and offset of the first segment.
fn first_segment(file: &[u8]) -> (u32, u64, u64) {
    fn of<Elf: FileHeader<Endian = Endianness>>(file: &[u8]) -> (u32, u64, u64) {
        let header = Elf::parse(file).expect("a program");
        let endian = header.endian().expect("known");
        let segments = header.program_headers(endian, file).expect("there are some");
        let first = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_LOAD).expect("it is loaded");
        (first.p_flags(endian).0, first.p_align(endian).into(), first.p_offset(endian).into())
    }
    if file[4] == 1 { of::<elf::FileHeader32<Endianness>>(file) } else { of::<elf::FileHeader64<Endianness>>(file) }
}

const C: &str = r#"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static __thread int counter = 5;
static __thread char room[100] __attribute__((aligned(64)));
static char zero[1 << 20];
static int less(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static void *work(void *unused) { counter += 2; errno = 7; return (void *)(long)(counter + (unsigned long)room % 64); }
__attribute__((constructor)) static void first(void) { puts("first"); }
__attribute__((destructor)) static void last(void) { puts("last"); }
static void leaving(void) { puts("leaving"); }
int main(int argc, char **argv) {
  int numbers[] = {5, 3, 9, 1};
  qsort(numbers, 4, sizeof *numbers, less);
  char *text = malloc(100000);
  memset(text, 'x', 99999), text[99999] = 0;
  errno = 0;
  FILE *file = fopen("/nonexistent/file", "r");
  printf("%d %s %d%d%d%d %zu %d %.3f %d\n", argc, argv[argc - 1], numbers[0], numbers[1], numbers[2], numbers[3],
         strlen(text), file ? -1 : errno, sin(argc), zero[sizeof zero - 1]);
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, work, 0), pthread_join(thread, &result);
  printf("%ld %d %d\n", (long)result, counter, errno);
  atexit(leaving);
  free(text);
  return 42;
}
"#;

const CXX: &str = r#"
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
struct Leaves { ~Leaves() { std::cout << "left\n"; } };
thread_local std::string mine = "mine";
int deep(int n) { Leaves here; if (n > 2) throw std::runtime_error("deep"); return n; }
int main(int argc, char **) {
  std::map<std::string, int> map; map["a"] = argc;
  try { deep(1); deep(5); } catch (const std::exception &e) { std::cout << e.what() << map["a"] << mine << std::endl; }
  try { std::vector<int>(3).at(7); } catch (const std::out_of_range &e) { std::cout << e.what() << std::endl; }
  try { throw 3; } catch (int i) { return i; }
}
"#;

/// GCC and clang for A64, A32 and T32, and who runs what they make.
const COMPILERS: &[(&str, &str)] = &[
    ("aarch64-linux-gnu-gcc-12", "qemu-aarch64"),
    ("arm-linux-gnueabihf-gcc-12 -marm", "qemu-arm"),
    ("arm-linux-gnueabihf-gcc-12 -mthumb", "qemu-arm"),
    ("clang-19 --target=aarch64-linux-gnu", "qemu-aarch64"),
    ("clang-19 --target=arm-linux-gnueabihf", "qemu-arm"),
    ("clang-19 --target=arm-linux-gnueabihf -mthumb", "qemu-arm"),
];

#[test]
fn static_programs_of_glibc_start() {
    let bench = Bench::new(&[("main.c", C)]);
    for (compiler, emulator) in COMPILERS {
        bench.compare(compiler, emulator, &["-static", "-O1", "-g", "main.c", "-lm", "-lpthread"]);
    }
    for options in [
        // Objects for programs that can be anywhere, in one that cannot.
        &["-static", "-O2", "-fPIE", "main.c", "-lm"][..],
        &["-static", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-s", "main.c", "-lm"],
    ] {
        bench.compare(COMPILERS[0].0, COMPILERS[0].1, options);
        bench.compare(COMPILERS[2].0, COMPILERS[2].1, options);
    }
}

#[test]
fn exceptions_of_cxx_are_caught() {
    let bench = Bench::new(&[("main.cc", CXX)]);
    for (compiler, emulator) in [
        ("aarch64-linux-gnu-g++-12", "qemu-aarch64"),
        ("arm-linux-gnueabihf-g++-12 -marm", "qemu-arm"),
        ("arm-linux-gnueabihf-g++-12 -mthumb", "qemu-arm"),
        ("clang++-19 --target=aarch64-linux-gnu", "qemu-aarch64"),
    ] {
        bench.compare(compiler, emulator, &["-static", "-O1", "main.cc"]);
    }
    // Found by the index that unwinders search by halves.
    bench.compare("aarch64-linux-gnu-g++-12", "qemu-aarch64", &["-static", "-Wl,--eh-frame-hdr", "main.cc"]);
}

#[test]
fn static_programs_of_musl_start() {
    let main = r#"
#include <errno.h>
#include <stdio.h>
static __thread int counter = 3;
int main(int argc, char **argv) { fopen("/nonexistent/file", "r"); return printf("%d %s %d %d\n", argc, argv[1], errno, counter++) - counter; }
"#;
    let bench = Bench::new(&[("main.c", main)]);
    for (gnu, musl, emulator) in [
        ("aarch64-linux-gnu", "aarch64-linux-musl", "qemu-aarch64"),
        ("arm-linux-gnueabihf", "arm-linux-musleabihf", "qemu-arm"),
    ] {
        let (library, include) = (format!("/usr/lib/{musl}"), format!("/usr/include/{musl}"));
        if !Path::new(&library).exists() {
            println!("skipped: no musl for {gnu}, as Debian's package musl-dev of the foreign architecture has it");
            continue;
        }
        let own = format!("/usr/lib/gcc-cross/{gnu}/12");
        let gcc = format!("{gnu}-gcc-12");
        let compile = ["-O1", "-nostdinc", "-isystem", &include, "-isystem", &format!("{own}/include"), "-c", "main.c"];
        let Some(_) = bench.done(&gcc, &compile) else { continue };
        let [start, before, behind, c] =
            ["crt1.o", "crti.o", "crtn.o", "libc.a"].map(|name| format!("{library}/{name}"));
        let [gcc, eh] = ["libgcc.a", "libgcc_eh.a"].map(|name| format!("{own}/{name}"));
        let line = [&start, &before, "main.o", "--start-group", &c, &gcc, &eh, "--end-group", &behind, "-o", "program"];
        let link = |linker: &str| {
            bench.done(linker, &[&["-static"], &line[..]].concat())?;
            bench.run(emulator, &["./program", "a"])
        };
        let Some(expected) = link(&format!("{gnu}-ld")) else { continue };
        let ours = link(bench.path("ld").to_str().expect("a text path")).expect("it is there");
        assert_eq!((ours.status.code(), ours.stdout), (expected.status.code(), expected.stdout), "{musl}");
    }
}

#[test]
fn programs_for_bare_metal_start() {
    let main = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void first(void) { puts("first"); }
__attribute__((destructor)) static void last(void) { puts("last"); }
int zero[1000];
int main(void) {
  char *text = malloc(3000);
  strcpy(text, "heap");
  for (int i = 0; i < 1000; i++) if (zero[i]) return 1;
  printf("%s %.2f\n", text, 1.5);
  return 9;
}
"#;
    let bench = Bench::new(&[("main.c", main)]);
    for target in ["-marm", "-mthumb -march=armv7", "-mcpu=cortex-a9 -mfloat-abi=hard -mfpu=vfpv3"] {
        // Semihosting, which qemu-user has.
        let compiler = format!("arm-none-eabi-gcc {target} --specs=rdimon.specs");
        bench.compare(&compiler, "qemu-arm", &["-O1", "main.c"]);
    }
}

/// What start-up code of a C library does, by hand: several symbols in two objects, one of them in data.
const CHOSEN: &str = r#"
typedef unsigned long W;
#ifdef __aarch64__
typedef struct { W at, info, function; } Entry;
#define START __rela_iplt_start
#define STOP __rela_iplt_end
#define FUNCTION(entry) (entry)->function
#else
typedef struct { W at, info; } Entry;
#define START __rel_iplt_start
#define STOP __rel_iplt_end
#define FUNCTION(entry) *(W *)(entry)->at
#endif
extern const Entry START[] __attribute__((weak, visibility("hidden"))), STOP[] __attribute__((weak, visibility("hidden")));
static int fast(int x) { return x + 2; }
static void *pick(void) { return (void *)fast; }
int work(int) __attribute__((ifunc("pick")));
int more(int);
int (*pointer)(int) = more;
extern const unsigned char __ehdr_start[] __attribute__((weak, visibility("hidden")));
int tracked(void) { return 5; }
_Thread_local int variable = 1;
int main(void) {
  for (const Entry *entry = START; entry < STOP; entry++) *(W *)entry->at = ((W(*)(W))FUNCTION(entry))(0);
  if (pointer != more || __ehdr_start[1] != 'E') return 1;
  return work(30) + more(4) + pointer(1);
}
"#;

const MORE: &str = "
static int slow(int x) { return x + 1; }
static void *choose(void) { return (void *)slow; }
int more(int) __attribute__((ifunc(\"choose\")));
";

const START_A64: &str =
    ".globl _start\n_start: bl main\nmov x8, #93\nsvc #0\n.section .note.GNU-stack,\"\",%progbits\n";
const START_ARM: &str = ".syntax unified\n.globl _start\n_start: bl main\nmov r7, #1\nsvc #0\nlabel: .word 1\n.section .note.GNU-stack,\"\",%progbits\n";

#[test]
fn start_up_code_fills_the_slots_of_functions_that_choose() {
    for (compiler, emulator, start) in
        [("aarch64-linux-gnu-gcc-12", "qemu-aarch64", START_A64), ("arm-linux-gnueabihf-gcc-12", "qemu-arm", START_ARM)]
    {
        for extra in [&["-fno-pie"][..], &["-fPIE"]] {
            let bench = Bench::new(&[("chosen.c", CHOSEN), ("more.c", MORE), ("start.s", start)]);
            let line = [&["-O1", "-g", "-c", "chosen.c", "more.c", "start.s"], extra].concat();
            let Some(_) = bench.done(compiler, &line) else { continue };
            bench.done(HARNESS, &["link", "start.o", "chosen.o", "more.o", "-o", "program"]).expect("it is there");
            // The largest pages there are: no two segments share one. (qemu-arm 7.2 has an assertion against such pages.)
            let page = if emulator == "qemu-arm" { "4096" } else { "65536" };
            let Some(output) = bench.run(emulator, &["-p", page, "./program"]) else { continue };
            assert_eq!(output.status.code(), Some(39), "{compiler} {extra:?}: {output:?}");
            let file = std::fs::read(bench.path("program")).expect("a program");
            check_labels(&file);
            let (_, alignment, offset) = first_segment(&file);
            assert_eq!((alignment, offset), (0x1_0000, 0));
        }
    }
}

/// Symbols are what the objects say they are, and what a debugger looks for is there.
fn check_labels(file: &[u8]) {
    let kind = |info: u8| info & 15;
    let symbols: Vec<(String, u8, u64, u64)> = if file[4] == 1 {
        let parsed = ElfFile32::<Endianness>::parse(file).expect("a program");
        let list = parsed.symbols().map(|symbol| {
            let name = symbol.name().unwrap_or_default().to_owned();
            (name, kind(symbol.elf_symbol().st_info.0), symbol.address(), symbol.size())
        });
        list.collect()
    } else {
        let parsed = ElfFile64::<Endianness>::parse(file).expect("a program");
        let list = parsed.symbols().map(|symbol| {
            let name = symbol.name().unwrap_or_default().to_owned();
            (name, kind(symbol.elf_symbol().st_info.0), symbol.address(), symbol.size())
        });
        list.collect()
    };
    let all = |name: &str| symbols.iter().filter(|symbol| symbol.0 == name).collect::<Vec<_>>();
    let one = |name: &str| {
        let found = all(name);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0]
    };
    assert_eq!(one("_start").1, elf::STT_NOTYPE.0);
    assert_eq!(one("main").1, elf::STT_FUNC.0);
    assert_eq!(one("pointer").1, elf::STT_OBJECT.0);
    assert_eq!((one("variable").1, one("variable").2), (elf::STT_TLS.0, 0), "an offset in the image of threads");
    // Only called, it is what chooses; pointed at, it is the stub that all pointers are equal to.
    assert_eq!(one("work").1, elf::STT_GNU_IFUNC.0);
    assert_eq!(one("more").1, elf::STT_FUNC.0);
    assert!(one("tracked").3 > 0);
    assert!(
        symbols.iter().any(|symbol| symbol.0 == "$d") && symbols.iter().any(|symbol| symbol.1 == elf::STT_SECTION.0)
    );
    let parsed = object::File::parse(file).expect("a program");
    for name in [".text", ".data", ".tdata", ".debug_info", ".debug_line", ".symtab"] {
        assert_eq!(parsed.sections().filter(|section| section.name() == Ok(name)).count(), 1, "{name}");
    }
    assert_eq!(parsed.section_by_name(".ARM.attributes").is_some(), file[4] == 1);
    let main = parsed.symbols().find(|symbol| symbol.name() == Ok("main")).expect("there");
    assert!(matches!(main.section(), SymbolSection::Section(_)));
}

#[test]
fn names_are_the_callers_to_say() {
    let main = "
int value(void); int other(void); int absent(void) ; int twice(void) { return 1; }
extern char absolute[], sum[]; int kept(void) { return 0; } int dropped(void) { return absent(); }
int main(void) { return value() * 10 + other() + (int)(long)sum - (int)(long)absolute - twice(); }
";
    let library = "
int __real_value(void); int __wrap_value(void) { return __real_value() + 1; } int third(void) { return 3; }
int twice(void) { return 100; }
";
    for (compiler, emulator, start) in
        [("aarch64-linux-gnu-gcc-12", "qemu-aarch64", START_A64), ("arm-linux-gnueabihf-gcc-12", "qemu-arm", START_ARM)]
    {
        let sources = [
            ("main.c", main),
            ("library.c", library),
            ("value.c", "int value(void) { return 2; }"),
            ("start.s", start),
        ];
        let bench = Bench::new(&sources);
        let compile = ["-O1", "-fno-pie", "-ffunction-sections", "-c", "main.c", "library.c", "value.c", "start.s"];
        let Some(_) = bench.done(compiler, &compile) else { continue };
        // A text may stand for a library.
        std::fs::write(bench.path("rest.ld"), "/* all */ GROUP ( library.o AS_NEEDED ( value.o ) )").expect("written");
        let objects = ["start.o", "main.o", "rest.ld"];
        let options = [
            "-o",
            "program",
            "--wrap",
            "value",
            "--defsym",
            "other=third",
            "--defsym",
            "absolute=0x1000",
            "--defsym",
            "sum=absolute+(2*3)-1",
            "--unresolved-symbols=ignore-all",
            "--gc-sections",
            "-u",
            "kept",
        ];
        let duplicates = ["--allow-multiple-definition"];
        let own = bench.path("ld");
        let own = own.to_str().expect("a text path");
        // (2 + 1) * 10 + 3 + 5 - 1, by each spelling, and by GNU ld.
        let gnu = format!("{}-ld", compiler.trim_end_matches("-gcc-12"));
        let lines = [(gnu.as_str(), &[][..]), (own, &[]), (HARNESS, &["ld"]), (HARNESS, &["link"])];
        for (program, first) in lines {
            let line = [first, &objects[..], &options[..], &duplicates[..]].concat();
            let Some(_) = bench.done(program, &line) else { continue };
            let Some(output) = bench.run(emulator, &["./program"]) else { continue };
            assert_eq!(output.status.code(), Some(37), "{program} {first:?}: {output:?}");
            let file = std::fs::read(bench.path("program")).expect("a program");
            let parsed = object::File::parse(&*file).expect("a program");
            let has = |name: &str| parsed.symbols().any(|symbol| symbol.name() == Ok(name));
            assert!(has("kept") && !has("dropped"), "{program} {first:?}");
        }
        let refused = |first: &[&str], options: &[&str], says: &str| {
            let line = [first, &objects[..], options, &["-o", "refused"]].concat();
            let output = bench.run(HARNESS, &line).expect("it is there");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && errors.contains(says), "{options:?}: {errors}");
        };
        refused(&["link"], &options[2..], "duplicate symbol: twice");
        refused(&["ld"], &["-shared"], "-shared: only static programs are linked");
        refused(&["ld"], &["-lnowhere"], "cannot find libnowhere.a");
        std::fs::write(bench.path("circle.ld"), "INPUT(circle.ld)").expect("written");
        refused(&["link"], &["circle.ld"], "name each other without end");
        refused(&["ld"], &["circle.ld"], "linker scripts name each other");
        refused(&["link"], &["-z", "nonsense"], "-z nonsense is not known");
        refused(&["link"], &["--section-start", ".text=8000", "--layout", "far"], "two layouts");
        // The same wishes hold where the program is run by us.
        let line = [&["exec", "main.o", "library.o", "value.o"], &options[2..11], &duplicates[..]].concat();
        let output = bench.run(HARNESS, &line).expect("it is there");
        assert_eq!(output.status.code(), Some(37), "{output:?}");
    }
}

#[test]
fn sections_go_where_they_are_put() {
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", "int data = 7; int main(void) { return data; }")]);
    let Some(_) = bench.done("aarch64-linux-gnu-gcc-12", &["-fno-pie", "-c", "start.s", "main.c"]) else { return };
    let options = ["start.o", "main.o", "-o", "program", "-Ttext=1230000", "--section-start=.data=0x4560008"];
    bench.done(HARNESS, &[&["ld"], &options[..]].concat()).expect("it is there");
    let file = std::fs::read(bench.path("program")).expect("a program");
    let parsed = object::File::parse(&*file).expect("a program");
    let address = |name: &str| parsed.section_by_name(name).expect("there").address();
    assert_eq!((address(".text"), address(".data")), (0x123_0000, 0x456_0008));
    if let Some(output) = bench.run("qemu-aarch64", &["./program"]) {
        assert_eq!(output.status.code(), Some(7));
    }
}

/// An image as GNU ld makes it of the same words: where it begins, what its symbol table says of sources and of what nobody
/// defines, and where it starts without `_start`.
#[test]
fn images_begin_where_it_is_said_and_name_sources_and_what_is_missing() {
    let main = "extern int absent(void) __attribute__((weak)); static int local = 3; int *pointer = &local;
int main(void) { return absent ? absent() : *pointer; } int _Z5otheri(int);";
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", main)]);
    let compiler = "aarch64-linux-gnu-gcc-12";
    let Some(_) = bench.done(compiler, &["-O0", "-fno-pie", "-c", "start.s", "main.c"]) else { return };
    let own = bench.path("ld");
    let own = own.to_str().expect("a text path");
    let words = ["--image-base", "0x10000000", "start.o", "main.o", "-o", "program"];
    let gnu = ["-Ttext-segment=0x10000000", "start.o", "main.o", "-o", "program"];
    let lines = [("aarch64-linux-gnu-ld", &[][..], &gnu[..]), (own, &[], &gnu), (HARNESS, &["ld"], &words)];
    for (program, first, words) in lines.into_iter().chain([(HARNESS, &["link"][..], &words[..])]) {
        let Some(_) = bench.done(program, &[first, words].concat()) else { continue };
        let Some(output) = bench.run("qemu-aarch64", &["./program"]) else { continue };
        assert_eq!(output.status.code(), Some(3), "{program} {first:?}");
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        let lowest = parsed.segments().map(|segment| segment.address()).min();
        assert_eq!(lowest, Some(0x1000_0000), "{program} {first:?}");
        let symbols: Vec<_> = parsed.symbols().collect();
        let of = |name: &str| symbols.iter().position(|symbol| symbol.name() == Ok(name));
        // GNU ld leaves out what nobody defines; lld names it, and so does ours.
        if program != "aarch64-linux-gnu-ld" {
            let absent = &symbols[of("absent").expect("absent is named")];
            assert!(absent.is_undefined() && absent.is_weak(), "{program} {first:?}: {absent:?}");
        }
        let (source, local) = (of("main.c").expect("the source is named"), of("local").expect("a local symbol"));
        assert!(symbols[source].kind() == object::SymbolKind::File && source < local, "{program} {first:?}");
    }
    // Without a start, and with a keyword that nobody knows, both of which GNU ld warns of.
    let line = ["--defsym", "absent=main", "-z", "nonsense", "main.o", "-o", "program"];
    for program in ["aarch64-linux-gnu-ld", own] {
        let Some(output) = bench.run(program, &line) else { continue };
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.contains("nonsense") && errors.contains("_start"), "{errors}");
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        let text = parsed.section_by_name(".text").expect("code").address();
        assert_eq!(parsed.entry(), text, "{program}");
        // Each of the two is an error where warnings are.
        for words in [&line[..2], &line[..4]] {
            let words = [&["--fatal-warnings"], words, &["main.o", "-o", "fatal"]].concat();
            let Some(output) = bench.run(program, &words) else { continue };
            assert!(!output.status.success() && !bench.path("fatal").exists(), "{program} {words:?}");
        }
    }
    let output = bench.run(HARNESS, &["ld", "-e", "_Z5otheri", "main.o", "-o", "program"]).expect("it is there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("other(int)"), "{errors}");
}

/// GNU ld's note: 20 bytes that are the same for the same content, and others for another.
#[test]
fn a_note_identifies_the_content() {
    let bench = Bench::new(&[("start.s", START_A64), ("main.c", "int main(void) { return VALUE; }")]);
    let note = |value: &str, style: &str| {
        bench.done("aarch64-linux-gnu-gcc-12", &["-c", "start.s", "main.c", &format!("-DVALUE={value}")])?;
        bench.done(HARNESS, &["ld", "start.o", "main.o", "-o", "program", style])?;
        let file = std::fs::read(bench.path("program")).expect("a program");
        let parsed = object::File::parse(&*file).expect("a program");
        Some(parsed.build_id().expect("readable").map(<[u8]>::to_vec))
    };
    let Some(first) = note("1", "--build-id") else { return };
    let first = first.expect("a note");
    assert_eq!(first.len(), 20);
    assert_eq!(note("1", "--build-id=sha1"), Some(Some(first.clone())));
    assert_ne!(note("2", "--build-id"), Some(Some(first)));
    assert_eq!(note("2", "--build-id=0x0123"), Some(Some(vec![0x01, 0x23])));
    assert_eq!(note("2", "--build-id=none"), Some(None));
}
