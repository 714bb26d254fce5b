//! Books.

use revisions::{CompositeIndex, TableExtras, enum_values};
use sea_orm::entity::prelude::*;

use crate::{Genre, State};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "books")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub isbn: String,
    pub title: String,
    pub genre: Genre,
    #[sea_orm(default_value = "good")]
    pub state: State,
    #[sea_orm(has_many)]
    pub loans: HasMany<super::loans::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl TableExtras for Entity {
    const INDEXES: &[CompositeIndex] =
        &[CompositeIndex::on(&["genre", "title"]), CompositeIndex::on(&["lower(title)"])];

    fn enum_values() -> Vec<(Column, Vec<String>)> {
        vec![(Column::State, enum_values::<State>())]
    }
}
