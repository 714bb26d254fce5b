//! Fields of request bodies and queries. They are parsed while they are deserialised, so that all invalid fields are
//! reported at once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use validator::{Validate, ValidationError, ValidationErrors};

use crate::domain::values::patch::Patch;
use crate::domain::values::value::Value;
use crate::error::{Error, Violation};

/// Key of the violation in the errors of a field; it is replaced by the name of the field.
pub const VALUE: &str = "_value";

/// Parameter of an error of a rule over several members: the name of the member that breaks it.
pub const FIELD: &str = "field";

/// A member of a request body or a query parameter.
///
/// A member is `Field<T>` if it is required, `Option<Field<T>>` if it may be absent or null, and `Patch<Field<T>>` in a
/// merge patch. `Field<T>` needs `#[serde(default)]`; otherwise an absent member stops the parsing.
#[derive(Debug)]
pub struct Field<T>(Result<T, Violation>);

/// An absent member breaks the same rule as an empty text, or the rule `required` if its value is not a text.
impl<T: Value> Default for Field<T> {
    fn default() -> Self {
        let violation = T::from_text("").err().filter(|violation| violation.code != "type");
        Self(Err(violation.unwrap_or_else(|| Violation::of_value("required", "is required"))))
    }
}

impl<T> Field<T> {
    /// The value.
    ///
    /// # Errors
    /// The violation. `Valid` and `Query` have reported it already, with all others.
    pub fn value(self) -> Result<T, Error> {
        Ok(self.0?)
    }

    /// The value, if it is valid.
    pub fn as_valid(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }
}

/// Whether an optional member is present and breaks a rule.
pub fn is_invalid<T>(field: Option<&Field<T>>) -> bool {
    field.is_some_and(|field| field.0.is_err())
}

/// Values of optional members.
pub trait Optional<T> {
    /// The value, if there is one.
    ///
    /// # Errors
    /// The violation, as [`Field::value`].
    fn value(self) -> Result<Option<T>, Error>;
}

impl<T> Optional<T> for Option<Field<T>> {
    fn value(self) -> Result<Option<T>, Error> {
        self.map(Field::value).transpose()
    }
}

/// Values of the members of a merge patch.
pub trait Patched<T> {
    /// The patch of the value.
    ///
    /// # Errors
    /// The violation, as [`Field::value`].
    fn value(self) -> Result<Patch<T>, Error>;
}

impl<T> Patched<T> for Patch<Field<T>> {
    fn value(self) -> Result<Patch<T>, Error> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(field) => Patch::Set(field.value()?),
        })
    }
}

impl<T> Validate for Field<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Err(violation) = &self.0 else { return Ok(()) };
        let mut errors = ValidationErrors::new();
        errors.add(VALUE, validation_error(&violation.clone().in_field("")));
        Err(errors)
    }
}

impl<T: Validate> Validate for Patch<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.as_set().map_or(Ok(()), Validate::validate)
    }
}

/// Converts a violation into an error of `validator`. For a rule over several members it names one of them.
pub fn validation_error(violation: &Violation) -> ValidationError {
    let mut error = ValidationError::new("");
    error.code = violation.code.clone();
    if !violation.field.is_empty() {
        error.add_param(FIELD.into(), &violation.field);
    }
    error.with_message(violation.message.clone())
}

impl<'de, T: Value> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData)).map(Self)
    }
}

/// Accepts a value of any type: a wrong type is a violation, not an error that stops the parsing.
struct FieldVisitor<T>(PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for FieldVisitor<T> {
    type Value = Result<T, Violation>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(text))
    }

    /// A query parameter: see [`QueryValue`].
    fn visit_bytes<E: serde::de::Error>(self, text: &[u8]) -> Result<Self::Value, E> {
        Ok(T::from_untyped(std::str::from_utf8(text).map_err(E::custom)?))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(T::from_integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        // A number above the range of i64 is above the range of every value.
        Ok(T::from_integer(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// `2.0` is the same number as `2` (JSON Schema §4.2.3).
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        let is_whole = number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
        Ok(if is_whole { T::from_integer(number as i64) } else { T::from_decimal(number) })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Err(T::SHAPE.wrong_type()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(T::SHAPE.wrong_type()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(T::SHAPE.wrong_type()))
    }
}

/// Value of a query parameter. It is deserialised as bytes, which marks it as untyped: `limit=20` is accepted as a
/// number, while `"20"` in a JSON body is not.
pub struct QueryValue<'de>(pub Cow<'de, str>);

impl<'de> IntoDeserializer<'de> for QueryValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for QueryValue<'de> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_bytes(self.0.as_bytes())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The schema of a field is that of its value. utoipa's derive calls this trait for every generic type.
impl<T: PartialSchema> ComposeSchema for Field<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: PartialSchema> ToSchema for Field<T> {}

#[cfg(test)]
mod tests {
    use entity::Role;
    use serde_json::json;
    use utoipa::IntoParams;

    use super::*;
    use crate::domain::values::email::Email;
    use crate::domain::values::number::Number;
    use crate::domain::values::text::Line;

    #[derive(Deserialize, Validate, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Body {
        /// Unique.
        #[serde(default)]
        #[validate(nested)]
        #[schema(inline, required = true)]
        email: Field<Email>,
        /// Any.
        #[validate(nested)]
        #[schema(inline)]
        name: Option<Field<Line<5>>>,
        #[serde(default)]
        #[validate(nested)]
        #[schema(inline, value_type = Option<Field<Line<5>>>)]
        nick: Patch<Field<Line<5>>>,
        #[validate(nested)]
        #[schema(inline)]
        number: Option<Field<Number<1, 9>>>,
        #[validate(nested)]
        #[schema(value_type = Option<Role>)]
        role: Option<Field<Role>>,
    }

    #[derive(Deserialize, Validate, IntoParams)]
    #[into_params(parameter_in = Query)]
    struct Params {
        /// Some.
        #[validate(nested)]
        #[param(inline, example = 5)]
        number: Option<Field<Number<1, 9>>>,
        #[validate(nested)]
        #[param(inline, example = "Ada")]
        name: Option<Field<Line<5>>>,
    }

    fn body(json: serde_json::Value) -> Vec<(String, String)> {
        let body: Body = serde_json::from_value(json).unwrap();
        let Err(errors) = body.validate() else { return Vec::new() };
        crate::api::http::extract::violations(&errors)
            .into_iter()
            .map(|violation| (violation.field.into_owned(), violation.code.into_owned()))
            .collect()
    }

    #[test]
    fn every_bad_member_is_reported_with_its_rule() {
        let bad = json!({ "name": 5, "nick": "too long", "number": 1.5, "role": {"a": [1]} });
        let expected = [("email", "email"), ("name", "type"), ("nick", "length"), ("number", "type"), ("role", "type")];
        assert_eq!(body(bad), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
        let text = json!({ "email": null, "number": "5" });
        let expected = [("email", "type"), ("number", "type")];
        assert_eq!(body(text), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
        assert_eq!(body(json!({ "email": "ada@example.org", "name": null, "nick": null, "number": 9 })), []);
        assert_eq!(body(json!({ "email": "ada@example.org", "number": 9.0 })), []);
    }

    #[test]
    fn the_schema_has_the_bounds_of_the_value() {
        let mut schema = Body::schema();
        crate::api::http::schemas::simplify_members(&mut schema);
        let schema = serde_json::to_value(schema).unwrap();
        assert_eq!(schema["required"], json!(["email"]));
        let email = json!({ "type": "string", "format": "email", "maxLength": 254, "description": "Unique." });
        assert_eq!(schema["properties"]["email"], email);
        let line = &schema["properties"]["nick"];
        assert_eq!(
            (&line["type"], &line["minLength"], &line["maxLength"]),
            (&json!(["string", "null"]), &json!(1), &json!(5))
        );
        assert!(line["pattern"].as_str().unwrap().contains(r"[^\x00-\x1f"));
        let params = serde_json::to_value(Params::into_params(|| None)).unwrap();
        assert_eq!(params[0]["schema"], json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 9 }));
    }
}
