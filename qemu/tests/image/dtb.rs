//! Device trees changed in memory, checked by the device tree compiler where it is installed.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use qemu::image::dtb::{DtbError, property, remove_node, strings};

use crate::build::{self, dtb, write};

const BLUETOOTH: &str = "/soc/serial@7e201000/bluetooth";

#[test]
fn properties() {
    let tree = dtb("Raspberry Pi 3 Model B");
    assert_eq!(strings(&tree, "/", "model"), Ok(vec!["Raspberry Pi 3 Model B".to_owned()]));
    assert_eq!(strings(&tree, "/", "compatible").expect("strings"), ["raspberrypi,3-model-b", "brcm,bcm2837"]);
    assert_eq!(property(&tree, BLUETOOTH, "compatible"), Ok(Some(&b"brcm,bcm43438-bt\0"[..])));
    assert_eq!(property(&tree, "/soc", "compatible"), Ok(None));
    assert_eq!(property(&tree, "/soc/serial", "compatible"), Ok(None));
    assert_eq!(property(&tree, "/bluetooth", "compatible"), Ok(None));
}

#[test]
fn a_node_is_taken_out_and_nothing_else() {
    let before = dtb("Raspberry Pi 3 Model B");
    let mut tree = before.clone();
    assert_eq!(remove_node(&mut tree, BLUETOOTH), Ok(true));
    assert_eq!(tree.len(), before.len());
    assert_eq!(property(&tree, BLUETOOTH, "compatible"), Ok(None));
    assert_eq!(property(&tree, "/soc/serial@7e201000", "compatible"), Ok(Some(&b"arm,pl011\0"[..])));
    assert_eq!(property(&tree, "/soc/bluetooth", "status"), Ok(Some(&b"okay\0"[..])));
    // Again there is nothing to take out.
    let once = tree.clone();
    assert_eq!(remove_node(&mut tree, BLUETOOTH), Ok(false));
    assert_eq!(tree, once);
}

/// dtc reads what is left, and a tree that dtc wrote is read.
#[test]
fn as_the_compiler_sees_it() {
    let Some(dtc) = build::optional("dtc", "device-tree-compiler") else { return };
    let source = |path: &Path| {
        let output = build::run(Command::new(&dtc).args(["-q", "-I", "dtb", "-O", "dts"]).arg(path));
        String::from_utf8(output).expect("text")
    };
    let mut tree = dtb("Raspberry Pi 3 Model B");
    let before = source(write(&tree).path());
    assert_eq!(before.matches("bluetooth {").count(), 2, "{before}");
    remove_node(&mut tree, BLUETOOTH).expect("a tree");
    let after = source(write(&tree).path());
    assert_eq!(after.matches("bluetooth {").count(), 1, "{after}");
    let node = after.find("serial@7e201000 {").zip(after.find("bluetooth {"));
    assert!(node.is_some_and(|(serial, other)| serial < other) && after.contains("arm,pl011"), "{after}");

    let compiled =
        build::run(Command::new(&dtc).args(["-q", "-I", "dts", "-O", "dtb"]).arg(write(before.as_bytes()).path()));
    let mut compiled_after = compiled.clone();
    assert_eq!(remove_node(&mut compiled_after, BLUETOOTH), Ok(true));
    assert_eq!(source(write(&compiled_after).path()), after);
}

#[test]
fn wrong_trees() {
    let tree = dtb("x");
    assert_eq!(property(b"", "/", "model"), Err(DtbError::Magic));
    assert_eq!(property(&tree[..40], "/", "model"), Err(DtbError::Header { block: "structure" }));
    let mut unknown = tree.clone();
    unknown[56..60].copy_from_slice(&7u32.to_be_bytes());
    assert_eq!(property(&unknown, "/", "model"), Err(DtbError::Token { token: 7, offset: 56 }));
    let mut ended = tree.clone();
    ended[56..60].copy_from_slice(&2u32.to_be_bytes());
    assert_eq!(property(&ended, "/", "model"), Err(DtbError::Nesting { offset: 56 }));
    let mut long = tree;
    long[68..72].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(property(&long, "/", "model"), Err(DtbError::CutOff { .. })));
}

proptest! {
    /// Whatever becomes of the bytes, they are read or refused, and never changed outside of the structure.
    #[test]
    fn damaged_trees(changes in prop::collection::vec((0usize..4096, any::<u8>()), 1..6), length in 0usize..4096) {
        let mut tree = dtb("Raspberry Pi 3 Model B");
        for (place, value) in changes {
            let place = place % tree.len();
            tree[place] = value;
        }
        tree.truncate(length.max(40));
        let before = tree.clone();
        for path in ["/", "/soc", BLUETOOTH] {
            let _ = strings(&tree, path, "compatible");
        }
        if remove_node(&mut tree, BLUETOOTH) != Ok(true) {
            prop_assert_eq!(&tree, &before);
        }
        prop_assert_eq!(&tree[..40], &before[..40]);
    }
}
