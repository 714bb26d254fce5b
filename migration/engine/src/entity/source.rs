//! Source of an entity, parsed so far that it can be changed in place.

use std::ops::Range;

use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Item, Meta, Token, Type, Visibility};

use super::attribute::Attributes;
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use super::case::{field_name, styled};
use super::table_extras::TableExtras;
use super::text::{List, compact, part, text_of};
use super::type_argument::argument;
use crate::Failure;

#[derive(Debug)]
pub(super) struct Entity {
    /// The name of the file, without extension.
    pub(super) module: String,
    pub(super) table: String,
    pub(super) text: String,
    /// Whether it is a `#[sea_orm::model]`, whose relations are fields.
    pub(super) has_relations: bool,
    pub(super) fields: Vec<Field>,
    pub(super) list: List,
    /// The position of `Eq` among the derives, which a model with floats cannot have.
    pub(super) eq: Option<(List, usize)>,
    pub(super) table_extras: Option<TableExtras>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) attributes: Attributes,
    /// Position for a new attribute.
    pub(super) start: usize,
    /// Position of its type.
    pub(super) kind: Range<usize>,
    pub(super) meaning: FieldKind,
}

#[derive(Debug)]
pub(super) enum FieldKind {
    Column(Stored),
    Relation(Link),
    /// An ignored column.
    Ignored(String),
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) column: String,
    pub(super) rust: RustType,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RustType {
    pub(super) name: String,
    pub(super) is_optional: bool,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) side: Side,
    /// The module of the other entity. None for the entity itself.
    pub(super) module: Option<String>,
    /// The path of the other entity.
    pub(super) entity: String,
    pub(super) is_optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    BelongsTo,
    HasOne,
    HasMany,
}

impl Entity {
    /// None if the file describes no table.
    pub(super) fn parse(file: &str, text: &str) -> Result<Option<Self>, Failure> {
        let parsed = parse(file, text)?;
        let model = parsed.items.iter().find_map(|item| match item {
            Item::Struct(model) if model.ident == "Model" => Some(model),
            _ => None,
        });
        let Some(model) = model else { return Ok(None) };
        let told = |error: syn::Error| unreadable(file, &error);
        let said = Attributes::read(text, &model.attrs).map_err(told)?;
        let (Some(table), Fields::Named(fields)) = (said.text("table_name"), &model.fields) else { return Ok(None) };
        let is_dense = |attribute: &Attribute| {
            attribute.path().segments.iter().map(|segment| segment.ident.to_string()).eq(["sea_orm", "model"])
        };
        let mut entity = Self {
            module: file.strip_suffix(".rs").unwrap_or(file).to_owned(),
            table: table.to_owned(),
            text: text.to_owned(),
            has_relations: model.attrs.iter().any(is_dense),
            fields: Vec::new(),
            list: List::new(fields.brace_token.span.open(), &fields.named),
            eq: derived_eq(&model.attrs),
            table_extras: parsed.items.iter().find_map(|item| match item {
                Item::Impl(item) => TableExtras::read(item),
                _ => None,
            }),
        };
        for field in &fields.named {
            entity.fields.push(Field::read(text, field, said.text("rename_all")).map_err(told)?);
        }
        Ok(Some(entity))
    }

    /// The field of a column, with its position.
    pub(super) fn field(&self, column: &str) -> Option<(usize, &Field, &Stored)> {
        self.fields.iter().enumerate().find_map(|(place, field)| match &field.meaning {
            FieldKind::Column(stored) if stored.column == column => Some((place, field, stored)),
            _ => None,
        })
    }

    pub(super) fn ignores(&self, column: &str) -> bool {
        self.fields.iter().any(|field| matches!(&field.meaning, FieldKind::Ignored(name) if name == column))
    }

    /// The name of the field of a column, existing or new.
    pub(super) fn field_name(&self, column: &str) -> String {
        self.field(column).map_or_else(|| field_name(column), |(_, field, _)| field.name.clone())
    }

    /// The variant of `Column` of a column.
    pub(super) fn variant(&self, column: &str) -> String {
        let field = self.field(column).map(|(_, field, _)| field);
        match field.and_then(|field| field.attributes.text("enum_name")) {
            Some(name) => name.to_owned(),
            None => self.field_name(column).to_upper_camel_case(),
        }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (usize, &Field, &Link)> {
        self.fields.iter().enumerate().filter_map(|(place, field)| match &field.meaning {
            FieldKind::Relation(link) => Some((place, field, link)),
            _ => None,
        })
    }
}

impl Field {
    fn read(text: &str, field: &syn::Field, style: Option<&str>) -> syn::Result<Self> {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = ident.trim_start_matches("r#").to_owned();
        let start = match &field.vis {
            Visibility::Inherited => field.ident.as_ref().map_or(0, |ident| part(ident).start),
            visible => part(visible).start,
        };
        let attributes = Attributes::read(text, &field.attrs)?;
        let told = attributes.text("column_name").map(ToOwned::to_owned);
        let column = told
            .or_else(|| style.and_then(|style| styled(&name.to_upper_camel_case(), style)))
            .unwrap_or_else(|| name.to_snake_case());
        let meaning = if attributes.has("ignore") {
            FieldKind::Ignored(column)
        } else if let Some(link) = link(text, &field.ty) {
            FieldKind::Relation(link)
        } else {
            let inner = optional(&field.ty);
            let name = compact(text_of(text, inner.unwrap_or(&field.ty)));
            let name = name.strip_prefix("crate::").map(ToOwned::to_owned).unwrap_or(name);
            FieldKind::Column(Stored { column, rust: RustType { name, is_optional: inner.is_some() } })
        };
        Ok(Self { name, attributes, start, kind: part(&field.ty), meaning })
    }
}

/// The other side of a relation.
fn link(text: &str, kind: &Type) -> Option<Link> {
    let Type::Path(path) = kind else { return None };
    let wrapper = path.path.segments.last()?;
    let side = match wrapper.ident.to_string().as_str() {
        "BelongsTo" => Side::BelongsTo,
        "HasOne" => Side::HasOne,
        "HasMany" => Side::HasMany,
        _ => return None,
    };
    let inner = argument(wrapper)?;
    let (inner, is_optional) = optional(inner).map_or((inner, false), |inner| (inner, true));
    let Type::Path(entity) = inner else { return None };
    let mut modules = entity.path.segments.iter().rev().skip(1).map(|segment| segment.ident.to_string());
    let module = modules.next().filter(|module| module != "self");
    let module = module.map(|module| module.trim_start_matches("r#").to_owned());
    Some(Link { side, module, entity: compact(text_of(text, inner)), is_optional })
}

/// The type within an `Option`.
fn optional(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    if last.ident == "Option" { argument(last) } else { None }
}

fn derived_eq(attributes: &[Attribute]) -> Option<(List, usize)> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).find_map(|attribute| {
        let Meta::List(list) = &attribute.meta else { return None };
        let derives = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).ok()?;
        let place = derives.iter().position(|derive| derive.is_ident("Eq"))?;
        Some((List::new(list.delimiter.span().open(), &derives), place))
    })
}

pub(super) fn parse(file: &str, text: &str) -> Result<syn::File, Failure> {
    // It would shift every position.
    if text.starts_with('\u{feff}') {
        return Err(Failure::File(format!("{file} begins with a byte order mark")));
    }
    syn::parse_file(text).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &str, error: &syn::Error) -> Failure {
    Failure::File(format!("{file}, line {}: {error}", error.span().start().line))
}
