//! Boards with a Linux on them, from an image that LINKRIG_IMAGE_ARM64, LINKRIG_IMAGE_ARMHF or LINKRIG_IMAGE_ARMEL names (`cargo xtask
//! image` builds such ones, and `cargo xtask test` sets all three). Every relocation on them is a step of `cargo xtask test`.

use std::path::PathBuf;
use std::process::{Command, Output};

use qemu::Board;
use qemu::image::Image;
use qemu::system::Linux;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

fn image(variable: &str) -> Option<PathBuf> {
    let image = std::env::var_os(variable).map(PathBuf::from);
    if image.is_none() {
        eprintln!("skipped: {variable} names no image");
    }
    image
}

fn harness(arguments: &[&str]) -> Output {
    Command::new(HARNESS).args(arguments).output().expect("ended")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What passed, by target.
fn passed(output: &Output) -> Vec<(String, usize)> {
    let text = text(&output.stdout);
    let table = text.lines().skip_while(|line| !line.starts_with("target ")).skip(1);
    let rows = table.take_while(|line| !line.is_empty()).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn both_widths_on_one_64_bit_kernel() {
    let Some(image) = image("LINKRIG_IMAGE_ARM64") else { return };
    let output = harness(&["--image", &image.to_string_lossy(), "-j1", "faults", "branches", "mixed_arguments"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let passed = passed(&output);
    for target in ["aarch64", "aarch64_ilp32", "armv7", "thumbv7"] {
        assert!(passed.iter().any(|(name, count)| name == target && *count > 0), "{target}: {passed:?}");
    }
}

#[test]
fn a_32_bit_kernel() {
    let Some(image) = image("LINKRIG_IMAGE_ARMHF") else { return };
    let output = harness(&["--image", &image.to_string_lossy(), "-j1", "faults", "branches", "mixed_arguments"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(passed(&output).iter().any(|(name, count)| name == "armv7" && *count > 200), "{:?}", passed(&output));
}

/// The first Raspberry Pis have an ARM1176: no ARMv7 code, in the agent neither.
#[test]
fn an_armv6_kernel() {
    let Some(image) = image("LINKRIG_IMAGE_ARMEL") else { return };
    let image = image.to_string_lossy();
    for (executor, board) in [(&[][..], "raspi0"), (&["--executor", "raspi1ap"], "raspi1ap")] {
        let output =
            harness(&[executor, &["--image", &*image, "-j1", "branches", "helpers", "position_independent"]].concat());
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        let [(target, count)] = &passed(&output)[..] else { panic!("{board}: {:?}", passed(&output)) };
        assert!(target == "armv6" && *count > 50, "{board}: {target} {count}");
        let output = harness(&[&["board"], executor, &["--image", &*image, "--exec", "uname", "-nm"]].concat());
        assert_eq!(text(&output.stdout), format!("{board} armv6l\n"), "{}", text(&output.stderr));
    }
}

#[test]
fn an_armv6_kernel_of_ones_own_on_another_machine() {
    let Some(image) = image("LINKRIG_IMAGE_ARMEL") else { return };
    let board = Board::find("raspi1ap").expect("a board");
    let linux = Linux::from_image(&board, &Image::open(&image).expect("an image")).expect("bootable");
    let directory = tempfile::tempdir().expect("a directory");
    let (kernel, dtb) = (directory.path().join("kernel"), directory.path().join("dtb"));
    std::fs::write(&kernel, linux.kernel).expect("written");
    std::fs::write(&dtb, linux.dtb.expect("a device tree")).expect("written");
    let (kernel, dtb) = (kernel.to_string_lossy(), dtb.to_string_lossy());
    let machine = ["--executor", "raspi0", "--machine", "raspi1ap", "-j1"];
    let output = harness(&[&machine[..], &["--kernel", &kernel, "--dtb", &dtb, "branches"]].concat());
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(passed(&output).iter().any(|(name, count)| name == "armv6" && *count > 10), "{:?}", passed(&output));
}

/// LINKRIG_VERSATILE is a directory with a kernel for that board, which Debian has none for: docs/boards.md says how to get one.
#[test]
fn a_kernel_for_versatilepb_with_and_without_shared_memory() {
    let Some(directory) = image("LINKRIG_VERSATILE") else { return };
    let [kernel, dtb] = ["zImage", "versatile-pb.dtb"].map(|name| directory.join(name).to_string_lossy().into_owned());
    let (before, rest) =
        include_str!("../../../qemu/boards/versatilepb.toml").split_once("[shared]").expect("a section");
    let (_, after) = rest.split_once("[linux]").expect("a section behind it");
    let scratch = tempfile::tempdir().expect("a directory");
    let port = scratch.path().join("port.toml");
    std::fs::write(&port, format!("{before}[linux]{after}")).expect("written");
    for board in ["versatilepb", &*port.to_string_lossy()] {
        let output = harness(&["--executor", board, "--kernel", &kernel, "--dtb", &dtb, "-j1", "branches"]);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(passed(&output).iter().any(|(name, count)| name == "armv6" && *count > 10), "{:?}", passed(&output));
    }
    let output = harness(&["--executor", "versatilepb", "--kernel", &kernel]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("--dtb FILE, for instance versatile-pb.dtb"), "{}", text(&output.stderr));
}

#[test]
fn without_shared_memory_it_goes_over_the_port() {
    let Some(image) = image("LINKRIG_IMAGE_ARM64") else { return };
    let board = include_str!("../../../qemu/boards/raspi3b.toml");
    let (before, rest) = board.split_once("[shared]").expect("a section");
    let (_, after) = rest.split_once("[bare]").expect("a section behind it");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("port.toml");
    std::fs::write(&path, format!("{before}[bare]{after}")).expect("written");
    let (path, image) = (path.to_string_lossy(), image.to_string_lossy());
    let filters = ["elf/aarch64/branches/", "elf/armv7/branches/none"];
    let output = harness(&[&["--executor", &*path, "--image", &*image, "-j1"], &filters[..]].concat());
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let passed = passed(&output);
    for target in ["aarch64", "armv7"] {
        assert!(passed.iter().any(|(name, count)| name == target && *count > 0), "{target}: {passed:?}");
    }
}

#[test]
fn an_image_for_another_board_says_for_which() {
    let Some(image) = image("LINKRIG_IMAGE_ARMHF") else { return };
    let output = harness(&["--image", &image.to_string_lossy(), "--executor", "raspi3b"]);
    assert_eq!(output.status.code(), Some(65));
    assert!(text(&output.stderr).contains("use --executor raspi2b"), "{}", text(&output.stderr));
}

#[test]
fn a_kernel_of_ones_own() {
    let Some(image) = image("LINKRIG_IMAGE_ARM64") else { return };
    let board = Board::find("raspi3b").expect("a board");
    let linux = Linux::from_image(&board, &Image::open(&image).expect("an image")).expect("bootable");
    let directory = tempfile::tempdir().expect("a directory");
    let kernel = directory.path().join("kernel");
    std::fs::write(&kernel, linux.kernel).expect("written");
    let kernel = kernel.to_string_lossy();
    let on = |board, more: &[&str]| harness(&[&["--executor", board, "--kernel", &kernel, "-j1"], more].concat());

    // A board without devices of its own needs nothing else.
    let output = on("virt", &["branches"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let passed = passed(&output);
    for target in ["aarch64", "armv7"] {
        assert!(passed.iter().any(|(name, count)| name == target && *count > 0), "{target}: {passed:?}");
    }
    // The Raspberry Pi's does, and it is not waited for in vain.
    let output = on("raspi3b", &["branches"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("--dtb"), "{}", text(&output.stderr));
    let output = on("virt", &["--machine", "nosuch"]);
    assert_eq!(output.status.code(), Some(69), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("unsupported machine type"), "{}", text(&output.stderr));
}

#[test]
fn stock_llvm_jitlink_runs_what_it_links_on_a_booted_board() {
    let Some(image) = image("LINKRIG_IMAGE_ARM64") else { return };
    let Ok(jitlink) = which::which("llvm-jitlink-19") else {
        eprintln!("skipped: llvm-jitlink-19 is not installed");
        return;
    };
    let Ok(clang) = which::which("clang-19") else {
        eprintln!("skipped: clang-19 is not installed");
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let (source, object) = (directory.path().join("main.c"), directory.path().join("main.o"));
    std::fs::write(&source, "int puts(const char *);\nint main(void) { puts(\"from the guest\"); return 42; }\n")
        .expect("written");
    let mut compile = Command::new(clang);
    compile.args(["--target=aarch64-linux-gnu", "-O1", "-c", "-o"]).arg(&object).arg(&source);
    assert!(compile.status().expect("ended").success());
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let image = image.to_string_lossy();
    let serve = ["serve", "--listen", &address.to_string(), "--arch", "aarch64", "--image", &*image];
    let mut server = Command::new(HARNESS).args(serve).stdout(std::process::Stdio::piped()).spawn().expect("started");
    // It listens once the board is up.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
    let mut linked = Command::new(&jitlink);
    linked.arg(format!("--oop-executor-connect={address}")).arg(&object);
    let status = loop {
        let output = linked.output().expect("ended");
        if output.status.code() == Some(42) || std::time::Instant::now() > deadline {
            break output.status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    let _ = server.kill();
    let served = server.wait_with_output().expect("ended");
    assert_eq!(status, Some(42));
    assert_eq!(text(&served.stdout), "from the guest\n");
}
