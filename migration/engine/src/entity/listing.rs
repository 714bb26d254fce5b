//! The lists of entities: modules in `lib.rs`, tables in `schema.rs`.

use syn::{Expr, Item, ItemFn, ItemMod, UseTree, Visibility};

use super::imports::{Removal, begins_with, extend, imports, remove_name, uses};
use super::source::parse;
use super::table_extras::listed;
use super::text::{Edits, line_end, line_start, part, remove};
use crate::Failure;

/// Changes of the lists.
#[derive(Debug)]
pub(super) struct ModuleChanges<'a> {
    /// Added modules, in an order in which their tables can be created.
    pub(super) added: &'a [String],
    pub(super) removed: &'a [String],
    /// Types of `values.rs` that have to be exported.
    pub(super) exports: &'a [String],
    pub(super) has_new_values: bool,
}

/// The new text of `lib.rs`.
pub(super) fn library(text: &str, changes: &ModuleChanges<'_>) -> Result<String, Failure> {
    let parsed = parse("lib.rs", text)?;
    let modules: Vec<_> = parsed.items.iter().filter_map(module).collect();
    let mut edits = Edits::default();
    let goes = |item: &ItemMod| changes.removed.iter().any(|name| item.ident == name);
    for item in modules.iter().filter(|item| goes(item)) {
        remove(text, &mut edits, part(*item));
    }
    let is_public = |item: &&&ItemMod| matches!(item.vis, Visibility::Public(_)) && !goes(item);
    let public: Vec<_> = modules.iter().filter(is_public).collect();
    let mut added = changes.added.to_vec();
    added.sort();
    for name in added.iter().filter(|name| !modules.iter().any(|item| item.ident == *name)) {
        match (public.iter().find(|item| item.ident.to_string().as_str() > name.as_str()), public.last()) {
            (Some(next), _) => edits.insert(line_start(text, part(**next).start), format!("pub mod {name};\n")),
            (None, Some(last)) => edits.insert(line_end(text, part(**last).end), format!("\npub mod {name};")),
            (None, None) => edits.insert(text.len(), format!("\npub mod {name};\n")),
        }
    }
    let last = modules.iter().rfind(|item| !goes(item)).map_or(text.len(), |item| line_end(text, part(*item).end));
    if changes.has_new_values && !modules.iter().any(|item| item.ident == "values") {
        edits.insert(last, "\nmod values;");
    }
    export(text, &parsed, changes.exports, last, &mut edits);
    Ok(edits.apply(text))
}

fn module(item: &Item) -> Option<&ItemMod> {
    match item {
        Item::Mod(item) if item.content.is_none() => Some(item),
        _ => None,
    }
}

/// Adds names to `pub use values::{…}`.
fn export(text: &str, parsed: &syn::File, names: &[String], last: usize, edits: &mut Edits) {
    let exported: Vec<_> = uses(parsed).filter(|item| matches!(item.vis, Visibility::Public(_))).collect();
    let is_missing = |name: &&String| !exported.iter().any(|item| imports(&item.tree, &["values"], name));
    let missing = names.iter().filter(is_missing).map(String::as_str).collect::<Vec<_>>().join(", ");
    if missing.is_empty() {
        return;
    }
    if !exported.iter().any(|item| extend(&item.tree, &["values"], &missing, text, edits)) {
        edits.insert(last, format!("\n\npub use values::{{{missing}}};"));
    }
}

/// The new text of `schema.rs`. Edits that are not possible are noted.
pub(super) fn schema(text: &str, changes: &ModuleChanges<'_>, notes: &mut Vec<String>) -> Result<String, Failure> {
    let text = without(text, changes.removed)?;
    if changes.added.is_empty() {
        return Ok(text);
    }
    let parsed = parse("schema.rs", &text)?;
    let mut edits = Edits::default();
    let is_unknown = |name: &&String| !uses(&parsed).any(|item| imports(&item.tree, &["crate"], name));
    let names = changes.added.iter().filter(is_unknown).map(String::as_str).collect::<Vec<_>>().join(", ");
    let is_extended = uses(&parsed)
        .filter(|item| is_list_of_modules(&item.tree))
        .any(|item| names.is_empty() || extend(&item.tree, &["crate"], &names, &text, &mut edits));
    if !is_extended && !names.is_empty() {
        notes.push(format!("schema.rs: add by hand `use crate::{{{names}}};`"));
    }
    let listed = definitions(&parsed).and_then(|item| listed(&item.block));
    for name in changes.added {
        let line = format!("describe(backend, {name}::Entity)");
        match &listed {
            Some((_, entries)) if entries.iter().any(|entry| is_about(entry, name)) => {}
            Some((list, _)) => list.add(&text, &mut edits, list.len().checked_sub(1), &format!("        {line}")),
            None => notes.push(format!("schema.rs: add by hand `{line}` to the tables")),
        }
    }
    Ok(edits.apply(&text))
}

/// Whether a `use` imports modules of the crate, and not items of a module.
fn is_list_of_modules(tree: &UseTree) -> bool {
    let UseTree::Path(path) = tree else { return false };
    let is_module = |tree: &UseTree| match tree {
        UseTree::Name(name) => name.ident.to_string().starts_with(char::is_lowercase),
        _ => false,
    };
    begins_with(tree, "crate")
        && match &*path.tree {
            UseTree::Group(group) => group.items.iter().all(is_module),
            other => is_module(other),
        }
}

/// `schema.rs` without some tables.
fn without(text: &str, removed: &[String]) -> Result<String, Failure> {
    let mut text = text.to_owned();
    for name in removed {
        let parsed = parse("schema.rs", &text)?;
        let mut edits = Edits::default();
        for item in uses(&parsed).filter(|item| begins_with(&item.tree, "crate")) {
            if remove_name(&item.tree, name, &text, &mut edits) == Removal::Whole {
                remove(&text, &mut edits, part(item));
            }
        }
        if let Some((list, entries)) = definitions(&parsed).and_then(|item| listed(&item.block)) {
            for (position, _) in entries.iter().enumerate().filter(|(_, entry)| is_about(entry, name)) {
                list.remove(&text, &mut edits, position);
            }
        }
        text = edits.apply(&text);
    }
    Ok(text)
}

/// The function that lists the tables.
fn definitions(file: &syn::File) -> Option<&ItemFn> {
    file.items.iter().find_map(|item| match item {
        Item::Fn(item) if item.sig.ident == "definitions" => Some(item),
        _ => None,
    })
}

/// Whether an entry is `describe(backend, name::Entity)`.
fn is_about(entry: &Expr, name: &str) -> bool {
    let Expr::Call(call) = entry else { return false };
    call.args.iter().any(|argument| match argument {
        Expr::Path(path) => path.path.segments.iter().rev().nth(1).is_some_and(|module| module.ident == name),
        _ => false,
    })
}
