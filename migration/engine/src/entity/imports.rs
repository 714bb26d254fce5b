//! `use` declarations: adds those that a file needs, and removes unused ones.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Item, ItemUse, UseTree, Visibility};

use super::source::parse;
use super::text::{Edits, List, line_end, part, remove, text_of};
use crate::Failure;

/// Imports a name from a module.
pub(super) fn add(file: &str, text: &str, module: &[&str], name: &str) -> Result<String, Failure> {
    let parsed = parse(file, text)?;
    let uses: Vec<_> = uses(&parsed).collect();
    if uses.iter().any(|item| imports(&item.tree, module, name)) {
        return Ok(text.to_owned());
    }
    let mut edits = Edits::default();
    let is_private = |item: &ItemUse| matches!(item.vis, Visibility::Inherited);
    if !uses.iter().any(|item| is_private(item) && extend(&item.tree, module, name, text, &mut edits)) {
        let line = format!("use {}::{name};", module.join("::"));
        // Imports of other crates are a block above those of the crate.
        let is_own = module.first() == Some(&"crate");
        let first = uses.iter().find(|item| is_private(item) && !begins_with(&item.tree, "crate")).filter(|_| !is_own);
        if let Some(first) = first {
            edits.insert(part(*first).start, format!("{line}\n"));
            return Ok(edits.apply(text));
        }
        let of_crate = uses.iter().rev().find(|item| is_private(item) && begins_with(&item.tree, "crate"));
        match (of_crate, uses.last(), parsed.items.first()) {
            (Some(item), ..) => edits.insert(line_end(text, part(*item).end), format!("\n{line}")),
            (None, Some(item), _) => edits.insert(line_end(text, part(*item).end), format!("\n\n{line}")),
            (None, None, Some(item)) => edits.insert(part(item).start, format!("{line}\n\n")),
            (None, None, None) => edits.insert(text.len(), format!("\n{line}\n")),
        }
    }
    Ok(edits.apply(text))
}

/// Removes a name from the imports of the crate and of this one.
pub(super) fn remove_import(file: &str, text: &str, name: &str) -> Result<String, Failure> {
    let parsed = parse(file, text)?;
    let mut edits = Edits::default();
    for item in uses(&parsed).filter(|item| matches!(item.vis, Visibility::Inherited)) {
        let is_ours = begins_with(&item.tree, "crate") || begins_with(&item.tree, "revisions");
        if is_ours && remove_name(&item.tree, name, text, &mut edits) == Removal::Whole {
            remove(text, &mut edits, part(item));
        }
    }
    Ok(edits.apply(text))
}

pub(super) fn uses(file: &syn::File) -> impl Iterator<Item = &ItemUse> {
    file.items.iter().filter_map(|item| match item {
        Item::Use(item) => Some(item),
        _ => None,
    })
}

pub(super) fn begins_with(tree: &UseTree, name: &str) -> bool {
    matches!(tree, UseTree::Path(path) if path.ident == name)
}

/// Whether a `use` imports a name from a module.
pub(super) fn imports(tree: &UseTree, module: &[&str], name: &str) -> bool {
    match (tree, module.split_first()) {
        (UseTree::Group(group), _) => group.items.iter().any(|tree| imports(tree, module, name)),
        (UseTree::Path(path), Some((first, rest))) => path.ident == *first && imports(&path.tree, rest, name),
        (UseTree::Name(known), None) => known.ident == name,
        (UseTree::Glob(_), None) => true,
        _ => false,
    }
}

/// Adds a name, or several separated by commas, to a `use` of the same module.
pub(super) fn extend(tree: &UseTree, module: &[&str], name: &str, text: &str, edits: &mut Edits) -> bool {
    match (tree, module.split_first()) {
        (UseTree::Group(group), Some(_)) => group.items.iter().any(|tree| extend(tree, module, name, text, edits)),
        (UseTree::Path(path), Some((first, rest))) if path.ident == *first => {
            extend(&path.tree, rest, name, text, edits)
        }
        (UseTree::Group(group), None) => {
            let list = List::new(group.brace_token.span.open(), &group.items);
            list.add(text, edits, list.len().checked_sub(1), name);
            true
        }
        (UseTree::Name(_) | UseTree::Rename(_), None) => {
            edits.replace(part(tree), format!("{{{}, {name}}}", text_of(text, tree)));
            true
        }
        _ => false,
    }
}

/// The effect of removing a name on a `use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    Nothing,
    Part,
    /// The `use` would be empty.
    Whole,
}

/// Removes a name from a `use`.
pub(super) fn remove_name(tree: &UseTree, name: &str, text: &str, edits: &mut Edits) -> Removal {
    match tree {
        UseTree::Name(known) if known.ident == name => Removal::Whole,
        UseTree::Path(path) => remove_name(&path.tree, name, text, edits),
        UseTree::Group(group) => {
            for (position, tree) in group.items.iter().enumerate() {
                match remove_name(tree, name, text, edits) {
                    Removal::Nothing => {}
                    Removal::Whole if group.items.len() > 1 => {
                        List::new(group.brace_token.span.open(), &group.items).remove(text, edits, position);
                        return Removal::Part;
                    }
                    removal => return removal,
                }
            }
            Removal::Nothing
        }
        _ => Removal::Nothing,
    }
}

/// The names that a file uses, except in imports and definitions.
pub(super) fn used(file: &str, text: &str) -> Result<BTreeSet<String>, Failure> {
    let parsed = parse(file, text)?;
    let lines: Vec<_> = uses(&parsed).map(part).collect();
    let tokens = text.parse::<TokenStream>().map_err(|error| Failure::File(format!("{file}: {error}")))?;
    let mut names = BTreeSet::new();
    collect(tokens, &lines, &mut names);
    Ok(names)
}

fn collect(tokens: TokenStream, lines: &[Range<usize>], names: &mut BTreeSet<String>) {
    let mut is_defined = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), lines, names),
            TokenTree::Ident(name) => {
                let position = name.span().byte_range().start;
                let name = name.to_string();
                let is_imported = lines.iter().any(|line| line.contains(&position));
                // The next token is the name of a function.
                let defines = name == "fn";
                if !is_defined && !is_imported {
                    names.insert(name);
                }
                is_defined = defines;
                continue;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        is_defined = false;
    }
}
