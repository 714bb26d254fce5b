//! Test cases of the round trips: schema changes. Each is tested in both directions, from the base
//! schema to the changed one and back.

use sea_orm_migration::prelude::*;

use super::shapes::{Reference, Shape, Shapes, column, index, reference};

/// A schema change.
pub struct Case {
    pub name: &'static str,
    /// Changes the base schema.
    pub change: fn(&mut Shapes),
    /// Whether the tables have rows. A required column without a default can only be added to an
    /// empty table.
    pub rows: bool,
    /// Whether the change has no effect on SQLite, where both schemas are the same.
    pub only_postgres: bool,
    /// Columns whose values are changed by the round trip.
    pub lossy: &'static [&'static str],
}

const fn case(name: &'static str, change: fn(&mut Shapes)) -> Case {
    Case { name, change, rows: true, only_postgres: false, lossy: &[] }
}

impl Case {
    const fn without_rows(mut self) -> Self {
        self.rows = false;
        self
    }

    const fn only_postgres(mut self) -> Self {
        self.only_postgres = true;
        self
    }

    const fn lossy(mut self, columns: &'static [&'static str]) -> Self {
        self.lossy = columns;
        self
    }
}

fn tags() -> Shape {
    Shape {
        name: "tags",
        columns: vec![column("id").uuid().not_null().take(), column("word").string_len(40).not_null().take()],
        key: vec!["id"],
        ..Shape::default()
    }
}

pub const CASES: &[Case] = &[
    // Tables.
    case("table", |s| s.0.push(tags())),
    case("table_with_everything", |s| {
        s.0.push(Shape {
            name: "visits",
            columns: vec![
                column("pet_id").uuid().not_null().take(),
                column("number").integer().not_null().default(1).take(),
                column("kind").string_len(10).not_null().default("check-up").take(),
                column("seen_by").uuid().take(),
                column("paid").boolean().not_null().default(false).take(),
                column("note").text().take(),
                column("at").timestamp_with_time_zone().not_null().take(),
            ],
            key: vec!["pet_id", "number"],
            unique: vec![vec!["pet_id", "at"]],
            references: vec![
                Reference { on_delete: ForeignKeyAction::Cascade, ..reference(&["pet_id"], "pets", &["id"]) },
                Reference {
                    on_delete: ForeignKeyAction::SetNull,
                    on_update: ForeignKeyAction::Cascade,
                    ..reference(&["seen_by"], "people", &["id"])
                },
            ],
            checks: vec![
                ("visits_number_check", Expr::cust("number >= 1 AND number <= 99")),
                ("visits_kind_check", Expr::col("kind").is_in(["check-up", "it's urgent"])),
            ],
            indexes: vec![
                index("visits", &["seen_by"]),
                index("visits", &["kind", "at"]).and_where(Expr::cust("NOT paid")).take(),
            ],
            ..Shape::default()
        });
    }),
    case("tables_with_references", |s| {
        s.0.push(Shape {
            name: "marks",
            columns: vec![column("tag_id").uuid().not_null().take(), column("pet_id").uuid().not_null().take()],
            key: vec!["tag_id", "pet_id"],
            references: vec![reference(&["tag_id"], "tags", &["id"]), reference(&["pet_id"], "pets", &["id"])],
            ..Shape::default()
        });
        s.0.push(tags());
    }),
    case("tables_in_a_cycle", |s| {
        let side = |name, column_name: &'static str, other| Shape {
            name,
            columns: vec![column("id").uuid().not_null().take(), column(column_name).uuid().take()],
            key: vec!["id"],
            references: vec![reference(&[column_name], other, &["id"])],
            ..Shape::default()
        };
        s.0.push(side("eggs", "hen_id", "hens"));
        s.0.push(side("hens", "egg_id", "eggs"));
    }),
    case("table_with_auto_increment", |s| {
        s.0.push(Shape {
            name: "tickets",
            columns: vec![
                column("id").integer().not_null().auto_increment().take(),
                column("subject").text().not_null().take(),
            ],
            ..Shape::default()
        });
    }),
    case("table_of_every_type", |s| {
        s.0.push(Shape {
            name: "samples",
            columns: vec![
                column("id").uuid().not_null().take(),
                column("small").small_integer().not_null().take(),
                column("large").big_integer().not_null().default(9_000_000_000_i64).take(),
                column("thin").float().take(),
                column("wide").double().not_null().default(1.5).take(),
                column("exact").decimal_len(12, 4).take(),
                column("free").decimal().take(),
                column("code").char_len(3).take(),
                column("word").string().take(),
                column("day").date().take(),
                column("hour").time().take(),
                column("moment").date_time().take(),
                column("instant").timestamp_with_time_zone().take(),
                column("document").json().take(),
                column("binary_document").json_binary().take(),
                column("bytes").blob().take(),
                column("flag").boolean().not_null().default(true).take(),
            ],
            key: vec!["id"],
            ..Shape::default()
        });
    }),
    case("table_without_rowid", |s| {
        s.0.push(Shape {
            name: "words",
            columns: vec![column("owner").uuid().not_null().take(), column("folded").text().not_null().take()],
            key: vec!["owner", "folded"],
            is_without_rowid: true,
            collate_c: vec!["folded"],
            ..Shape::default()
        });
    }),
    case("table_with_odd_names", |s| {
        s.0.push(Shape {
            name: "order",
            columns: vec![
                column("id").uuid().not_null().take(),
                column("table").string_len(10).take(),
                column("self").string_len(10).take(),
                column("CamelCase").integer().take(),
                column("with space").integer().not_null().default(-1).take(),
                column("line_2").text().take(),
                column("2fa").boolean().take(),
                column("h1_n1").boolean().take(),
                column("b12_c").integer().take(),
            ],
            key: vec!["id"],
            checks: vec![("order_CamelCase_check", Expr::cust("\"CamelCase\" > 0"))],
            ..Shape::default()
        });
    }),
    // Columns.
    case("column", |s| {
        s.people().add(column("nick").string_len(20));
    }),
    case("column_with_text_default", |s| {
        s.people().add(column("lang").string_len(12).not_null().default("it's \"en\""));
    }),
    case("column_with_number_default", |s| {
        s.people().add(column("points").integer().not_null().default(-3));
    }),
    case("column_with_boolean_default", |s| {
        s.people().add(column("public").boolean().not_null().default(true));
    }),
    case("column_with_timestamp_default", |s| {
        s.people().add(column("seen_at").timestamp_with_time_zone().not_null().default(Expr::current_timestamp()));
    }),
    case("column_required", |s| {
        s.people().add(column("code").string_len(8).not_null());
    })
    .without_rows(),
    case("columns", |s| {
        s.people().add(column("a").text()).add(column("b").big_integer().not_null().default(0));
    }),
    case("column_renamed", |s| {
        s.people().remove("age").add(column("years").integer());
    }),
    case("column_of_json", |s| {
        s.pets().add(column("traits").json_binary());
    }),
    // Types.
    case("longer_text", |s| {
        s.people().change(column("name").string_len(300).not_null());
    }),
    case("unlimited_text", |s| {
        s.people().change(column("name").text().not_null());
    }),
    case("integer_to_bigint", |s| {
        s.people().change(column("age").big_integer());
    })
    .only_postgres(),
    case("integer_from_smallint", |s| {
        s.pets().change(column("legs").integer().not_null().default(4));
    }),
    case("integer_to_text", |s| {
        s.people().change(column("age").string_len(20));
    }),
    case("float_to_double", |s| {
        s.people().change(column("weight").double());
    })
    .lossy(&["weight"]),
    case("longer_decimal", |s| {
        s.people().change(column("balance").decimal_len(14, 4));
    })
    .lossy(&["balance"]),
    case("timestamp_from_date", |s| {
        s.people().change(column("born").date_time());
    })
    .lossy(&["born"]),
    case("type_under_a_default", |s| {
        s.people().change(column("status").text().not_null().default("active"));
    }),
    // Nullability and defaults.
    case("required_with_default", |s| {
        s.people().change(column("age").integer().not_null().default(18));
    })
    .lossy(&["age"]),
    case("required_without_default", |s| {
        s.people().change(column("weight").float().not_null());
    }),
    case("optional", |s| {
        s.people().change(column("name").string_len(100));
    }),
    case("default_added", |s| {
        s.people().change(column("email").string_len(254).default("none"));
    }),
    case("default_changed", |s| {
        s.pets().change(column("legs").small_integer().not_null().default(2));
    }),
    case("default_removed", |s| {
        s.pets().change(column("legs").small_integer().not_null());
    }),
    // Keys.
    case("primary_key_with_more_columns", |s| s.pets().key = vec!["owner_id", "id"]),
    case("unique", |s| s.people().unique = vec![vec!["email"]]),
    case("unique_together", |s| s.people().unique = vec![vec!["name", "born"]]),
    case("partial_unique_index", |s| {
        let some = index("people", &["email"])
            .unique()
            .name("people_email_key")
            .and_where(Expr::col("age").is_not_null())
            .take();
        s.people().indexes = vec![some];
    }),
    // Indexes.
    case("index", |s| s.people().indexes = vec![index("people", &["name"])]),
    case("composite_index", |s| s.people().indexes = vec![index("people", &["status", "created_at", "id"])]),
    case("index_descending", |s| {
        let descending = Index::create().name("people_born_idx").table("people").col(("born", IndexOrder::Desc)).take();
        s.people().indexes = vec![descending];
    }),
    case("partial_index", |s| {
        s.people().indexes =
            vec![index("people", &["name"]).and_where(Expr::col("status").is_in(["active", "gone"])).take()];
    }),
    case("index_of_an_expression", |s| {
        let lower = Index::create().name("people_email_idx").table("people").col(Expr::cust("lower(email)")).take();
        s.people().indexes = vec![lower];
    })
    .only_postgres(),
    case("index_over_other_columns", |s| {
        s.pets().indexes =
            vec![Index::create().name("pets_owner_id_idx").table("pets").col("owner_id").col("name").take()];
    }),
    // Foreign keys.
    case("foreign_key_with_column", |s| {
        s.pets()
            .add(column("vet_id").uuid())
            .references
            .push(Reference { on_delete: ForeignKeyAction::SetNull, ..reference(&["vet_id"], "people", &["id"]) });
    }),
    case("foreign_key_to_itself", |s| {
        s.people().add(column("parent_id").uuid()).references.push(reference(&["parent_id"], "people", &["id"]));
    }),
    case("foreign_key_action", |s| s.pets().references[0].on_delete = ForeignKeyAction::Restrict),
    case("foreign_key_update_action", |s| s.pets().references[0].on_update = ForeignKeyAction::Cascade),
    case("foreign_key_removed", |s| s.pets().references.clear()),
    case("foreign_key_to_a_new_table", |s| {
        s.0.push(tags());
        s.pets().add(column("tag_id").uuid()).references.push(reference(&["tag_id"], "tags", &["id"]));
    }),
    case("foreign_key_of_two_columns", |s| {
        s.people().unique = vec![vec!["id", "name"]];
        s.pets().add(column("owner_name").string_len(100)).references.push(reference(
            &["owner_id", "owner_name"],
            "people",
            &["id", "name"],
        ));
    }),
    // CHECKs.
    case("check", |s| s.people().checks.push(("people_age_check", Expr::cust("age BETWEEN 0 AND 150")))),
    case("check_over_columns", |s| {
        s.people().checks.push((
            "people_email_check",
            Expr::cust(
                "CASE WHEN email IS NULL THEN status <> 'asleep' ELSE email LIKE '%@%' OR length(email) < 3 END",
            ),
        ));
    }),
    case("check_changed", |s| s.pets().checks = vec![("pets_legs_check", Expr::cust("legs BETWEEN 0 AND 1000"))]),
    case("check_removed", |s| s.pets().checks.clear()),
    case("enum_value_added", |s| {
        let statuses = ["active", "asleep", "gone", "on \"leave\""];
        s.people().checks = vec![("people_status_check", Expr::col("status").is_in(statuses))];
    }),
    case("enum_values_and_default", |s| {
        s.people().checks = vec![("people_status_check", Expr::col("status").is_in(["active", "asleep", "new"]))];
        s.people().change(column("status").string_len(16).not_null().default("new"));
    }),
    // Several changes at once.
    case("several_changes_of_one_table", |s| {
        s.people().remove("weight").add(column("height").integer().not_null().default(170));
        s.people().change(column("name").string_len(120).not_null());
        s.people().unique = vec![vec!["email"]];
        s.people().indexes = vec![index("people", &["height"])];
        s.people().checks.push(("people_height_check", Expr::cust("height > 0")));
    }),
    case("column_with_key_and_index", |s| {
        s.pets().remove("owner_id").references.clear();
        s.pets().indexes.clear();
    })
    .without_rows(),
    case("several_tables", |s| {
        s.people().add(column("nick").string_len(20)).remove("balance");
        s.pets().change(column("name").string_len(80).not_null().default("Rex"));
        s.0.push(tags());
    }),
    case("table_replaced", |s| {
        s.0.retain(|shape| shape.name != "pets");
        s.0.push(tags());
    }),
    case("unique_for_a_foreign_key", |s| {
        s.people().unique = vec![vec!["email"]];
        s.pets().add(column("owner_email").string_len(254)).references.push(reference(
            &["owner_email"],
            "people",
            &["email"],
        ));
    }),
    // Properties of one database only.
    case("column_with_collation", |s| {
        s.people().add(column("folded").text().not_null().default("")).collate_c = vec!["folded"];
    }),
    case("collation", |s| s.people().collate_c = vec!["name"]).only_postgres(),
    case("collation_and_longer_text", |s| {
        s.people().change(column("name").string_len(300).not_null()).collate_c = vec!["name"];
    }),
];
