//! The enums of `values.rs` with string values.

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

/// The beginning of `values.rs`.
const BEGINNING: &str = "//! Column types with a meaning of their own: closed sets of words.\n\n\
    use sea_orm::entity::prelude::*;\n";

#[derive(Debug)]
pub(super) struct Values {
    pub(super) text: String,
    pub(super) enums: Vec<StringEnum>,
    /// All types, enums or not.
    pub(super) names: BTreeSet<String>,
    /// Position after the last enum.
    end: usize,
}

/// An enum with string values.
#[derive(Debug)]
pub(super) struct StringEnum {
    pub(super) name: String,
    pub(super) db_type: Option<Argument>,
    variants: Vec<Variant>,
    list: List,
    style: Option<String>,
    derives: Vec<String>,
    matches: Vec<Spelling>,
}

#[derive(Debug)]
struct Variant {
    name: String,
    word: Option<String>,
}

/// A `match` from variants to values.
#[derive(Debug)]
struct Spelling {
    list: List,
    /// Variants with their values.
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
            if let Some(word_enum) = values.enums.iter_mut().find(|word_enum| word_enum.name == name) {
                let spellings: Vec<_> = spellings(item).filter(|spelling| word_enum.is_spelled_by(spelling)).collect();
                word_enum.matches.extend(spellings);
            }
        }
        Ok(values)
    }

    /// A file without enums.
    pub(super) fn empty() -> Result<Self, Failure> {
        Self::parse(BEGINNING)
    }

    pub(super) fn find(&self, name: &str) -> Option<&StringEnum> {
        self.enums.iter().find(|word_enum| word_enum.name == name)
    }

    /// Adds an enum in the style of the others.
    pub(super) fn add(&self, edits: &mut Edits, name: &str, doc: &str, db_type: &str, words: &[String]) {
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
            words.iter().map(|word| variant(word, Some("snake_case"), &derives, &mut taken).1).collect();
        let text = format!(
            "\n\n/// {doc}\n#[derive({})]\n#[sea_orm(rs_type = \"String\", db_type = {db_type:?}, rename_all = \
             \"snake_case\")]\n{serde}pub enum {name} {{\n{},\n}}",
            derives.join(", "),
            variants.join(",\n")
        );
        edits.insert(self.end, text);
    }
}

impl StringEnum {
    /// None if its values are no strings.
    fn read(text: &str, item: &ItemEnum) -> Option<Self> {
        let derives = derives(text, &item.attrs);
        let said = Attributes::read(text, &item.attrs).ok()?;
        if said.text("rs_type") != Some("String") || !derives.iter().any(|derive| derive == "DeriveActiveEnum") {
            return None;
        }
        let style = said.text("rename_all").map(ToOwned::to_owned);
        let variants = item.variants.iter().map(|variant| {
            let name = variant.ident.to_string();
            let said = Attributes::read(text, &variant.attrs).unwrap_or_default();
            let own = said.text("rename").or(style.as_deref());
            let word = said.text("string_value").map(ToOwned::to_owned);
            let word = word.or_else(|| own.and_then(|style| styled(&name, style)));
            Variant { name, word }
        });
        Some(Self {
            name: item.ident.to_string(),
            db_type: said.get("db_type").cloned(),
            variants: variants.collect(),
            list: List::new(item.brace_token.span.open(), &item.variants),
            style,
            derives,
            matches: Vec::new(),
        })
    }

    pub(super) fn has_words(&self, words: &[String]) -> bool {
        let own: BTreeSet<_> = self.variants.iter().filter_map(|variant| variant.word.as_ref()).collect();
        let wanted: BTreeSet<_> = words.iter().collect();
        own == wanted
    }

    fn is_spelled_by(&self, spelling: &Spelling) -> bool {
        !spelling.arms.is_empty()
            && spelling.arms.iter().all(|(name, word)| {
                self.variants.iter().any(|variant| variant.name == *name && variant.word.as_ref() == Some(word))
            })
    }

    /// Adds missing values at the end, and removes old ones.
    pub(super) fn change(&self, text: &str, edits: &mut Edits, words: &[String]) -> Vec<String> {
        let mut notes = Vec::new();
        let stays = |variant: &Variant| variant.word.as_ref().is_none_or(|word| words.contains(word));
        for (place, variant) in self.variants.iter().enumerate().filter(|(_, variant)| !stays(variant)) {
            self.list.remove(text, edits, place);
            notes.push(format!("{}::{} is gone, with whatever named it", self.name, variant.name));
        }
        let kept = |name: &str| self.variants.iter().any(|variant| variant.name == name && stays(variant));
        // The variants have the order of the values, if there is one.
        let place_of = |word: &String| {
            let before = words.iter().take_while(|other| *other != word);
            let places = before.filter_map(|other| {
                self.variants.iter().position(|own| own.word.as_ref() == Some(other) && stays(own))
            });
            places.last()
        };
        let mut taken: Vec<_> = self.variants.iter().map(|variant| variant.name.clone()).collect();
        let mut new = Vec::new();
        for word in words.iter().filter(|word| !self.variants.iter().any(|own| own.word.as_ref() == Some(*word))) {
            let (name, variant) = variant(word, self.style.as_deref(), &self.derives, &mut taken);
            self.list.add(text, edits, place_of(word), &variant);
            notes.push(format!("{}::{name} is new", self.name));
            new.push(format!("            Self::{name} => {word:?}"));
        }
        for spelling in &self.matches {
            for (place, _) in spelling.arms.iter().enumerate().filter(|(_, (name, _))| !kept(name)) {
                spelling.list.remove(text, edits, place);
            }
            let behind = spelling.arms.iter().rposition(|(name, _)| kept(name));
            for arm in &new {
                spelling.list.add(text, edits, behind, arm);
            }
        }
        notes
    }
}

/// The variant of a value: name and source.
fn variant(word: &str, style: Option<&str>, derives: &[String], taken: &mut Vec<String>) -> (String, String) {
    let plain = iden_variant(&word.to_upper_camel_case());
    let mut name = plain.clone();
    for number in 2.. {
        if !taken.contains(&name) {
            break;
        }
        name = format!("{plain}{number}");
    }
    taken.push(name.clone());
    let mut text = String::new();
    if style.and_then(|style| styled(&name, style)).as_deref() != Some(word) {
        text.push_str(&format!("    #[sea_orm(string_value = {word:?})]\n"));
        if is_serialised(derives) {
            text.push_str(&format!("    #[serde(rename = {word:?})]\n"));
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

/// The type of an `impl` block.
fn implemented(item: &ItemImpl) -> Option<String> {
    match (&item.trait_, &*item.self_ty) {
        (None, Type::Path(path)) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn spellings(item: &ItemImpl) -> impl Iterator<Item = Spelling> {
    item.items.iter().filter_map(|item| {
        let ImplItem::Fn(function) = item else { return None };
        let [Stmt::Expr(Expr::Match(found), _)] = function.block.stmts.as_slice() else { return None };
        let arms = found.arms.iter().map(|arm| match (&arm.pat, &arm.guard, value(&arm.body)) {
            (Pat::Path(path), None, Value::Text(word)) => Some((path.path.segments.last()?.ident.to_string(), word)),
            _ => None,
        });
        let parts = found
            .arms
            .iter()
            .map(|arm| (part(arm).start..part(&*arm.body).end, arm.comma.as_ref().map(|comma| part(comma).end)));
        let list = List::of(found.brace_token.span.open().byte_range().end, parts);
        Some(Spelling { list, arms: arms.collect::<Option<Vec<_>>>()? })
    })
}
