//! New fields for relations.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase as _;

use super::case::identifier;
use super::relation::{Relations, belongs_to, columns};
use crate::generate::names::singular;
use crate::schema::{ForeignKey, Table};

impl Relations<'_> {
    /// The new fields, ordered by name.
    pub(super) fn new_fields(
        &self,
        keys: &[&ForeignKey],
        removed: &BTreeSet<usize>,
        notes: &mut Vec<String>,
    ) -> Vec<String> {
        let kept: Vec<_> = self.entity.links().filter(|(position, ..)| !removed.contains(position)).collect();
        let targets: BTreeSet<&str> = kept.iter().filter_map(|(_, _, link)| self.target(link)).collect();
        let mut taken: BTreeSet<String> =
            self.table.columns.iter().map(|column| self.entity.field_name(&column.name)).collect();
        taken.extend(kept.iter().map(|(_, field, _)| field.name.clone()));
        let mut new = Vec::new();
        for key in keys {
            match self.context.module(&key.table) {
                Some(module) => new.push(self.owner(key, module, targets.contains(key.table.as_str()), &mut taken)),
                None => notes.push(format!("{}: the referenced table {} has no entity", self.table.name, key.table)),
            }
        }
        for other in self.context.schema.tables.values().filter(|other| !targets.contains(other.name.as_str())) {
            new.extend(self.reverse(other, &mut taken));
        }
        new.sort();
        new.into_iter().map(|(_, text)| text).collect()
    }

    /// A field for a foreign key of this table.
    fn owner(
        &self,
        key: &ForeignKey,
        module: &str,
        is_related: bool,
        taken: &mut BTreeSet<String>,
    ) -> (String, String) {
        let from: Vec<_> = key.columns.iter().map(|column| self.entity.field_name(column)).collect();
        let stem = match from.as_slice() {
            [column] => column.strip_suffix("_id").unwrap_or(column).to_owned(),
            _ => String::new(),
        };
        let one = singular(module);
        let both = format!("{}_{one}", from.join("_"));
        let name = unused_name(&[stem, one, both], taken);
        let is_own = key.table == self.table.name;
        let mut arguments = vec![if is_own { "self_ref".to_owned() } else { "belongs_to".to_owned() }];
        if is_own || is_related || self.keys_to(&key.table) > 1 {
            arguments.push(format!("relation_enum = {:?}", name.to_upper_camel_case()));
        }
        arguments.push(format!("from = {:?}", columns(&from)));
        arguments.push(format!("to = {:?}", self.to(key)));
        arguments.push(format!("on_update = {:?}", key.on_update.rust()));
        arguments.push(format!("on_delete = {:?}", key.on_delete.rust()));
        let entity = if is_own { "Entity".to_owned() } else { format!("super::{}::Entity", identifier(module)) };
        let kind = belongs_to(&entity, self.is_optional(key));
        let text = format!("    #[sea_orm({})]\n    pub {}: {kind}", arguments.join(", "), identifier(&name));
        (name, text)
    }

    /// A field for a foreign key of another table, if it is the only one and the tables have no
    /// other relation.
    fn reverse(&self, other: &Table, taken: &mut BTreeSet<String>) -> Option<(String, String)> {
        let keys: Vec<_> = other.foreign_keys.iter().filter(|key| key.table == self.table.name).collect();
        let [key] = keys.as_slice() else { return None };
        let entity = self.context.entities.get(&other.name).filter(|entity| entity.has_relations)?;
        if other.name == self.table.name || self.keys_to(&other.name) > 0 {
            return None;
        }
        let (argument, wrapper, name) = match other.is_key(&key.columns) {
            true => ("has_one", "HasOne", singular(&entity.module)),
            false => ("has_many", "HasMany", entity.module.clone()),
        };
        let second = format!("related_{name}");
        let name = unused_name(&[name, second], taken);
        let module = identifier(&entity.module);
        let text =
            format!("    #[sea_orm({argument})]\n    pub {}: {wrapper}<super::{module}::Entity>", identifier(&name));
        Some((name, text))
    }
}

/// The first unused name, which is marked as used.
fn unused_name(names: &[String], taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{}_{number}", names.last().map_or("relation", String::as_str)));
    let mut names = names.iter().filter(|name| !name.is_empty()).cloned().chain(numbered);
    let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}
