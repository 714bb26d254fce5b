//! Relations of an entity, as fields.

use std::collections::BTreeSet;

use super::attribute::{Attributes, Choice, Rewrite};
use super::column::{is_nullable, rewrite_attribute};
use super::context::Context;
use super::source::{Entity, Field, FieldKind, Link, Side};
use super::text::Edits;
use crate::schema::{ForeignKey, ForeignKeyAction, Table};
use heck::ToUpperCamelCase as _;

/// An entity whose relations are updated.
pub(super) struct Relations<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) entity: &'a Entity,
    pub(super) table: &'a Table,
}

/// Updates the relations of an entity from the foreign keys.
pub(super) fn relate<'a>(
    context: &'a Context<'a>,
    entity: &'a Entity,
    table: &'a Table,
    edits: &mut Edits,
    notes: &mut Vec<String>,
) {
    if !entity.has_relations {
        if !table.foreign_keys.is_empty() {
            notes.push(format!("{}: not a `#[sea_orm::model]`, so its relations are unchanged", table.name));
        }
        return;
    }
    let relations = Relations { context, entity, table };
    let (mut matched, mut removed) = (BTreeSet::<usize>::new(), BTreeSet::<usize>::new());
    for (position, field, link) in entity.links() {
        if is_owner(field) {
            let mut keys = table.foreign_keys.iter().enumerate().filter(|(number, _)| !matched.contains(number));
            match keys.find(|(_, key)| relations.matches_key(field, link, key)) {
                Some((number, key)) => {
                    matched.insert(number);
                    relations.correct(field, link, key, edits);
                }
                None if field.attributes.has("skip_fk") => {}
                None => {
                    removed.insert(position);
                }
            }
        } else if !relations.is_backed(field, link, notes) {
            removed.insert(position);
        }
    }
    for position in &removed {
        entity.list.remove(&entity.text, edits, *position);
    }
    let new_keys = table.foreign_keys.iter().enumerate().filter(|(number, _)| !matched.contains(number));
    let new_keys: Vec<_> = new_keys.map(|(_, key)| key).collect();
    let last = entity.fields.iter().enumerate().rposition(|(position, field)| match &field.kind {
        FieldKind::Column(stored) => table.column(&stored.column).is_some(),
        FieldKind::Relation(_) => !removed.contains(&position),
        FieldKind::Ignored(_) => true,
    });
    for new in relations.new_fields(&new_keys, &removed, notes) {
        entity.list.add(&entity.text, edits, last, &new);
    }
}

/// Whether the field is the relation of a foreign key of this table.
fn is_owner(field: &Field) -> bool {
    let existing = &field.attributes;
    existing.has("belongs_to")
        || existing.has("self_ref") && existing.has("from") && existing.has("to") && !existing.has("via")
}

impl<'a> Relations<'a> {
    /// The related table.
    pub(super) fn target(&self, link: &Link) -> Option<&'a str> {
        match &link.module {
            None => Some(self.table.name.as_str()),
            Some(module) => self.context.table(module),
        }
    }

    /// Whether a field is the relation of this foreign key.
    fn matches_key(&self, field: &Field, link: &Link, key: &ForeignKey) -> bool {
        let from = key.columns.iter().map(|column| self.entity.variant(column).to_upper_camel_case());
        self.target(link) == Some(key.table.as_str())
            && field.attributes.text("from").is_some_and(|existing| from.eq(variants(existing)))
    }

    fn correct(&self, field: &Field, link: &Link, key: &ForeignKey, edits: &mut Edits) {
        let existing = &field.attributes;
        let other = self.context.entities.get(&key.table);
        let to = self.context.referred(key).into_iter().map(|column| match other {
            Some(other) => other.variant(&column).to_upper_camel_case(),
            None => column.to_upper_camel_case(),
        });
        let name = match existing.has("relation_enum") || self.keys_to(&key.table) < 2 {
            true => Choice::Keep,
            false => Choice::Set(format!("relation_enum = {:?}", field.name.to_upper_camel_case())),
        };
        let to = match existing.text("to").is_some_and(|existing| to.eq(variants(existing))) {
            true => Choice::Keep,
            false => Choice::Set(format!("to = {:?}", self.to(key))),
        };
        let mut rewrite = Rewrite::new(existing);
        rewrite.choose(&["belongs_to", "self_ref"], Choice::Keep);
        rewrite.choose(&["relation_enum"], name);
        rewrite.choose(&["relation_reverse"], Choice::Keep);
        rewrite.choose(&["from"], Choice::Keep);
        rewrite.choose(&["to"], to);
        rewrite.choose(&["on_update"], action(existing, "on_update", key.on_update));
        rewrite.choose(&["on_delete"], action(existing, "on_delete", key.on_delete));
        rewrite.choose(&["skip_fk"], Choice::Drop);
        let (rewrite, is_unchanged) = rewrite.finish();
        if !is_unchanged {
            rewrite_attribute(&self.entity.text, edits, field, &rewrite);
        }
        let is_optional = self.is_optional(key);
        if link.side == Side::BelongsTo && link.is_optional != is_optional {
            edits.replace(field.type_range.clone(), belongs_to(&link.entity, is_optional));
        }
    }

    /// Whether a relation from the other side has a foreign key.
    fn is_backed(&self, field: &Field, link: &Link, notes: &mut Vec<String>) -> bool {
        let existing = &field.attributes;
        let other = self.target(link).and_then(|target| self.context.schema.tables.get(target));
        let Some(other) = other else {
            return link.module.as_ref().is_some_and(|module| self.context.modules.contains(module));
        };
        if let Some(junction) = existing.text("via") {
            return self.context.table(junction.split("::").next().unwrap_or(junction).trim()).is_some();
        }
        if !["has_one", "has_many", "self_ref"].iter().any(|key| existing.has(key)) {
            return true;
        }
        let keys = other.foreign_keys.iter().filter(|key| key.table == self.table.name).count();
        // With a second relation from the other table, SeaORM cannot tell which of them is meant.
        let owners = self.context.entities.get(&other.name).map_or(0, |entity| {
            let is_ours = |link: &Link| link.module.as_ref() == Some(&self.entity.module);
            entity.links().filter(|(_, field, link)| is_owner(field) && is_ours(link)).count()
        });
        let is_doubtful = keys > owners.max(1) && !existing.has("via_rel") && other.name != self.table.name;
        if is_doubtful {
            notes.push(format!(
                "{}.{} was removed: {} refers to {} in several ways",
                self.table.name, field.name, other.name, self.table.name
            ));
        }
        keys > 0 && !is_doubtful
    }

    pub(super) fn keys_to(&self, table: &str) -> usize {
        self.table.foreign_keys.iter().filter(|key| key.table == table).count()
    }

    pub(super) fn is_optional(&self, key: &ForeignKey) -> bool {
        let mut columns = key.columns.iter().filter_map(|column| self.table.column(column));
        columns.any(|column| is_nullable(self.table, column))
    }

    /// The referenced columns, as an attribute names them.
    pub(super) fn to(&self, key: &ForeignKey) -> String {
        let other = self.context.entities.get(&key.table);
        let name = |column: &String| other.map_or_else(|| column.clone(), |other| other.field_name(column));
        columns(&self.context.referred(key).iter().map(name).collect::<Vec<_>>())
    }
}

/// Decides about an action. `NO ACTION` is the default of a missing one.
fn action(existing: &Attributes, key: &str, wanted: ForeignKeyAction) -> Choice {
    if existing.text(key).unwrap_or("NoAction") == wanted.rust() {
        Choice::Keep
    } else {
        Choice::Set(format!("{key} = {:?}", wanted.rust()))
    }
}

/// The variants of `Column` for the names in `from` or `to`.
fn variants(existing: &str) -> Vec<String> {
    let inner = existing.trim().trim_start_matches('(').trim_end_matches(')');
    inner.split(',').map(|column| column.rsplit("::").next().unwrap_or(column).trim().to_upper_camel_case()).collect()
}

pub(super) fn columns(names: &[String]) -> String {
    match names {
        [name] => name.clone(),
        names => format!("({})", names.join(", ")),
    }
}

pub(super) fn belongs_to(entity: &str, is_optional: bool) -> String {
    if is_optional { format!("BelongsTo<Option<{entity}>>") } else { format!("BelongsTo<{entity}>") }
}
