//! Compiling real cases with the compilers that are installed. One that is not is a counted skip.

use std::collections::BTreeMap;

use corpus::build::{self, BuildError, File, FileKind};
use corpus::case::{self, Case};
use corpus::matrix::{self, Build, Family};
use corpus::prebuilt::{self, PrebuiltError};
use corpus::toolchain::Toolchains;
use linker::target::{TARGETS, Target};
use object::{Object, ObjectSection, ObjectSymbol};

fn one(file: &str, text: &str) -> Case {
    case::parse(file, text).unwrap_or_else(|errors| panic!("{errors:#?}")).remove(0)
}

fn jobs<'a>(case: &'a Case, toolchains: &Toolchains) -> Vec<build::Job<'a>> {
    let versions = |family, target: &Target| toolchains.major(family, target);
    case.builds(&[], &versions).into_iter().map(|build| (case, build)).collect()
}

/// The files of each job that could be built; what could not for want of a program is counted and printed.
fn build_all<'a>(jobs: &'a [build::Job<'_>], toolchains: &Toolchains) -> Vec<(&'a Build, Vec<File>)> {
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let mut built = Vec::new();
    for (job, result) in jobs.iter().zip(build::build_all(jobs, toolchains, 2, &|_, _| {})) {
        match result {
            Ok(files) => built.push((&job.1, files)),
            Err(error) if error.is_skip() => *skipped.entry(error.to_string()).or_default() += 1,
            Err(error) => panic!("{} {}: {error}", job.1.target.name, job.1.label),
        }
    }
    for (reason, count) in skipped {
        println!("skipped {count}: {reason}");
    }
    built
}

fn defined(data: &[u8]) -> Vec<String> {
    let file = object::File::parse(data).expect("an object");
    let symbols = file.symbols().filter(|symbol| symbol.is_global() && !symbol.is_undefined());
    symbols.map(|symbol| symbol.name().expect("a name").to_owned()).collect()
}

#[test]
fn every_target_and_flag_of_the_standard_set() {
    let case = one(
        "g/all.c",
        "// arch: armv7 thumbv7 armv6 thumbv6m thumbv7m aarch64\n// call: f(1i32) = void\n#include <stdint.h>\n#include <stdarg.h>\n\
         extern int e; int32_t f(int x) { return x + e; }\n//--- b.cc\nextern \"C\" { int e = N; }\nstruct S { virtual int m(); };\nint S::m() { return e; }\n\
         // for: N = 3\n",
    );
    let toolchains = Toolchains::discover();
    let jobs = jobs(&case, &toolchains);
    assert_eq!(jobs.len(), 20 + 20 + 18 + 18 + 18 + 22 + 2 + 2 + 2 + 1);
    for (build, files) in build_all(&jobs, &toolchains) {
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["all.o", "b.o"]);
        let object = object::File::parse(&*files[0].data).expect("an object");
        let arm = corpus::target::row(build.target).is_arm();
        let expected = match (arm, build.target.pointer_bits) {
            (true, _) => object::Architecture::Arm,
            (_, 32) => object::Architecture::Aarch64_Ilp32,
            _ => object::Architecture::Aarch64,
        };
        assert_eq!(object.architecture(), expected, "{}", build.label);
        assert_eq!(defined(&files[0].data), ["f"]);
        // Thumb functions have an odd value.
        let f = object.symbols().find(|symbol| symbol.name() == Ok("f")).expect("f");
        assert_eq!(f.address() & 1 == 1, build.target.thumb, "{} {}", build.target.name, build.label);
    }
}

#[test]
fn archives_and_partial_links() {
    let case = one(
        "g/joined.S",
        "// archive: libx.a = c.S d.S\n// partial: ab.o = a.S b.S\n// call: f() = void\n.global f\nf: .long 0\n\
         //--- a.S\n.global a\na: .long b\n//--- b.S\n.global b\nb: .long a\n//--- c.S\n.global c\nc: .long 0\n\
         //--- d.S\n#include \"name.h\"\n.global NAME\nNAME: .long 0\n//--- name.h\n#define NAME d\n",
    );
    let toolchains = Toolchains::discover();
    let jobs = jobs(&case, &toolchains);
    for (build, files) in build_all(&jobs, &toolchains) {
        let names: Vec<(&str, FileKind)> = files.iter().map(|file| (file.name.as_str(), file.kind)).collect();
        let expected = [("joined.o", FileKind::Object), ("ab.o", FileKind::Object), ("libx.a", FileKind::Archive)];
        assert_eq!(names, expected, "{}", build.label);
        let mut symbols = defined(&files[1].data);
        symbols.sort();
        assert_eq!(symbols, ["a", "b"]);
        let archive = object::read::archive::ArchiveFile::parse(&*files[2].data).expect("an archive");
        let symbols = archive.symbols().expect("symbols").expect("a table");
        let symbols: Vec<String> =
            symbols.map(|symbol| String::from_utf8_lossy(symbol.expect("a symbol").name()).into_owned()).collect();
        assert_eq!(symbols, ["c", "d"]);
    }
}

#[test]
fn a_script_says_how_parts_are_joined() {
    let case = one(
        "g/module.S",
        "// partial: ab.o = a.S b.S order.lds\n// call: f() = void\n.global f\nf: .long 0\n\
         //--- a.S\n.text\na: .long 1\n.data\n.long 2\n//--- b.S\n.section .text.b, \"ax\"\nb: .long 3\n\
         //--- order.lds\nSECTIONS { .data 0 : { *(.data) } .code 0 : { *(.text .text.*) } }\n",
    );
    let toolchains = Toolchains::discover();
    let jobs = jobs(&case, &toolchains);
    for (build, files) in build_all(&jobs, &toolchains) {
        let file = object::File::parse(&*files[1].data).expect("an object");
        let wanted = file.sections().filter(|section| section.size() > 0);
        let names: Vec<&str> = wanted.filter_map(|section| section.name().ok()).collect();
        let own: Vec<&str> =
            names.into_iter().filter(|name| [".data", ".code", ".text", ".text.b"].contains(name)).collect();
        assert_eq!(own, [".data", ".code"], "{}", build.label);
        let code = file.section_by_name(".code").expect("the code");
        assert_eq!(code.size(), 8, "{}", build.label);
    }
}

#[test]
fn the_same_bytes_each_time_and_no_directories() {
    let case = one(
        "g/same.c",
        "// call: f() = void\nconst char *f(void) { return __FILE__ __DATE__; }\n//--- s.S\n.global s\ns: .long 0\n",
    );
    let toolchains = Toolchains::discover();
    let jobs = jobs(&case, &toolchains);
    let (first, second) = (build_all(&jobs, &toolchains), build_all(&jobs, &toolchains));
    assert_eq!(first, second);
    for (build, files) in first {
        for file in files {
            let text = String::from_utf8_lossy(&file.data).into_owned();
            assert!(!text.contains("linkrig-") && !text.contains("/tmp"), "{} {}", build.label, file.name);
        }
    }
}

#[test]
fn a_compiler_that_says_no_is_quoted_with_the_line_of_the_case() {
    let case = one("g/bad.c", "// call: f() = void\n// build: @one\nint f;\n//--- b.c\n\nint b = nonsense;\n");
    let toolchains = Toolchains::discover();
    for job in jobs(&case, &toolchains) {
        match build::build(&case, &job.1, &toolchains) {
            Err(error @ BuildError::Failed { .. }) => {
                let text = error.to_string();
                assert!(text.contains("b.c:6:") && text.contains("nonsense") && text.contains("-O2"), "{text}");
            }
            Err(error) if error.is_skip() => println!("skipped: {error}"),
            other => panic!("{other:?}"),
        }
    }
    let missing =
        build::build(&case, &jobs(&case, &toolchains)[0].1, &Toolchains::default()).expect_err("nothing found");
    assert!(missing.is_skip() && missing.to_string().contains("install gcc-12-"), "{missing}");
}

#[test]
fn any_source_is_compiled_by_its_extension() {
    let sources = [
        ("a.c", "#include <stdint.h>\nint f(void) { return 1; }\n"),
        ("a.cpp", "extern \"C\" int f() { return 1; }\n"),
        ("a.S", "#define F f\n.global F\nF: .long 0\n"),
        ("a.ll", "define i32 @f() {\n  ret i32 1\n}\n"),
        ("a.rs", "#![no_std]\n#[unsafe(no_mangle)]\npub extern \"C\" fn f() -> i32 { 1 }\n"),
    ];
    let toolchains = Toolchains::discover();
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in sources {
        std::fs::write(dir.path().join(name), text).expect("written");
        for target in TARGETS {
            match build::compile_file(&dir.path().join(name), target, None, &[], &toolchains) {
                Ok(object) => assert_eq!(defined(&object), ["f"], "{name} {}", target.name),
                Err(error @ BuildError::Unsupported(_)) if name == "a.rs" => println!("skipped: {error}"),
                Err(error) if error.is_skip() => println!("skipped: {error}"),
                // A C library's headers are there for some targets only.
                Err(error) => println!("{name} for {}: {error}", target.name),
            }
        }
    }
    let error =
        build::compile_file(&dir.path().join("a.pas"), &TARGETS[0], None, &[], &toolchains).expect_err("Pascal");
    assert!(error.to_string().contains("expected one of .c"), "{error}");
}

#[test]
fn prebuilt_objects_come_back_and_notice_what_is_wrong() {
    let text = "// build: gcc -O2 | gcc -Os | clang -O2\n// call: f() = void\nint f(void) { return 1; }\n";
    let case = one("g/kept.c", text);
    let target = Target::named("aarch64").expect("a target");
    let toolchains = Toolchains::default();
    let builds = case.builds(&["aarch64"], &matrix::wanted);
    let file = |name: &str, data: &[u8]| File { name: name.into(), kind: FileKind::of(name), data: data.to_vec() };
    let pair = |a: &[u8], l: &[u8]| vec![file("a.o", a), file("l.a", l)];
    let files = [pair(b"one", b"two"), pair(b"two", b"two"), pair(b"", b"two")];
    let built: Vec<(&Case, &Build, &[File])> =
        builds.iter().zip(&files).map(|(build, files)| (&case, build, &files[..])).collect();
    let dir = tempfile::tempdir().expect("a directory");
    let size = prebuilt::write(dir.path(), target, &built, &toolchains).expect("written");
    let path = prebuilt::path(dir.path(), target);
    let bytes = std::fs::read(&path).expect("there");
    assert_eq!(bytes.len() as u64, size);
    prebuilt::write(dir.path(), target, &built, &toolchains).expect("written");
    assert_eq!(bytes, std::fs::read(&path).expect("there"));

    let read = prebuilt::read(dir.path(), target).expect("right");
    assert_eq!(read.size(), (3, 6));
    for (build, files) in builds.iter().zip(&files) {
        assert_eq!(read.files(&case, build).expect("there"), *files);
    }
    assert!(read.check(&case).is_ok());
    let changed = one("g/kept.c", &text.replace("return 1", "return 2"));
    assert!(matches!(read.check(&changed), Err(PrebuiltError::Stale { .. })));
    let other = one("g/other.c", text);
    assert!(matches!(read.files(&other, &builds[0]), Err(PrebuiltError::Missing { .. })));

    // Every truncation and every changed byte is noticed or harmless, and none panics.
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).expect("written");
        assert!(prebuilt::read(dir.path(), target).is_err(), "truncated to {length}");
    }
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 0x20;
        std::fs::write(&path, &changed).expect("written");
        if let Ok(Ok(found)) = prebuilt::read(dir.path(), target).map(|read| read.files(&case, &builds[0])) {
            assert_eq!(found, files[0], "byte {index}");
        }
    }
    let wrong = Target::named("armv7").expect("a target");
    std::fs::write(prebuilt::path(dir.path(), wrong), &bytes).expect("written");
    assert!(
        prebuilt::read(dir.path(), wrong).expect_err("another target's").to_string().contains("expected 1 for armv7")
    );
}

#[test]
fn toolchains_say_what_they_are() {
    let toolchains = Toolchains::discover();
    for toolchain in &toolchains.found {
        println!("{} for {}: {}", toolchain.id, toolchain.target, toolchain.cc.version);
        assert!(!toolchain.target.is_empty() && toolchain.id.major > 0);
    }
    for (missing, targets) in toolchains.all_missing() {
        println!("missing for {}: {missing}", targets.join(" "));
    }
    let found: Vec<Family> = toolchains.found.iter().map(|toolchain| toolchain.id.family).collect();
    assert!(toolchains.found.len() + toolchains.missing.len() == Family::ALL.len() * TARGETS.len(), "{found:?}");
}
