//! Contact points in requests and replies: the e-mail addresses and telephone numbers of a contact.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::api::http::field::{self, Field, Optional as _};
use crate::domain::contacts::contact_points::{ContactPoint, Label, MAX_POINTS, PointsChange, StoredPoint};
use crate::domain::values::email::Email;
use crate::domain::values::patch::Patch;
use crate::domain::values::person::ContactNumber;
use crate::error::{Error, Violation};

/// An e-mail address or a telephone number.
#[derive(Serialize, ToSchema)]
pub struct ContactPointReply {
    #[schema(example = "byron@example.org")]
    value: String,
    /// What it is for.
    #[schema(required = true, example = "home")]
    label: Option<String>,
}

impl From<StoredPoint> for ContactPointReply {
    fn from(point: StoredPoint) -> Self {
        Self { value: point.value, label: point.label }
    }
}

/// A list of contact points.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Points<B>(Vec<B>);

impl<B: Validate> Validate for Points<B> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        if self.0.len() > MAX_POINTS {
            let violation = Violation::of_value("items", format!("must be at most {MAX_POINTS}"));
            errors.add(field::VALUE, field::validation_error(&violation));
            return Err(errors);
        }
        let items = self.0.iter().enumerate();
        let items = items.filter_map(|(index, item)| Some((index, Box::new(item.validate().err()?)))).collect();
        let kind = ValidationErrorsKind::List(items);
        if matches!(&kind, ValidationErrorsKind::List(items) if items.is_empty()) {
            return Ok(());
        }
        errors.errors_mut().insert(field::VALUE.into(), kind);
        Err(errors)
    }
}

/// An e-mail address of a contact.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "value": "byron@example.org", "label": "home" }))]
pub struct EmailBody {
    /// The address.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    value: Field<Email>,
    /// What it is for, such as `work`.
    #[validate(nested)]
    #[schema(inline)]
    label: Option<Field<Label>>,
}

/// A telephone number of a contact.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "value": "+44 20 7946 0018", "label": "mobile" }))]
pub struct PhoneNumberBody {
    /// The number.
    #[serde(default)]
    #[validate(nested)]
    #[schema(inline, required = true)]
    value: Field<ContactNumber>,
    /// What it is for, such as `mobile`.
    #[validate(nested)]
    #[schema(inline)]
    label: Option<Field<Label>>,
}

impl TryFrom<EmailBody> for ContactPoint<Email> {
    type Error = Error;

    fn try_from(body: EmailBody) -> Result<Self, Error> {
        Ok(Self { label: body.label.value()?, value: body.value.value()? })
    }
}

impl TryFrom<PhoneNumberBody> for ContactPoint<ContactNumber> {
    type Error = Error;

    fn try_from(body: PhoneNumberBody) -> Result<Self, Error> {
        Ok(Self { label: body.label.value()?, value: body.value.value()? })
    }
}

/// The contact points of a body: one alone, or a list.
pub(super) fn all<T: PartialEq, B>(
    field: &'static str,
    main: Option<T>,
    list: Option<Points<B>>,
) -> Result<Vec<ContactPoint<T>>, Error>
where
    ContactPoint<T>: TryFrom<B, Error = Error>,
{
    let Some(Points(list)) = list else {
        return Ok(main.into_iter().map(ContactPoint::from).collect());
    };
    let points = list.into_iter().map(ContactPoint::try_from).collect::<Result<Vec<_>, Error>>()?;
    if let Some(main) = main
        && points.first().is_none_or(|first| first.value != main)
    {
        return Err(Violation::new(field, "both", "must begin with the main one, if that is given too").into());
    }
    let is_repeated = |(index, point): (usize, &ContactPoint<T>)| {
        points.iter().take(index).any(|earlier| earlier.value == point.value)
    };
    if points.iter().enumerate().any(is_repeated) {
        return Err(Violation::new(field, "repeated", "must not have a value twice").into());
    }
    Ok(points)
}

/// The change of the contact points of a merge patch: the main one, or all.
pub(super) fn change<T: PartialEq, B>(
    field: &'static str,
    main: Patch<T>,
    list: Patch<Points<B>>,
) -> Result<PointsChange<T>, Error>
where
    ContactPoint<T>: TryFrom<B, Error = Error>,
{
    match (list, main) {
        (Patch::Keep, main) => Ok(PointsChange::Main(main)),
        (Patch::Clear, Patch::Keep | Patch::Clear) => Ok(PointsChange::All(Vec::new())),
        (Patch::Clear, Patch::Set(value)) => {
            Ok(PointsChange::All(all(field, Some(value), Some(Points(Vec::<B>::new())))?))
        }
        (Patch::Set(list), Patch::Keep) => Ok(PointsChange::All(all(field, None, Some(list))?)),
        (Patch::Set(list), Patch::Set(value)) => Ok(PointsChange::All(all(field, Some(value), Some(list))?)),
        (Patch::Set(list), Patch::Clear) if list.0.is_empty() => Ok(PointsChange::All(Vec::new())),
        (Patch::Set(_), Patch::Clear) => {
            Err(Violation::new(field, "both", "must be empty if the main one is null").into())
        }
    }
}
