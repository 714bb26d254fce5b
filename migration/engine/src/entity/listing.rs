//! The lists of entities: modules in `lib.rs`, and the entities of the project.

use std::ops::Range;

use syn::visit::{self, Visit};
use syn::{Expr, Item, ItemMod, Visibility};

use super::imports::{extend, imports, uses};
use super::source::parse;
use super::text::{Edits, line_end, line_start, part, remove};
use crate::Failure;

/// Changes of the lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModuleChanges<'a> {
    /// Added modules, in an order in which their tables can be created.
    pub(super) added: &'a [String],
    pub(super) removed: &'a [String],
    /// Types of `values.rs` that have to be exported.
    pub(super) exports: &'a [String],
    pub(super) has_new_values: bool,
    pub(super) has_table_extras: bool,
    /// How the file with the list names the crate of the entities.
    pub(super) crate_name: &'a str,
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
    let mut is_first = true;
    for name in added.iter().filter(|name| !modules.iter().any(|item| item.ident == *name)) {
        match (public.iter().find(|item| item.ident.to_string().as_str() > name.as_str()), public.last()) {
            (Some(next), _) => edits.insert(line_start(text, part(**next).start), format!("pub mod {name};\n")),
            (None, Some(last)) => edits.insert(line_end(text, part(**last).end), format!("\npub mod {name};")),
            (None, None) => {
                let blank = if is_first && !text.is_empty() { "\n" } else { "" };
                edits.insert(text.len(), format!("{blank}pub mod {name};\n"));
                is_first = false;
            }
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

/// The new text of the file with the list of the entities, `Entities::of(backend).with(…)…`. Edits that are not possible are
/// noted.
pub(super) fn entities(
    file: &str,
    text: &str,
    changes: &ModuleChanges<'_>,
    notes: &mut Vec<String>,
) -> Result<String, Failure> {
    let parsed = parse(file, text)?;
    let mut finder = Finder::default();
    finder.visit_file(&parsed);
    let Some(end) = finder.end else {
        notes.extend(changes_by_hand(changes));
        return Ok(text.to_owned());
    };
    let mut edits = Edits::default();
    finder.calls.retain(|call| {
        let stays = !changes.removed.contains(&call.module);
        if !stays {
            edits.replace(call.range.clone(), "");
        }
        stays
    });
    for call in finder.calls.iter().filter(|call| changes.has_table_extras && call.is_plain) {
        edits.replace(call.method.clone(), "with_extras");
    }
    let is_listed = |name: &&String| finder.calls.iter().any(|call| call.module == **name);
    for name in changes.added.iter().filter(|name| !is_listed(name)) {
        edits.insert(end, format!("\n        {}", call_of(changes, name)));
    }
    Ok(edits.apply(text))
}

/// What the developer has to list by hand.
pub(super) fn changes_by_hand(changes: &ModuleChanges<'_>) -> Vec<String> {
    let added = changes.added.iter().map(|name| format!("add `{}` to the entities", call_of(changes, name)));
    added.chain(changes.removed.iter().map(|name| format!("remove {name} from the entities"))).collect()
}

fn call_of(changes: &ModuleChanges<'_>, name: &str) -> String {
    let method = if changes.has_table_extras { "with_extras" } else { "with" };
    format!(".{method}({}::{name}::Entity)", changes.crate_name)
}

/// The calls `.with(…)` after `Entities::of(…)`.
#[derive(Default)]
struct Finder {
    calls: Vec<ListedEntity>,
    /// The end of the last call of the chain.
    end: Option<usize>,
}

struct ListedEntity {
    module: String,
    /// From the end of what is before it.
    range: Range<usize>,
    /// The name of the method.
    method: Range<usize>,
    /// Whether it is listed without its `TableExtras`.
    is_plain: bool,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        let mut calls = Vec::new();
        let mut receiver = expression;
        while let Expr::MethodCall(call) = receiver {
            let range = part(&*call.receiver).end..part(call).end;
            if call.method == "with" || call.method == "with_extras" {
                let (method, is_plain) = (part(&call.method), call.method == "with");
                calls.extend(call.args.first().and_then(module_of).map(|module| ListedEntity {
                    module,
                    range,
                    method,
                    is_plain,
                }));
            }
            receiver = &call.receiver;
        }
        if self.end.is_none() && is_start(receiver) {
            self.end = Some(part(expression).end);
            self.calls = calls;
            return;
        }
        visit::visit_expr(self, expression);
    }
}

/// Whether it is `Entities::of(…)`.
fn is_start(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else { return false };
    let Expr::Path(function) = &*call.func else { return false };
    let names: Vec<_> = function.path.segments.iter().rev().map(|segment| segment.ident.to_string()).collect();
    matches!(names.as_slice(), [of, entities, ..] if of == "of" && entities == "Entities")
}

/// The module of `module::Entity`.
fn module_of(argument: &Expr) -> Option<String> {
    let Expr::Path(path) = argument else { return None };
    let module = path.path.segments.iter().rev().nth(1)?.ident.to_string();
    Some(module.trim_start_matches("r#").to_owned())
}
