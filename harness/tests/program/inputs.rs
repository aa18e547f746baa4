//! Files as builds leave them: response files, thin archives, what is no object, names of C++.

use std::path::Path;
use std::process::{Command, Output};

use object::write::{Object, Relocation, StandardSection, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SymbolFlags, SymbolKind, SymbolScope};

/// Runs the program in a directory: status and what it said on standard output and error.
fn run(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    let Output { status, stdout, stderr } =
        command.current_dir(directory).args(arguments).output().expect("the program starts");
    let text = String::from_utf8([stdout, stderr].concat()).expect("text");
    (status.code().expect("not killed"), text)
}

/// An AArch64 object with a function of one or two instructions, which goes to another one or returns a number.
fn function(name: &str, goes_to: Option<&str>, number: u32) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let text = object.section_id(StandardSection::Text);
    let code = match goes_to {
        Some(_) => vec![0x1400_0000],
        None => vec![0x5280_0000 | number << 5, 0xd65f_03c0],
    };
    let code: Vec<u8> = code.into_iter().flat_map(u32::to_le_bytes).collect();
    object.append_section_data(text, &code, 4);
    let mut symbol = |name: &str, section| {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    };
    symbol(name, SymbolSection::Section(text));
    if let Some(goes_to) = goes_to {
        let symbol = symbol(goes_to, SymbolSection::Undefined);
        let flags = RelocationFlags::Elf { r_type: object::elf::R_AARCH64_JUMP26 };
        object.add_relocation(text, Relocation { offset: 0, symbol, addend: 0, flags }).expect("a relocation");
    }
    object.write().expect("an object")
}

fn directory(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, data) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, data).expect("written");
    }
    directory
}

#[test]
fn words_come_from_response_files_in_every_command() {
    let files = [
        ("main.o", function("main", Some("seven"), 0)),
        ("with space.o", function("seven", None, 7)),
        ("inner.rsp", b"\"with space.o\"\n".to_vec()),
        ("exec.rsp", b"exec main.o @inner.rsp --no-relax".to_vec()),
    ];
    let directory = directory(&files);
    assert_eq!(run(directory.path(), &["@exec.rsp"]), (7, String::new()));
    for command in ["graph", "explain", "diff"] {
        let (_, text) = run(directory.path(), &[command, "main.o", "@inner.rsp"]);
        assert!(text.contains("R_AARCH64_JUMP26"), "{command}: {text}");
    }
    let (status, text) = run(directory.path(), &["link", "main.o", "@inner.rsp", "-o", "image"]);
    assert_eq!(status, 0, "{text}");
}

/// A member of a thin archive, which has no content there.
fn thin(name: &str, size: usize) -> Vec<u8> {
    format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).into_bytes()
}

#[test]
fn a_thin_archive_names_files_beside_it() {
    let names = b"sub/seven.o/\nwhole.a/\n";
    let seven = function("seven", None, 7);
    let header = String::from_utf8(thin("eight.o/", function("eight", None, 8).len())).expect("text");
    let whole = [b"!<arch>\n", header.as_bytes(), &function("eight", None, 8)].concat();
    let head = |list: &[Vec<u8>]| {
        let names = [thin("//", names.len()), names.to_vec(), vec![b'\n'; names.len() % 2]].concat();
        [b"!<thin>\n".to_vec(), names, list.concat()].concat()
    };
    let files = [
        ("main.o", function("main", Some("seven"), 0)),
        ("other.o", function("main", Some("eight"), 0)),
        ("lib/sub/seven.o", seven),
        ("lib/whole.a", whole),
        ("lib/thin.a", head(&[thin("/0", 1), thin("/13:8", 1)])),
        ("lib/gone.a", [b"!<thin>\n".to_vec(), thin("gone.o/", 1)].concat()),
    ];
    let directory = directory(&files);
    assert_eq!(run(directory.path(), &["exec", "main.o", "--lib", "lib/thin.a"]), (7, String::new()));
    assert_eq!(run(directory.path(), &["exec", "other.o", "lib/thin.a"]), (8, String::new()));
    let (status, text) = run(directory.path(), &["exec", "main.o", "lib/gone.a"]);
    assert_eq!(status, 65);
    assert!(
        text.starts_with("error: lib/gone.a(gone.o): the thin archive names a file that cannot be read: "),
        "{text}"
    );
    let (_, text) = run(directory.path(), &["graph", "lib/thin.a", "--root", "eight", "--after", "prune"]);
    assert!(text.contains("section .text of lib/thin.a(eight.o)") || text.contains("lib/thin.a(whole.a)"), "{text}");
}

#[test]
fn what_is_no_object_is_named_for_what_it_is_in_every_command() {
    let files = [
        ("main.o", function("main", Some("seven"), 0)),
        ("bitcode.o", b"BC\xc0\xde0000".to_vec()),
        ("mach.o", b"\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x01\0\0\0".to_vec()),
        ("script.a", b"SECTIONS { .text : { *(.text) } }\n".to_vec()),
        ("empty.o", Vec::new()),
        ("empty.a", b"!<arch>\n".to_vec()),
    ];
    let directory = directory(&files);
    std::fs::create_dir(directory.path().join("sub")).expect("a directory");
    for command in [&["exec"][..], &["link", "-o", "image"], &["graph"], &["explain"], &["diff"]] {
        for (file, alone, along) in [
            ("bitcode.o", "bitcode.o is LLVM bitcode", "bitcode.o: is LLVM bitcode"),
            ("mach.o", "mach.o is a Mach-O object for ARM64", "mach.o: is a Mach-O object for ARM64"),
            ("script.a", "script.a is a linker script", "script.a: is a linker script"),
            ("empty.o", "empty.o is empty", "empty.o: is empty"),
            ("empty.a", "empty.a is an archive without members", ""),
            ("sub", "sub: it is a directory, expected a file", "sub: it is a directory"),
        ] {
            let (status, text) = run(directory.path(), &[command, &[file]].concat());
            assert!(status != 0 && text.contains(alone), "{command:?} {file}: {text}");
            let (_, text) = run(directory.path(), &[command, &["main.o", file]].concat());
            assert!(text.contains(along), "{command:?} main.o {file}: {text}");
        }
    }
}

#[test]
fn names_of_cpp_and_rust_are_as_they_were_written() {
    let files = [
        ("cpp.o", function("main", Some("_ZN4deep6WidgetC1Ei"), 0)),
        ("rust.o", function("main", Some("_RNvCs1234_7mycrate3foo"), 0)),
    ];
    let directory = directory(&files);
    for (file, expected) in [
        ("cpp.o", "undefined symbol: deep::Widget::Widget(int) [_ZN4deep6WidgetC1Ei]"),
        ("rust.o", "undefined symbol: mycrate::foo [_RNvCs1234_7mycrate3foo]"),
    ] {
        let (status, text) = run(directory.path(), &["exec", file]);
        assert!(status == 125 && text.contains(expected), "{text}");
    }
    let (_, text) = run(directory.path(), &["explain", "cpp.o"]);
    assert!(text.contains("against `deep::Widget::Widget(int) [_ZN4deep6WidgetC1Ei]`"), "{text}");
    let (_, text) = run(directory.path(), &["graph", "rust.o"]);
    assert!(text.contains("mycrate::foo"), "{text}");
}

#[test]
fn an_object_that_is_cut_short_is_damaged_and_not_unknown() {
    let mut cut = function("main", None, 0);
    cut.truncate(80);
    let directory = directory(&[("cut.o", cut)]);
    for command in [&["exec"][..], &["link", "-o", "image"], &["graph"], &["explain"]] {
        let (status, text) = run(directory.path(), &[command, &["cut.o"]].concat());
        assert!(status != 0 && text.contains("cut.o: section headers: "), "{command:?}: {text}");
    }
}
