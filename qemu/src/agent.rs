//! The agent's binaries. Their source is in `agent/`; `cargo xtask agent` compiles them, and verifies those that are checked in.

/// Every binary by name.
pub static BINARIES: &[(&str, &[u8])] = &[
    ("bare-aarch64", include_bytes!("../agent/prebuilt/bare-aarch64")),
    ("bare-arm", include_bytes!("../agent/prebuilt/bare-arm")),
    ("cortex-m", include_bytes!("../agent/prebuilt/cortex-m")),
    ("linux-aarch64", include_bytes!("../agent/prebuilt/linux-aarch64")),
    ("linux-arm", include_bytes!("../agent/prebuilt/linux-arm")),
];

/// The binary of this name.
pub fn binary(name: &str) -> Option<&'static [u8]> {
    BINARIES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}
