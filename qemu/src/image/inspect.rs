//! Describes the contents of an image.

use std::fmt::{self, Display};

use super::boot::{Boot, Wanted, for_boards};
use super::kernel;
use super::{Image, ImageError, Partition, dtb};

/// What an image holds.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The length in bytes.
    pub length: u64,
    /// The partitions with what is in them.
    pub partitions: Vec<(Partition, FileSystem)>,
    /// The kernels in the boot partition.
    pub kernels: Vec<KernelFile>,
    /// The device trees in the boot partition.
    pub device_trees: Vec<DeviceTree>,
    /// The settings of config.txt that matter here, without sections for single models.
    pub settings: Vec<String>,
    /// The command line in cmdline.txt.
    pub cmdline: Option<String>,
    /// The root partition's number.
    pub root: Option<u8>,
    /// PRETTY_NAME of /etc/os-release in the root file system.
    pub distribution: Option<String>,
    /// The kernel versions that the root file system has modules for.
    pub modules: Vec<String>,
    /// For each board, what it would boot, or why it would not.
    pub boards: Vec<(String, Result<Boots, String>)>,
}

/// A partition's file system.
#[derive(Debug, Clone, Default)]
pub struct FileSystem {
    /// FAT32, ext4, ..., or what is wrong.
    pub kind: String,
    /// Its label.
    pub label: Option<String>,
}

/// A kernel in the boot partition.
#[derive(Debug, Clone)]
pub struct KernelFile {
    /// The file.
    pub name: String,
    /// The size of the file.
    pub size: u64,
    /// 32 or 64.
    pub width: u8,
    /// How it is packed.
    pub form: String,
    /// Its version.
    pub version: Option<String>,
}

/// A device tree in the boot partition.
#[derive(Debug, Clone)]
pub struct DeviceTree {
    /// The file.
    pub name: String,
    /// The board's name.
    pub model: String,
    /// What it is compatible with, the most special first.
    pub compatible: Vec<String>,
}

/// What a board would boot.
#[derive(Debug, Clone)]
pub struct Boots {
    /// The kernel's file.
    pub kernel: String,
    /// The device tree's file.
    pub dtb: String,
    /// Overlays that config.txt asks for and nobody applies.
    pub ignored_overlays: Vec<String>,
}

pub(super) fn inspect(image: &Image) -> Inspection {
    let mut found = Inspection {
        length: image.length,
        partitions: Vec::new(),
        kernels: Vec::new(),
        device_trees: Vec::new(),
        settings: Vec::new(),
        cmdline: None,
        root: image.root_partition(),
        distribution: None,
        modules: Vec::new(),
        boards: Vec::new(),
    };
    for (index, partition) in image.partitions.iter().enumerate() {
        found.partitions.push((partition.clone(), file_system(image, index)));
    }
    if let Ok(boot) = Boot::open(image, &[]) {
        read_boot(&boot, &mut found);
    }
    if let Ok(root) = image.root() {
        let release = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| root.read(path).ok().flatten());
        found.distribution = release.and_then(|text| pretty_name(&String::from_utf8_lossy(&text)));
        found.modules = super::modules::versions(&root).unwrap_or_default();
    }
    found.boards =
        for_boards(|board, wanted| (board.name.clone(), boots(image, wanted).map_err(|error| error.to_string())));
    found
}

fn boots(image: &Image, wanted: &Wanted<'_>) -> Result<Boots, ImageError> {
    let boot = Boot::open(image, wanted.filters)?;
    let (kernel, _) = boot.kernel(wanted)?;
    let (dtb, _) = boot.dtb(wanted)?;
    Ok(Boots { kernel, dtb, ignored_overlays: boot.config.overlays })
}

fn file_system(image: &Image, index: usize) -> FileSystem {
    let partition = &image.partitions[index];
    if index == image.boot {
        match image.volume() {
            Ok(volume) => FileSystem { kind: volume.kind().to_owned(), label: volume.label() },
            Err(error) => FileSystem { kind: error.to_string(), label: None },
        }
    } else if partition.may_be_root() {
        match image.open_root(index) {
            Ok(root) => FileSystem { kind: "ext4".to_owned(), label: root.label() },
            Err(error) => FileSystem { kind: format!("no ext4 ({error})"), label: None },
        }
    } else {
        FileSystem { kind: "not looked into".to_owned(), label: None }
    }
}

fn read_boot(boot: &Boot<'_>, found: &mut Inspection) {
    for (file, width) in boot.kernels() {
        let kernel = boot.volume.read(&file.name).map_err(|error| error.to_string());
        let kernel = kernel.and_then(|content| kernel::recognise(content.unwrap_or_default()));
        let (form, version) = match &kernel {
            Ok(kernel) => (kernel.form.to_owned(), boot.version(kernel)),
            Err(error) => (error.clone(), None),
        };
        found.kernels.push(KernelFile { name: file.name.clone(), size: file.size, width, form, version });
    }
    for file in boot.files.iter().filter(|file| !file.directory && file.name.to_ascii_lowercase().ends_with(".dtb")) {
        let content = boot.volume.read(&file.name).ok().flatten().unwrap_or_default();
        let (model, compatible) = match dtb::strings(&content, "/", "model") {
            Ok(model) => (model.join(" "), dtb::strings(&content, "/", "compatible").unwrap_or_default()),
            Err(error) => (error.to_string(), Vec::new()),
        };
        found.device_trees.push(DeviceTree { name: file.name.clone(), model, compatible });
    }
    let config = &boot.config;
    let named = |key: &str, value: &Option<String>| value.as_ref().map(|value| format!("{key}={value}"));
    let settings = [
        config.arm_64bit.map(|wide| format!("arm_64bit={}", u8::from(wide))),
        named("kernel", &config.kernel),
        named("device_tree", &config.device_tree),
        named("cmdline", &config.cmdline),
        named("os_prefix", &Some(config.os_prefix.clone()).filter(|prefix| !prefix.is_empty())),
    ];
    found.settings = settings.into_iter().flatten().collect();
    found.settings.extend(config.overlays.iter().map(|overlay| format!("dtoverlay={overlay} (ignored)")));
    found.cmdline = boot.cmdline().ok().flatten();
}

fn pretty_name(text: &str) -> Option<String> {
    let value = |key| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let name = value("PRETTY_NAME").or_else(|| value("NAME"))?;
    Some(name.trim().trim_matches(['"', '\'']).to_owned())
}

/// Binary units, and the bytes where they do not come out even.
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.iter().find(|(shift, _)| bytes >> shift > 0);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(shift, unit)| format!("{:.1} {unit}", bytes as f64 / (1u64 << shift) as f64),
    )
}

impl Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = if self.length.is_power_of_two() { "" } else { ", no power of two" };
        writeln!(f, "size          {} bytes ({}{power})", self.length, size(self.length))?;
        for (partition, inside) in &self.partitions {
            let label = inside.label.as_ref().map(|label| format!(" `{label}`")).unwrap_or_default();
            writeln!(
                f,
                "partition {}   type {:02x} ({}), at {:#x}, {}: {}{label}",
                partition.number,
                partition.kind,
                partition.kind_name(),
                partition.start,
                size(partition.length),
                inside.kind
            )?;
        }
        for kernel in &self.kernels {
            let version = kernel.version.as_deref().unwrap_or("unknown");
            writeln!(
                f,
                "kernel        {}: {}-bit, version {version}, {}, {}",
                kernel.name,
                kernel.width,
                kernel.form,
                size(kernel.size)
            )?;
        }
        for tree in &self.device_trees {
            writeln!(f, "device tree   {}: {} ({})", tree.name, tree.model, tree.compatible.join(", "))?;
        }
        writeln!(f, "config.txt    {}", or_none(&self.settings.join(", "), "nothing that matters here"))?;
        writeln!(f, "cmdline.txt   {}", self.cmdline.as_deref().unwrap_or("none"))?;
        let root = self.root.map(|number| format!("partition {number}"));
        let distribution = self.distribution.as_deref().unwrap_or("no /etc/os-release");
        writeln!(f, "root          {}, {distribution}", root.as_deref().unwrap_or("none"))?;
        writeln!(f, "modules       {}", or_none(&self.modules.join(", "), "none"))?;
        for (board, boots) in &self.boards {
            match boots {
                Ok(boots) => {
                    let overlays = &boots.ignored_overlays;
                    let ignored =
                        if overlays.is_empty() { String::new() } else { format!("; ignored: {}", overlays.join(", ")) };
                    writeln!(f, "{board:13} boots, with {} and {}{ignored}", boots.kernel, boots.dtb)?;
                }
                Err(error) => writeln!(f, "{board:13} does not boot: {error}")?,
            }
        }
        Ok(())
    }
}

fn or_none<'text>(text: &'text str, none: &'text str) -> &'text str {
    if text.is_empty() { none } else { text }
}
