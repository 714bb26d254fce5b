//! Contact points: the e-mail addresses and telephone numbers of a contact, in their order and with their labels. The first is
//! the main one.
//!
//! The main one has a column of its own. All of them are stored as JSON beside it if there are several, or if it has a label
//! (decision 18).

use entity::contacts::Model;
use serde::{Deserialize, Serialize};

use crate::domain::values::email::Email;
use crate::domain::values::patch::Patch;
use crate::domain::values::person::ContactNumber;
use crate::domain::values::text::Line;
use crate::error::{Error, Result};

/// The most e-mail addresses, and the most telephone numbers, of a contact.
pub const MAX_POINTS: usize = 20;

/// What a contact point is for, such as `work`.
pub type Label = Line<50>;

/// An e-mail address or a telephone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactPoint<T> {
    /// What it is for.
    pub label: Option<Label>,
    /// The address or the number.
    pub value: T,
}

impl<T> From<T> for ContactPoint<T> {
    fn from(value: T) -> Self {
        Self { label: None, value }
    }
}

/// A contact point as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct StoredPoint {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The address or the number.
    pub value: String,
}

/// Change of the contact points of one kind.
#[derive(Clone, Debug)]
pub enum PointsChange<T> {
    /// The main one is replaced; null removes all of them.
    Main(Patch<T>),
    /// All of them.
    All(Vec<ContactPoint<T>>),
}

impl<T> Default for PointsChange<T> {
    fn default() -> Self {
        Self::Main(Patch::Keep)
    }
}

impl<T> PointsChange<T>
where
    StoredPoint: From<ContactPoint<T>>,
{
    /// The contact points after the change.
    pub(super) fn apply(self, mut points: Vec<StoredPoint>) -> Vec<StoredPoint> {
        match self {
            Self::All(all) => return all.into_iter().map(StoredPoint::from).collect(),
            Self::Main(Patch::Keep) => {}
            Self::Main(Patch::Clear) => points.clear(),
            Self::Main(Patch::Set(value)) => {
                let new = StoredPoint::from(ContactPoint::from(value));
                if points.first().is_none_or(|main| main.value != new.value) {
                    let others = points.into_iter().skip(1).filter(|point| point.value != new.value);
                    return [new.clone()].into_iter().chain(others).collect();
                }
            }
        }
        points
    }
}

/// The columns of the contact points of one kind: the main one, and all of them as JSON if the main one is not the whole.
pub(super) type PointColumns = (Option<String>, Option<String>);

impl From<ContactPoint<Email>> for StoredPoint {
    fn from(point: ContactPoint<Email>) -> Self {
        Self { label: point.label.map(Label::into_string), value: point.value.as_str().to_owned() }
    }
}

impl From<ContactPoint<ContactNumber>> for StoredPoint {
    fn from(point: ContactPoint<ContactNumber>) -> Self {
        Self { label: point.label.map(Label::into_string), value: point.value.into_string() }
    }
}

/// The columns of contact points.
///
/// # Errors
/// None in practice: texts can be written as JSON.
pub(super) fn columns(points: Vec<StoredPoint>) -> Result<PointColumns> {
    let is_plain = matches!(points.as_slice(), [] | [StoredPoint { label: None, .. }]);
    let json = (!is_plain).then(|| serde_json::to_string(&points)).transpose().map_err(Error::internal)?;
    Ok((points.into_iter().next().map(|point| point.value), json))
}

/// The e-mail addresses of a contact.
#[must_use]
pub fn emails(contact: &Model) -> Vec<StoredPoint> {
    points(contact.email.as_ref(), contact.emails.as_deref())
}

/// The telephone numbers of a contact.
#[must_use]
pub fn phone_numbers(contact: &Model) -> Vec<StoredPoint> {
    points(contact.phone_number.as_ref(), contact.phone_numbers.as_deref())
}

fn points(main: Option<&String>, json: Option<&str>) -> Vec<StoredPoint> {
    let all = json.and_then(|json| serde_json::from_str(json).ok());
    all.unwrap_or_else(|| main.map(|value| StoredPoint { label: None, value: value.clone() }).into_iter().collect())
}
