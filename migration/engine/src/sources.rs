//! The files of a migration crate: reading headings, and adding a migration.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;
use crate::generate::Heading;
use crate::generate::names::function;

/// The `src` folder of a migration crate.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    folder: PathBuf,
}

impl Sources {
    /// None if the folder does not exist.
    pub(crate) fn find(crate_dir: &Path) -> Option<Self> {
        let folder = crate_dir.join("src");
        folder.join("lib.rs").is_file().then_some(Self { folder })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.rs"))
    }

    /// The heading of a migration. None without a file.
    pub(crate) fn heading(&self, name: &str) -> Option<Heading> {
        std::fs::read_to_string(self.path(name)).ok().map(|text| parse_heading(&text))
    }

    /// The parent of a migration: that of its heading, or else the one before it in the list, as in a file that another tool
    /// has written.
    pub(crate) fn parent(&self, name: &str, before: Option<&str>) -> Option<String> {
        match std::fs::read_to_string(self.path(name)) {
            Ok(text) if text.lines().any(|line| line.starts_with("//!") && line.contains("Parent:")) => {
                parse_heading(&text).parent
            }
            _ => before.map(ToOwned::to_owned),
        }
    }

    /// The migrations in `lib.rs`, in their order. This program may be older than they are.
    pub(crate) fn list(&self) -> Vec<String> {
        let list = std::fs::read_to_string(self.folder.join("lib.rs")).unwrap_or_default();
        let listed = list.split("Box::new(").skip(1).filter_map(|rest| rest.split("::").next());
        listed.filter(|name| timestamp(name).is_some()).map(ToOwned::to_owned).collect()
    }

    /// The migrations that have a file, listed in `lib.rs` or not.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut names: Vec<_> = files
            .filter_map(|file| file.file_name().to_str()?.strip_suffix(".rs").map(ToOwned::to_owned))
            .filter(|name| timestamp(name).is_some())
            .collect();
        names.sort();
        names
    }

    /// The last migration in `lib.rs`, which may be newer than this program.
    pub(crate) fn latest(&self) -> Option<String> {
        self.list().pop()
    }

    /// Writes a migration and adds it to `lib.rs`. If that fails, the file is deleted again.
    pub(crate) fn add(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let before = self.read("lib.rs")?;
        self.write(name, text, listed(&before, name))
    }

    /// Gives a migration another name and another parent, after which it comes. References to its name are changed in its own
    /// file and in `lib.rs`.
    pub(crate) fn rename(&self, old: &str, new: &str, parent: &str) -> Result<PathBuf, Failure> {
        let text = self.read(&format!("{old}.rs"))?.replace(old, new);
        let before = unlisted(&self.read("lib.rs")?, old).replace(old, new);
        let path = self.write(new, &with_parent(&text, parent), listed(&before, new))?;
        let old = self.path(old);
        std::fs::remove_file(&old).map_err(|error| Failure::File(format!("{}: {error}", old.display())))?;
        Ok(path)
    }

    fn read(&self, file: &str) -> Result<String, Failure> {
        let path = self.folder.join(file);
        std::fs::read_to_string(&path).map_err(|error| Failure::File(format!("{}: {error}", path.display())))
    }

    fn write(&self, name: &str, text: &str, list: Option<String>) -> Result<PathBuf, Failure> {
        let (path, file) = (self.path(name), self.folder.join("lib.rs"));
        let file_error = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| Failure::File(format!("{path}: {error}"))
        };
        let list = list.ok_or_else(|| {
            Failure::File(format!("{} has no `vec![` of migrations to add {name} to", file.display()))
        })?;
        std::fs::File::create_new(&path).map_err(file_error(&path))?;
        // The list is replaced by a rename: a partly written one would lose migrations.
        let temporary = self.folder.join("lib.rs.new");
        let written = std::fs::write(&path, text).and_then(|()| std::fs::write(&temporary, list));
        if let Err(error) = written.and_then(|()| std::fs::rename(&temporary, &file)) {
            std::fs::remove_file(&path).ok();
            std::fs::remove_file(&temporary).ok();
            return Err(file_error(&file)(error));
        }
        Ok(path)
    }

    /// Formats Rust code with rustfmt and the project's settings. Without rustfmt it stays as it
    /// is.
    pub(crate) fn formatted(&self, text: &str) -> String {
        layout(text, &self.folder).unwrap_or_else(|| {
            #[expect(clippy::print_stderr, reason = "standard output may be the file itself")]
            {
                eprintln!("migration: rustfmt is missing or failed; the file is not formatted");
            }
            text.to_owned()
        })
    }
}

/// Formats Rust code with rustfmt, with the settings of `folder` or its parents. None if rustfmt is
/// missing or fails.
#[must_use]
pub fn layout(text: &str, folder: &Path) -> Option<String> {
    use std::io::Write as _;
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut rustfmt = Command::new(program)
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    rustfmt.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = rustfmt.wait_with_output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).ok())?
}

/// The name of a new migration: time and message, after all existing ones.
pub(crate) fn new_name(message: &str, now: chrono::NaiveDateTime, names: &[&str]) -> String {
    let slug: String = function(message).chars().take(60).collect();
    let slug = slug.trim_end_matches('_');
    let latest = names.iter().filter_map(|name| timestamp(name)).max();
    let moment = match latest {
        Some(latest) if latest >= now => latest + chrono::Duration::seconds(1),
        _ => now,
    };
    format!("m{}_{slug}", moment.format("%Y%m%d_%H%M%S"))
}

/// The time in the name of a migration. A number that is not a time of day, such as `000060`,
/// counts as 23:59:59.
fn timestamp(name: &str) -> Option<chrono::NaiveDateTime> {
    let mut parts = name.strip_prefix('m')?.splitn(3, '_');
    let day = chrono::NaiveDate::parse_from_str(parts.next()?, "%Y%m%d").ok()?;
    let time = parts.next().filter(|time| time.len() == 6 && time.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = |range: std::ops::Range<usize>| time.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let (hours, minutes, seconds) = (number(0..2)?, number(2..4)?, number(4..6)?);
    day.and_hms_opt(hours, minutes, seconds).or_else(|| day.and_hms_opt(23, 59, 59))
}

/// Whether a text is the name of a migration, and so of a module.
pub(crate) fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    timestamp(name).is_some()
        && name.chars().all(is_word)
        && name.splitn(3, '_').nth(2).is_some_and(|word| !word.is_empty())
}

/// `lib.rs` with another migration.
fn listed(text: &str, name: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let is_module = |line: &String| {
        let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod m")
            .is_some_and(|rest| rest.ends_with(';') && rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let module = match lines.iter().rposition(is_module) {
        Some(last) => last + 1,
        // Before the first item.
        None => lines.iter().position(|line| !(line.starts_with("//") || line.starts_with("#!") || line.is_empty()))?,
    };
    let is_first = !lines.iter().any(is_module);
    lines.insert(module, format!("mod {name};"));
    if is_first && lines.get(module + 1).is_some_and(|next| next.starts_with("use ")) {
        lines.insert(module + 1, String::new());
    }
    let text = lines.join("\n") + "\n";
    let list =
        text.find("fn migrations").and_then(|start| Some(start + text[start..].find("vec![")? + "vec![".len()))?;
    let mut depth = 1;
    let end = text[list..].char_indices().find(|(_, c)| {
        depth += i32::from(*c == '[') - i32::from(*c == ']');
        depth == 0
    })?;
    let (inside, rest) = (text[list..list + end.0].trim_end(), &text[list + end.0..]);
    let comma = if inside.is_empty() || inside.ends_with(',') { "" } else { "," };
    let line_start = text[..list].rfind('\n').map_or(0, |line| line + 1);
    let indent: String = text[line_start..].chars().take_while(|c| c.is_whitespace()).collect();
    let inside = if inside.contains('\n') || inside.is_empty() {
        inside.to_owned()
    } else {
        format!("\n{indent}    {}", inside.trim())
    };
    Some(format!("{}{inside}{comma}\n{indent}    Box::new({name}::Migration),\n{indent}{rest}", &text[..list]))
}

/// `lib.rs` without a migration.
fn unlisted(text: &str, name: &str) -> String {
    let is_its = |line: &&str| {
        let line = line.trim();
        line.ends_with(&format!("mod {name};")) || line.starts_with(&format!("Box::new({name}::"))
    };
    text.lines().filter(|line| !is_its(line)).collect::<Vec<_>>().join("\n") + "\n"
}

/// The file of a migration with another parent in its heading.
fn with_parent(text: &str, parent: &str) -> String {
    let heading = text.lines().take_while(|line| line.starts_with("//!")).find(|line| line.contains("Parent:"));
    let old = heading.and_then(|line| line.split_once("Parent:")?.1.trim_start().split([' ', ',']).next());
    match (heading, old.map(|old| old.trim_end_matches('.'))) {
        (Some(line), Some(old)) => text.replacen(line, &line.replacen(old, parent, 1), 1),
        _ => text.to_owned(),
    }
}

fn parse_heading(text: &str) -> Heading {
    let lines: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let message = lines.iter().take_while(|line| !line.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let part = |key: &str, end: &str| {
        let rest = lines.iter().find_map(|line| line.split_once(key))?.1;
        Some(rest.split(end).next().unwrap_or(rest).trim().trim_end_matches('.').to_owned())
    };
    Heading {
        message: message.trim_end_matches('.').to_owned(),
        parent: part("Parent:", ". ").filter(|parent| parent != "none"),
        date: part("Date:", ". ").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_migration_is_listed_after_the_others() {
        let list = "//! List.\n\npub mod schema;\n\nmod m20260101_000001_a;\n\nuse x;\n\nfn migrations() -> Vec<T> {\n        \
                    vec![\n            Box::new(m20260101_000001_a::Migration),\n        ]\n}\n";
        let after = listed(list, "m20260102_000000_b").unwrap();
        assert!(after.contains("mod m20260101_000001_a;\nmod m20260102_000000_b;\n"), "{after}");
        assert!(
            after.contains("_a::Migration),\n            Box::new(m20260102_000000_b::Migration),\n        ]\n}"),
            "{after}"
        );
        for short in ["fn migrations() { vec![] }\n", "fn migrations() { vec![Box::new(m1::Migration)] }\n"] {
            let after = listed(short, "m20260102_000000_b").unwrap();
            assert!(
                after.starts_with("mod m20260102_000000_b;\nfn migrations")
                    && after.contains("    Box::new(m20260102_000000_b::Migration),\n]"),
                "{after}"
            );
            assert!(!after.contains("Migration)\n"), "{after}");
        }
        assert_eq!(listed("fn other() {}\n", "m1"), None);
    }

    #[test]
    fn a_renamed_migration_is_listed_last_with_its_new_parent() {
        let list = "mod m20260101_000001_a;\nmod m20260102_000000_b;\n\nfn migrations() {\n    vec![\n        \
                    Box::new(m20260101_000001_a::Migration),\n        Box::new(m20260102_000000_b::Migration),\n    ]\n}\n";
        let after = listed(&unlisted(list, "m20260101_000001_a"), "m20260103_000000_a").unwrap();
        assert!(after.starts_with("mod m20260102_000000_b;\nmod m20260103_000000_a;\n"), "{after}");
        assert!(after.contains("_b::Migration),\n        Box::new(m20260103_000000_a::Migration),\n    ]"), "{after}");
        let text = "//! A.\n//!\n//! Parent: m1. Date: 2026-01-01.\n\nlet parent = m1;\n";
        let changed = with_parent(text, "m2_b");
        assert_eq!(changed, "//! A.\n//!\n//! Parent: m2_b. Date: 2026-01-01.\n\nlet parent = m1;\n");
        assert_eq!(with_parent("use x;\n", "m2"), "use x;\n");
    }

    #[test]
    fn a_heading_is_parsed() {
        let heading = parse_heading(
            "//! A request can be made. While it is\n//! open.\n//!\n//! Parent: m1_x. Date: 2026-11-21.\n\nuse x;",
        );
        assert_eq!(heading.message, "A request can be made. While it is open");
        assert_eq!((heading.parent.as_deref(), heading.date.as_str()), (Some("m1_x"), "2026-11-21"));
        assert_eq!(parse_heading("//! First.\n//!\n//! Parent: none. Date: 2026-11-21.").parent, None);
    }

    #[test]
    fn a_new_name_sorts_after_all_others() {
        let now = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(10, 0, 0).unwrap();
        assert_eq!(new_name("Add the nid!", now, &[]), "m20261121_100000_add_the_nid");
        assert_eq!(new_name("b", now, &["m20261121_100000_a"]), "m20261121_100001_b");
        assert_eq!(new_name("b", now, &["m20261122_000000_a"]), "m20261122_000001_b");
    }
}
