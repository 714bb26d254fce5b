//! Parser for the `impl TableExtras` of an entity, as far as it consists of plain lists.

use std::ops::Range;

use syn::punctuated::Punctuated;
use syn::{Block, Expr, ExprArray, ImplItem, ImplItemConst, ImplItemFn, ItemImpl, Macro, Stmt, Token, Type};

use super::attribute::{Value, value};
use super::text::{List, part};
use super::type_argument::argument;

#[derive(Debug)]
pub(super) struct TableExtras {
    /// After the opening brace.
    pub(super) open: usize,
    /// Before the closing brace.
    pub(super) close: usize,
    pub(super) is_empty: bool,
    pub(super) has_constants: bool,
    pub(super) indexes: Option<Listed<CompositeIndex>>,
    pub(super) without_rowid: Option<WithoutRowid>,
    pub(super) collate_c: Option<Listed<String>>,
    pub(super) enum_values: Option<Listed<EnumValues>>,
}

/// An item whose value is a list.
#[derive(Debug)]
pub(super) struct Listed<T> {
    pub(super) item: Range<usize>,
    /// None if it is not a plain list.
    pub(super) list: Option<List>,
    /// None for entries that cannot be parsed.
    pub(super) entries: Vec<Option<T>>,
}

/// A composite or partial index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CompositeIndex {
    pub(super) columns: Vec<String>,
    pub(super) is_unique: bool,
    pub(super) filter: Option<String>,
    pub(super) method: Option<String>,
}

#[derive(Debug)]
pub(super) struct WithoutRowid {
    pub(super) item: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) is_true: bool,
}

/// A column with the values of an enum, which a CHECK enforces.
#[derive(Debug)]
pub(super) struct EnumValues {
    /// The variant of `Column`.
    pub(super) variant: String,
    /// None if the values do not come from an enum.
    pub(super) enum_name: Option<String>,
}

impl TableExtras {
    /// None if it is the `impl` of another trait.
    pub(super) fn read(item: &ItemImpl) -> Option<Self> {
        let (_, path, _) = item.trait_.as_ref()?;
        if path.segments.last()?.ident != "TableExtras" {
            return None;
        }
        let mut table_extras = Self {
            open: item.brace_token.span.open().byte_range().end,
            close: item.brace_token.span.close().byte_range().start,
            is_empty: item.items.is_empty(),
            has_constants: false,
            indexes: None,
            without_rowid: None,
            collate_c: None,
            enum_values: None,
        };
        for item in &item.items {
            match item {
                ImplItem::Const(constant) => table_extras.read_constant(constant),
                ImplItem::Fn(function) if function.sig.ident == "enum_values" => {
                    table_extras.enum_values = Some(enum_values(function))
                }
                _ => {}
            }
        }
        Some(table_extras)
    }

    fn read_constant(&mut self, constant: &ImplItemConst) {
        self.has_constants = true;
        match constant.ident.to_string().as_str() {
            "INDEXES" => self.indexes = Some(constants(constant, wider)),
            "COLLATE_C" => self.collate_c = Some(constants(constant, text)),
            "WITHOUT_ROWID" => {
                let is_true = value(&constant.expr) == Value::Flag(true);
                self.without_rowid = Some(WithoutRowid { item: part(constant), value: part(&constant.expr), is_true });
            }
            _ => {}
        }
    }

    /// Whether the values of a column do not come from an enum.
    pub(super) fn has_other_strings(&self, variant: &str) -> bool {
        let mut entries = self.enum_values.iter().flat_map(|strings| strings.entries.iter().flatten());
        entries.any(|strings| strings.variant == variant && strings.enum_name.is_none())
    }
}

fn constants<T>(constant: &ImplItemConst, read: impl Fn(&Expr) -> Option<T>) -> Listed<T> {
    let item = part(constant);
    match array(&constant.expr) {
        Some(array) => Listed {
            item,
            list: Some(List::new(array.bracket_token.span.open(), &array.elems)),
            entries: array.elems.iter().map(read).collect(),
        },
        None => Listed { item, list: None, entries: Vec::new() },
    }
}

fn array(expression: &Expr) -> Option<&ExprArray> {
    match expression {
        Expr::Reference(reference) => array(&reference.expr),
        Expr::Array(array) => Some(array),
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<String> {
    match value(expression) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Parses `CompositeIndex::unique(&["a", "b"]).filter("c = 1")`.
fn wider(expression: &Expr) -> Option<CompositeIndex> {
    match expression {
        Expr::MethodCall(call) if call.method == "filter" => {
            let mut index = wider(&call.receiver)?;
            index.filter = Some(text(call.args.first()?)?);
            Some(index)
        }
        // The name is that of the database anyway.
        Expr::MethodCall(call) if call.method == "named" => wider(&call.receiver),
        Expr::MethodCall(call) if call.method == "using" => {
            let mut index = wider(&call.receiver)?;
            index.method = Some(text(call.args.first()?)?);
            Some(index)
        }
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let is_unique = match function.path.segments.last()?.ident.to_string().as_str() {
                "on" => false,
                "unique" => true,
                _ => return None,
            };
            let columns = array(call.args.first()?)?.elems.iter().map(text).collect::<Option<Vec<_>>>()?;
            Some(CompositeIndex { columns, is_unique, filter: None, method: None })
        }
        _ => None,
    }
}

fn enum_values(function: &ImplItemFn) -> Listed<EnumValues> {
    let item = part(function);
    match listed(&function.block) {
        Some((list, entries)) => Listed { item, list: Some(list), entries: entries.iter().map(entry).collect() },
        None => Listed { item, list: None, entries: Vec::new() },
    }
}

/// Parses `(Column::Role, enum_values::<Role>())`.
fn entry(expression: &Expr) -> Option<EnumValues> {
    let Expr::Tuple(pair) = expression else { return None };
    let mut elements = pair.elems.iter();
    let (Some(Expr::Path(variant)), Some(strings)) = (elements.next(), elements.next()) else { return None };
    Some(EnumValues { variant: variant.path.segments.last()?.ident.to_string(), enum_name: enum_name(strings) })
}

fn enum_name(expression: &Expr) -> Option<String> {
    let Expr::Call(call) = expression else { return None };
    let Expr::Path(function) = &*call.func else { return None };
    let function = function.path.segments.last().filter(|segment| segment.ident == "enum_values")?;
    match argument(function)? {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// The elements of the `vec![…]` that a function returns.
pub(super) fn listed(block: &Block) -> Option<(List, Punctuated<Expr, Token![,]>)> {
    let tail = returned_macro(block).filter(|tail| tail.path.is_ident("vec"))?;
    let elements = tail.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
    Some((List::new(tail.delimiter.span().open(), &elements), elements))
}

fn returned_macro(block: &Block) -> Option<&Macro> {
    match block.stmts.as_slice() {
        [Stmt::Expr(Expr::Macro(tail), _)] => Some(&tail.mac),
        [Stmt::Macro(tail)] => Some(&tail.mac),
        _ => None,
    }
}
