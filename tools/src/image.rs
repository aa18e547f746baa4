//! `cargo xtask image`: a disk image in the style of the Raspberry Pi, from Debian's packages.
//!
//! No loop device and no mount: mmdebstrap unpacks the packages without running any of them, mtools write the boot
//! partition, `mke2fs -d` the root, each at its place in the one file. The image is not meant for a real board (there is no
//! firmware on it): it is what a test has to boot.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::step::{Steps, root};

/// What to build.
#[derive(Args)]
pub(crate) struct Options {
    /// The release of Debian.
    #[arg(long, default_value = "bullseye")]
    suite: String,
    /// The architecture: arm64 for raspi3b, armhf for raspi2b, armel for raspi0 and raspi1ap.
    #[arg(long)]
    arch: Architecture,
    /// More packages, with what they depend on. They are unpacked and not configured.
    #[arg(long, value_name = "PKG,..", value_delimiter = ',')]
    include: Vec<String>,
    /// The size of the image in MiB; without it, what the files need.
    #[arg(long, value_name = "MIB")]
    size: Option<u64>,
    /// The Debian mirror, if it is not to be the one that apt is set up with.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// The image.
    #[arg(value_name = "OUT.img")]
    out: PathBuf,
}

/// The images that the tests boot, built where they are not there: the variable by which tests know each, and its path.
pub(crate) fn for_tests() -> Result<Vec<(&'static str, PathBuf)>> {
    let directory = root().join("target/linkrig/images");
    fs::create_dir_all(&directory)?;
    let images = [
        (Architecture::Arm64, "bullseye", "LINKRIG_IMAGE_ARM64"),
        (Architecture::Armhf, "bullseye", "LINKRIG_IMAGE_ARMHF"),
        // Bullseye's is in the archive of Debian only.
        (Architecture::Armel, "bookworm", "LINKRIG_IMAGE_ARMEL"),
    ];
    let image = |(arch, suite, variable): (Architecture, &str, &'static str)| {
        let out = directory.join(format!("{suite}-{}.img", arch.name()));
        if !out.exists() {
            let suite = suite.to_owned();
            build(&Options { suite, arch, include: Vec::new(), size: None, mirror: None, out: out.clone() })?;
        }
        Ok((variable, out))
    };
    images.into_iter().map(image).collect()
}

/// What Debian calls it.
#[derive(Clone, Copy, ValueEnum)]
enum Architecture {
    Arm64,
    Armhf,
    Armel,
}

impl Architecture {
    fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Armhf => "armhf",
            Self::Armel => "armel",
        }
    }

    fn kernel_package(self) -> &'static str {
        match self {
            Self::Arm64 => "linux-image-arm64",
            Self::Armhf => "linux-image-armmp",
            Self::Armel => "linux-image-rpi",
        }
    }

    /// The name that the firmware looks for.
    fn kernel(self) -> &'static str {
        match self {
            Self::Arm64 => "kernel8.img",
            Self::Armhf => "kernel7.img",
            Self::Armel => "kernel.img",
        }
    }

    /// The systems on a chip that its kernel is for, as names of device trees begin.
    fn chips(self) -> &'static [&'static str] {
        match self {
            Self::Arm64 | Self::Armhf => &["bcm2836-rpi-", "bcm2837-rpi-"],
            Self::Armel => &["bcm2835-rpi-"],
        }
    }
}

/// A shell and what it needs, and what most programs need.
const PACKAGES: &[&str] = &["base-files", "base-passwd", "bash", "coreutils", "libc6", "libstdc++6"];

const MIB: u64 = 1 << 20;
/// The boot partition: from 4 MiB on, as on the images that people have.
const BOOT: (u64, u64) = (4, 128);

/// The programs that do the work, with the packages they are in.
const PROGRAMS: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("mformat", "mtools"),
    ("mcopy", "mtools"),
    ("mke2fs", "e2fsprogs"),
    ("sfdisk", "fdisk"),
    ("tar", "tar"),
];

/// All files are as old as this, so that the same packages make the same image.
const EPOCH: u64 = 1_600_000_000;
/// Any will do; chosen by lot they would differ.
const UUID: &str = "4c696e6b-7269-4721-8d6f-6f7466733031";
const DISK_ID: &str = "4c696e6b";

/// Builds an image.
pub(crate) fn build(options: &Options) -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, _)| find(program).is_none()).collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|(program, package)| format!("{program} ({package})")).collect();
        bail!("missing: {}; `cargo xtask setup` installs them on Debian and Ubuntu", names.join(", "));
    }
    let mirror = match &options.mirror {
        Some(mirror) => mirror.clone(),
        None => debian_mirror()?,
    };
    let parent = options.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let work = tempfile::tempdir_in(parent).with_context(|| format!("cannot write to {}", parent.display()))?;
    // Of the name that it is to have nothing exists until it is whole.
    let image = work.path().join("image");
    let (root, boot) = (work.path().join("root"), work.path().join("boot"));
    let mut steps = Steps::default();
    steps.run("packages", || unpack(options, &mirror, work.path(), &root))?;
    steps.run("boot files", || boot_files(options.arch, &root, &boot))?;
    steps.run("file systems", || {
        let size = match options.size {
            Some(size) => size,
            None => BOOT.0 + BOOT.1 + (occupied(&root)? * 5 / 4).div_ceil(MIB) + 48,
        };
        write(&image, size, &root, &boot)
    })?;
    fs::rename(&image, &options.out).with_context(|| format!("cannot write {}", options.out.display()))?;
    steps.summary();
    println!("{}", options.out.display());
    Ok(())
}

/// A program, also where only root has it in its path.
fn find(name: &str) -> Option<PathBuf> {
    let system = ["/usr/sbin", "/sbin"].map(|directory| Path::new(directory).join(name));
    which::which(name).ok().or_else(|| system.into_iter().find(|path| path.is_file()))
}

/// A program that makes no use of clock and chance.
fn program(name: &str) -> Command {
    let mut command = Command::new(find(name).unwrap_or_else(|| name.into()));
    command.env("SOURCE_DATE_EPOCH", EPOCH.to_string()).env("E2FSPROGS_FAKE_TIME", EPOCH.to_string());
    command.env("LC_ALL", "C").env("TZ", "UTC").env("MTOOLS_SKIP_CHECK", "1");
    command
}

/// Runs a program to its end. What it says is shown when it fails.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}

/// The mirror of Debian that this machine's apt uses.
fn debian_mirror() -> Result<String> {
    let format = "$(ORIGIN) $(RELEASE) $(REPO_URI)";
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", format, "Created-By: Packages"])
        .output()
        .context("cannot ask apt-get for its mirror; give one with --mirror URL")?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    mirror_in(&listed).map(str::to_owned).context(
        "apt on this machine has no mirror of Debian, or has not been updated (`apt-get update`): give one with \
         --mirror URL",
    )
}

/// The first mirror of a release of Debian: not of its updates, which are elsewhere.
fn mirror_in(listed: &str) -> Option<&str> {
    listed.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (origin, release, mirror) = (words.next()?, words.next()?, words.next()?);
        (origin == "Debian" && !release.contains('-')).then_some(mirror)
    })
}

/// Downloads the packages and unpacks them.
fn unpack(options: &Options, mirror: &str, work: &Path, root: &Path) -> Result<()> {
    let user = Command::new("id").arg("-u").output().context("cannot start id")?;
    let is_root = user.stdout.trim_ascii() == b"0";
    let packages: Vec<&str> = PACKAGES
        .iter()
        .copied()
        .chain([options.arch.kernel_package()])
        .chain(options.include.iter().map(String::as_str))
        .collect();
    eprintln!("    {} for {}: {}", options.suite, options.arch.name(), packages.join(" "));
    // What others than root unpack belongs to users whom only the name space knows: it comes out as an archive.
    let archive = work.join("root.tar");
    let (mode, format, target) =
        if is_root { ("root", "directory", root) } else { ("unshare", "tar", archive.as_path()) };
    let mut mmdebstrap = program("mmdebstrap");
    mmdebstrap.args([format!("--mode={mode}"), format!("--format={format}"), "--variant=extract".into()]);
    mmdebstrap.arg(format!("--architectures={}", options.arch.name())).arg(format!("--include={}", packages.join(",")));
    mmdebstrap.arg(&options.suite).arg(target).arg(mirror);
    if let Err(error) = run(&mut mmdebstrap) {
        let text = error.to_string();
        if text.contains("does not have a Release file") {
            bail!(
                "the mirror {mirror} has no release {}: too old releases are moved to the archive of Debian, whose mirror \
                 can be given with --mirror URL",
                options.suite
            );
        }
        return Err(error);
    }
    if !is_root {
        fs::create_dir(root)?;
        // Devices are for root to make, and Linux makes them itself.
        run(program("tar")
            .arg("-xf")
            .arg(&archive)
            .arg("-C")
            .arg(root)
            .args(["--exclude=./dev/*", "--delay-directory-restore"]))?;
        fs::remove_file(archive)?;
    }
    // Nothing is configured, so nothing has said which shell is the shell.
    let shell = root.join("bin/sh");
    if shell.symlink_metadata().is_err() {
        run(program("ln").args(["-s", "bash"]).arg(shell))?;
    }
    Ok(())
}

/// Collects what goes to the boot partition.
fn boot_files(arch: Architecture, root: &Path, boot: &Path) -> Result<()> {
    fs::create_dir(boot)?;
    let mut kernels = entries(&root.join("boot"))?;
    kernels.retain(|path| name(path).starts_with("vmlinuz-"));
    let [kernel] = &kernels[..] else {
        bail!("expected one kernel (/boot/vmlinuz-*) in {}, found {}", arch.kernel_package(), kernels.len());
    };
    fs::copy(kernel, boot.join(arch.kernel()))?;
    eprintln!("    {} is {}", arch.kernel(), name(kernel));
    let mut trees = Vec::new();
    for directory in entries(&root.join("usr/lib"))? {
        if name(&directory).starts_with("linux-image-") {
            trees.extend(entries(&directory)?);
            // Where 64-bit kernels have them, and newer ones of 32 bits.
            trees.extend(entries(&directory.join("broadcom")).unwrap_or_default());
        }
    }
    trees.retain(|path| {
        let name = name(path);
        arch.chips().iter().any(|chip| name.starts_with(chip)) && name.ends_with(".dtb")
    });
    if trees.is_empty() {
        bail!(
            "no device trees of the Raspberry Pi ({}*.dtb) in {}",
            arch.chips().join("*.dtb, "),
            arch.kernel_package()
        );
    }
    for tree in trees {
        fs::copy(&tree, boot.join(name(&tree)))?;
    }
    let wide = u8::from(matches!(arch, Architecture::Arm64));
    fs::write(boot.join("config.txt"), format!("arm_64bit={wide}\n"))?;
    let cmdline = "console=serial0,115200 console=tty1 root=/dev/mmcblk0p2 rootfstype=ext4 rootwait\n";
    fs::write(boot.join("cmdline.txt"), cmdline)?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
    for file in entries(boot)? {
        File::options().write(true).open(file)?.set_times(FileTimes::new().set_modified(time))?;
    }
    Ok(())
}

/// Writes the table and both file systems.
fn write(image: &Path, size: u64, root: &Path, boot: &Path) -> Result<()> {
    let start = BOOT.0 + BOOT.1;
    let Some(rest) = size.checked_sub(start).filter(|rest| *rest > 0) else {
        bail!("--size {size}: the boot partition alone ends at {start} MiB");
    };
    File::create(image)?.set_len(size * MIB)?;
    let sectors = |mib: u64| mib * (MIB / 512);
    let mut sfdisk = program("sfdisk");
    let mut table = sfdisk.arg("--quiet").arg(image).stdin(Stdio::piped()).spawn().context("cannot start sfdisk")?;
    if let Some(mut input) = table.stdin.take() {
        writeln!(input, "label: dos\nlabel-id: 0x{DISK_ID}")?;
        writeln!(input, "start={}, size={}, type=c", sectors(BOOT.0), sectors(BOOT.1))?;
        writeln!(input, "start={}, size={}, type=83", sectors(start), sectors(rest))?;
    }
    if !table.wait()?.success() {
        bail!("sfdisk failed");
    }

    let place = format!("{}@@{}M", image.display(), BOOT.0);
    let total = sectors(BOOT.1).to_string();
    run(program("mformat").args(["-i", &place, "-F", "-T", &total, "-N", DISK_ID, "-v", "BOOT", "::"]))?;
    run(program("mcopy").args(["-i", &place, "-m"]).args(entries(boot)?).arg("::"))?;

    let extended = format!("offset={},root_owner=0:0,hash_seed={UUID}", start * MIB);
    let mut mke2fs = program("mke2fs");
    mke2fs.args(["-q", "-F", "-t", "ext4", "-b", "4096", "-L", "rootfs", "-U", UUID, "-E", &extended, "-d"]);
    run(mke2fs.arg(root).arg(image).arg(format!("{rest}M")))
        .with_context(|| format!("cannot make a root file system of {rest} MiB; --size gives more"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a directory, sorted.
fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut paths = read.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// How many bytes of blocks the files take.
fn occupied(directory: &Path) -> Result<u64> {
    let mut sum = 0;
    for path in entries(directory)? {
        let metadata = path.symlink_metadata()?;
        sum += metadata.len().next_multiple_of(4096);
        if metadata.is_dir() {
            sum += occupied(&path)?;
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_of_the_release() {
        let listed = "Other stable http://other.example/apt/\nDebian bookworm-security http://mirror.example/security/\n\
                      Debian bookworm http://mirror.example/debian/\n";
        assert_eq!(mirror_in(listed), Some("http://mirror.example/debian/"));
        assert_eq!(mirror_in("Ubuntu noble http://mirror.example/ubuntu/\n"), None);
        assert_eq!(mirror_in(""), None);
    }

    /// All that is needed is in the table that set-up works from.
    #[test]
    fn programs_are_in_the_table() {
        for (program, package) in PROGRAMS.iter().filter(|(program, _)| *program != "tar") {
            assert!(crate::packages::knows(package), "{program}");
        }
    }

    /// An image of a little tree; and none at all where it does not fit.
    #[test]
    fn file_systems_at_their_places() {
        if PROGRAMS.iter().any(|(program, _)| find(program).is_none()) {
            println!("skipped: `cargo xtask setup` would install what is missing");
            return;
        }
        let work = tempfile::tempdir().expect("a directory");
        let [root, boot, image, again] = ["root", "boot", "image", "again"].map(|name| work.path().join(name));
        fs::create_dir_all(root.join("etc")).expect("a directory");
        fs::create_dir(&boot).expect("a directory");
        fs::write(root.join("etc/hostname"), "little\n").expect("written");
        fs::write(boot.join("config.txt"), "arm_64bit=1\n").expect("written");
        write(&image, 141, &root, &boot).expect("an image");
        assert_eq!(image.metadata().expect("metadata").len(), 141 * MIB);

        let table = Command::new(find("sfdisk").expect("sfdisk")).arg("--dump").arg(&image).output().expect("a table");
        let table = String::from_utf8_lossy(&table.stdout).into_owned();
        assert!(table.contains("start=        8192, size=      262144, type=c"), "{table}");
        assert!(table.contains("start=      270336, size=       18432, type=83"), "{table}");
        let place = format!("{}@@4M", image.display());
        let text = Command::new("mtype").args(["-i", &place, "::config.txt"]).output().expect("mtype");
        assert_eq!(text.stdout, b"arm_64bit=1\n");
        let place = format!("{}?offset={}", image.display(), 132 * MIB);
        let debugfs =
            Command::new(find("debugfs").expect("debugfs")).args(["-R", "cat /etc/hostname", &place]).output();
        assert_eq!(debugfs.expect("debugfs").stdout, b"little\n");

        write(&again, 141, &root, &boot).expect("an image");
        // In the root, mke2fs takes over when a file was last read; what comes before it is the same.
        let before_root = |path| fs::read(path).expect("read")[..((BOOT.0 + BOOT.1) * MIB) as usize].to_vec();
        assert!(before_root(&image) == before_root(&again), "the same files make the same boot partition");
        assert!(write(&again, 100, &root, &boot).is_err());
    }
}
