//! Parser and writer for the enums of `values.rs`.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ImplItem, Item, ItemEnum, ItemImpl, Pat, Stmt, Token, Type};

use super::attribute::{Argument, Attributes, Value, value};
use heck::ToUpperCamelCase as _;

use super::case::styled;
use super::source::parse;
use super::text::{Edits, List, compact, line_end, part, text_of};
use crate::Failure;
use crate::generate::names::iden_variant;

/// The start of a new `values.rs`.
const NEW_FILE: &str = "//! Value types of columns: enums with string values.\n\n\
    use sea_orm::entity::prelude::*;\n";

#[derive(Debug)]
pub(super) struct Values {
    pub(super) text: String,
    pub(super) enums: Vec<StringEnum>,
    /// All type names, of enums and others.
    pub(super) names: BTreeSet<String>,
    /// After the last enum.
    end: usize,
}

/// An enum with string values.
#[derive(Debug)]
pub(super) struct StringEnum {
    pub(super) name: String,
    pub(super) db_type: Option<Argument>,
    /// The name of the native enum of PostgreSQL, if it is one.
    pub(super) native: Option<String>,
    variants: Vec<Variant>,
    list: List,
    style: Option<String>,
    derives: Vec<String>,
    matches: Vec<StringMatch>,
}

#[derive(Debug)]
struct Variant {
    name: String,
    string: Option<String>,
}

/// A `match` that returns the string of each variant.
#[derive(Debug)]
struct StringMatch {
    list: List,
    /// Variants and their strings.
    arms: Vec<(String, String)>,
}

impl Values {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let file = parse("values.rs", text)?;
        let mut values =
            Self { text: text.to_owned(), enums: Vec::new(), names: BTreeSet::new(), end: text.trim_end().len() };
        for item in &file.items {
            match item {
                Item::Enum(item) => {
                    values.names.insert(item.ident.to_string());
                    if let Some(read) = StringEnum::read(text, item) {
                        values.end = line_end(text, part(item).end);
                        values.enums.push(read);
                    }
                }
                Item::Struct(item) => values.names.extend([item.ident.to_string()]),
                Item::Type(item) => values.names.extend([item.ident.to_string()]),
                _ => {}
            }
        }
        for item in &file.items {
            let Item::Impl(item) = item else { continue };
            let Some(name) = implemented(item) else { continue };
            if let Some(string_enum) = values.enums.iter_mut().find(|string_enum| string_enum.name == name) {
                let string_matches: Vec<_> =
                    string_matches(item).filter(|string_match| string_enum.agrees_with(string_match)).collect();
                string_enum.matches.extend(string_matches);
            }
        }
        Ok(values)
    }

    /// An empty `values.rs`.
    pub(super) fn empty() -> Result<Self, Failure> {
        Self::parse(NEW_FILE)
    }

    pub(super) fn find(&self, name: &str) -> Option<&StringEnum> {
        self.enums.iter().find(|string_enum| string_enum.name == name)
    }

    /// Adds an enum with the derives that all others have. `db_type` are the arguments that say how it is stored.
    pub(super) fn add(&self, edits: &mut Edits, name: &str, doc: &str, db_type: &str, strings: &[String]) {
        let usual = ["Clone", "Copy", "Debug", "PartialEq", "Eq", "Hash", "EnumIter", "DeriveActiveEnum"];
        let derives = match self.enums.split_first() {
            None => Vec::from(usual.map(ToOwned::to_owned)),
            Some((first, others)) => {
                let is_shared = |derive: &&String| others.iter().all(|other| other.derives.contains(derive));
                first.derives.iter().filter(is_shared).cloned().collect()
            }
        };
        let serde = if is_serialised(&derives) { "#[serde(rename_all = \"snake_case\")]\n" } else { "" };
        let mut taken = Vec::new();
        let variants: Vec<_> =
            strings.iter().map(|string| variant(string, Some("snake_case"), &derives, &mut taken).1).collect();
        let text = format!(
            "\n\n/// {doc}\n#[derive({})]\n#[sea_orm(rs_type = \"String\", {db_type}, rename_all = \
             \"snake_case\")]\n{serde}pub enum {name} {{\n{},\n}}",
            derives.join(", "),
            variants.join(",\n")
        );
        edits.insert(self.end, text);
    }
}

impl StringEnum {
    /// None if its values are not strings.
    fn read(text: &str, item: &ItemEnum) -> Option<Self> {
        let derives = derives(text, &item.attrs);
        let attributes = Attributes::read(text, &item.attrs).ok()?;
        if attributes.text("rs_type") != Some("String") || !derives.iter().any(|derive| derive == "DeriveActiveEnum") {
            return None;
        }
        let style = attributes.text("rename_all").map(ToOwned::to_owned);
        let variants = item.variants.iter().map(|variant| {
            let name = variant.ident.to_string();
            let attributes = Attributes::read(text, &variant.attrs).unwrap_or_default();
            let own = attributes.text("rename").or(style.as_deref());
            let string = attributes.text("string_value").map(ToOwned::to_owned);
            let string = string.or_else(|| own.and_then(|style| styled(&name, style)));
            Variant { name, string }
        });
        Some(Self {
            name: item.ident.to_string(),
            db_type: attributes.get("db_type").cloned(),
            native: attributes.text("enum_name").map(ToOwned::to_owned),
            variants: variants.collect(),
            list: List::new(item.brace_token.span.open(), &item.variants),
            style,
            derives,
            matches: Vec::new(),
        })
    }

    pub(super) fn has_strings(&self, strings: &[String]) -> bool {
        let own: BTreeSet<_> = self.variants.iter().filter_map(|variant| variant.string.as_ref()).collect();
        let wanted: BTreeSet<_> = strings.iter().collect();
        own == wanted
    }

    fn agrees_with(&self, string_match: &StringMatch) -> bool {
        !string_match.arms.is_empty()
            && string_match.arms.iter().all(|(name, string)| {
                self.variants.iter().any(|variant| variant.name == *name && variant.string.as_ref() == Some(string))
            })
    }

    /// Adds missing values, and removes those that no longer exist.
    pub(super) fn change(&self, text: &str, edits: &mut Edits, strings: &[String]) -> Vec<String> {
        let mut notes = Vec::new();
        let stays = |variant: &Variant| variant.string.as_ref().is_none_or(|string| strings.contains(string));
        for (position, variant) in self.variants.iter().enumerate().filter(|(_, variant)| !stays(variant)) {
            self.list.remove(text, edits, position);
            notes.push(format!("{}::{} was removed; code that uses it no longer compiles", self.name, variant.name));
        }
        let kept = |name: &str| self.variants.iter().any(|variant| variant.name == name && stays(variant));
        // New variants are placed in the order of the values.
        let position_of = |string: &String| {
            let before = strings.iter().take_while(|other| *other != string);
            let positions = before.filter_map(|other| {
                self.variants.iter().position(|own| own.string.as_ref() == Some(other) && stays(own))
            });
            positions.last()
        };
        let mut taken: Vec<_> = self.variants.iter().map(|variant| variant.name.clone()).collect();
        let mut new = Vec::new();
        for string in
            strings.iter().filter(|string| !self.variants.iter().any(|own| own.string.as_ref() == Some(*string)))
        {
            let (name, variant) = variant(string, self.style.as_deref(), &self.derives, &mut taken);
            self.list.add(text, edits, position_of(string), &variant);
            notes.push(format!("{}::{name} is new", self.name));
            new.push(format!("            Self::{name} => {string:?}"));
        }
        for string_match in &self.matches {
            for (position, _) in string_match.arms.iter().enumerate().filter(|(_, (name, _))| !kept(name)) {
                string_match.list.remove(text, edits, position);
            }
            let after = string_match.arms.iter().rposition(|(name, _)| kept(name));
            for arm in &new {
                string_match.list.add(text, edits, after, arm);
            }
        }
        notes
    }
}

/// A variant for a string: its name and its source.
fn variant(string: &str, style: Option<&str>, derives: &[String], taken: &mut Vec<String>) -> (String, String) {
    let plain = iden_variant(&string.to_upper_camel_case());
    let mut name = plain.clone();
    for number in 2.. {
        if !taken.contains(&name) {
            break;
        }
        name = format!("{plain}{number}");
    }
    taken.push(name.clone());
    let mut text = String::new();
    if style.and_then(|style| styled(&name, style)).as_deref() != Some(string) {
        text.push_str(&format!("    #[sea_orm(string_value = {string:?})]\n"));
        if is_serialised(derives) {
            text.push_str(&format!("    #[serde(rename = {string:?})]\n"));
        }
    }
    text.push_str(&format!("    {name}"));
    (name, text)
}

fn is_serialised(derives: &[String]) -> bool {
    derives.iter().any(|derive| derive == "Serialize" || derive == "Deserialize")
}

fn derives(text: &str, attributes: &[Attribute]) -> Vec<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let lists =
        lists.filter_map(|list| list.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).ok());
    lists.flat_map(|list| list.iter().map(|path| compact(text_of(text, path))).collect::<Vec<_>>()).collect()
}

/// The type of an inherent `impl`.
fn implemented(item: &ItemImpl) -> Option<String> {
    match (&item.trait_, &*item.self_ty) {
        (None, Type::Path(path)) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn string_matches(item: &ItemImpl) -> impl Iterator<Item = StringMatch> {
    item.items.iter().filter_map(|item| {
        let ImplItem::Fn(function) = item else { return None };
        let [Stmt::Expr(Expr::Match(found), _)] = function.block.stmts.as_slice() else { return None };
        let arms = found.arms.iter().map(|arm| match (&arm.pat, &arm.guard, value(&arm.body)) {
            (Pat::Path(path), None, Value::Text(string)) => {
                Some((path.path.segments.last()?.ident.to_string(), string))
            }
            _ => None,
        });
        let parts = found
            .arms
            .iter()
            .map(|arm| (part(arm).start..part(&*arm.body).end, arm.comma.as_ref().map(|comma| part(comma).end)));
        let list = List::of(found.brace_token.span.open().byte_range().end, parts);
        Some(StringMatch { list, arms: arms.collect::<Option<Vec<_>>>()? })
    })
}
