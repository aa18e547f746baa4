//! What the boards that QEMU has look for in an image: the names that the firmware and distributions use.

use super::Wanted;

/// A board with what it boots.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    /// The board's name, as QEMU calls the machine.
    pub board: &'static str,
    /// 32 or 64.
    pub width: u8,
    /// Filters of config.txt that are for it.
    pub filters: &'static [&'static str],
    /// Kernels, the first choice first.
    pub kernels: &'static [&'static str],
    /// Device trees: those of Raspberry Pi's kernel are named by the older chip, those of the mainline kernel by the newer.
    pub dtbs: &'static [&'static str],
}

/// The boards of images.
pub static USUAL: &[Usual] = &[
    Usual {
        board: "raspi3b",
        width: 64,
        filters: &["pi3"],
        kernels: &["kernel8.img", "Image", "vmlinuz"],
        dtbs: &["bcm2710-rpi-3-b.dtb", "bcm2837-rpi-3-b.dtb"],
    },
    Usual {
        board: "raspi2b",
        width: 32,
        filters: &["pi2"],
        kernels: &["kernel7.img", "kernel.img", "zImage", "vmlinuz"],
        dtbs: &["bcm2709-rpi-2-b.dtb", "bcm2836-rpi-2-b.dtb"],
    },
];

impl Usual {
    /// Looks the image up as this board, and does something with what it wants.
    pub fn with_wanted<T>(&self, work: impl FnOnce(&Wanted<'_>) -> T) -> T {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (kernels, dtbs) = (owned(self.kernels), owned(self.dtbs));
        work(&Wanted { width: self.width, filters: self.filters, kernels: &kernels, dtbs: &dtbs })
    }

    /// The board for kernels of this width.
    pub(super) fn of_width(width: u8) -> Option<&'static Self> {
        USUAL.iter().find(|usual| usual.width == width)
    }
}
