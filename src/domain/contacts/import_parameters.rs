//! Parameters of imports and exports as values of requests.

use crate::domain::contacts::address_book::{CardVersion, DateOrder};
use crate::domain::contacts::contact_imports::OnDuplicate;
use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

impl Value for OnDuplicate {
    const SHAPE: Shape = Shape::Enum(|| ["skip", "update", "add"].map(str::to_owned).to_vec());

    fn from_text(word: &str) -> Result<Self, Violation> {
        match word {
            "skip" => Ok(Self::Skip),
            "update" => Ok(Self::Update),
            "add" => Ok(Self::Add),
            _ => Err(Self::SHAPE.wrong_type()),
        }
    }
}

impl Value for DateOrder {
    const SHAPE: Shape = Shape::Enum(|| ["mdy", "dmy"].map(str::to_owned).to_vec());

    fn from_text(word: &str) -> Result<Self, Violation> {
        match word {
            "mdy" => Ok(Self::Mdy),
            "dmy" => Ok(Self::Dmy),
            _ => Err(Self::SHAPE.wrong_type()),
        }
    }
}

impl Value for CardVersion {
    const SHAPE: Shape = Shape::Enum(|| ["3.0", "4.0"].map(str::to_owned).to_vec());

    fn from_text(word: &str) -> Result<Self, Violation> {
        match word {
            "3.0" => Ok(Self::V3),
            "4.0" => Ok(Self::V4),
            _ => Err(Self::SHAPE.wrong_type()),
        }
    }
}
