//! Enums of the database as values of requests.

use entity::{AuditAction, ContactFormat, RequestStatus, Role};
use sea_orm::ActiveEnum;

use crate::domain::values::birthday::LeapDay;
use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Values of an enum.
fn enum_values<E: ActiveEnum<Value = String>>() -> Vec<String> {
    E::iter().map(|value| value.to_value()).collect()
}

fn parse<E: ActiveEnum<Value = String> + Value>(word: &str) -> Result<E, Violation> {
    E::try_from_value(&word.to_owned()).map_err(|_| E::SHAPE.wrong_type())
}

impl Value for Role {
    const SHAPE: Shape = Shape::Enum(enum_values::<Self>);

    fn from_text(word: &str) -> Result<Self, Violation> {
        parse(word)
    }
}

impl Value for RequestStatus {
    const SHAPE: Shape = Shape::Enum(enum_values::<Self>);

    fn from_text(word: &str) -> Result<Self, Violation> {
        parse(word)
    }
}

impl Value for AuditAction {
    const SHAPE: Shape = Shape::Enum(enum_values::<Self>);

    fn from_text(word: &str) -> Result<Self, Violation> {
        parse(word)
    }
}

impl Value for ContactFormat {
    const SHAPE: Shape = Shape::Enum(enum_values::<Self>);

    fn from_text(word: &str) -> Result<Self, Violation> {
        parse(word)
    }
}

impl Value for LeapDay {
    const SHAPE: Shape = Shape::Enum(|| vec!["feb28".to_owned(), "mar1".to_owned()]);

    fn from_text(word: &str) -> Result<Self, Violation> {
        match word {
            "feb28" => Ok(Self::Feb28),
            "mar1" => Ok(Self::Mar1),
            _ => Err(Self::SHAPE.wrong_type()),
        }
    }
}
