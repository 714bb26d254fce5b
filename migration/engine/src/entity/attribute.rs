//! Attributes: the arguments of the `#[sea_orm(…)]` of a model, a field or a variant, and how they are changed.

use std::ops::Range;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprUnary, Lit, Meta, Token, UnOp};

use super::text::{compact, part, text_of};

/// The arguments of all attributes of an item.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) words: Vec<Argument>,
    /// The positions of the attributes.
    pub(super) parts: Vec<Range<usize>>,
}

/// An argument of an attribute.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) key: String,
    pub(super) value: Value,
    /// The text.
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
            read.words.extend(metas.iter().map(|meta| Argument::read(text, meta)));
        }
        Ok(read)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Argument> {
        self.words.iter().find(|word| word.key == key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The text value of a key.
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

/// The value of a literal.
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

/// What to do with an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Keep it, present or not.
    Keep,
    /// Set it to this text.
    Set(String),
    /// Remove it.
    Drop,
}

/// The arguments of an attribute that is rewritten.
#[derive(Debug)]
pub(super) struct Rewrite<'a> {
    said: &'a Attributes,
    words: Vec<String>,
    done: Vec<&'static str>,
    is_same: bool,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(said: &'a Attributes) -> Self {
        Self { said, words: Vec::new(), done: Vec::new(), is_same: true }
    }

    /// The choice between keys of which at most one is used.
    pub(super) fn choose(&mut self, keys: &[&'static str], choice: Choice) {
        self.done.extend(keys);
        let said = self.said;
        let mut present = said.words.iter().filter(|word| keys.contains(&word.key.as_str()));
        match choice {
            Choice::Keep => self.words.extend(present.map(|word| word.text.clone())),
            Choice::Drop => self.is_same &= present.next().is_none(),
            Choice::Set(word) => {
                self.is_same = false;
                self.words.push(word);
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, wanted: bool) {
        let choice = match (wanted, self.said.has(key)) {
            (true, false) => Choice::Set(key.to_owned()),
            (true, true) => Choice::Keep,
            (false, _) => Choice::Drop,
        };
        self.choose(&[key], choice);
    }

    /// For keys that may be repeated.
    pub(super) fn keep_where(&mut self, key: &'static str, stays: impl Fn(&Argument) -> bool) {
        self.done.push(key);
        for word in self.said.words.iter().filter(|word| word.key == key) {
            if stays(word) {
                self.words.push(word.text.clone());
            } else {
                self.is_same = false;
            }
        }
    }

    /// The arguments of the new attribute, other arguments last; and whether the old one has the same.
    pub(super) fn finish(mut self) -> (Vec<String>, bool) {
        let others = self.said.words.iter().filter(|word| !self.done.iter().any(|done| *done == word.key));
        self.words.extend(others.map(|word| word.text.clone()));
        (self.words, self.is_same)
    }
}
