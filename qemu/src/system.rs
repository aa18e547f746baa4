//! The systems that boot on a board.

use crate::agent;
use crate::board::{self, Board, Runs};
use crate::card::Card;
use crate::image::cpio::Initramfs;
use crate::image::{Image, ImageError, Module, Wanted, dtb, kernel};

/// What boots on a board.
#[derive(Clone, Debug)]
pub enum System {
    /// The agent, and nothing else.
    Bare,
    /// A Linux, with the agent as its first process.
    Linux(Linux),
}

/// A Linux to boot.
#[derive(Clone, Debug)]
pub struct Linux {
    /// The kernel, as QEMU takes it.
    pub kernel: Vec<u8>,
    /// The device tree. None where QEMU makes one.
    pub dtb: Option<Vec<u8>>,
    /// The initramfs, with the agent in it.
    pub initramfs: Vec<u8>,
    /// The kernel's command line.
    pub append: String,
    /// Where it is from, for people.
    pub origin: String,
    /// What is in its card reader.
    pub card: Option<Card>,
}

/// What is to be booted does not fit the board.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The image does not have it.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The board is not made for this.
    #[error("the board {0} boots no Linux: its file has no [linux]")]
    NoLinux(String),
    /// It is no kernel.
    #[error("{file}: {why}")]
    Kernel {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// It is a kernel for another kind of processor.
    #[error("{file} is a {got}-bit kernel, and {board} boots a {wanted}-bit one")]
    Width {
        /// The file.
        file: String,
        /// Bits of the kernel.
        got: u8,
        /// The board.
        board: String,
        /// Bits of the board's.
        wanted: u8,
    },
    /// The board has no device tree of its own.
    #[error("{0} wants a device tree beside the kernel: --dtb FILE, for instance {1}")]
    NoDeviceTree(String, String),
    /// The device tree is damaged.
    #[error("the device tree {file}: {why}")]
    DeviceTree {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The archive could not be written.
    #[error("the initramfs: {0}")]
    Initramfs(#[from] std::io::Error),
    /// The board's file names an agent that there is not.
    #[error("the board names the agent {0}, which there is not")]
    NoAgent(String),
}

/// Files for a Linux that is not from an image.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The kernel's name, and what is in it.
    pub kernel: (String, Vec<u8>),
    /// The device tree's.
    pub dtb: Option<(String, Vec<u8>)>,
    /// An initramfs to which the agent is added.
    pub initrd: Option<Vec<u8>>,
}

impl Linux {
    /// The Linux of an image.
    pub fn from_image(board: &Board, image: &Image) -> Result<Linux, SystemError> {
        Linux::of_image(board, image, false)
    }

    /// The Linux of an image, which has that image as its card, for an agent that runs the programs on it.
    pub fn user_space(board: &Board, image: &Image) -> Result<Linux, SystemError> {
        Linux::of_image(board, image, true)
    }

    fn of_image(board: &Board, image: &Image, user: bool) -> Result<Linux, SystemError> {
        let linux = linux_of(board)?;
        let filters: Vec<&str> = linux.filters.iter().map(String::as_str).collect();
        let wanted = Wanted { width: board.width, filters: &filters, kernels: &linux.kernels, dtbs: &linux.dtbs };
        let files = image.boot_files(&wanted)?;
        let modules = if user { card_modules(linux, image, files.version.as_deref())? } else { Vec::new() };
        let version = files.version.as_deref().map_or(String::new(), |version| format!(", Linux {version}"));
        let origin = format!("{} of {}{version}", files.kernel_name, image.path().display());
        let dtb = without_nodes(linux, &files.dtb_name, files.dtb)?;
        Ok(Linux {
            kernel: files.kernel,
            dtb: Some(dtb),
            initramfs: initramfs(board, linux, &Contents { before: &[], modules: &modules, user })?,
            append: append(linux),
            origin,
            card: user.then(|| Card::new(image)),
        })
    }

    /// A Linux of files that the user has.
    pub fn from_files(board: &Board, files: Files) -> Result<Linux, SystemError> {
        let linux = linux_of(board)?;
        let (file, content) = files.kernel;
        let kernel = kernel::recognise(content).map_err(|why| SystemError::Kernel { file: file.clone(), why })?;
        if kernel.width != board.width {
            let (board, wanted) = (board.name.clone(), board.width);
            return Err(SystemError::Width { file, got: kernel.width, board, wanted });
        }
        // QEMU makes one for its own machines only.
        if let (None, Some(usual)) = (&files.dtb, linux.dtbs.first()) {
            return Err(SystemError::NoDeviceTree(board.name.clone(), usual.clone()));
        }
        let dtb = files.dtb.map(|(file, dtb)| without_nodes(linux, &file, dtb)).transpose()?;
        Ok(Linux {
            kernel: kernel.content,
            dtb,
            initramfs: initramfs(
                board,
                linux,
                &Contents { before: files.initrd.as_deref().unwrap_or_default(), ..Contents::default() },
            )?,
            append: append(linux),
            origin: file,
            card: None,
        })
    }
}

fn linux_of(board: &Board) -> Result<&board::Linux, SystemError> {
    board.linux.as_ref().ok_or_else(|| SystemError::NoLinux(board.name.clone()))
}

/// Addresses are not to be chosen at random, and what cannot go on is to end rather than wait.
fn append(linux: &board::Linux) -> String {
    format!("{} rdinit=/init quiet loglevel=1 norandmaps panic=-1", linux.append)
}

fn without_nodes(linux: &board::Linux, file: &str, mut tree: Vec<u8>) -> Result<Vec<u8>, SystemError> {
    for node in &linux.remove {
        // Not every kernel's tree has it.
        dtb::remove_node(&mut tree, node)
            .map_err(|error| SystemError::DeviceTree { file: file.to_owned(), why: error.to_string() })?;
    }
    Ok(tree)
}

/// What it takes to read the card. A kernel that has it all built in may be without any modules; if it has not, the card will
/// not show up.
fn card_modules(linux: &board::Linux, image: &Image, version: Option<&str>) -> Result<Vec<Module>, SystemError> {
    let names: Vec<&str> = linux.card.iter().map(String::as_str).collect();
    match version.map(|version| image.modules(version, &names)).transpose() {
        Err(ImageError::NoModules { .. }) => Ok(Vec::new()),
        modules => Ok(modules?.unwrap_or_default()),
    }
}

/// What an initramfs has beside the agent.
#[derive(Default)]
struct Contents<'a> {
    /// Another archive, which comes before it.
    before: &'a [u8],
    /// Modules to be loaded, in this order.
    modules: &'a [Module],
    /// Whether the agent is to run programs of the image.
    user: bool,
}

/// Where a module is.
fn module_path(module: &Module) -> String {
    format!("/modules/{}.ko", module.name)
}

/// What the agent reads when it starts: words of linux.c.
fn configuration(board: &Board, linux: &board::Linux, contents: &Contents<'_>) -> String {
    let modules = contents.modules.iter().map(|module| format!("module {}\n", module_path(module)));
    let shared = board.shared.map(|shared| format!("shared {:x} {:x}\n", shared.base, shared.size));
    let user = if contents.user { "user\n" } else { "" };
    format!("{}{}port {}\n{user}", modules.collect::<String>(), shared.unwrap_or_default(), linux.port)
}

fn initramfs(board: &Board, linux: &board::Linux, contents: &Contents<'_>) -> Result<Vec<u8>, SystemError> {
    let mut archive = Initramfs::new();
    for directory in ["dev", "proc"] {
        archive.directory(directory, 0o755)?;
    }
    archive.character_device("dev/console", 0o600, 5, 1)?;
    for (index, Runs { width, agent, .. }) in linux.runs.iter().enumerate() {
        let binary = agent::binary(agent).ok_or_else(|| SystemError::NoAgent(agent.clone()))?;
        archive.file(&format!("agent{width}"), 0o755, binary)?;
        if index == 0 {
            archive.file("init", 0o755, binary)?;
        }
    }
    for module in contents.modules {
        archive.file(&module_path(module), 0o644, &module.content)?;
    }
    archive.file("linkrig", 0o644, configuration(board, linux, contents).as_bytes())?;
    // The kernel unpacks one archive after the other, each from a multiple of 4 on.
    let mut all = contents.before.to_vec();
    all.resize(all.len().next_multiple_of(4), 0);
    all.extend(archive.finish()?);
    Ok(all)
}
