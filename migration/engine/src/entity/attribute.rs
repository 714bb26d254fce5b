//! `#[sea_orm(…)]` attributes: reading and rewriting.

use std::ops::Range;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprUnary, Lit, Meta, Token, UnOp};

use super::text::{compact, part, text_of};

/// The `sea_orm` attributes of a model, a field or a variant.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) arguments: Vec<Argument>,
    /// The byte ranges of the attributes.
    pub(super) parts: Vec<Range<usize>>,
}

/// One argument of an attribute.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) key: String,
    pub(super) value: Value,
    /// The source text.
    pub(super) text: String,
    pub(super) part: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Text(String),
    Number(String),
    Flag(bool),
    Other,
}

impl Attributes {
    pub(super) fn read(text: &str, attributes: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("sea_orm")) {
            read.parts.push(part(attribute));
            let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
            read.arguments.extend(metas.iter().map(|meta| Argument::read(text, meta)));
        }
        Ok(read)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.key == key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The text value of an argument.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Argument { value: Value::Text(text), .. }) => Some(text),
            _ => None,
        }
    }
}

impl Argument {
    fn read(text: &str, meta: &Meta) -> Self {
        let value = match meta {
            Meta::Path(_) => Value::None,
            Meta::List(_) => Value::Other,
            Meta::NameValue(pair) => value(&pair.value),
        };
        let key = compact(text_of(text, meta.path()));
        Self { key, value, text: text_of(text, meta).to_owned(), part: part(meta) }
    }
}

/// The value of a literal expression.
pub(super) fn value(expression: &Expr) -> Value {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Value::Text(text.value()),
            Lit::Bool(flag) => Value::Flag(flag.value()),
            Lit::Int(number) => Value::Number(number.base10_digits().to_owned()),
            Lit::Float(number) => Value::Number(number.base10_digits().to_owned()),
            _ => Value::Other,
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match value(expr) {
            Value::Number(number) => Value::Number(format!("-{number}")),
            _ => Value::Other,
        },
        _ => Value::Other,
    }
}

/// What happens to an argument of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It stays as it is, present or not.
    Keep,
    /// It is replaced by, or added as, this text.
    Set(String),
    /// It is removed.
    Drop,
}

/// A rewrite of an attribute, argument by argument.
#[derive(Debug)]
pub(super) struct Rewrite<'a> {
    existing: &'a Attributes,
    arguments: Vec<String>,
    done: Vec<&'static str>,
    is_same: bool,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(existing: &'a Attributes) -> Self {
        Self { existing, arguments: Vec::new(), done: Vec::new(), is_same: true }
    }

    /// Decides about arguments that exclude each other.
    pub(super) fn choose(&mut self, keys: &[&'static str], choice: Choice) {
        self.done.extend(keys);
        let existing = self.existing;
        let mut present = existing.arguments.iter().filter(|argument| keys.contains(&argument.key.as_str()));
        match choice {
            Choice::Keep => self.arguments.extend(present.map(|argument| argument.text.clone())),
            Choice::Drop => self.is_same &= present.next().is_none(),
            Choice::Set(argument) => {
                self.is_same = false;
                self.arguments.push(argument);
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, wanted: bool) {
        let choice = match (wanted, self.existing.has(key)) {
            (true, false) => Choice::Set(key.to_owned()),
            (true, true) => Choice::Keep,
            (false, _) => Choice::Drop,
        };
        self.choose(&[key], choice);
    }

    /// Adds an argument.
    pub(super) fn add(&mut self, argument: String) {
        self.is_same = false;
        self.arguments.push(argument);
    }

    /// Decides about each argument of a key that may occur several times.
    pub(super) fn keep_where(&mut self, key: &'static str, stays: impl Fn(&Argument) -> bool) {
        self.done.push(key);
        for argument in self.existing.arguments.iter().filter(|argument| argument.key == key) {
            if stays(argument) {
                self.arguments.push(argument.text.clone());
            } else {
                self.is_same = false;
            }
        }
    }

    /// The arguments of the new attribute, undecided ones last, and whether the old attribute is
    /// equivalent.
    pub(super) fn finish(mut self) -> (Vec<String>, bool) {
        let others =
            self.existing.arguments.iter().filter(|argument| !self.done.iter().any(|done| *done == argument.key));
        self.arguments.extend(others.map(|argument| argument.text.clone()));
        (self.arguments, self.is_same)
    }
}
