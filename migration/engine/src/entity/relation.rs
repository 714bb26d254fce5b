//! Relations as fields: foreign keys of a table, and of other tables to it.

use std::collections::BTreeSet;

use super::Context;
use super::attribute::{Attributes, Choice, Rewrite};
use super::column::{is_nullable, rewrite_attribute};
use super::source::{Entity, Field, FieldKind, Link, Side};
use super::text::Edits;
use crate::schema::{Action, ForeignKey, Table};
use heck::ToUpperCamelCase as _;

/// The entity and its table.
pub(super) struct Own<'a> {
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
            notes.push(format!("{}: it is no `#[sea_orm::model]`, so its relations are left alone", table.name));
        }
        return;
    }
    let own = Own { context, entity, table };
    let (mut met, mut gone) = (BTreeSet::<usize>::new(), BTreeSet::<usize>::new());
    for (place, field, link) in entity.links() {
        if is_owner(field) {
            let mut keys = table.foreign_keys.iter().enumerate().filter(|(number, _)| !met.contains(number));
            match keys.find(|(_, key)| own.says(field, link, key)) {
                Some((number, key)) => {
                    met.insert(number);
                    own.correct(field, link, key, edits);
                }
                None if field.attributes.has("skip_fk") => {}
                None => {
                    gone.insert(place);
                }
            }
        } else if !own.is_backed(field, link, notes) {
            gone.insert(place);
        }
    }
    for place in &gone {
        entity.list.remove(&entity.text, edits, *place);
    }
    let new_keys = table.foreign_keys.iter().enumerate().filter(|(number, _)| !met.contains(number));
    let new_keys: Vec<_> = new_keys.map(|(_, key)| key).collect();
    let last = entity.fields.iter().enumerate().rposition(|(place, field)| match &field.meaning {
        FieldKind::Column(stored) => table.column(&stored.column).is_some(),
        FieldKind::Relation(_) => !gone.contains(&place),
        FieldKind::Ignored(_) => true,
    });
    for new in own.new_fields(&new_keys, &gone, notes) {
        entity.list.add(&entity.text, edits, last, &new);
    }
}

/// Whether it is a foreign key of this table.
fn is_owner(field: &Field) -> bool {
    let said = &field.attributes;
    said.has("belongs_to") || said.has("self_ref") && said.has("from") && said.has("to") && !said.has("via")
}

impl<'a> Own<'a> {
    /// The table of the other side.
    pub(super) fn target(&self, link: &Link) -> Option<&'a str> {
        match &link.module {
            None => Some(self.table.name.as_str()),
            Some(module) => self.context.table(module),
        }
    }

    /// Whether a field describes a foreign key.
    fn says(&self, field: &Field, link: &Link, key: &ForeignKey) -> bool {
        let from = key.columns.iter().map(|column| self.entity.variant(column).to_upper_camel_case());
        self.target(link) == Some(key.table.as_str())
            && field.attributes.text("from").is_some_and(|said| from.eq(variants(said)))
    }

    fn correct(&self, field: &Field, link: &Link, key: &ForeignKey, edits: &mut Edits) {
        let said = &field.attributes;
        let other = self.context.entities.get(&key.table);
        let to = self.context.referred(key).into_iter().map(|column| match other {
            Some(other) => other.variant(&column).to_upper_camel_case(),
            None => column.to_upper_camel_case(),
        });
        let name = match said.has("relation_enum") || self.keys_to(&key.table) < 2 {
            true => Choice::Keep,
            false => Choice::Set(format!("relation_enum = {:?}", field.name.to_upper_camel_case())),
        };
        let to = match said.text("to").is_some_and(|said| to.eq(variants(said))) {
            true => Choice::Keep,
            false => Choice::Set(format!("to = {:?}", self.to(key))),
        };
        let mut words = Rewrite::new(said);
        words.choose(&["belongs_to", "self_ref"], Choice::Keep);
        words.choose(&["relation_enum"], name);
        words.choose(&["relation_reverse"], Choice::Keep);
        words.choose(&["from"], Choice::Keep);
        words.choose(&["to"], to);
        words.choose(&["on_update"], action(said, "on_update", key.on_update));
        words.choose(&["on_delete"], action(said, "on_delete", key.on_delete));
        words.choose(&["skip_fk"], Choice::Drop);
        let (words, is_said) = words.finish();
        if !is_said {
            rewrite_attribute(&self.entity.text, edits, field, &words);
        }
        let is_optional = self.is_optional(key);
        if link.side == Side::BelongsTo && link.is_optional != is_optional {
            edits.replace(field.kind.clone(), belongs_to(&link.entity, is_optional));
        }
    }

    /// Whether a relation from the other side has a foreign key.
    fn is_backed(&self, field: &Field, link: &Link, notes: &mut Vec<String>) -> bool {
        let said = &field.attributes;
        let other = self.target(link).and_then(|target| self.context.schema.tables.get(target));
        let Some(other) = other else {
            return link.module.as_ref().is_some_and(|module| self.context.modules.contains(module));
        };
        if let Some(junction) = said.text("via") {
            return self.context.table(junction.split("::").next().unwrap_or(junction).trim()).is_some();
        }
        if !["has_one", "has_many", "self_ref"].iter().any(|key| said.has(key)) {
            return true;
        }
        let keys = other.foreign_keys.iter().filter(|key| key.table == self.table.name).count();
        // With a second relation from there, the first one is ambiguous in SeaORM.
        let owners = self.context.entities.get(&other.name).map_or(0, |entity| {
            let is_ours = |link: &Link| link.module.as_ref() == Some(&self.entity.module);
            entity.links().filter(|(_, field, link)| is_owner(field) && is_ours(link)).count()
        });
        let is_doubtful = keys > owners.max(1) && !said.has("via_rel") && other.name != self.table.name;
        if is_doubtful {
            notes.push(format!(
                "{}.{} is gone: {} refers to {} in several ways",
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

    /// The columns of the other side, as the argument of an attribute.
    pub(super) fn to(&self, key: &ForeignKey) -> String {
        let other = self.context.entities.get(&key.table);
        let name = |column: &String| other.map_or_else(|| column.clone(), |other| other.field_name(column));
        columns(&self.context.referred(key).iter().map(name).collect::<Vec<_>>())
    }
}

/// The argument of an action; none for `NO ACTION`.
fn action(said: &Attributes, key: &str, wanted: Action) -> Choice {
    if said.text(key).unwrap_or("NoAction") == wanted.rust() {
        Choice::Keep
    } else {
        Choice::Set(format!("{key} = {:?}", wanted.rust()))
    }
}

/// The variants of `Column` in a `from` or `to`.
fn variants(said: &str) -> Vec<String> {
    let inner = said.trim().trim_start_matches('(').trim_end_matches(')');
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
