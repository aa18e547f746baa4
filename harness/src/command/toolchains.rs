//! `harness toolchains`: which compilers there are.

use corpus::toolchain::Toolchains;

use crate::exit;

/// Runs the command.
pub fn main() -> anyhow::Result<u8> {
    let toolchains = Toolchains::discover();
    for toolchain in &toolchains.found {
        println!("{:8} {:9} {}", toolchain.id.to_string(), toolchain.target, toolchain.cc.path.display());
        println!("{:18} {}", "", toolchain.cc.version);
        for missing in [toolchain.cxx.as_ref().err(), toolchain.ld.as_ref().err()].into_iter().flatten() {
            println!("{:18} {missing}", "");
        }
    }
    for (missing, targets) in toolchains.all_missing() {
        println!("missing: {} for {}: apt-get install {}", missing.what, targets.join(", "), missing.package);
    }
    Ok(if toolchains.found.is_empty() { exit::MISSING } else { exit::OK })
}
