//! Every generated migration by the name of its file.

use super::Migrations;

#[path = "check.rs"]
mod check;
#[path = "check_back.rs"]
mod check_back;
#[path = "check_back_postgres.rs"]
mod check_back_postgres;
#[path = "check_changed.rs"]
mod check_changed;
#[path = "check_changed_back.rs"]
mod check_changed_back;
#[path = "check_changed_back_postgres.rs"]
mod check_changed_back_postgres;
#[path = "check_over_columns.rs"]
mod check_over_columns;
#[path = "check_over_columns_back.rs"]
mod check_over_columns_back;
#[path = "check_removed.rs"]
mod check_removed;
#[path = "check_removed_back.rs"]
mod check_removed_back;
#[path = "collation.rs"]
mod collation;
#[path = "collation_and_longer_text.rs"]
mod collation_and_longer_text;
#[path = "collation_and_longer_text_back.rs"]
mod collation_and_longer_text_back;
#[path = "collation_and_longer_text_back_postgres.rs"]
mod collation_and_longer_text_back_postgres;
#[path = "collation_and_longer_text_postgres.rs"]
mod collation_and_longer_text_postgres;
#[path = "collation_back.rs"]
mod collation_back;
#[path = "collation_back_postgres.rs"]
mod collation_back_postgres;
#[path = "collation_postgres.rs"]
mod collation_postgres;
#[path = "column.rs"]
mod column;
#[path = "column_back.rs"]
mod column_back;
#[path = "column_of_json.rs"]
mod column_of_json;
#[path = "column_of_json_back.rs"]
mod column_of_json_back;
#[path = "column_renamed.rs"]
mod column_renamed;
#[path = "column_renamed_back.rs"]
mod column_renamed_back;
#[path = "column_required.rs"]
mod column_required;
#[path = "column_required_back.rs"]
mod column_required_back;
#[path = "column_with_boolean_default.rs"]
mod column_with_boolean_default;
#[path = "column_with_boolean_default_back.rs"]
mod column_with_boolean_default_back;
#[path = "column_with_collation.rs"]
mod column_with_collation;
#[path = "column_with_collation_back.rs"]
mod column_with_collation_back;
#[path = "column_with_collation_back_postgres.rs"]
mod column_with_collation_back_postgres;
#[path = "column_with_key_and_index.rs"]
mod column_with_key_and_index;
#[path = "column_with_key_and_index_back.rs"]
mod column_with_key_and_index_back;
#[path = "column_with_number_default.rs"]
mod column_with_number_default;
#[path = "column_with_number_default_back.rs"]
mod column_with_number_default_back;
#[path = "column_with_text_default.rs"]
mod column_with_text_default;
#[path = "column_with_text_default_back.rs"]
mod column_with_text_default_back;
#[path = "column_with_timestamp_default.rs"]
mod column_with_timestamp_default;
#[path = "column_with_timestamp_default_back.rs"]
mod column_with_timestamp_default_back;
#[path = "columns.rs"]
mod columns;
#[path = "columns_back.rs"]
mod columns_back;
#[path = "columns_back_postgres.rs"]
mod columns_back_postgres;
#[path = "composite_index.rs"]
mod composite_index;
#[path = "composite_index_back.rs"]
mod composite_index_back;
#[path = "default_added.rs"]
mod default_added;
#[path = "default_added_back.rs"]
mod default_added_back;
#[path = "default_changed.rs"]
mod default_changed;
#[path = "default_changed_back.rs"]
mod default_changed_back;
#[path = "default_removed.rs"]
mod default_removed;
#[path = "default_removed_back.rs"]
mod default_removed_back;
#[path = "enum_value_added.rs"]
mod enum_value_added;
#[path = "enum_value_added_back.rs"]
mod enum_value_added_back;
#[path = "enum_values_and_default.rs"]
mod enum_values_and_default;
#[path = "enum_values_and_default_back.rs"]
mod enum_values_and_default_back;
#[path = "float_to_double.rs"]
mod float_to_double;
#[path = "float_to_double_back.rs"]
mod float_to_double_back;
#[path = "foreign_key_action.rs"]
mod foreign_key_action;
#[path = "foreign_key_action_back.rs"]
mod foreign_key_action_back;
#[path = "foreign_key_of_two_columns.rs"]
mod foreign_key_of_two_columns;
#[path = "foreign_key_of_two_columns_back.rs"]
mod foreign_key_of_two_columns_back;
#[path = "foreign_key_removed.rs"]
mod foreign_key_removed;
#[path = "foreign_key_removed_back.rs"]
mod foreign_key_removed_back;
#[path = "foreign_key_to_a_new_table.rs"]
mod foreign_key_to_a_new_table;
#[path = "foreign_key_to_a_new_table_back.rs"]
mod foreign_key_to_a_new_table_back;
#[path = "foreign_key_to_itself.rs"]
mod foreign_key_to_itself;
#[path = "foreign_key_to_itself_back.rs"]
mod foreign_key_to_itself_back;
#[path = "foreign_key_update_action.rs"]
mod foreign_key_update_action;
#[path = "foreign_key_update_action_back.rs"]
mod foreign_key_update_action_back;
#[path = "foreign_key_with_column.rs"]
mod foreign_key_with_column;
#[path = "foreign_key_with_column_back.rs"]
mod foreign_key_with_column_back;
#[path = "index.rs"]
mod index;
#[path = "index_back.rs"]
mod index_back;
#[path = "index_descending.rs"]
mod index_descending;
#[path = "index_descending_back.rs"]
mod index_descending_back;
#[path = "index_of_an_expression.rs"]
mod index_of_an_expression;
#[path = "index_of_an_expression_back.rs"]
mod index_of_an_expression_back;
#[path = "index_of_an_expression_back_postgres.rs"]
mod index_of_an_expression_back_postgres;
#[path = "index_of_an_expression_postgres.rs"]
mod index_of_an_expression_postgres;
#[path = "index_over_other_columns.rs"]
mod index_over_other_columns;
#[path = "index_over_other_columns_back.rs"]
mod index_over_other_columns_back;
#[path = "integer_from_smallint.rs"]
mod integer_from_smallint;
#[path = "integer_from_smallint_back.rs"]
mod integer_from_smallint_back;
#[path = "integer_to_bigint.rs"]
mod integer_to_bigint;
#[path = "integer_to_bigint_back.rs"]
mod integer_to_bigint_back;
#[path = "integer_to_bigint_back_postgres.rs"]
mod integer_to_bigint_back_postgres;
#[path = "integer_to_bigint_postgres.rs"]
mod integer_to_bigint_postgres;
#[path = "integer_to_text.rs"]
mod integer_to_text;
#[path = "integer_to_text_back.rs"]
mod integer_to_text_back;
#[path = "longer_decimal.rs"]
mod longer_decimal;
#[path = "longer_decimal_back.rs"]
mod longer_decimal_back;
#[path = "longer_text.rs"]
mod longer_text;
#[path = "longer_text_back.rs"]
mod longer_text_back;
#[path = "optional.rs"]
mod optional;
#[path = "optional_back.rs"]
mod optional_back;
#[path = "partial_index.rs"]
mod partial_index;
#[path = "partial_index_back.rs"]
mod partial_index_back;
#[path = "partial_unique_index.rs"]
mod partial_unique_index;
#[path = "partial_unique_index_back.rs"]
mod partial_unique_index_back;
#[path = "primary_key_with_more_columns.rs"]
mod primary_key_with_more_columns;
#[path = "primary_key_with_more_columns_back.rs"]
mod primary_key_with_more_columns_back;
#[path = "required_with_default.rs"]
mod required_with_default;
#[path = "required_with_default_back.rs"]
mod required_with_default_back;
#[path = "required_without_default.rs"]
mod required_without_default;
#[path = "required_without_default_back.rs"]
mod required_without_default_back;
#[path = "several_changes_of_one_table.rs"]
mod several_changes_of_one_table;
#[path = "several_changes_of_one_table_back.rs"]
mod several_changes_of_one_table_back;
#[path = "several_tables.rs"]
mod several_tables;
#[path = "several_tables_back.rs"]
mod several_tables_back;
#[path = "table.rs"]
mod table;
#[path = "table_back.rs"]
mod table_back;
#[path = "table_of_every_type.rs"]
mod table_of_every_type;
#[path = "table_of_every_type_back.rs"]
mod table_of_every_type_back;
#[path = "table_of_every_type_back_postgres.rs"]
mod table_of_every_type_back_postgres;
#[path = "table_replaced.rs"]
mod table_replaced;
#[path = "table_replaced_back.rs"]
mod table_replaced_back;
#[path = "table_with_auto_increment.rs"]
mod table_with_auto_increment;
#[path = "table_with_auto_increment_back.rs"]
mod table_with_auto_increment_back;
#[path = "table_with_everything.rs"]
mod table_with_everything;
#[path = "table_with_everything_back.rs"]
mod table_with_everything_back;
#[path = "table_with_odd_names.rs"]
mod table_with_odd_names;
#[path = "table_with_odd_names_back.rs"]
mod table_with_odd_names_back;
#[path = "table_without_rowid.rs"]
mod table_without_rowid;
#[path = "table_without_rowid_back.rs"]
mod table_without_rowid_back;
#[path = "table_without_rowid_back_postgres.rs"]
mod table_without_rowid_back_postgres;
#[path = "tables_in_a_cycle.rs"]
mod tables_in_a_cycle;
#[path = "tables_in_a_cycle_back.rs"]
mod tables_in_a_cycle_back;
#[path = "tables_with_references.rs"]
mod tables_with_references;
#[path = "tables_with_references_back.rs"]
mod tables_with_references_back;
#[path = "timestamp_from_date.rs"]
mod timestamp_from_date;
#[path = "timestamp_from_date_back.rs"]
mod timestamp_from_date_back;
#[path = "type_under_a_default.rs"]
mod type_under_a_default;
#[path = "type_under_a_default_back.rs"]
mod type_under_a_default_back;
#[path = "unique.rs"]
mod unique;
#[path = "unique_back.rs"]
mod unique_back;
#[path = "unique_for_a_foreign_key.rs"]
mod unique_for_a_foreign_key;
#[path = "unique_for_a_foreign_key_back.rs"]
mod unique_for_a_foreign_key_back;
#[path = "unique_together.rs"]
mod unique_together;
#[path = "unique_together_back.rs"]
mod unique_together_back;
#[path = "unlimited_text.rs"]
mod unlimited_text;
#[path = "unlimited_text_back.rs"]
mod unlimited_text_back;

pub const ALL: &[(&str, Migrations)] = &[
    ("check", || vec![Box::new(check::Migration)]),
    ("check_back", || vec![Box::new(check_back::Migration)]),
    ("check_back_postgres", || vec![Box::new(check_back_postgres::Migration)]),
    ("check_changed", || vec![Box::new(check_changed::Migration)]),
    ("check_changed_back", || vec![Box::new(check_changed_back::Migration)]),
    ("check_changed_back_postgres", || vec![Box::new(check_changed_back_postgres::Migration)]),
    ("check_over_columns", || vec![Box::new(check_over_columns::Migration)]),
    ("check_over_columns_back", || vec![Box::new(check_over_columns_back::Migration)]),
    ("check_removed", || vec![Box::new(check_removed::Migration)]),
    ("check_removed_back", || vec![Box::new(check_removed_back::Migration)]),
    ("collation", || vec![Box::new(collation::Migration)]),
    ("collation_and_longer_text", || vec![Box::new(collation_and_longer_text::Migration)]),
    ("collation_and_longer_text_back", || vec![Box::new(collation_and_longer_text_back::Migration)]),
    ("collation_and_longer_text_back_postgres", || vec![Box::new(collation_and_longer_text_back_postgres::Migration)]),
    ("collation_and_longer_text_postgres", || vec![Box::new(collation_and_longer_text_postgres::Migration)]),
    ("collation_back", || vec![Box::new(collation_back::Migration)]),
    ("collation_back_postgres", || vec![Box::new(collation_back_postgres::Migration)]),
    ("collation_postgres", || vec![Box::new(collation_postgres::Migration)]),
    ("column", || vec![Box::new(column::Migration)]),
    ("column_back", || vec![Box::new(column_back::Migration)]),
    ("column_of_json", || vec![Box::new(column_of_json::Migration)]),
    ("column_of_json_back", || vec![Box::new(column_of_json_back::Migration)]),
    ("column_renamed", || vec![Box::new(column_renamed::Migration)]),
    ("column_renamed_back", || vec![Box::new(column_renamed_back::Migration)]),
    ("column_required", || vec![Box::new(column_required::Migration)]),
    ("column_required_back", || vec![Box::new(column_required_back::Migration)]),
    ("column_with_boolean_default", || vec![Box::new(column_with_boolean_default::Migration)]),
    ("column_with_boolean_default_back", || vec![Box::new(column_with_boolean_default_back::Migration)]),
    ("column_with_collation", || vec![Box::new(column_with_collation::Migration)]),
    ("column_with_collation_back", || vec![Box::new(column_with_collation_back::Migration)]),
    ("column_with_collation_back_postgres", || vec![Box::new(column_with_collation_back_postgres::Migration)]),
    ("column_with_key_and_index", || vec![Box::new(column_with_key_and_index::Migration)]),
    ("column_with_key_and_index_back", || vec![Box::new(column_with_key_and_index_back::Migration)]),
    ("column_with_number_default", || vec![Box::new(column_with_number_default::Migration)]),
    ("column_with_number_default_back", || vec![Box::new(column_with_number_default_back::Migration)]),
    ("column_with_text_default", || vec![Box::new(column_with_text_default::Migration)]),
    ("column_with_text_default_back", || vec![Box::new(column_with_text_default_back::Migration)]),
    ("column_with_timestamp_default", || vec![Box::new(column_with_timestamp_default::Migration)]),
    ("column_with_timestamp_default_back", || vec![Box::new(column_with_timestamp_default_back::Migration)]),
    ("columns", || vec![Box::new(columns::Migration)]),
    ("columns_back", || vec![Box::new(columns_back::Migration)]),
    ("columns_back_postgres", || vec![Box::new(columns_back_postgres::Migration)]),
    ("composite_index", || vec![Box::new(composite_index::Migration)]),
    ("composite_index_back", || vec![Box::new(composite_index_back::Migration)]),
    ("default_added", || vec![Box::new(default_added::Migration)]),
    ("default_added_back", || vec![Box::new(default_added_back::Migration)]),
    ("default_changed", || vec![Box::new(default_changed::Migration)]),
    ("default_changed_back", || vec![Box::new(default_changed_back::Migration)]),
    ("default_removed", || vec![Box::new(default_removed::Migration)]),
    ("default_removed_back", || vec![Box::new(default_removed_back::Migration)]),
    ("enum_value_added", || vec![Box::new(enum_value_added::Migration)]),
    ("enum_value_added_back", || vec![Box::new(enum_value_added_back::Migration)]),
    ("enum_values_and_default", || vec![Box::new(enum_values_and_default::Migration)]),
    ("enum_values_and_default_back", || vec![Box::new(enum_values_and_default_back::Migration)]),
    ("float_to_double", || vec![Box::new(float_to_double::Migration)]),
    ("float_to_double_back", || vec![Box::new(float_to_double_back::Migration)]),
    ("foreign_key_action", || vec![Box::new(foreign_key_action::Migration)]),
    ("foreign_key_action_back", || vec![Box::new(foreign_key_action_back::Migration)]),
    ("foreign_key_of_two_columns", || vec![Box::new(foreign_key_of_two_columns::Migration)]),
    ("foreign_key_of_two_columns_back", || vec![Box::new(foreign_key_of_two_columns_back::Migration)]),
    ("foreign_key_removed", || vec![Box::new(foreign_key_removed::Migration)]),
    ("foreign_key_removed_back", || vec![Box::new(foreign_key_removed_back::Migration)]),
    ("foreign_key_to_a_new_table", || vec![Box::new(foreign_key_to_a_new_table::Migration)]),
    ("foreign_key_to_a_new_table_back", || vec![Box::new(foreign_key_to_a_new_table_back::Migration)]),
    ("foreign_key_to_itself", || vec![Box::new(foreign_key_to_itself::Migration)]),
    ("foreign_key_to_itself_back", || vec![Box::new(foreign_key_to_itself_back::Migration)]),
    ("foreign_key_update_action", || vec![Box::new(foreign_key_update_action::Migration)]),
    ("foreign_key_update_action_back", || vec![Box::new(foreign_key_update_action_back::Migration)]),
    ("foreign_key_with_column", || vec![Box::new(foreign_key_with_column::Migration)]),
    ("foreign_key_with_column_back", || vec![Box::new(foreign_key_with_column_back::Migration)]),
    ("index", || vec![Box::new(index::Migration)]),
    ("index_back", || vec![Box::new(index_back::Migration)]),
    ("index_descending", || vec![Box::new(index_descending::Migration)]),
    ("index_descending_back", || vec![Box::new(index_descending_back::Migration)]),
    ("index_of_an_expression", || vec![Box::new(index_of_an_expression::Migration)]),
    ("index_of_an_expression_back", || vec![Box::new(index_of_an_expression_back::Migration)]),
    ("index_of_an_expression_back_postgres", || vec![Box::new(index_of_an_expression_back_postgres::Migration)]),
    ("index_of_an_expression_postgres", || vec![Box::new(index_of_an_expression_postgres::Migration)]),
    ("index_over_other_columns", || vec![Box::new(index_over_other_columns::Migration)]),
    ("index_over_other_columns_back", || vec![Box::new(index_over_other_columns_back::Migration)]),
    ("integer_from_smallint", || vec![Box::new(integer_from_smallint::Migration)]),
    ("integer_from_smallint_back", || vec![Box::new(integer_from_smallint_back::Migration)]),
    ("integer_to_bigint", || vec![Box::new(integer_to_bigint::Migration)]),
    ("integer_to_bigint_back", || vec![Box::new(integer_to_bigint_back::Migration)]),
    ("integer_to_bigint_back_postgres", || vec![Box::new(integer_to_bigint_back_postgres::Migration)]),
    ("integer_to_bigint_postgres", || vec![Box::new(integer_to_bigint_postgres::Migration)]),
    ("integer_to_text", || vec![Box::new(integer_to_text::Migration)]),
    ("integer_to_text_back", || vec![Box::new(integer_to_text_back::Migration)]),
    ("longer_decimal", || vec![Box::new(longer_decimal::Migration)]),
    ("longer_decimal_back", || vec![Box::new(longer_decimal_back::Migration)]),
    ("longer_text", || vec![Box::new(longer_text::Migration)]),
    ("longer_text_back", || vec![Box::new(longer_text_back::Migration)]),
    ("optional", || vec![Box::new(optional::Migration)]),
    ("optional_back", || vec![Box::new(optional_back::Migration)]),
    ("partial_index", || vec![Box::new(partial_index::Migration)]),
    ("partial_index_back", || vec![Box::new(partial_index_back::Migration)]),
    ("partial_unique_index", || vec![Box::new(partial_unique_index::Migration)]),
    ("partial_unique_index_back", || vec![Box::new(partial_unique_index_back::Migration)]),
    ("primary_key_with_more_columns", || vec![Box::new(primary_key_with_more_columns::Migration)]),
    ("primary_key_with_more_columns_back", || vec![Box::new(primary_key_with_more_columns_back::Migration)]),
    ("required_with_default", || vec![Box::new(required_with_default::Migration)]),
    ("required_with_default_back", || vec![Box::new(required_with_default_back::Migration)]),
    ("required_without_default", || vec![Box::new(required_without_default::Migration)]),
    ("required_without_default_back", || vec![Box::new(required_without_default_back::Migration)]),
    ("several_changes_of_one_table", || vec![Box::new(several_changes_of_one_table::Migration)]),
    ("several_changes_of_one_table_back", || vec![Box::new(several_changes_of_one_table_back::Migration)]),
    ("several_tables", || vec![Box::new(several_tables::Migration)]),
    ("several_tables_back", || vec![Box::new(several_tables_back::Migration)]),
    ("table", || vec![Box::new(table::Migration)]),
    ("table_back", || vec![Box::new(table_back::Migration)]),
    ("table_of_every_type", || vec![Box::new(table_of_every_type::Migration)]),
    ("table_of_every_type_back", || vec![Box::new(table_of_every_type_back::Migration)]),
    ("table_of_every_type_back_postgres", || vec![Box::new(table_of_every_type_back_postgres::Migration)]),
    ("table_replaced", || vec![Box::new(table_replaced::Migration)]),
    ("table_replaced_back", || vec![Box::new(table_replaced_back::Migration)]),
    ("table_with_auto_increment", || vec![Box::new(table_with_auto_increment::Migration)]),
    ("table_with_auto_increment_back", || vec![Box::new(table_with_auto_increment_back::Migration)]),
    ("table_with_everything", || vec![Box::new(table_with_everything::Migration)]),
    ("table_with_everything_back", || vec![Box::new(table_with_everything_back::Migration)]),
    ("table_with_odd_names", || vec![Box::new(table_with_odd_names::Migration)]),
    ("table_with_odd_names_back", || vec![Box::new(table_with_odd_names_back::Migration)]),
    ("table_without_rowid", || vec![Box::new(table_without_rowid::Migration)]),
    ("table_without_rowid_back", || vec![Box::new(table_without_rowid_back::Migration)]),
    ("table_without_rowid_back_postgres", || vec![Box::new(table_without_rowid_back_postgres::Migration)]),
    ("tables_in_a_cycle", || vec![Box::new(tables_in_a_cycle::Migration)]),
    ("tables_in_a_cycle_back", || vec![Box::new(tables_in_a_cycle_back::Migration)]),
    ("tables_with_references", || vec![Box::new(tables_with_references::Migration)]),
    ("tables_with_references_back", || vec![Box::new(tables_with_references_back::Migration)]),
    ("timestamp_from_date", || vec![Box::new(timestamp_from_date::Migration)]),
    ("timestamp_from_date_back", || vec![Box::new(timestamp_from_date_back::Migration)]),
    ("type_under_a_default", || vec![Box::new(type_under_a_default::Migration)]),
    ("type_under_a_default_back", || vec![Box::new(type_under_a_default_back::Migration)]),
    ("unique", || vec![Box::new(unique::Migration)]),
    ("unique_back", || vec![Box::new(unique_back::Migration)]),
    ("unique_for_a_foreign_key", || vec![Box::new(unique_for_a_foreign_key::Migration)]),
    ("unique_for_a_foreign_key_back", || vec![Box::new(unique_for_a_foreign_key_back::Migration)]),
    ("unique_together", || vec![Box::new(unique_together::Migration)]),
    ("unique_together_back", || vec![Box::new(unique_together_back::Migration)]),
    ("unlimited_text", || vec![Box::new(unlimited_text::Migration)]),
    ("unlimited_text_back", || vec![Box::new(unlimited_text_back::Migration)]),
];
