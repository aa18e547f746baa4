//! Raw binaries (`objcopy -O binary`) with the maps of the linkers that made them: `harness exec` runs them, `harness check` judges
//! their fields, and both say what does not fit.

use std::path::{Path, PathBuf};
use std::process::Command;

use corpus::matrix::Family;
use harness::oracle::Peer;
use linker::Target;

const MAIN: &str = r#"
static int secret = 7;
int counter = 40;
int zeros[10];
const char *names[] = { "one", "two" };
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define _Thread_local
#endif
_Thread_local int own = 5;
_Thread_local int own_zero;
int helper(int);
int made;
__attribute__((constructor)) static void make(void) { made = names[1][0]; }
int add(int x) { counter += x; return helper(counter) + secret + zeros[3] + made; }
int thread(void) { return ++own + ++own_zero; }
void _start(void) { add(1); for (;;); }
"#;

const HELPER: &str = r#"
static int twice(int x) { return x * 2; }
int helper(int x) { return twice(x) + 1; }
"#;

/// Flash and memory apart: initial values have another address before start-up code has copied them.
const SCRIPT: &str = "
MEMORY { flash : ORIGIN = 0x8000, LENGTH = 32K  ram : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { *(.text*) } > flash
  .rodata : { *(.rodata*) } > flash
  .init_array : { __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .; } > ram AT > flash
  .data : { _data = .; *(.data*) _edata = .; } > ram AT > flash
  .bss : { *(.bss*) } > ram
  /DISCARD/ : { *(.ARM.*) *(.eh_frame) *(.note*) *(.comment) }
}
";

struct Linked {
    dir: tempfile::TempDir,
    target: &'static str,
}

impl Linked {
    /// Compiles both files, links them, and makes `image.bin` of it.
    fn new(target: &'static str, linker: &Path, options: &[&str]) -> Linked {
        let linked = Linked { dir: tempfile::tempdir().expect("a directory"), target };
        let toolchains = corpus::toolchain::Toolchains::discover();
        let flags = ["-O1", "-ffunction-sections", "-fno-pic"].map(str::to_owned);
        for (name, source) in [("main", MAIN), ("helper", HELPER)] {
            let path = linked.path(&format!("{name}.c"));
            std::fs::write(&path, source).expect("written");
            let row = Target::named(target).expect("a target");
            let data =
                corpus::build::compile_file(&path, row, Some(Family::Gcc), &flags, &toolchains).expect("compiles");
            std::fs::write(linked.path(&format!("{name}.o")), data).expect("written");
        }
        std::fs::write(linked.path("flash.ld"), SCRIPT).expect("written");
        let mut command = Command::new(linker);
        command.current_dir(linked.dir.path()).args(options);
        let done =
            command.args(["-static", "-Map=map", "-o", "image", "main.o", "helper.o"]).output().expect("it starts");
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
        let mut objcopy = Command::new("llvm-objcopy-19");
        objcopy.current_dir(linked.dir.path()).args(["-O", "binary", "image", "image.bin"]);
        assert!(objcopy.status().expect("llvm-objcopy").success());
        linked
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn harness(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        let output = command.current_dir(self.dir.path()).args(arguments).env("NO_COLOR", "1").output();
        let output = output.expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
    }

    /// What a function of `image.bin` returns.
    fn call(&self, options: &[&str]) -> String {
        let arguments = ["exec", "image.bin", "--map", "map", "--arch", self.target, "--returns", "i32"];
        let (status, out, err) = self.harness(&[&arguments, options].concat());
        assert_eq!(status, 0, "{}: {out}{err}", self.target);
        out.trim().to_owned()
    }

    fn judged(&self, options: &[&str]) -> (i32, String) {
        let (status, out, err) =
            self.harness(&[&["check", "image.bin", "main.o", "helper.o", "--map", "map"], options].concat());
        (status, out + &err)
    }

    /// It runs, and its fields are right; a damaged one is named.
    fn is_right(&self, at: &str) {
        // 2 * 42 + 1 + 7, and the letter that the constructor found.
        assert_eq!(self.call(&["--entry", "add", "--arg", "2"]), (92 + i32::from(b't')).to_string());
        assert_eq!(self.call(&["--entry", "add", "--arg", "3", "--at", at]), (94 + i32::from(b't')).to_string());
        assert_eq!(self.call(&["--entry", "thread"]), "7");
        let (status, out) = self.judged(&["--json"]);
        let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let total = |what: &str| document["total"][what].as_u64().expect("a number");
        assert_eq!((status, total("wrong"), total("unknown")), (0, 0, 0), "{}: {out}", self.target);
        assert!(total("right") + total("relaxed") >= 10, "{out}");
    }
}

fn peer(peer: Peer, target: &str) -> PathBuf {
    peer.find(Target::named(target).expect("a target")).expect("the peer is installed")
}

#[test]
fn by_the_map_of_each_linker() {
    for (target, mold) in
        [("aarch64", "aarch64linux"), ("armv7", "armelf_linux_eabi"), ("thumbv7", "armelf_linux_eabi")]
    {
        // Where each of them has its first section with bytes, the map says; here it is told to all.
        let options = ["-Ttext=0x410000", "-Tdata=0x430000", "--build-id=none"];
        let prefix = if target == "aarch64" { "aarch64-linux-gnu" } else { "arm-linux-gnueabihf" };
        let gold = PathBuf::from(format!("{prefix}-ld.gold"));
        for linker in [peer(Peer::Ld, target), peer(Peer::Lld, target), gold] {
            let linked = Linked::new(target, &linker, &options);
            let map = std::fs::read(linked.path("map")).expect("a map");
            let map = harness::map::Map::read(&map).expect("a map");
            let raw = std::fs::read(linked.path("image.bin")).expect("a file");
            let row = Target::named(target).expect("a target");
            let first = harness::raw::Raw::read(row, &raw, &map, None).expect("they fit").parts[0].load;
            linked.is_right(&format!("{first:#x}"));
        }
        let linked = Linked::new(target, Path::new("mold"), &["-m", mold]);
        assert_eq!(linked.call(&["--entry", "add", "--arg", "2"]), (92 + i32::from(b't')).to_string(), "{target} mold");
        assert_eq!(linked.judged(&[]).0, 0);
    }
}

#[test]
fn firmware_with_initial_values_elsewhere() {
    for linker in [Peer::Ld, Peer::Lld] {
        let linked = Linked::new("thumbv7m", &peer(linker, "thumbv7m"), &["-Tflash.ld"]);
        linked.is_right("0x8000");
        // Start-up code would find the initial values where the binary has them.
        let (_, out) = linked.judged(&["--verbose"]);
        assert!(out.contains("of the placed by the map"), "{out}");
    }
}

#[test]
fn a_damaged_field_is_named() {
    let linked = Linked::new("thumbv7m", &peer(Peer::Ld, "thumbv7m"), &["-Tflash.ld"]);
    let image = std::fs::read(linked.path("image")).expect("a file");
    let file = object::File::parse(&*image).expect("ELF");
    use object::{Object as _, ObjectSymbol as _};
    let names = file.symbols().find(|symbol| symbol.name() == Ok("names")).expect("names");
    let mut raw = std::fs::read(linked.path("image.bin")).expect("a file");
    // `.data` is the last of it.
    let end = file.symbols().find(|symbol| symbol.name() == Ok("_edata")).expect("_edata");
    let at = raw.len() - (end.address() - names.address()) as usize;
    raw[at] ^= 4;
    std::fs::write(linked.path("image.bin"), &raw).expect("written");
    let (status, out) = linked.judged(&[]);
    assert!(status == 100 && out.contains("WRONG R_ARM_ABS32") && out.contains("<names>"), "{status} {out}");
}

#[test]
fn what_does_not_fit() {
    let linked = Linked::new("thumbv7m", &peer(Peer::Ld, "thumbv7m"), &["-Tflash.ld"]);
    let exec = ["exec", "image.bin", "--arch", "thumbv7m", "--entry", "add", "--map"];
    let bad = |arguments: &[&str], status: i32, said: &[&str]| {
        let (found, _, err) = linked.harness(arguments);
        assert!(found == status && said.iter().all(|said| err.contains(said)), "{arguments:?}: {found} {err}");
    };
    bad(&[&exec[..], &["map", "--at", "0x20000"]].concat(), 65, &["image.bin", ".text at 0x8000", "0x20000 to"]);
    bad(&[&exec[..], &["main.o"]].concat(), 65, &["main.o", "expected a map file"]);
    bad(&[&exec[..], &["nowhere"]].concat(), 65, &["nowhere"]);
    bad(&[&exec[..5], &["nothing", "--map", "map"]].concat(), 125, &["nothing is not there"]);
    bad(&["exec", "image", "--arch", "thumbv7m", "--map", "map"], 2, &["image is an ELF file", "leave out --map"]);
    bad(&["exec", "image.bin", "--map", "map"], 2, &["--arch"]);
    bad(&["exec", "image.bin", "main.o", "--arch", "thumbv7m", "--map", "map"], 2, &["--map is for one raw binary"]);
    bad(&["exec", "image.bin", "--arch", "thumbv7m"], 65, &["image.bin", "--map"]);
    bad(&["check", "image.bin", "main.o"], 65, &["expected an ELF file", "--map"]);
    bad(&["check", "image.bin", "main.o", "--map", "map", "--at", "0x20000"], 65, &[".text at 0x8000"]);
    bad(&["check", "image", "main.o", "--map", "map", "--at", "0x20000"], 2, &["image is an ELF file"]);
    // A first instruction that is none.
    let image = std::fs::read(linked.path("image")).expect("a file");
    let file = object::File::parse(&*image).expect("ELF");
    use object::{Object as _, ObjectSymbol as _};
    let add = file.symbols().find(|symbol| symbol.name() == Ok("add")).expect("add").address();
    let mut broken = std::fs::read(linked.path("image.bin")).expect("a file");
    let at = ((add & !1) - 0x8000) as usize;
    broken[at..at + 2].copy_from_slice(&[0x00, 0xde]);
    std::fs::write(linked.path("broken.bin"), &broken).expect("written");
    let words = ["exec", "broken.bin", "--arch", "thumbv7m", "--entry", "add", "--arg", "1", "--map", "map"];
    bad(&words, 132, &["the first instructions are none of ARMv7-M", "--arch may be wrong"]);
    bad(
        &["exec", "image.bin", "--arch", "aarch64", "--entry", "add", "--map", "map"],
        2,
        &["--arch aarch64", "elf32-littlearm", "--arch armv7 or thumbv7"],
    );
    let short = &std::fs::read(linked.path("image.bin")).expect("a file")[..0x20];
    std::fs::write(linked.path("image.bin"), short).expect("written");
    bad(&[&exec[..], &["map"]].concat(), 65, &["0x8000 to 0x8020"]);
    // Sections of which one is written and one executed, on one page.
    let together = Linked::new("armv7", &peer(Peer::Ld, "armv7"), &["-N", "-Ttext=0x10000"]);
    let (status, _, err) =
        together.harness(&["exec", "image.bin", "--map", "map", "--arch", "armv7", "--entry", "add"]);
    assert!(status == 65 && err.contains(".text") && err.contains("W^X"), "{status} {err}");
}
