//! OpenAPI schemas of the value types, generated from their bounds.

use utoipa::openapi::schema::{AllOf, KnownFormat, Object, ObjectBuilder, OneOf, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::auth::calendar_feeds::FeedSecret;
use crate::domain::auth::flow::Flow;
use crate::domain::auth::password::{Password, PresentedPassword};
use crate::domain::auth::reset_tokens::PresentedResetToken;
use crate::domain::auth::token::PresentedToken;
use crate::domain::contacts::address_book::{CardVersion, DateOrder};
use crate::domain::contacts::contact_imports::OnDuplicate;
use crate::domain::vaccination::invitation_codes::InvitationCode;
use crate::domain::values::birthday::LeapDay;
use crate::domain::values::coordinates::Coordinates;
use crate::domain::values::cvx::CvxCode;
use crate::domain::values::degrees::Degrees;
use crate::domain::values::email::Email;
use crate::domain::values::instant::Instant;
use crate::domain::values::local_time::{LocalDate, TimeOfDay, Weekday};
use crate::domain::values::number::Number;
use crate::domain::values::one_time_code::OneTimeCode;
use crate::domain::values::person::{BirthDate, BirthYear, ContactNumber, NationalId, PhoneNumber};
use crate::domain::values::search::SearchText;
use crate::domain::values::text::{Line, Text};
use crate::domain::values::time_zone::TimeZone;
use crate::domain::values::value::{Shape, Value};

/// The schema of a value type.
fn schema_of<T: Value>() -> RefOr<Schema> {
    let object = ObjectBuilder::new();
    let object = match T::SHAPE {
        Shape::Text { min, max, format, pattern } => object
            .schema_type(Type::String)
            .min_length(Some(min).filter(|min| *min > 0))
            .max_length(max)
            .format(format.map(|format| SchemaFormat::Custom(format.to_owned())))
            .pattern(pattern),
        Shape::Integer { min, max } => object
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(min))
            .maximum(max),
        Shape::Decimal { min, max } => object.schema_type(Type::Number).minimum(Some(min)).maximum(Some(max)),
        Shape::Bool => object.schema_type(Type::Boolean),
        Shape::Enum(values) => object.schema_type(Type::String).enum_values(Some(values())),
    };
    object.into()
}

/// Simplifies the members of an object, for readers and for client generators: utoipa describes an inline member by an
/// `allOf` of the value and its description, and a nullable one by a `oneOf` of the value and null. Both become one
/// schema.
pub fn simplify_members(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for member in object.properties.values_mut() {
        let simple = match member {
            RefOr::T(Schema::AllOf(all)) => merge_description(all),
            RefOr::T(Schema::OneOf(one)) => merge_null(one),
            _ => None,
        };
        if let Some(simple) = simple {
            *member = RefOr::T(Schema::Object(simple));
        }
    }
}

/// Merges an `allOf` of a value and a description; `None` if it is another `allOf`.
fn merge_description(all: &AllOf) -> Option<Object> {
    let [RefOr::T(Schema::Object(value)), RefOr::T(Schema::Object(text))] = all.items.as_slice() else { return None };
    let description = text.description.clone();
    let is_text = *text == ObjectBuilder::new().description(description.clone()).build();
    is_text.then(|| {
        let mut value = value.clone();
        value.description = description;
        value
    })
}

/// Merges a `oneOf` of a value and null; `None` if it is another `oneOf`.
fn merge_null(one: &OneOf) -> Option<Object> {
    let [RefOr::T(Schema::Object(value)), RefOr::T(Schema::Object(null))] = one.items.as_slice() else { return None };
    let SchemaType::Type(kind) = value.schema_type.clone() else { return None };
    let is_null = null.schema_type == SchemaType::Type(Type::Null);
    is_null.then(|| {
        let mut value = value.clone();
        value.schema_type = SchemaType::from_iter([kind, Type::Null]);
        value.description.clone_from(&one.description);
        value
    })
}

impl<const MAX: usize, const SHOWN: bool> PartialSchema for Line<MAX, SHOWN> {
    fn schema() -> RefOr<Schema> {
        schema_of::<Self>()
    }
}

impl<const MAX: usize, const SHOWN: bool> ToSchema for Line<MAX, SHOWN> {}

impl<const MAX: usize> PartialSchema for Text<MAX> {
    fn schema() -> RefOr<Schema> {
        schema_of::<Self>()
    }
}

impl<const MAX: usize> ToSchema for Text<MAX> {}

impl<const MIN: i32, const MAX: i32> PartialSchema for Number<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        schema_of::<Self>()
    }
}

impl<const MIN: i32, const MAX: i32> ToSchema for Number<MIN, MAX> {}

impl<const MAX: i32> PartialSchema for Degrees<MAX> {
    fn schema() -> RefOr<Schema> {
        schema_of::<Self>()
    }
}

impl<const MAX: i32> ToSchema for Degrees<MAX> {}

/// Schemas of value types without parameters.
macro_rules! schemas {
    ($($value:ty),* $(,)?) => {$(
        impl PartialSchema for $value {
            fn schema() -> RefOr<Schema> {
                schema_of::<Self>()
            }
        }

        impl ToSchema for $value {}
    )*};
}

schemas! {
    BirthDate,
    BirthYear,
    CardVersion,
    ContactNumber,
    Coordinates,
    CvxCode,
    DateOrder,
    Email,
    FeedSecret,
    Flow,
    Instant,
    InvitationCode,
    LeapDay,
    LocalDate,
    NationalId,
    OnDuplicate,
    OneTimeCode,
    Password,
    PhoneNumber,
    PresentedPassword,
    PresentedResetToken,
    PresentedToken,
    SearchText,
    TimeOfDay,
    TimeZone,
    Weekday,
}
