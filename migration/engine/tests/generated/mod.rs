//! Generated migrations, and how they are found.

mod list;

use sea_orm_migration::MigrationTrait;
use sea_orm_migration::sea_orm::DbBackend;

pub use list::ALL;

/// The migrations of a project.
pub type Migrations = fn() -> Vec<Box<dyn MigrationTrait>>;

/// The file of a generated migration. Most are the same for both databases; the others have two
/// files.
///
/// If `UPDATE_GENERATED` is set, it is written. The file for SQLite has no suffix.
pub fn file_of(name: &str, text: &str, backend: DbBackend) -> String {
    let folder = super::folder();
    let read = |file: &str| std::fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_default();
    let own = format!("{name}_postgres");
    let (plain, apart) = (read(name), folder.join(format!("{own}.rs")));
    let file = match backend {
        DbBackend::Postgres if apart.exists() => own,
        _ => name.to_owned(),
    };
    if std::env::var_os("UPDATE_GENERATED").is_none() {
        return file;
    }
    if backend == DbBackend::Sqlite {
        std::fs::write(folder.join(format!("{name}.rs")), text).unwrap();
        return name.to_owned();
    }
    std::fs::remove_file(&apart).ok();
    if plain == text {
        return name.to_owned();
    }
    let file = if plain.is_empty() { name.to_owned() } else { format!("{name}_postgres") };
    std::fs::write(folder.join(format!("{file}.rs")), text).unwrap();
    file
}

/// Writes the list of all files.
pub fn write_list() {
    let files =
        std::fs::read_dir(super::folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files.filter_map(|file| file.strip_suffix(".rs").map(ToOwned::to_owned)).collect();
    names.retain(|name| name != "mod" && name != "list");
    names.sort();
    let mut text = "//! Every generated migration by the name of its file.\n\nuse super::Migrations;\n\n".to_owned();
    for name in &names {
        text.push_str(&format!("#[path = \"{name}.rs\"]\nmod {name};\n"));
    }
    text.push_str("\npub const ALL: &[(&str, Migrations)] = &[\n");
    for name in &names {
        text.push_str(&format!("    (\"{name}\", || vec![Box::new({name}::Migration)]),\n"));
    }
    text.push_str("];\n");
    let text = revisions::layout(&text, &super::folder()).unwrap();
    std::fs::write(super::folder().join("list.rs"), text).unwrap();
}
