//! The directories that `exec` gives a Linux program, and what the program calls them.

use std::path::{Component, Path, PathBuf};

use crate::linux::Grant;

/// `DIR`, `DIR:rw`, `DIR:GUEST` or `DIR:GUEST:rw`.
pub(super) fn grant(text: &str) -> Result<Grant, String> {
    let (text, writable) = match text.rsplit_once(':') {
        Some((rest, "rw")) => (rest, true),
        Some((rest, "ro")) => (rest, false),
        _ => (text, false),
    };
    let (host, guest) = match text.split_once(':') {
        Some((host, guest)) => (host, Some(guest)),
        None => (text, None),
    };
    if host.is_empty() {
        return Err("the directory is missing, expected DIR[:GUEST][:rw]".to_owned());
    }
    let host = PathBuf::from(host);
    let guest = match guest {
        None => own_name(&host).map_err(|error| format!("{}: {error}", host.display()))?,
        Some(guest) if is_plain(Path::new(guest)) => PathBuf::from(guest),
        Some(guest) => {
            return Err(format!("{guest} is what the program would call it: expected an absolute path without '..'"));
        }
    };
    Ok(Grant { host, guest, writable, is_root: false })
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|component| component != Component::ParentDir)
}

/// The absolute path of a directory as it was named, or that of the directory itself where the name has `..`.
fn own_name(host: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(host)?;
    if is_plain(&path) { Ok(path) } else { path.canonicalize() }
}

/// The directories that a program has: those of `--dir`, and that of `--sysroot` as its root.
pub(super) fn all(directories: &[Grant], sysroot: Option<&Path>) -> Vec<Grant> {
    let root =
        sysroot.map(|host| Grant { host: host.to_owned(), guest: PathBuf::from("/"), writable: false, is_root: true });
    root.into_iter().chain(directories.iter().cloned()).collect()
}

/// Where a program works that has these directories: where we do, if that is in one of them.
pub(super) fn directory(grants: &[Grant]) -> String {
    let found = std::env::current_dir().ok().and_then(|here| {
        let inside = grants.iter().filter_map(|grant| {
            let host = grant.host.canonicalize().ok()?;
            let rest = here.strip_prefix(&host).ok()?;
            Some((host.components().count(), grant.guest.join(rest)))
        });
        inside.max_by_key(|(depth, _)| *depth).map(|(_, path)| path)
    });
    // A path ends in a slash where the rest is empty.
    let path: Option<PathBuf> = found.map(|path| path.components().collect());
    path.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| "/".to_owned())
}
