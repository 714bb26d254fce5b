//! Value types: single values that only parsing can create, each with its bounds as constants.

use crate::error::Violation;

/// A single value of a request body or query. Implementations parse from the kinds of input that they accept; all other
/// kinds are a violation `type`.
pub trait Value: Sized {
    /// The form on the wire: the source of the OpenAPI schema.
    const SHAPE: Shape;

    /// Parses a text.
    ///
    /// # Errors
    /// The rule that the text breaks.
    fn from_text(_text: &str) -> Result<Self, Violation> {
        Err(Self::SHAPE.wrong_type())
    }

    /// Parses a whole number.
    ///
    /// # Errors
    /// The rule that the number breaks.
    fn from_integer(_number: i64) -> Result<Self, Violation> {
        Err(Self::SHAPE.wrong_type())
    }

    /// Parses a number with a fraction.
    ///
    /// # Errors
    /// The rule that the number breaks.
    fn from_decimal(_number: f64) -> Result<Self, Violation> {
        Err(Self::SHAPE.wrong_type())
    }

    /// Parses a Boolean.
    ///
    /// # Errors
    /// The rule that the value breaks.
    fn from_bool(_value: bool) -> Result<Self, Violation> {
        Err(Self::SHAPE.wrong_type())
    }

    /// Parses a text without a type, such as a query parameter: `20` is a number if the type is a number.
    ///
    /// # Errors
    /// The rule that the text breaks.
    fn from_untyped(text: &str) -> Result<Self, Violation> {
        match Self::SHAPE {
            Shape::Integer { .. } => Self::from_integer(text.parse().map_err(|_| Self::SHAPE.wrong_type())?),
            Shape::Decimal { .. } => Self::from_decimal(text.parse().map_err(|_| Self::SHAPE.wrong_type())?),
            Shape::Bool => Self::from_bool(text.parse().map_err(|_| Self::SHAPE.wrong_type())?),
            _ => Self::from_text(text),
        }
    }
}

/// The form of a value on the wire: JSON type and bounds.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Text {
        /// Minimum number of characters.
        min: usize,
        /// Maximum number of characters, if there is one.
        max: Option<usize>,
        /// `format` of JSON Schema, such as `email`.
        format: Option<&'static str>,
        /// A regular expression that the string matches.
        pattern: Option<&'static str>,
    },
    /// A whole number.
    Integer {
        /// Minimum.
        min: i64,
        /// Maximum, if it is constant.
        max: Option<i64>,
    },
    /// A number.
    Decimal {
        /// Minimum.
        min: i64,
        /// Maximum.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Enum(fn() -> Vec<String>),
}

impl Shape {
    /// A string of `min` to `max` characters.
    #[must_use]
    pub const fn text(min: usize, max: usize) -> Self {
        Self::Text { min, max: Some(max), format: None, pattern: None }
    }

    /// A string of a named format, of any length.
    #[must_use]
    pub const fn format(format: &'static str) -> Self {
        Self::Text { min: 0, max: None, format: Some(format), pattern: None }
    }

    /// The violation of a value of another JSON type.
    #[must_use]
    pub fn wrong_type(&self) -> Violation {
        let message = match self {
            Self::Text { format: Some("uuid"), .. } => "must be a UUID".into(),
            Self::Text { format: Some("date"), .. } => "must be a date, such as 1985-12-10".into(),
            Self::Text { format: Some("date-time"), .. } => "must be a time, such as 2026-11-30T12:00:00Z".into(),
            Self::Text { .. } => "must be a string".into(),
            Self::Integer { .. } => "must be a whole number".into(),
            Self::Decimal { .. } => "must be a number".into(),
            Self::Bool => "must be true or false".into(),
            Self::Enum(words) => format!("must be one of: {}", words().join(", ")).into(),
        };
        Violation { field: "".into(), code: "type".into(), message }
    }
}

/// The violation of a text that is longer than `max` characters, if it is.
///
/// # Errors
/// A violation `length`.
pub fn at_most(text: &str, max: usize) -> Result<(), Violation> {
    if text.chars().nth(max).is_some() {
        return Err(Violation::of_value("length", format!("must be at most {max} characters")));
    }
    Ok(())
}

impl Value for bool {
    const SHAPE: Shape = Shape::Bool;

    fn from_bool(value: bool) -> Result<Self, Violation> {
        Ok(value)
    }
}

impl Value for uuid::Uuid {
    const SHAPE: Shape = Shape::format("uuid");

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::try_parse(text).map_err(|_| Self::SHAPE.wrong_type())
    }
}
