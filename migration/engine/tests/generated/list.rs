//! Every generated migration by the name of its file.

use super::Migrations;

#[path = "check.rs"]
mod check;
#[path = "check_back.rs"]
mod check_back;
#[path = "check_back_postgres.rs"]
mod check_back_postgres;
#[path = "check_gone.rs"]
mod check_gone;
#[path = "check_gone_back.rs"]
mod check_gone_back;
#[path = "check_other.rs"]
mod check_other;
#[path = "check_other_back.rs"]
mod check_other_back;
#[path = "check_other_back_postgres.rs"]
mod check_other_back_postgres;
#[path = "check_over_columns.rs"]
mod check_over_columns;
#[path = "check_over_columns_back.rs"]
mod check_over_columns_back;
#[path = "column.rs"]
mod column;
#[path = "column_and_all_about_it.rs"]
mod column_and_all_about_it;
#[path = "column_and_all_about_it_back.rs"]
mod column_and_all_about_it_back;
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
#[path = "column_sorted_bytewise.rs"]
mod column_sorted_bytewise;
#[path = "column_sorted_bytewise_back.rs"]
mod column_sorted_bytewise_back;
#[path = "column_sorted_bytewise_back_postgres.rs"]
mod column_sorted_bytewise_back_postgres;
#[path = "column_with_flag_default.rs"]
mod column_with_flag_default;
#[path = "column_with_flag_default_back.rs"]
mod column_with_flag_default_back;
#[path = "column_with_moment_default.rs"]
mod column_with_moment_default;
#[path = "column_with_moment_default_back.rs"]
mod column_with_moment_default_back;
#[path = "column_with_number_default.rs"]
mod column_with_number_default;
#[path = "column_with_number_default_back.rs"]
mod column_with_number_default_back;
#[path = "column_with_text_default.rs"]
mod column_with_text_default;
#[path = "column_with_text_default_back.rs"]
mod column_with_text_default_back;
#[path = "columns.rs"]
mod columns;
#[path = "columns_back.rs"]
mod columns_back;
#[path = "columns_back_postgres.rs"]
mod columns_back_postgres;
#[path = "default_gone.rs"]
mod default_gone;
#[path = "default_gone_back.rs"]
mod default_gone_back;
#[path = "default_new.rs"]
mod default_new;
#[path = "default_new_back.rs"]
mod default_new_back;
#[path = "default_other.rs"]
mod default_other;
#[path = "default_other_back.rs"]
mod default_other_back;
#[path = "foreign_key_action.rs"]
mod foreign_key_action;
#[path = "foreign_key_action_back.rs"]
mod foreign_key_action_back;
#[path = "foreign_key_gone.rs"]
mod foreign_key_gone;
#[path = "foreign_key_gone_back.rs"]
mod foreign_key_gone_back;
#[path = "foreign_key_of_two_columns.rs"]
mod foreign_key_of_two_columns;
#[path = "foreign_key_of_two_columns_back.rs"]
mod foreign_key_of_two_columns_back;
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
#[path = "index_for_some.rs"]
mod index_for_some;
#[path = "index_for_some_back.rs"]
mod index_for_some_back;
#[path = "index_of_an_expression.rs"]
mod index_of_an_expression;
#[path = "index_of_an_expression_back.rs"]
mod index_of_an_expression_back;
#[path = "index_over_other_columns.rs"]
mod index_over_other_columns;
#[path = "index_over_other_columns_back.rs"]
mod index_over_other_columns_back;
#[path = "index_wide.rs"]
mod index_wide;
#[path = "index_wide_back.rs"]
mod index_wide_back;
#[path = "larger_number.rs"]
mod larger_number;
#[path = "larger_number_back.rs"]
mod larger_number_back;
#[path = "longer_text.rs"]
mod longer_text;
#[path = "longer_text_back.rs"]
mod longer_text_back;
#[path = "moment_from_day.rs"]
mod moment_from_day;
#[path = "moment_from_day_back.rs"]
mod moment_from_day_back;
#[path = "more_exact_decimal.rs"]
mod more_exact_decimal;
#[path = "more_exact_decimal_back.rs"]
mod more_exact_decimal_back;
#[path = "much_in_one_table.rs"]
mod much_in_one_table;
#[path = "much_in_one_table_back.rs"]
mod much_in_one_table_back;
#[path = "number_as_text.rs"]
mod number_as_text;
#[path = "number_as_text_back.rs"]
mod number_as_text_back;
#[path = "number_from_small.rs"]
mod number_from_small;
#[path = "number_from_small_back.rs"]
mod number_from_small_back;
#[path = "optional.rs"]
mod optional;
#[path = "optional_back.rs"]
mod optional_back;
#[path = "primary_key_wider.rs"]
mod primary_key_wider;
#[path = "primary_key_wider_back.rs"]
mod primary_key_wider_back;
#[path = "required_with_default.rs"]
mod required_with_default;
#[path = "required_with_default_back.rs"]
mod required_with_default_back;
#[path = "required_without_default.rs"]
mod required_without_default;
#[path = "required_without_default_back.rs"]
mod required_without_default_back;
#[path = "several_tables.rs"]
mod several_tables;
#[path = "several_tables_back.rs"]
mod several_tables_back;
#[path = "sorted_bytewise.rs"]
mod sorted_bytewise;
#[path = "sorted_bytewise_and_longer.rs"]
mod sorted_bytewise_and_longer;
#[path = "sorted_bytewise_and_longer_back.rs"]
mod sorted_bytewise_and_longer_back;
#[path = "sorted_bytewise_and_longer_back_postgres.rs"]
mod sorted_bytewise_and_longer_back_postgres;
#[path = "sorted_bytewise_and_longer_postgres.rs"]
mod sorted_bytewise_and_longer_postgres;
#[path = "sorted_bytewise_back.rs"]
mod sorted_bytewise_back;
#[path = "sorted_bytewise_postgres.rs"]
mod sorted_bytewise_postgres;
#[path = "table.rs"]
mod table;
#[path = "table_back.rs"]
mod table_back;
#[path = "table_for_another.rs"]
mod table_for_another;
#[path = "table_for_another_back.rs"]
mod table_for_another_back;
#[path = "table_of_every_type.rs"]
mod table_of_every_type;
#[path = "table_of_every_type_back.rs"]
mod table_of_every_type_back;
#[path = "table_of_every_type_back_postgres.rs"]
mod table_of_every_type_back_postgres;
#[path = "table_of_one_backend_s_ways.rs"]
mod table_of_one_backend_s_ways;
#[path = "table_of_one_backend_s_ways_back.rs"]
mod table_of_one_backend_s_ways_back;
#[path = "table_of_one_backend_s_ways_back_postgres.rs"]
mod table_of_one_backend_s_ways_back_postgres;
#[path = "table_that_counts.rs"]
mod table_that_counts;
#[path = "table_that_counts_back.rs"]
mod table_that_counts_back;
#[path = "table_with_everything.rs"]
mod table_with_everything;
#[path = "table_with_everything_back.rs"]
mod table_with_everything_back;
#[path = "table_with_odd_names.rs"]
mod table_with_odd_names;
#[path = "table_with_odd_names_back.rs"]
mod table_with_odd_names_back;
#[path = "tables_in_a_circle.rs"]
mod tables_in_a_circle;
#[path = "tables_in_a_circle_back.rs"]
mod tables_in_a_circle_back;
#[path = "tables_in_reference.rs"]
mod tables_in_reference;
#[path = "tables_in_reference_back.rs"]
mod tables_in_reference_back;
#[path = "text_without_end.rs"]
mod text_without_end;
#[path = "text_without_end_back.rs"]
mod text_without_end_back;
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
#[path = "unique_for_some.rs"]
mod unique_for_some;
#[path = "unique_for_some_back.rs"]
mod unique_for_some_back;
#[path = "unique_together.rs"]
mod unique_together;
#[path = "unique_together_back.rs"]
mod unique_together_back;
#[path = "wider_float.rs"]
mod wider_float;
#[path = "wider_float_back.rs"]
mod wider_float_back;
#[path = "word_more.rs"]
mod word_more;
#[path = "word_more_back.rs"]
mod word_more_back;
#[path = "words_other_and_default.rs"]
mod words_other_and_default;
#[path = "words_other_and_default_back.rs"]
mod words_other_and_default_back;

pub const ALL: &[(&str, Migrations)] = &[
    ("check", || vec![Box::new(check::Migration)]),
    ("check_back", || vec![Box::new(check_back::Migration)]),
    ("check_back_postgres", || vec![Box::new(check_back_postgres::Migration)]),
    ("check_gone", || vec![Box::new(check_gone::Migration)]),
    ("check_gone_back", || vec![Box::new(check_gone_back::Migration)]),
    ("check_other", || vec![Box::new(check_other::Migration)]),
    ("check_other_back", || vec![Box::new(check_other_back::Migration)]),
    ("check_other_back_postgres", || vec![Box::new(check_other_back_postgres::Migration)]),
    ("check_over_columns", || vec![Box::new(check_over_columns::Migration)]),
    ("check_over_columns_back", || vec![Box::new(check_over_columns_back::Migration)]),
    ("column", || vec![Box::new(column::Migration)]),
    ("column_and_all_about_it", || vec![Box::new(column_and_all_about_it::Migration)]),
    ("column_and_all_about_it_back", || vec![Box::new(column_and_all_about_it_back::Migration)]),
    ("column_back", || vec![Box::new(column_back::Migration)]),
    ("column_of_json", || vec![Box::new(column_of_json::Migration)]),
    ("column_of_json_back", || vec![Box::new(column_of_json_back::Migration)]),
    ("column_renamed", || vec![Box::new(column_renamed::Migration)]),
    ("column_renamed_back", || vec![Box::new(column_renamed_back::Migration)]),
    ("column_required", || vec![Box::new(column_required::Migration)]),
    ("column_required_back", || vec![Box::new(column_required_back::Migration)]),
    ("column_sorted_bytewise", || vec![Box::new(column_sorted_bytewise::Migration)]),
    ("column_sorted_bytewise_back", || vec![Box::new(column_sorted_bytewise_back::Migration)]),
    ("column_sorted_bytewise_back_postgres", || vec![Box::new(column_sorted_bytewise_back_postgres::Migration)]),
    ("column_with_flag_default", || vec![Box::new(column_with_flag_default::Migration)]),
    ("column_with_flag_default_back", || vec![Box::new(column_with_flag_default_back::Migration)]),
    ("column_with_moment_default", || vec![Box::new(column_with_moment_default::Migration)]),
    ("column_with_moment_default_back", || vec![Box::new(column_with_moment_default_back::Migration)]),
    ("column_with_number_default", || vec![Box::new(column_with_number_default::Migration)]),
    ("column_with_number_default_back", || vec![Box::new(column_with_number_default_back::Migration)]),
    ("column_with_text_default", || vec![Box::new(column_with_text_default::Migration)]),
    ("column_with_text_default_back", || vec![Box::new(column_with_text_default_back::Migration)]),
    ("columns", || vec![Box::new(columns::Migration)]),
    ("columns_back", || vec![Box::new(columns_back::Migration)]),
    ("columns_back_postgres", || vec![Box::new(columns_back_postgres::Migration)]),
    ("default_gone", || vec![Box::new(default_gone::Migration)]),
    ("default_gone_back", || vec![Box::new(default_gone_back::Migration)]),
    ("default_new", || vec![Box::new(default_new::Migration)]),
    ("default_new_back", || vec![Box::new(default_new_back::Migration)]),
    ("default_other", || vec![Box::new(default_other::Migration)]),
    ("default_other_back", || vec![Box::new(default_other_back::Migration)]),
    ("foreign_key_action", || vec![Box::new(foreign_key_action::Migration)]),
    ("foreign_key_action_back", || vec![Box::new(foreign_key_action_back::Migration)]),
    ("foreign_key_gone", || vec![Box::new(foreign_key_gone::Migration)]),
    ("foreign_key_gone_back", || vec![Box::new(foreign_key_gone_back::Migration)]),
    ("foreign_key_of_two_columns", || vec![Box::new(foreign_key_of_two_columns::Migration)]),
    ("foreign_key_of_two_columns_back", || vec![Box::new(foreign_key_of_two_columns_back::Migration)]),
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
    ("index_for_some", || vec![Box::new(index_for_some::Migration)]),
    ("index_for_some_back", || vec![Box::new(index_for_some_back::Migration)]),
    ("index_of_an_expression", || vec![Box::new(index_of_an_expression::Migration)]),
    ("index_of_an_expression_back", || vec![Box::new(index_of_an_expression_back::Migration)]),
    ("index_over_other_columns", || vec![Box::new(index_over_other_columns::Migration)]),
    ("index_over_other_columns_back", || vec![Box::new(index_over_other_columns_back::Migration)]),
    ("index_wide", || vec![Box::new(index_wide::Migration)]),
    ("index_wide_back", || vec![Box::new(index_wide_back::Migration)]),
    ("larger_number", || vec![Box::new(larger_number::Migration)]),
    ("larger_number_back", || vec![Box::new(larger_number_back::Migration)]),
    ("longer_text", || vec![Box::new(longer_text::Migration)]),
    ("longer_text_back", || vec![Box::new(longer_text_back::Migration)]),
    ("moment_from_day", || vec![Box::new(moment_from_day::Migration)]),
    ("moment_from_day_back", || vec![Box::new(moment_from_day_back::Migration)]),
    ("more_exact_decimal", || vec![Box::new(more_exact_decimal::Migration)]),
    ("more_exact_decimal_back", || vec![Box::new(more_exact_decimal_back::Migration)]),
    ("much_in_one_table", || vec![Box::new(much_in_one_table::Migration)]),
    ("much_in_one_table_back", || vec![Box::new(much_in_one_table_back::Migration)]),
    ("number_as_text", || vec![Box::new(number_as_text::Migration)]),
    ("number_as_text_back", || vec![Box::new(number_as_text_back::Migration)]),
    ("number_from_small", || vec![Box::new(number_from_small::Migration)]),
    ("number_from_small_back", || vec![Box::new(number_from_small_back::Migration)]),
    ("optional", || vec![Box::new(optional::Migration)]),
    ("optional_back", || vec![Box::new(optional_back::Migration)]),
    ("primary_key_wider", || vec![Box::new(primary_key_wider::Migration)]),
    ("primary_key_wider_back", || vec![Box::new(primary_key_wider_back::Migration)]),
    ("required_with_default", || vec![Box::new(required_with_default::Migration)]),
    ("required_with_default_back", || vec![Box::new(required_with_default_back::Migration)]),
    ("required_without_default", || vec![Box::new(required_without_default::Migration)]),
    ("required_without_default_back", || vec![Box::new(required_without_default_back::Migration)]),
    ("several_tables", || vec![Box::new(several_tables::Migration)]),
    ("several_tables_back", || vec![Box::new(several_tables_back::Migration)]),
    ("sorted_bytewise", || vec![Box::new(sorted_bytewise::Migration)]),
    ("sorted_bytewise_and_longer", || vec![Box::new(sorted_bytewise_and_longer::Migration)]),
    ("sorted_bytewise_and_longer_back", || vec![Box::new(sorted_bytewise_and_longer_back::Migration)]),
    ("sorted_bytewise_and_longer_back_postgres", || {
        vec![Box::new(sorted_bytewise_and_longer_back_postgres::Migration)]
    }),
    ("sorted_bytewise_and_longer_postgres", || vec![Box::new(sorted_bytewise_and_longer_postgres::Migration)]),
    ("sorted_bytewise_back", || vec![Box::new(sorted_bytewise_back::Migration)]),
    ("sorted_bytewise_postgres", || vec![Box::new(sorted_bytewise_postgres::Migration)]),
    ("table", || vec![Box::new(table::Migration)]),
    ("table_back", || vec![Box::new(table_back::Migration)]),
    ("table_for_another", || vec![Box::new(table_for_another::Migration)]),
    ("table_for_another_back", || vec![Box::new(table_for_another_back::Migration)]),
    ("table_of_every_type", || vec![Box::new(table_of_every_type::Migration)]),
    ("table_of_every_type_back", || vec![Box::new(table_of_every_type_back::Migration)]),
    ("table_of_every_type_back_postgres", || vec![Box::new(table_of_every_type_back_postgres::Migration)]),
    ("table_of_one_backend_s_ways", || vec![Box::new(table_of_one_backend_s_ways::Migration)]),
    ("table_of_one_backend_s_ways_back", || vec![Box::new(table_of_one_backend_s_ways_back::Migration)]),
    ("table_of_one_backend_s_ways_back_postgres", || {
        vec![Box::new(table_of_one_backend_s_ways_back_postgres::Migration)]
    }),
    ("table_that_counts", || vec![Box::new(table_that_counts::Migration)]),
    ("table_that_counts_back", || vec![Box::new(table_that_counts_back::Migration)]),
    ("table_with_everything", || vec![Box::new(table_with_everything::Migration)]),
    ("table_with_everything_back", || vec![Box::new(table_with_everything_back::Migration)]),
    ("table_with_odd_names", || vec![Box::new(table_with_odd_names::Migration)]),
    ("table_with_odd_names_back", || vec![Box::new(table_with_odd_names_back::Migration)]),
    ("tables_in_a_circle", || vec![Box::new(tables_in_a_circle::Migration)]),
    ("tables_in_a_circle_back", || vec![Box::new(tables_in_a_circle_back::Migration)]),
    ("tables_in_reference", || vec![Box::new(tables_in_reference::Migration)]),
    ("tables_in_reference_back", || vec![Box::new(tables_in_reference_back::Migration)]),
    ("text_without_end", || vec![Box::new(text_without_end::Migration)]),
    ("text_without_end_back", || vec![Box::new(text_without_end_back::Migration)]),
    ("type_under_a_default", || vec![Box::new(type_under_a_default::Migration)]),
    ("type_under_a_default_back", || vec![Box::new(type_under_a_default_back::Migration)]),
    ("unique", || vec![Box::new(unique::Migration)]),
    ("unique_back", || vec![Box::new(unique_back::Migration)]),
    ("unique_for_a_foreign_key", || vec![Box::new(unique_for_a_foreign_key::Migration)]),
    ("unique_for_a_foreign_key_back", || vec![Box::new(unique_for_a_foreign_key_back::Migration)]),
    ("unique_for_some", || vec![Box::new(unique_for_some::Migration)]),
    ("unique_for_some_back", || vec![Box::new(unique_for_some_back::Migration)]),
    ("unique_together", || vec![Box::new(unique_together::Migration)]),
    ("unique_together_back", || vec![Box::new(unique_together_back::Migration)]),
    ("wider_float", || vec![Box::new(wider_float::Migration)]),
    ("wider_float_back", || vec![Box::new(wider_float_back::Migration)]),
    ("word_more", || vec![Box::new(word_more::Migration)]),
    ("word_more_back", || vec![Box::new(word_more_back::Migration)]),
    ("words_other_and_default", || vec![Box::new(words_other_and_default::Migration)]),
    ("words_other_and_default_back", || vec![Box::new(words_other_and_default_back::Migration)]),
];
