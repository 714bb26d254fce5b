//! Processes that hold a lock on an SQLite file, as Linux lists them.

use std::path::Path;

/// The other processes with a write lock on an SQLite file, such as `process 42 (migration),
/// running since …`.
///
/// Linux lists file locks by inode. In WAL mode the locks are on the `-shm` file.
#[cfg(target_os = "linux")]
pub(crate) fn of(file: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let shared_memory = format!("{}-shm", file.display());
    let inodes = [file, Path::new(&shared_memory)].into_iter().filter_map(|path| std::fs::metadata(path).ok());
    let inodes: Vec<_> = inodes.map(|metadata| metadata.ino().to_string()).collect();
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut processes: Vec<_> = locks
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split_whitespace().filter(|field| *field != "->").collect();
            let (mode, process, position) = (fields.get(3)?, fields.get(4)?, fields.get(5)?);
            let inode = position.rsplit(':').next()?;
            let is_ours = *process == std::process::id().to_string();
            (*mode == "WRITE" && !is_ours && inodes.iter().any(|known| known == inode)).then(|| (*process).to_owned())
        })
        .collect();
    processes.sort();
    processes.dedup();
    processes.into_iter().map(|process| describe_process(&process)).collect()
}

#[cfg(target_os = "linux")]
fn describe_process(process: &str) -> String {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let started = std::fs::metadata(format!("/proc/{process}")).and_then(|metadata| metadata.modified());
    let mut description = format!("process {process}");
    if !name.trim().is_empty() {
        description.push_str(&format!(" ({})", name.trim()));
    }
    if let Ok(started) = started {
        let started = chrono::DateTime::<chrono::Utc>::from(started).format("%Y-%m-%dT%H:%M:%SZ");
        description.push_str(&format!(", running since {started}"));
    }
    description
}

/// Other systems do not list file locks.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_file: &Path) -> Vec<String> {
    Vec::new()
}
