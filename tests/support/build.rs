//! Build script: sets `cfg(without_postgres)` if PostgreSQL's programs are missing, so that the tests that need them are
//! ignored, and the summary says so. With the variable `CI` set it is never set, and these tests fail.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(without_postgres)");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed=CI");
    if std::env::var_os("CI").is_none() && !has_postgres() {
        println!("cargo::rustc-cfg=without_postgres");
    }
}

/// Whether `initdb` is in a folder of Debian's packages, or in the path.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let packaged = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged
        .chain(std::env::split_paths(&path))
        .any(|folder: std::path::PathBuf| Path::new(&folder).join("initdb").exists())
}
