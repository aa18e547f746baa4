//! Whole programs: compiler drivers call us for the linker, what we write starts under qemu-user, and does what the program
//! does that GNU ld links. Where a compiler or a library is not installed, its part is skipped and said so.

use std::path::Path;
use std::process::Output;

use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, SymbolSection, elf};

use crate::bench::{Bench, HARNESS, START_A64, START_ARM};

impl Bench {
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
