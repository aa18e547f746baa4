//! What llvm-jitlink gets wrong, on objects of a real assembler: the oracle sees it, and says whose fault it is. GNU ld and lld
//! see the same objects and agree with us. (docs/bugs.md has the causes.)

use std::path::PathBuf;

use harness::linking::{Data, Input};
use harness::oracle::{Bundle, Peer, Survey, Tally};
use linker::{Layout, Target};

/// A source that llvm-jitlink links wrongly.
struct Defect {
    what: &'static str,
    target: &'static str,
    /// Who is right where it is not.
    peers: &'static [Peer],
    source: &'static str,
    /// The relocation that comes out wrong, and what the ruling has to say of it.
    relocation: &'static str,
    says: &'static str,
}

const BOTH: &[Peer] = &[Peer::Ld, Peer::Lld];

/// A function in Thumb state at an address that is 2 modulo 4.
const THUMB: &str = "
    .section .text.t, \"ax\"
    .p2align 2
    .thumb
    nop
    .globl callee
    .type callee, %function
callee:
    bx lr
    .size callee, . - callee
";

const DEFECTS: &[Defect] = &[
    Defect {
        what: "the H bit of BLX to a Thumb function at 2 modulo 4",
        target: "armv7",
        peers: BOTH,
        source: ".globl f\n .type f, %function\nf: bl callee\n bx lr\n",
        relocation: "R_ARM_CALL",
        says: "was meant",
    },
    Defect {
        what: "the T bit of a datum",
        target: "armv7",
        peers: BOTH,
        source: ".data\n .globl f\nf: .word callee\n",
        relocation: "R_ARM_ABS32",
        says: "(S + A) | T",
    },
    Defect {
        what: "a negative addend of MOVT",
        target: "armv7",
        peers: BOTH,
        source: ".globl f\n .type f, %function\nf: movt r0, #:upper16:(page - 4)\n bx lr\n .data\n .p2align 12\n .globl page\npage: .word 1\n",
        relocation: "R_ARM_MOVT_ABS",
        says: "S + A = ",
    },
    Defect {
        what: "a call of nothing",
        target: "armv7",
        peers: BOTH,
        source: ".weak nothing\n .globl f\n .type f, %function\nf: bl nothing\n bx lr\n",
        relocation: "R_ARM_CALL",
        says: "goes on with the next instruction",
    },
    Defect {
        what: "the start of a section with an identifier for a name, on ARM",
        target: "armv7",
        peers: BOTH,
        source: ".data\n .globl f\nf: .word __start_things\n .section things, \"aw\"\n .word 1\n",
        relocation: "R_ARM_ABS32",
        says: "(S + A) | T",
    },
    Defect {
        what: "bits that stand in the field before",
        target: "aarch64",
        peers: BOTH,
        source: ".globl f, g\n .type f, %function\nf: .reloc ., R_AARCH64_CALL26, g\n .inst 0x94000001\n ret\n .section .text.g, \"ax\"\ng: ret\n",
        relocation: "R_AARCH64_CALL26",
        says: "which makes",
    },
    Defect {
        what: "a gap between call-frame records, which ends them",
        target: "aarch64",
        peers: BOTH,
        source: ".section .text.dead, \"ax\"\ndead: .cfi_startproc\n ret\n .cfi_endproc\n .text\n .globl f\n .type f, %function\nf: .cfi_startproc\n ret\n .cfi_endproc\n .globl g\ng: bl h\n",
        relocation: "R_AARCH64_PREL32",
        says: "no record for the code",
    },
];

fn survey(target: &'static Target, source: &str, peers: &[Peer]) -> Survey {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.S");
    std::fs::write(&path, source).expect("written");
    let toolchains = corpus::toolchain::Toolchains::discover();
    let data = corpus::build::compile_file(&path, target, None, &[], &toolchains).expect("assembles");
    let bundle = Bundle { name: "a.o".to_owned(), objects: vec![Input::new("a.o".to_owned(), Data::Read(data))] };
    let find = |&peer: &Peer| (peer, peer.find(target).expect("the peer is installed"));
    let peers: Vec<(Peer, PathBuf)> = peers.iter().map(find).collect();
    let survey = Survey::of(target, vec![bundle], &peers, &Layout::Random(1), || ());
    assert!(survey.unlinked.is_empty(), "{source}: {:?}", survey.unlinked);
    survey
}

fn target(name: &str) -> &'static Target {
    Target::named(name).expect("a target")
}

/// What the ABI forbids to ask for is nobody's defect: each linker makes something else of it, and the oracle says that there is no
/// right one.
#[test]
fn a_table_entry_with_an_addend_is_nobodys_fault() {
    let source = ".globl f\n .type f, %function\nf: adrp x0, :got:array + 8\n ldr x0, [x0, :got_lo12:array + 8]\n ret\n .data\n .globl array\narray: .xword 1, 2\n";
    let survey = survey(target("aarch64"), source, &[Peer::Ld, Peer::Lld, Peer::Jitlink]);
    assert_eq!(survey.sums.len(), 3);
    for (peer, sum) in &survey.sums {
        let tally = &sum.tallies["R_AARCH64_LD64_GOT_LO12_NC"];
        let [different] = &tally.different[..] else { panic!("{peer:?}: {tally:?}") };
        let ruling = &different.ruling;
        assert!(
            ruling.word() == "forbidden" && ruling.to_string().contains("AAELF64 2026Q2 wants a zero addend"),
            "{peer:?}: {ruling}"
        );
    }
}

#[test]
fn defects_are_its_own() {
    for defect in DEFECTS {
        let Defect { what, source, relocation, says, .. } = defect;
        let peers: Vec<Peer> = [Peer::Jitlink].iter().chain(defect.peers).copied().collect();
        let thumb = if defect.target == "armv7" { THUMB } else { "" };
        let source = format!("{}{source}{thumb}", if thumb.is_empty() { "" } else { ".syntax unified\n .arm\n" });
        let survey = survey(target(defect.target), &source, &peers);
        for (peer, sum) in &survey.sums {
            assert_eq!((sum.bundles, sum.refused.len()), (1, 0), "{what}: {peer:?} {:?}", sum.refused);
            let mut tallies = sum.tallies.iter();
            if *peer != Peer::Jitlink {
                assert!(tallies.all(|(_, tally)| tally.different.is_empty() && tally.agreed() + tally.excused() > 0));
                continue;
            }
            let tally = &sum.tallies[relocation];
            assert_eq!(tally.different.len(), 1, "{what}: {tally:?}");
            let ruling = &tally.different[0].ruling;
            assert!(ruling.word() == "ours" && ruling.to_string().contains(says), "{what}: {ruling}");
        }
    }
}

/// What it does right is the same: by stubs, by slots of its table, by call frames.
#[test]
fn what_is_right_is_the_same() {
    let source = ".globl f\n .type f, %function\nf: .cfi_startproc\n bl g\n adrp x0, :got:v\n ldr x0, [x0, :got_lo12:v]\n ret\n .cfi_endproc\n";
    let survey = survey(target("aarch64"), source, &[Peer::Jitlink]);
    let tallies = &survey.sums[&Peer::Jitlink].tallies;
    let agreed = |name| tallies.get(name).map(Tally::agreed);
    for name in ["R_AARCH64_CALL26", "R_AARCH64_ADR_GOT_PAGE", "R_AARCH64_LD64_GOT_LO12_NC", "R_AARCH64_PREL32"] {
        assert_eq!(agreed(name), Some(1), "{name}: {tallies:?}");
    }
}

/// Stubs in A32 for a core that has none: the veneers of GNU ld for it are Thumb code.
#[test]
fn stubs_are_in_a_state_that_the_core_has() {
    let source = ".syntax unified\n .cpu cortex-m0\n .thumb\n .globl f\n .type f, %function\nf: push {lr}\n bl callee\n pop {pc}\n";
    let survey = survey(target("thumbv6m"), source, &[Peer::Jitlink, Peer::Ld]);
    assert!(survey.sums[&Peer::Ld].tallies["R_ARM_THM_CALL"].agreed() == 1, "{survey:?}");
    let tally = &survey.sums[&Peer::Jitlink].tallies["R_ARM_THM_CALL"];
    assert!(tally.different.len() == 1 && tally.different[0].ruling.word() == "ours", "{tally:?}");
}

/// Two local symbols of one name in one object, as `ld -r` makes them, share a slot there.
#[test]
fn slots_are_of_symbols_and_not_of_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let toolchains = corpus::toolchain::Toolchains::discover();
    let mut link = std::process::Command::new(Peer::Ld.find(target("aarch64")).expect("GNU ld is installed"));
    link.current_dir(dir.path()).args(["-r", "-o", "both.o"]);
    for (function, then, value) in [("f", "b g", 111), ("g", "ret", 222)] {
        let source = format!(
            ".globl {function}\n .type {function}, %function\n{function}: adrp x0, :got:same\n ldr x0, [x0, :got_lo12:same]\n {then}\n .section .data.{function}, \"aw\"\nsame: .word {value}\n"
        );
        let path = dir.path().join(format!("{function}.S"));
        std::fs::write(&path, source).expect("written");
        let clang = corpus::matrix::Family::Clang;
        let object =
            corpus::build::compile_file(&path, target("aarch64"), Some(clang), &[], &toolchains).expect("assembles");
        std::fs::write(dir.path().join(format!("{function}.o")), object).expect("written");
        link.arg(format!("{function}.o"));
    }
    assert!(link.status().expect("GNU ld starts").success());
    let data = Data::Read(std::fs::read(dir.path().join("both.o")).expect("an object"));
    let bundle = Bundle { name: "both.o".to_owned(), objects: vec![Input::new("both.o".to_owned(), data)] };
    let peers =
        [Peer::Jitlink, Peer::Ld, Peer::Lld].map(|peer| (peer, peer.find(target("aarch64")).expect("installed")));
    let survey = Survey::of(target("aarch64"), vec![bundle], &peers, &Layout::Random(1), || ());
    for (peer, sum) in &survey.sums {
        let tally = &sum.tallies["R_AARCH64_LD64_GOT_LO12_NC"];
        if *peer == Peer::Jitlink {
            let ruling = &tally.different[0].ruling;
            assert!(ruling.word() == "ours" && ruling.to_string().contains("slot"), "{ruling}");
        } else {
            assert_eq!((tally.agreed(), tally.different.len()), (2, 0), "{peer:?}");
        }
    }
}

#[test]
fn refusals_are_counted_with_their_reasons() {
    for (source, why) in [
        (".globl f\n .type f, %function\nf: blne g\n bx lr\n", "Invalid opcode"),
        (".globl f, fixed\n .set fixed, 0x1234\n .data\nf: .word fixed\n", "Missing definitions"),
        (".globl f\n .data\nf: .word g(TLSGD)\n", "Unsupported"),
        (".globl f\n .data\n .p2align 13\nf: .word f\n", "Segment alignment greater than page size"),
    ] {
        let survey = survey(target("armv7"), &format!(".syntax unified\n .arm\n{source}"), &[Peer::Jitlink]);
        let sum = &survey.sums[&Peer::Jitlink];
        let refusals = sum.refusals();
        assert!(refusals.len() == 1 && refusals.keys().all(|reason| reason.contains(why)), "{why}: {refusals:?}");
        assert!(sum.bundles == 0 && sum.tallies.is_empty());
    }
}

/// Beyond the reach of BL everybody else makes a veneer.
#[test]
fn functions_that_are_far_are_refused() {
    let source = ".globl f\n .type f, %function\nf: bl gap\n bl far\n ret\n\
         .section .text.gap, \"ax\"\n .globl gap\n .type gap, %function\ngap: ret\n .space 0x8100000\n\
         .section .text.far, \"ax\"\n .globl far\n .type far, %function\nfar: ret\n";
    let survey = survey(target("aarch64"), source, &[Peer::Jitlink, Peer::Ld]);
    let calls = &survey.sums[&Peer::Ld].tallies["R_AARCH64_CALL26"];
    assert_eq!((calls.agreed() + calls.excused(), calls.different.len()), (2, 0), "{calls:?}");
    let refusals = survey.sums[&Peer::Jitlink].refusals();
    assert!(refusals.len() == 1 && refusals.keys().all(|reason| reason.contains("out of range of")), "{refusals:?}");
}

/// Of an object without a global symbol it makes nothing.
#[test]
fn nothing_to_ask_for() {
    let survey = survey(target("aarch64"), ".data\nf: .xword f\n", &[Peer::Jitlink]);
    let sum = &survey.sums[&Peer::Jitlink];
    assert_eq!((sum.empty, sum.bundles, sum.refused.len()), (1, 0, 0));
}
