//! Kernel, device tree and command line, picked as the firmware would pick them.

use super::fat::{DirectoryEntry, Volume};
use super::firmware::Config;
use super::kernel::{self, Kernel};
use super::{Image, ImageError, dtb, modules};
use crate::board::{self, Board};

/// What a board wants of an image.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'board> {
    /// 32 or 64.
    pub width: u8,
    /// Sections of config.txt that are for this board, as `pi3`.
    pub filters: &'board [&'board str],
    /// Names of kernels, the first choice first, where config.txt names none.
    pub kernels: &'board [String],
    /// Names of device trees, the first choice first, where config.txt names none.
    pub dtbs: &'board [String],
}

/// Asks what each board wants that comes along and boots images, the wider ones first.
pub(super) fn for_boards<T>(work: impl Fn(&Board, &Wanted<'_>) -> T) -> Vec<T> {
    let mut boards: Vec<Board> = board::names().filter_map(|name| Board::find(name).ok()).collect();
    boards.sort_by_key(|board| std::cmp::Reverse(board.width));
    let wants = |board: &Board| {
        // A board that names no kernels takes them from files only.
        let linux = board.linux.as_ref().filter(|linux| !linux.kernels.is_empty())?;
        let filters: Vec<&str> = linux.filters.iter().map(String::as_str).collect();
        let wanted = Wanted { width: board.width, filters: &filters, kernels: &linux.kernels, dtbs: &linux.dtbs };
        Some(work(board, &wanted))
    };
    boards.iter().filter_map(wants).collect()
}

/// What the firmware would load.
#[derive(Debug, Clone)]
pub struct BootFiles {
    /// Ready for QEMU's `-kernel`: an arm64 `Image` or a `zImage`.
    pub kernel: Vec<u8>,
    /// The kernel's file in the boot partition.
    pub kernel_name: String,
    /// The kernel's version, where it could be found out: it names the directory of its modules.
    pub version: Option<String>,
    /// 32 or 64.
    pub width: u8,
    /// The device tree, as it is in the image.
    pub dtb: Vec<u8>,
    /// The device tree's file in the boot partition.
    pub dtb_name: String,
    /// The command line in cmdline.txt.
    pub cmdline: Option<String>,
    /// What `dtoverlay=` in config.txt asks for and nobody applies.
    pub ignored_overlays: Vec<String>,
}

/// The boot partition, open, with its config.txt read for one board.
pub(super) struct Boot<'image> {
    image: &'image Image,
    pub(super) volume: Volume,
    pub(super) config: Config,
    pub(super) files: Vec<DirectoryEntry>,
}

impl<'image> Boot<'image> {
    pub(super) fn open(image: &'image Image, filters: &[&str]) -> Result<Self, ImageError> {
        let volume = image.volume()?;
        let files = volume.list("").map_err(|error| image.boot_error(&error))?;
        let mut boot = Self { image, volume, config: Config::default(), files };
        if let Some(text) = boot.text("config.txt")? {
            boot.config = Config::parse(&text, filters, &mut |name| boot.text(name).ok().flatten());
        }
        Ok(boot)
    }

    /// A file of text, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ImageError> {
        let content = self.volume.read(name).map_err(|error| self.image.boot_file_error(name, &error))?;
        Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }

    /// A file where the firmware looks for it, with the name under which it was found.
    fn find(&self, name: &str) -> Result<Option<(String, Vec<u8>)>, ImageError> {
        for place in self.config.places(name) {
            if let Some(content) =
                self.volume.read(&place).map_err(|error| self.image.boot_file_error(&place, &error))?
            {
                return Ok(Some((place, content)));
            }
        }
        Ok(None)
    }

    /// What stands on the kernel's command line.
    pub(super) fn cmdline(&self) -> Result<Option<String>, ImageError> {
        let name = self.config.cmdline.as_deref().unwrap_or("cmdline.txt");
        let text = self.find(name)?.map(|(_, content)| String::from_utf8_lossy(&content).trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The width of the kernel in a file, from its beginning; nothing if it is no kernel.
    pub(super) fn width(&self, name: &str) -> Option<u8> {
        // Enough for gzip to give away a header.
        self.volume.head(name, 4096).ok().flatten().and_then(|head| kernel::width_of(&head))
    }

    /// The kernels in the boot partition's root, by what they are and not by their names.
    pub(super) fn kernels(&self) -> impl Iterator<Item = (&DirectoryEntry, u8)> {
        let files = self.files.iter().filter(|file| !file.directory);
        files.filter_map(|file| Some((file, self.width(&file.name)?)))
    }

    pub(super) fn files_named(&self, is_one: impl Fn(&str) -> bool) -> String {
        let names: Vec<&str> =
            self.files.iter().filter(|f| !f.directory && is_one(&f.name)).map(|f| f.name.as_str()).collect();
        match names.len() {
            0 => "none".to_owned(),
            1..=12 => names.join(", "),
            more => format!("{} and {} more", names[..10].join(", "), more - 10),
        }
    }

    /// The kernel for this board.
    pub(super) fn kernel(&self, wanted: &Wanted<'_>) -> Result<(String, Kernel), ImageError> {
        // What config.txt says goes first; of the other width, it is for another board.
        if let Some(name) = &self.config.kernel {
            let Some((place, content)) = self.find(name)? else {
                return Err(self.no_setting("kernel", name));
            };
            if kernel::width_of(&content).is_none_or(|width| width == wanted.width) {
                return self.recognised(place, content);
            }
        }
        for name in wanted.kernels {
            if let Some((place, content)) = self.find(name)?
                && kernel::width_of(&content).is_none_or(|width| width == wanted.width)
            {
                return self.recognised(place, content);
            }
        }
        let explicit = self.config.kernel.as_ref().and_then(|name| Some((name.clone(), self.width(name)?)));
        // One of the right width may be there under another board's name: then the width is not what is wrong.
        let right = self.kernels().any(|(_, width)| width == wanted.width);
        let other = explicit.or_else(|| self.kernels().next().map(|(file, width)| (file.name.clone(), width)));
        Err(match other.filter(|_| !right) {
            Some((name, there)) if there != wanted.width => ImageError::WrongWidth {
                path: self.image.path.clone(),
                name,
                there,
                wanted: wanted.width,
                advice: self
                    .board_of(there)
                    .map_or_else(|| "use another board".into(), |name| format!("use --executor {name}")),
            },
            _ => ImageError::NoKernel {
                path: self.image.path.clone(),
                expected: wanted.kernels.join(" or "),
                found: self.files_named(|_| true),
            },
        })
    }

    /// A board of this width: one whose device tree is here, if there is one.
    fn board_of(&self, width: u8) -> Option<String> {
        let boards = for_boards(|board, wanted| {
            (wanted.width == width).then(|| (self.dtb(wanted).is_err(), board.name.clone()))
        });
        boards.into_iter().flatten().min_by_key(|(lacking, _)| *lacking).map(|(_, name)| name)
    }

    fn recognised(&self, name: String, content: Vec<u8>) -> Result<(String, Kernel), ImageError> {
        match kernel::recognise(content) {
            Ok(kernel) => Ok((name, kernel)),
            Err(reason) => Err(ImageError::Kernel { path: self.image.path.clone(), name, reason }),
        }
    }

    fn no_setting(&self, key: &str, value: &str) -> ImageError {
        ImageError::Setting {
            path: self.image.path.clone(),
            setting: format!("{key}={value}"),
            found: self.files_named(|_| true),
        }
    }

    /// The device tree for this board.
    pub(super) fn dtb(&self, wanted: &Wanted<'_>) -> Result<(String, Vec<u8>), ImageError> {
        let found = match &self.config.device_tree {
            Some(name) => Some(self.find(name)?.ok_or_else(|| self.no_setting("device_tree", name))?),
            None => {
                let mut found = None;
                for name in wanted.dtbs {
                    if found.is_none() {
                        found = self.find(name)?;
                    }
                }
                found
            }
        };
        let (name, content) = found.ok_or_else(|| ImageError::NoDtb {
            path: self.image.path.clone(),
            expected: wanted.dtbs.join(" or "),
            found: self.files_named(|name| name.ends_with(".dtb")),
        })?;
        match dtb::property(&content, "/", "compatible") {
            Ok(_) => Ok((name, content)),
            Err(reason) => Err(ImageError::Dtb { path: self.image.path.clone(), name, reason }),
        }
    }

    /// The kernel's version: from its banner, or from the root file system, which has the same kernel under a name
    /// with the version, or modules for one version only.
    pub(super) fn version(&self, kernel: &Kernel) -> Option<String> {
        kernel.version().or_else(|| {
            let mut versions = modules::versions(&self.image.root().ok()?).ok()?;
            versions.pop().filter(|_| versions.is_empty())
        })
    }
}

/// Collects what the firmware would load for this board.
pub(super) fn files(image: &Image, wanted: &Wanted<'_>) -> Result<BootFiles, ImageError> {
    let boot = Boot::open(image, wanted.filters)?;
    let (kernel_name, kernel) = boot.kernel(wanted)?;
    let (dtb_name, dtb) = boot.dtb(wanted)?;
    let version = boot.version(&kernel);
    Ok(BootFiles {
        kernel_name,
        version,
        width: kernel.width,
        kernel: kernel.content,
        dtb,
        dtb_name,
        cmdline: boot.cmdline()?,
        ignored_overlays: boot.config.overlays,
    })
}
