//! `config.txt` as the firmware of a Raspberry Pi reads it: which kernel, which device tree.
//!
//! Lines are `key=value`; the last one wins. A line in brackets is a filter on what follows: `[pi3]` is for that model
//! only, `[all]` for every one again, `[none]` for none. Filters on the model replace each other; those on serial
//! numbers, pins and displays are about hardware that an emulated board has not, so what they guard is left out.

/// The models that have a filter of their own.
static MODELS: &[&str] = &[
    "pi0",
    "pi0w",
    "pi02",
    "pi1",
    "pi2",
    "pi3",
    "pi3+",
    "pi4",
    "pi400",
    "pi5",
    "pi500",
    "cm0",
    "cm1",
    "cm3",
    "cm3+",
    "cm4",
    "cm4s",
    "cm5",
    "cm5l",
    "pi",
    "board-type",
];

/// What of `config.txt` matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `kernel=`
    pub kernel: Option<String>,
    /// `device_tree=`
    pub device_tree: Option<String>,
    /// `arm_64bit=`, or `arm_control=0x200` as it was called before.
    pub arm_64bit: Option<bool>,
    /// `os_prefix=`: goes before the names of kernel, device tree and command line.
    pub os_prefix: String,
    /// `cmdline=`, the file with the kernel's command line.
    pub cmdline: Option<String>,
    /// `dtoverlay=`, with parameters.
    pub overlays: Vec<String>,
}

/// How deep files may include others.
const DEEPEST: usize = 4;

impl Config {
    /// Reads `config.txt` for a board that these filters are for. `open` gets included files.
    pub fn parse(text: &str, filters: &[&str], open: &mut dyn FnMut(&str) -> Option<String>) -> Self {
        let mut config = Self::default();
        config.read(text, filters, open, 0);
        config
    }

    fn read(&mut self, text: &str, filters: &[&str], open: &mut dyn FnMut(&str) -> Option<String>, depth: usize) {
        let (mut model, mut rest) = (true, true);
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(filter) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                let filter = filter.trim().to_ascii_lowercase();
                match filter.as_str() {
                    "all" => (model, rest) = (true, true),
                    "none" => model = false,
                    // Settings of a display, not a condition.
                    _ if filter.starts_with("hdmi:") => {}
                    _ if MODELS.contains(&filter.as_str()) || filters.contains(&filter.as_str()) => {
                        model = filters.contains(&filter.as_str());
                    }
                    _ => rest = false,
                }
            } else if model && rest {
                if let Some(file) = line.strip_prefix("include ").filter(|_| depth < DEEPEST) {
                    if let Some(text) = open(file.trim()) {
                        self.read(&text, filters, open, depth + 1);
                    }
                } else if let Some((key, value)) = line.split_once('=') {
                    self.set(key.trim(), value.trim());
                }
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let name = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match key {
            "kernel" => self.kernel = name(),
            "device_tree" => self.device_tree = name(),
            "cmdline" => self.cmdline = name(),
            "os_prefix" => self.os_prefix = value.to_owned(),
            "arm_64bit" => self.arm_64bit = Some(value != "0"),
            "arm_control" if value == "0x200" => self.arm_64bit = Some(true),
            // Without a value it ends the parameters of the one before.
            "dtoverlay" => self.overlays.extend(name()),
            _ => {}
        }
    }

    /// Where a file is that the firmware would look for under this name: with the prefix, and without it if it is not there.
    pub fn places(&self, name: &str) -> Vec<String> {
        let mut places = vec![name.to_owned()];
        if !self.os_prefix.is_empty() {
            places.insert(0, format!("{}{name}", self.os_prefix));
        }
        places
    }
}

/// What `root=` of the kernel's command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootSetting {
    /// `/dev/mmcblk0pN`, or `PARTUUID=SIGNATURE-NN`, which on an MBR is the number as well.
    Partition(u8),
    /// `LABEL=`
    Label(String),
}

/// Finds `root=` in the kernel's command line.
pub fn root_setting(cmdline: &str) -> Option<RootSetting> {
    let value = cmdline.split_whitespace().rev().find_map(|word| word.strip_prefix("root="))?;
    if let Some(label) = value.strip_prefix("LABEL=") {
        return Some(RootSetting::Label(label.to_owned()));
    }
    let number = match value.strip_prefix("PARTUUID=") {
        Some(identifier) => u8::from_str_radix(identifier.rsplit_once('-')?.1, 16),
        None => value.strip_prefix("/dev/mmcblk0p")?.parse(),
    };
    number.ok().map(RootSetting::Partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, filters: &[&str]) -> Config {
        Config::parse(text, filters, &mut |_| None)
    }

    #[test]
    fn the_last_setting_wins_and_filters_hold_until_all() {
        let text = "# kernel=no.img\nkernel=a.img\n[pi2]\nkernel=two.img\n[pi3]\nkernel=three.img\n\
                    device_tree = three.dtb \n[all]\narm_64bit=1\n[none]\narm_64bit=0\n";
        let three = parse(text, &["pi3"]);
        assert_eq!(three.kernel.as_deref(), Some("three.img"));
        assert_eq!(three.device_tree.as_deref(), Some("three.dtb"));
        assert_eq!(three.arm_64bit, Some(true));
        assert_eq!(parse(text, &["pi2"]).kernel.as_deref(), Some("two.img"));
        assert_eq!(parse(text, &["pi4"]).kernel.as_deref(), Some("a.img"));
    }

    #[test]
    fn what_only_hardware_could_say_is_left_out() {
        let text = "[0x12345678]\nkernel=mine.img\n[pi3]\nkernel=still-mine.img\n[all]\n[gpio4=1]\nkernel=pin.img\n\
                    [all]\n[HDMI:0]\ndtoverlay=vc4-kms-v3d,noaudio\ndtoverlay=\ndtoverlay=disable-bt\n";
        let config = parse(text, &["pi3"]);
        assert_eq!(config.kernel, None);
        assert_eq!(config.overlays, ["vc4-kms-v3d,noaudio", "disable-bt"]);
    }

    #[test]
    fn includes_and_prefixes() {
        let mut asked = Vec::new();
        let config = Config::parse("os_prefix=current/\ninclude more.txt\n", &[], &mut |name| {
            asked.push(name.to_owned());
            Some("kernel=vmlinuz\ninclude more.txt\n".to_owned())
        });
        assert_eq!(asked, ["more.txt"; DEEPEST]);
        assert_eq!(config.kernel.as_deref(), Some("vmlinuz"));
        assert_eq!(config.places("vmlinuz"), ["current/vmlinuz", "vmlinuz"]);
        assert_eq!(parse("arm_control=0x200", &[]).arm_64bit, Some(true));
    }

    #[test]
    fn roots() {
        use RootSetting::{Label, Partition};
        assert_eq!(root_setting("quiet root=/dev/mmcblk0p2 rw"), Some(Partition(2)));
        assert_eq!(root_setting("root=PARTUUID=b16ff514-02"), Some(Partition(2)));
        assert_eq!(root_setting("root=LABEL=rootfs"), Some(Label("rootfs".into())));
        assert_eq!(root_setting("root=/dev/nfs"), None);
        assert_eq!(root_setting("noroot"), None);
    }
}
