//! Parser for the source of an entity, with the positions for edits.

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
    /// The file name without its extension.
    pub(super) module: String,
    pub(super) table: String,
    pub(super) text: String,
    /// Whether it is a `#[sea_orm::model]`, whose relations are fields.
    pub(super) has_relations: bool,
    pub(super) fields: Vec<Field>,
    pub(super) list: List,
    /// The position of `Eq` among the derives. A model with floating-point fields cannot derive it.
    pub(super) eq: Option<(List, usize)>,
    pub(super) table_extras: Option<TableExtras>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) attributes: Attributes,
    /// The position for an additional attribute.
    pub(super) start: usize,
    /// The byte range of the type.
    pub(super) type_range: Range<usize>,
    pub(super) kind: FieldKind,
}

#[derive(Debug)]
pub(super) enum FieldKind {
    Column(Stored),
    Relation(Link),
    /// A column that the entity ignores.
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
    /// The module of the related entity. None for the entity itself.
    pub(super) module: Option<String>,
    /// The related entity, as the source names it.
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
    /// None if the file has no entity.
    pub(super) fn parse(file: &str, text: &str) -> Result<Option<Self>, Failure> {
        let parsed = parse(file, text)?;
        let model = parsed.items.iter().find_map(|item| match item {
            Item::Struct(model) if model.ident == "Model" => Some(model),
            _ => None,
        });
        let Some(model) = model else { return Ok(None) };
        let unreadable_here = |error: syn::Error| unreadable(file, &error);
        let model_attributes = Attributes::read(text, &model.attrs).map_err(unreadable_here)?;
        let (Some(table), Fields::Named(fields)) = (model_attributes.text("table_name"), &model.fields) else {
            return Ok(None);
        };
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
            entity.fields.push(Field::read(text, field, model_attributes.text("rename_all")).map_err(unreadable_here)?);
        }
        Ok(Some(entity))
    }

    /// The field of a column, with its position.
    pub(super) fn field(&self, column: &str) -> Option<(usize, &Field, &Stored)> {
        self.fields.iter().enumerate().find_map(|(position, field)| match &field.kind {
            FieldKind::Column(stored) if stored.column == column => Some((position, field, stored)),
            _ => None,
        })
    }

    pub(super) fn ignores(&self, column: &str) -> bool {
        self.fields.iter().any(|field| matches!(&field.kind, FieldKind::Ignored(name) if name == column))
    }

    /// The name of the field of a column, existing or new.
    pub(super) fn field_name(&self, column: &str) -> String {
        self.field(column).map_or_else(|| field_name(column), |(_, field, _)| field.name.clone())
    }

    /// The variant of `Column` in SeaORM.
    pub(super) fn variant(&self, column: &str) -> String {
        let field = self.field(column).map(|(_, field, _)| field);
        match field.and_then(|field| field.attributes.text("enum_name")) {
            Some(name) => name.to_owned(),
            None => self.field_name(column).to_upper_camel_case(),
        }
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (usize, &Field, &Link)> {
        self.fields.iter().enumerate().filter_map(|(position, field)| match &field.kind {
            FieldKind::Relation(link) => Some((position, field, link)),
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
        let unreadable_here = attributes.text("column_name").map(ToOwned::to_owned);
        let column = unreadable_here
            .or_else(|| style.and_then(|style| styled(&name.to_upper_camel_case(), style)))
            .unwrap_or_else(|| name.to_snake_case());
        let kind = if attributes.has("ignore") {
            FieldKind::Ignored(column)
        } else if let Some(link) = link(text, &field.ty) {
            FieldKind::Relation(link)
        } else {
            let inner = optional(&field.ty);
            let name = compact(text_of(text, inner.unwrap_or(&field.ty)));
            let name = name.strip_prefix("crate::").map(ToOwned::to_owned).unwrap_or(name);
            FieldKind::Column(Stored { column, rust: RustType { name, is_optional: inner.is_some() } })
        };
        Ok(Self { name, attributes, start, type_range: part(&field.ty), kind })
    }
}

/// The target of a relation.
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

/// The type inside an `Option`.
fn optional(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    if last.ident == "Option" { argument(last) } else { None }
}

fn derived_eq(attributes: &[Attribute]) -> Option<(List, usize)> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).find_map(|attribute| {
        let Meta::List(list) = &attribute.meta else { return None };
        let derives = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated).ok()?;
        let position = derives.iter().position(|derive| derive.is_ident("Eq"))?;
        Some((List::new(list.delimiter.span().open(), &derives), position))
    })
}

pub(super) fn parse(file: &str, text: &str) -> Result<syn::File, Failure> {
    // A byte order mark would shift all positions.
    if text.starts_with('\u{feff}') {
        return Err(Failure::File(format!("{file} begins with a byte order mark")));
    }
    syn::parse_file(text).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &str, error: &syn::Error) -> Failure {
    Failure::File(format!("{file}, line {}: {error}", error.span().start().line))
}
